/**
 * What schedules read and write: the rates of an optimizer's groups, and their own state on disk.
 */
import { describe, kindOf, refuse, refuseKind } from "../../autograd/internal.ts";
import { Tensor } from "../../autograd/mod.ts";
import { assignScalar, type Scalar, valueOf } from "../hyperparameters.ts";
import { Optimizer } from "../optimizer.ts";
import { readDict, toSnakeCase } from "../state_dict.ts";

/** What a schedule writes to disk, under PyTorch's names. */
export type SchedulerStateDict = Readonly<Record<string, unknown>>;

type Fields = Record<string, unknown>;

/** Fields with their names on disk: `tMax` → `T_max`, as PyTorch has it; others in snake case. */
export function diskNames(fields: readonly string[]): Map<string, string> {
  return new Map(
    fields.map((field) => [field, toSnakeCase(field).replace(/^t(_|(?=0$))/, "T_")]),
  );
}

/** A copy of a value, with numbers for tensors of one element. */
function plain(value: unknown): unknown {
  if (value instanceof Tensor && value.size === 1) return value.item();
  return Array.isArray(value) ? value.map(plain) : value;
}

/** The fields of a schedule, copied. */
export function takeState(
  schedule: object,
  names: ReadonlyMap<string, string>,
): SchedulerStateDict {
  const fields = schedule as Fields;
  return Object.fromEntries([...names].map(([field, name]) => [name, plain(fields[field])]));
}

/**
 * Sets the fields of a schedule from a state, an object or a Map, and the rates of its optimizer.
 *
 * @throws {TypeError} if an entry is of another kind than the field.
 * @throws {RangeError} if an entry is missing or there is another number of groups.
 */
export function loadState(
  schedule: { readonly optimizer: Optimizer },
  names: ReadonlyMap<string, string>,
  saved: SchedulerStateDict,
): void {
  const action = `load the state of ${kindOf(schedule)}`;
  const entries = readDict(action, "", saved);
  const values: Fields = {};
  for (const [field, key] of names) {
    const value = plain(entries[key]);
    const current = (schedule as unknown as Fields)[field];
    if (value === undefined) {
      refuse(action, `no ${key}`, [...names.values()].join(", "));
    }
    if (typeof value !== typeof current || Array.isArray(value) !== Array.isArray(current)) {
      refuseKind(action, key, value, Array.isArray(current) ? "a list" : `a ${typeof current}`);
    }
    if (/Lrs?$/.test(field) && Array.isArray(value) && Array.isArray(current)) {
      // A group may have been added after the schedule was made: the last rates are then one more.
      const fits = value.length === current.length ||
        (field === "lastLr" && value.length === schedule.optimizer.paramGroups.length);
      if (!fits) {
        refuse(action, `${value.length} ${key}`, `${current.length}, one for each group`);
      }
    }
    values[field] = value;
  }
  assignLrs(action, schedule.optimizer, values.lastLr as number[]);
  Object.assign(schedule, values);
}

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
