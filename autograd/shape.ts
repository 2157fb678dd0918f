/** Shapes: sizes, strides, dims, broadcasting and how they are named in errors. */
import { refuse, refuseKind } from "./check/refuse.ts";
import { describe, show } from "./check/describe.ts";

/** The sizes of a tensor's axes, outermost first. */
export type Shape = readonly number[];

/** One dim or a list of dims; negative ones count from the end. */
export type Dims = number | readonly number[];

/** The number of elements of a shape; 1 for the shape of a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i];
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A shape as errors show it: `[2, 3]`. */
export function formatShape(shape: Shape): string {
  const sizes = shape.slice(0, 64).map((n) => typeof n === "number" ? String(n) : describe(n));
  return `[${sizes.join(", ")}${shape.length > 64 ? ", …" : ""}]`;
}

/** A tensor as errors show it: `x of shape [2, 3]`. */
export function shaped(name: string, { shape }: { readonly shape: Shape }): string {
  return `${name} of shape ${formatShape(shape)}`;
}

/**
 * The shape that two shapes broadcast to: aligned at the last axis, sizes are equal or one of them
 * is 1.
 *
 * @throws {RangeError} if they do not broadcast; `action` names the caller.
 */
export function broadcastShapes(action: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const ndim = Math.max(a.length, b.length);
  const shape = new Array<number>(ndim);
  for (let i = 1; i <= ndim; i++) {
    const p = i <= a.length ? a[a.length - i] : 1;
    const q = i <= b.length ? b[b.length - i] : 1;
    if (p !== q && p !== 1 && q !== 1) {
      throw new RangeError(
        `Cannot ${action}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast, ` +
          `expected sizes that are equal or 1 at axis -${i}`,
      );
    }
    shape[ndim - i] = p === 1 ? q : p;
  }
  return shape;
}

/** Whether `from` broadcasts to exactly `to`. */
export function broadcastsTo(from: Shape, to: Shape): boolean {
  if (from.length > to.length) return false;
  const lead = to.length - from.length;
  for (let i = 0; i < from.length; i++) {
    if (from[i] !== 1 && from[i] !== to[lead + i]) return false;
  }
  return true;
}

/**
 * A dim in `0 … ndim − 1` from one that may be negative. A scalar accepts 0 and −1, as in PyTorch.
 *
 * @throws {TypeError} if it is not an integer. @throws {RangeError} if it is out of range.
 */
export function normalizeDim(action: string, dim: number, ndim: number, name = "dim"): number {
  if (!Number.isInteger(dim)) {
    throw new TypeError(`Cannot ${action}: got ${name} ${show(dim)}, expected an integer`);
  }
  const range = Math.max(ndim, 1);
  if (dim < -range || dim >= range) {
    refuse(
      action,
      `${name} ${dim}`,
      `one of ${-range} … ${range - 1} for a tensor of ${ndim} dims`,
    );
  }
  return dim < 0 ? dim + range : dim;
}

/** So many dims too many are looked at one by one, to say which of them is wrong. */
const MOST_SURPLUS_DIMS = 16;

/**
 * Distinct dims in `0 … ndim − 1`, ascending. `undefined`, `null` and (as in PyTorch's reductions)
 * an empty list stand for all of them.
 *
 * @throws {RangeError} if a dim is out of range or named twice.
 */
export function normalizeDims(
  action: string,
  dims: Dims | null | undefined,
  ndim: number,
): number[] {
  if (dims === undefined || dims === null || (typeof dims !== "number" && dims.length === 0)) {
    return Array.from({ length: ndim }, (_, i) => i);
  }
  const list: unknown = typeof dims === "number" ? [dims] : dims;
  if (!Array.isArray(list)) refuseKind(action, "dim", dims, "an integer or a list of them");
  if (list.length > ndim + MOST_SURPLUS_DIMS) {
    refuse(action, `${list.length} dims for ${ndim} axes`, "every dim once");
  }
  const result = list.map((dim) => normalizeDim(action, dim, ndim)).sort((a, b) => a - b);
  for (let i = 1; i < result.length; i++) {
    if (result[i] === result[i - 1]) refuse(action, `dim ${formatShape(list)}`, "every dim once");
  }
  return ndim === 0 ? [] : result;
}

/** The shape after reducing `dims` (normalized): they become 1, or vanish without `keepdim`. */
export function reducedShape(shape: Shape, dims: readonly number[], keepdim: boolean): number[] {
  if (keepdim) return shape.map((size, i) => dims.includes(i) ? 1 : size);
  return shape.filter((_, i) => !dims.includes(i));
}

/**
 * Checks that a shape is a list of integers of at least 0 and at most 64 axes.
 *
 * @throws {TypeError} if it is not a list. @throws {RangeError} if a size is not an integer ≥ 0.
 */
export function validateShape(action: string, shape: Shape): Shape {
  if (!Array.isArray(shape)) {
    throw new TypeError(`Cannot ${action}: got shape ${show(shape)}, expected a list of sizes`);
  }
  if (shape.length > 64) refuse(action, `${shape.length} dims`, "at most 64");
  for (const size of shape) {
    if (typeof size !== "number") {
      throw new TypeError(
        `Cannot ${action}: got size ${show(size)} in the shape, expected numbers`,
      );
    }
    if (!Number.isSafeInteger(size) || size < 0) {
      refuse(action, `shape ${formatShape(shape)}`, "integers of at least 0");
    }
  }
  return shape;
}

/**
 * Checks that an argument is a list of integers of any sign.
 *
 * @throws {TypeError} if it is not a list, or if something in it is not an integer.
 */
export function assertIntegers(
  action: string,
  values: unknown,
  name: string,
): asserts values is readonly number[] {
  if (!Array.isArray(values)) {
    throw new TypeError(
      `Cannot ${action}: got ${name} ${show(values)}, expected a list of integers`,
    );
  }
  for (const value of values) assertInteger(action, value, name);
}

/**
 * Checks that an argument is an integer of any sign.
 *
 * @throws {TypeError} if not.
 */
export function assertInteger(
  action: string,
  value: unknown,
  name: string,
): asserts value is number {
  if (!Number.isSafeInteger(value)) {
    throw new TypeError(`Cannot ${action}: got ${show(value)} in ${name}, expected an integer`);
  }
}

/** More numbers than an engine's arrays hold. */
const MOST_ELEMENTS = 2 ** 32;

/**
 * Checks that so many numbers can be counted out.
 *
 * @throws {RangeError} if not.
 */
export function assertCount(action: string, count: number): void {
  if (!(count <= MOST_ELEMENTS)) refuse(action, `${count} elements`, `at most ${MOST_ELEMENTS}`);
}

/** Checks that a user's shape and a tensor's agree; used where two tensors must match exactly. */
export function assertSameShape(action: string, got: Shape, expected: Shape, name: string): void {
  if (!sameShape(got, expected)) {
    refuse(action, `${name} of shape ${formatShape(got)}`, formatShape(expected));
  }
}
