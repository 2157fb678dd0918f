/**
 * Parts of a tensor, walked with strides: one primitive, and its transpose that puts them back.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import {
  assertInteger,
  assertIntegers,
  formatShape,
  normalizeDim,
  type Shape,
  shaped,
  stridesOf,
} from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { Tensor, valuesOf } from "../../tensor.ts";
import { clone, unshared } from "./clone.ts";
import { assertArguments, assertTensor } from "../create/creation.ts";
import { refuse } from "../../check/refuse.ts";
import type { Known } from "../../check/options.ts";
import { uniform } from "../create/samples.ts";
import { reshape } from "./shape.ts";

/** A walk through row-major values: index i of `shape` stands at offset + Σ iₖ·strideₖ. */
interface Walk {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

const stridedPrimitive = /* @__PURE__ */ ownPrimitive<
  Unary<readonly [], Walk>
>({
  name: "strided",
  shape: (_, { shape }) => [shape],
  forward: ([x], [y], { shape, strides, offset }) =>
    kernels.gatherStrided(valuesOf(x), valuesOf(y), shape, strides, offset),
  // A selection differentiates by its transpose.
  vjp: ([g], { attrs: walk, inputShapes: [shape] }) => [
    putBack(g, walk, shape),
  ],
});

/* @__PURE__ */ described(
  stridedPrimitive,
  "y[i] = x[offset + Σ iₖ·strideₖ]: narrow, flip, diagonal, unfold",
  (random) => walks.map((attrs) => ({ inputs: [uniform(random, [3, 4], -1, 1)], attrs })),
);

const stridedTransposePrimitive = /* @__PURE__ */ ownPrimitive<
  Unary<readonly [], { readonly walk: Walk; readonly shape: Shape }>
>({
  name: "stridedTranspose",
  shape: (_, { shape }) => [shape],
  forward: ([x], [y], { walk: { shape, strides, offset } }) =>
    kernels.scatterStrided(valuesOf(x), valuesOf(y), shape, strides, offset),
  vjp: ([g], { attrs: { walk: { shape, strides, offset } } }) => [walk(g, shape, strides, offset)],
});

/* @__PURE__ */ described(
  stridedTransposePrimitive,
  "y[offset + Σ iₖ·strideₖ] += x[i], from zeros",
  (random) =>
    walks.map((walk) => ({
      inputs: [uniform(random, walk.shape, -1, 1)],
      attrs: { walk, shape: [3, 4] },
    })),
);

/** Of a [3, 4] tensor: a part, a flip, a diagonal and windows that overlap. */
const walks: readonly Walk[] = [
  { shape: [3, 2], strides: [4, 1], offset: 1 },
  { shape: [3, 4], strides: [-4, 1], offset: 8 },
  { shape: [3], strides: [5], offset: 1 },
  { shape: [3, 2, 3], strides: [4, 1, 1], offset: 0 },
];

function walk(x: Tensor, shape: Shape, strides: readonly number[], offset: number): Tensor {
  return bind(stridedPrimitive, [x], { shape, strides, offset })[0];
}

function putBack(x: Tensor, walk: Walk, shape: Shape): Tensor {
  return bind(stridedTransposePrimitive, [x], { walk, shape })[0];
}

/** `x[…, start … start + length − 1, …]` without checks. */
export function part(x: Tensor, dim: number, start: number, length: number): Tensor {
  if (start === 0 && length === x.shape[dim]) return x;
  const strides = stridesOf(x.shape);
  return walk(x, x.shape.with(dim, length), strides, start * strides[dim]);
}

/** The axis that `dim` names of a tensor that has any. */
export function axisOf(action: string, x: Tensor, dim: number): number {
  assertTensor(action, x, "x");
  if (x.ndim === 0) refuse(action, "x of shape []", "at least one dim");
  return normalizeDim(action, dim, x.ndim);
}

/**
 * The part of an axis that begins at `start`: `x[…, start … start + length − 1, …]`.
 *
 * Shapes: [*, d, *] → [*, length, *]. Gradient: zeros around g.
 *
 * @param x The tensor.
 * @param dim The axis.
 * @param start Where the part begins; a negative one counts from the end. May be a 0-d tensor.
 * @param length How many elements.
 * @returns A copy; `x` itself where the part is all of it.
 * @throws {RangeError} if the part does not lie inside the axis.
 *
 * @example
 * ```ts
 * import { narrow, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(narrow(tensor([1, 2, 3, 4]), 0, 1, 2).toArray(), [2, 3]);
 * assertEquals(narrow(tensor([1, 2, 3, 4]), 0, -1, 1).toArray(), [4]);
 * ```
 */
export function narrow(x: Tensor, dim: number, start: number | Tensor, length: number): Tensor {
  const axis = axisOf("narrow", x, dim);
  if (start instanceof Tensor && start.ndim !== 0) {
    refuse("narrow", shaped("start", start), "an integer or a 0-d tensor");
  }
  const first = start instanceof Tensor ? start.item() : start;
  assertInteger("narrow", first, "start");
  assertInteger("narrow", length, "length");
  const size = x.shape[axis];
  const from = first < 0 ? first + size : first;
  if (from < 0 || length < 0 || from + length > size) {
    refuse(
      "narrow",
      `start ${first} and length ${length}`,
      `a part of the ${size} elements at dim ${dim} of ${shaped("x", x)}`,
    );
  }
  return unshared(part(x, axis, from, length), x);
}

/**
 * One slice of an axis, which vanishes: `x[…, index, …]`.
 *
 * Shapes: [*, d, *] → [*, *]. Gradient: zeros around g.
 *
 * @throws {RangeError} if the index is not in −d … d − 1.
 *
 * @example
 * ```ts
 * import { select, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(select(tensor([[1, 2], [3, 4]]), 1, -1).toArray(), [2, 4]);
 * ```
 */
export function select(x: Tensor, dim: number, index: number): Tensor {
  const axis = axisOf("select", x, dim);
  assertInteger("select", index, "index");
  const size = x.shape[axis];
  if (index < -size || index >= size) {
    refuse(
      "select",
      `index ${index}`,
      `one of ${-size} … ${size - 1} for dim ${dim} of ${shaped("x", x)}`,
    );
  }
  const slice = part(x, axis, index < 0 ? index + size : index, 1);
  return unshared(reshape(slice, x.shape.toSpliced(axis, 1)), x);
}

/**
 * The values in reverse order along axes.
 *
 * Shapes: any → the same. Gradient: flipped back.
 *
 * @param x The tensor.
 * @param dims One axis or several; none for an empty list.
 * @returns A copy.
 * @throws {RangeError} if an axis is out of range or named twice.
 *
 * @example
 * ```ts
 * import { flip, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(flip(tensor([[1, 2], [3, 4]]), [0]).toArray(), [[3, 4], [1, 2]]);
 * ```
 */
export function flip(x: Tensor, dims: number | readonly number[]): Tensor {
  assertTensor("flip", x, "x");
  const list = typeof dims === "number" ? [dims] : dims;
  assertIntegers("flip", list, "dims");
  const axes = list.map((dim) => normalizeDim("flip", dim, x.ndim, "dims"));
  if (new Set(axes).size !== axes.length) {
    refuse("flip", `dims ${formatShape(list)}`, "every dim once");
  }
  if (x.ndim === 0 || axes.length === 0) return clone(x);
  const strides = stridesOf(x.shape);
  let offset = 0;
  for (const axis of axes) {
    offset += (x.shape[axis] - 1) * strides[axis];
    strides[axis] = -strides[axis];
  }
  return walk(x, x.shape, strides, x.size === 0 ? 0 : offset);
}

/** Which diagonal, and of which matrices. */
export interface DiagonalOptions {
  /** 0 for the main diagonal, above it if positive. */
  readonly offset?: number;
  /** The axis of rows; 0 where left out. */
  readonly dim1?: number;
  /** The axis of columns; 1 where left out. */
  readonly dim2?: number;
}

const DIAGONAL: Known<DiagonalOptions> = ["offset", "dim1", "dim2"];

/**
 * A diagonal of the matrices that two axes span, as a new last axis.
 *
 * Shapes: [*, m, *, n, *] → [*, *, *, length of the diagonal]. Gradient: g on that diagonal of zeros.
 *
 * @param x The tensor.
 * @param options The main diagonal of the first two axes where left out.
 * @returns A copy.
 * @throws {RangeError} if an axis is out of range or both are the same.
 *
 * @example
 * ```ts
 * import { diagonal, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(diagonal(tensor([[1, 2], [3, 4]])).toArray(), [1, 4]);
 * assertEquals(diagonal(tensor([[1, 2], [3, 4]]), { offset: 1 }).toArray(), [2]);
 * ```
 */
export function diagonal(x: Tensor, options: DiagonalOptions = {}): Tensor {
  assertArguments("diagonal", x, options, DIAGONAL);
  const { offset = 0, dim1 = 0, dim2 = 1 } = options;
  assertInteger("diagonal", offset, "offset");
  const rows = normalizeDim("diagonal", dim1, x.ndim, "dim1");
  const columns = normalizeDim("diagonal", dim2, x.ndim, "dim2");
  if (rows === columns) {
    refuse("diagonal", `dim1 ${dim1} and dim2 ${dim2} for ${shaped("x", x)}`, "two different axes");
  }
  const strides = stridesOf(x.shape);
  const down = Math.max(0, -offset);
  const right = Math.max(0, offset);
  const length = Math.max(0, Math.min(x.shape[rows] - down, x.shape[columns] - right));
  const rest = x.shape.map((_, i) => i).filter((i) => i !== rows && i !== columns);
  return walk(
    x,
    [...rest.map((i) => x.shape[i]), length],
    [...rest.map((i) => strides[i]), strides[rows] + strides[columns]],
    down * strides[rows] + right * strides[columns],
  );
}

/**
 * Windows of `size` elements along an axis, `step` apart, as a new last axis.
 *
 * Shapes: [*, d, *] → [*, (d − size) / step + 1 rounded down, *, size]. Gradient: each element gets
 * the sum over the windows that it lies in.
 *
 * @param x The tensor.
 * @param dim The axis.
 * @param size Elements of a window.
 * @param step From the start of a window to that of the next.
 * @returns A copy.
 * @throws {RangeError} if no window fits or the step is not positive.
 *
 * @example
 * ```ts
 * import { tensor, unfold } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(unfold(tensor([1, 2, 3, 4]), 0, 2, 1).toArray(), [[1, 2], [2, 3], [3, 4]]);
 * ```
 */
export function unfold(x: Tensor, dim: number, size: number, step: number): Tensor {
  assertTensor("unfold", x, "x");
  const axis = normalizeDim("unfold", dim, x.ndim);
  assertInteger("unfold", size, "size");
  assertInteger("unfold", step, "step");
  const longest = x.ndim === 0 ? 1 : x.shape[axis];
  if (size < 0 || size > longest || step <= 0) {
    refuse(
      "unfold",
      `size ${size} and step ${step}`,
      `a size of 0 … ${longest} and a step of at least 1 for dim ${dim} of x of shape ${
        formatShape(x.shape)
      }`,
    );
  }
  if (x.ndim === 0) return walk(x, [size], [1], 0);
  const strides = stridesOf(x.shape);
  const windows = Math.floor((longest - size) / step) + 1;
  return walk(
    x,
    [...x.shape.with(axis, windows), size],
    [...strides.with(axis, strides[axis] * step), strides[axis]],
    0,
  );
}
