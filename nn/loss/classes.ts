/** Class indices as targets. */
import { refuse, refuseKind, show as shown, valuesOf } from "../../autograd/internal.ts";
import { type NestedArray, type Shape, Tensor, tensor } from "../../autograd/mod.ts";

/** Targets: a tensor, or plain numbers in nested arrays. */
export type Target = Tensor | NestedArray;

/** A target as a tensor. */
export function asTarget(action: string, target: Target): Tensor {
  if (target instanceof Tensor) return target;
  if (typeof target === "number" || Array.isArray(target)) return tensor(target);
  throw new TypeError(
    `Cannot ${action}: got target ${shown(target)}, expected a Tensor or an array of numbers`,
  );
}

/**
 * Checks class indices: their shape that of x without its class axis, their values below the number
 * of classes.
 *
 * @throws {RangeError} if the shape or a value does not fit.
 */
export function checkClasses(
  action: string,
  x: Tensor,
  target: Tensor,
  ignoreIndex: number | null,
): void {
  const axis = classAxis(action, x);
  const classes = x.shape[axis];
  const expected = x.shape.filter((_, i) => i !== axis);
  if (target.ndim !== expected.length || target.shape.some((n, i) => n !== expected[i])) {
    refuse(
      action,
      `target of shape ${show(target.shape)} for x of shape ${show(x.shape)}`,
      `shape ${show(expected)}`,
    );
  }
  for (const t of valuesOf(target)) {
    if (t === ignoreIndex) continue;
    if (!Number.isInteger(t) || t < 0 || t >= classes) {
      refuse(
        action,
        `target ${t}`,
        `an integer of 0 … ${classes - 1}${
          ignoreIndex === null ? "" : ` or ignoreIndex ${ignoreIndex}`
        }`,
      );
    }
  }
}

/**
 * The axis of the classes: 0 for a single sample [C], else 1.
 *
 * @throws {RangeError} if x is a scalar.
 */
export function classAxis(action: string, x: Tensor): number {
  if (x.ndim === 0) {
    refuse(action, "x of shape []", "[C], [N, C] or [N, C, d1, …]");
  }
  return x.ndim === 1 ? 0 : 1;
}

/** A shape as [samples, classes, positions]. */
export function classLayout(shape: Shape, axis: number): [n: number, c: number, s: number] {
  const product = (sizes: Shape) => sizes.reduce((a, b) => a * b, 1);
  return [product(shape.slice(0, axis)), shape[axis], product(shape.slice(axis + 1))];
}

/**
 * Checks the weights of the classes.
 *
 * @throws {TypeError} if it is not a tensor. @throws {RangeError} if it is not one for each class.
 */
export function checkClassWeight(action: string, weight: Tensor | null, classes: number): void {
  if (weight === null) return;
  if (!(weight instanceof Tensor)) {
    refuseKind(action, "weight", weight, "a Tensor or null");
  }
  if (weight.ndim !== 1 || weight.shape[0] !== classes) {
    refuse(action, `weight of shape ${show(weight.shape)}`, `[${classes}]`);
  }
}

function show(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
