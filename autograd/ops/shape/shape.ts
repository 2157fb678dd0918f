/**
 * The same elements under another shape or order.
 */
import { clone } from "./clone.ts";
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import {
  assertIntegers,
  type Dims,
  formatShape,
  normalizeDim,
  normalizeDims,
  type Shape,
  shaped,
  sizeOf,
  stridesOf,
} from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { assertArguments, assertTensor } from "../create/creation.ts";
import { refuse } from "../../check/refuse.ts";
import type { Known } from "../../check/options.ts";
import { uniform } from "../create/samples.ts";

const reshapePrimitive = /* @__PURE__ */ ownPrimitive<
  Unary<readonly [], { readonly shape: Shape }>
>({
  name: "reshape",
  alias: true,
  shape: (_, { shape }) => [shape],
  forward: () => {},
  vjp: ([g], { inputShapes: [shape] }) => [reshape(g, shape)],
});

/* @__PURE__ */ described(
  reshapePrimitive,
  "the same values under another shape",
  (random) => [{ inputs: [uniform(random, [2, 3], -1, 1)], attrs: { shape: [3, 1, 2] } }],
);

const permutePrimitive = /* @__PURE__ */ ownPrimitive<
  Unary<readonly [], { readonly dims: readonly number[] }>
>({
  name: "permute",
  shape: ([x], { dims }) => [dims.map((dim) => x[dim])],
  forward: ([x], [y], { dims }) => {
    const strides = stridesOf(x.shape);
    kernels.gatherStrided(
      valuesOf(x),
      valuesOf(y),
      y.shape,
      dims.map((dim) => strides[dim]),
      0,
    );
  },
  vjp: ([g], { attrs: { dims } }) => [reorder(g, invert(dims))],
});

/* @__PURE__ */ described(permutePrimitive, "axes in another order", (
  random,
) => [{ inputs: [uniform(random, [2, 3, 4], -1, 1)], attrs: { dims: [2, 0, 1] } }]);

function invert(dims: readonly number[]): number[] {
  const inverse = new Array<number>(dims.length);
  dims.forEach((dim, i) => inverse[dim] = i);
  return inverse;
}

/**
 * The same values under another shape; one size may be −1 and is worked out.
 *
 * Shapes: any → `shape` of as many elements. Gradient: reshaped back. Cost: nothing is copied.
 *
 * @throws {RangeError} if the number of elements differs or −1 is ambiguous.
 *
 * @example
 * ```ts
 * import { arange, reshape } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(reshape(arange(6), [2, -1]).shape, [2, 3]);
 * ```
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  assertTensor("reshape", x, "x");
  assertIntegers("reshape", shape, "shape");
  return bind(reshapePrimitive, [x], { shape: resolve(x, shape) })[0];
}

function resolve(x: Tensor, shape: Shape): Shape {
  const size = x.size;
  const unknown = shape.indexOf(-1);
  const known = shape.reduce((product, n, i) => i === unknown ? product : product * n, 1);
  const resolved = shape.map((n, i) => i === unknown ? size / known : n);
  if (
    sizeOf(resolved) !== size || resolved.some((n) => !Number.isInteger(n) || n < 0) ||
    (unknown >= 0 && known === 0)
  ) {
    refuse(
      "reshape",
      `${shaped("x", x)} and shape ${formatShape(shape)}`,
      `${size} elements and at most one -1 that can be worked out`,
    );
  }
  return resolved;
}

/**
 * The axes of a tensor in another order.
 *
 * Shapes: [d₀, d₁, …] → [d of dims[0], d of dims[1], …]. Gradient: permuted back.
 *
 * @throws {RangeError} if `dims` does not name each axis once.
 *
 * @example
 * ```ts
 * import { permute, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(permute(zeros([2, 3, 4]), [2, 0, 1]).shape, [4, 2, 3]);
 * ```
 */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
  assertTensor("permute", x, "x");
  assertIntegers("permute", dims, "dims");
  const order = dims.map((dim) => normalizeDim("permute", dim, x.ndim, "dims"));
  if (order.length !== x.ndim || new Set(order).size !== x.ndim) {
    refuse("permute", `dims ${formatShape(dims)} for ${shaped("x", x)}`, "every dim once");
  }
  return bind(permutePrimitive, [x], { dims: order })[0];
}

/** {@linkcode permute} that trusts its caller with the order; `x` itself where its axes are in this order already. */
export function reorder(x: Tensor, dims: readonly number[]): Tensor {
  assertTensor("reorder", x, "x");
  assertIntegers("reorder", dims, "dims");
  return dims.every((dim, i) => dim === i) ? x : bind(permutePrimitive, [x], { dims })[0];
}

/**
 * Two axes exchanged.
 *
 * Gradient: exchanged back.
 *
 * @throws {RangeError} if an axis is out of range.
 *
 * @example
 * ```ts
 * import { tensor, transpose } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(transpose(tensor([[1, 2], [3, 4]]), 0, 1).toArray(), [[1, 3], [2, 4]]);
 * ```
 */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  assertTensor("transpose", x, "x");
  const a = normalizeDim("transpose", dim0, x.ndim, "dim0");
  const b = normalizeDim("transpose", dim1, x.ndim, "dim1");
  return permute(x, x.shape.map((_, i) => i === a ? b : i === b ? a : i));
}

/**
 * The transpose of a matrix; vectors and scalars stay as they are.
 *
 * Shapes: [m, n] → [n, m]. Gradient: transposed back.
 *
 * @throws {RangeError} if `x` has more than two axes.
 *
 * @example
 * ```ts
 * import { t, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(t(tensor([[1, 2, 3]])).shape, [3, 1]);
 * ```
 */
export function t(x: Tensor): Tensor {
  assertTensor("t", x, "x");
  if (x.ndim > 2) refuse("t", shaped("x", x), "at most 2 dims; use transpose");
  return x.ndim === 2 ? permute(x, [1, 0]) : clone(x);
}

/** Which axes {@linkcode flatten} merges. */
export interface FlattenOptions {
  /** The first of them; 0 where left out. */
  readonly startDim?: number;
  /** The last of them; −1 where left out. */
  readonly endDim?: number;
}

const FLATTEN: Known<FlattenOptions> = ["startDim", "endDim"];

/**
 * The axes from `startDim` to `endDim` merged into one; a scalar becomes a vector of one element.
 *
 * Shapes: [d₀, …, dₙ] → [d₀, …, ∏ merged, …, dₙ]. Gradient: reshaped back. Cost: nothing is copied.
 *
 * @param x The tensor.
 * @param options All axes are merged where left out.
 * @returns The values of `x` under another shape.
 * @throws {RangeError} if an axis is out of range or `startDim` comes after `endDim`.
 *
 * @example
 * ```ts
 * import { flatten, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(flatten(zeros([2, 3, 4]), { startDim: 1 }).shape, [2, 12]);
 * ```
 */
export function flatten(x: Tensor, options: FlattenOptions = {}): Tensor {
  assertArguments("flatten", x, options, FLATTEN);
  const { startDim = 0, endDim = -1 } = options;
  const start = normalizeDim("flatten", startDim, x.ndim, "startDim");
  const end = normalizeDim("flatten", endDim, x.ndim, "endDim");
  if (start > end) {
    refuse("flatten", `startDim ${startDim} and endDim ${endDim}`, "startDim to come first");
  }
  const { shape } = x;
  const merged = shape.slice(start, end + 1);
  return reshape(x, shape.toSpliced(start, merged.length, sizeOf(merged)));
}

/**
 * Axes of size 1 dropped: all of them, or those named. A named axis of another size stays.
 *
 * Gradient: reshaped back. Cost: nothing is copied.
 *
 * @param x The tensor.
 * @param dim One axis or several; all where left out.
 * @returns The values of `x` under another shape.
 * @throws {RangeError} if an axis is out of range or named twice.
 *
 * @example
 * ```ts
 * import { squeeze, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(squeeze(zeros([1, 3, 1])).shape, [3]);
 * assertEquals(squeeze(zeros([1, 3, 1]), -1).shape, [1, 3]);
 * ```
 */
export function squeeze(x: Tensor, dim?: Dims | null): Tensor {
  assertTensor("squeeze", x, "x");
  // An empty list names no axis here, although it names all of them in a reduction.
  if (Array.isArray(dim) && dim.length === 0) return reshape(x, x.shape);
  const dims = normalizeDims("squeeze", dim, x.ndim);
  return reshape(x, x.shape.filter((size, i) => size !== 1 || !dims.includes(i)));
}

/**
 * A new axis of size 1 at `dim`, counted in the result.
 *
 * Gradient: reshaped back. Cost: nothing is copied.
 *
 * @throws {RangeError} if `dim` is out of range.
 *
 * @example
 * ```ts
 * import { tensor, unsqueeze } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(unsqueeze(tensor([1, 2]), 0).shape, [1, 2]);
 * assertEquals(unsqueeze(tensor([1, 2]), -1).shape, [2, 1]);
 * ```
 */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  assertTensor("unsqueeze", x, "x");
  const place = normalizeDim("unsqueeze", dim, x.ndim + 1);
  return reshape(x, x.shape.toSpliced(place, 0, 1));
}
