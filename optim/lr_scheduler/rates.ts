/**
 * The learning rates of an optimizer's groups, as schedules read, check and write them.
 */
import { Tensor } from "../../autograd/mod.ts";
import { describe, refuse, refuseKind } from "../../autograd/internal.ts";
import { assignScalar, type Scalar, valueOf } from "../hyperparameters.ts";
import { Optimizer } from "../optimizer.ts";

/** Checks that a schedule was given an optimizer. */
export function assertOptimizer(action: string, value: unknown): asserts value is Optimizer {
  if (!(value instanceof Optimizer)) {
    throw new TypeError(`Cannot ${action}: got ${describe(value)}, expected an optimizer`);
  }
}

/** The rates that the groups have now. */
export function lrsOf(optimizer: Optimizer): number[] {
  return optimizer.paramGroups.map((group) => valueOf(group.lr));
}

/**
 * Sets the rates of an optimizer's groups, as far as there are values.
 *
 * @throws {RangeError} if a rate is not finite; none is written then.
 */
export function assignLrs(action: string, optimizer: Optimizer, values: readonly number[]): void {
  values.forEach((lr, i) => {
    if (Number.isFinite(lr)) return;
    refuse(action, `a rate of ${lr} for group ${i}`, "a finite one");
  });
  optimizer.paramGroups.slice(0, values.length).forEach((group, i) => {
    assignScalar(group, "lr", values[i]);
  });
}

/**
 * One value for each group, from one for all or a list.
 *
 * @throws {TypeError} if a value is not a number.
 * @throws {RangeError} if the list has another length, or a value is NaN.
 */
export function forEachGroup(
  action: string,
  name: string,
  value: Scalar | readonly Scalar[],
  count: number,
): number[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : new Array(count).fill(value);
  if (list.length !== count) {
    refuse(action, `${list.length} values of ${name}`, `${count}, one for each group`);
  }
  return list.map((scalar) => {
    const number = scalar instanceof Tensor && scalar.size === 1 ? scalar.item() : scalar;
    if (typeof number !== "number") {
      refuseKind(action, name, scalar, "a number");
    }
    if (Number.isNaN(number)) {
      refuse(action, `${name} NaN`, "a number");
    }
    return number;
  });
}
