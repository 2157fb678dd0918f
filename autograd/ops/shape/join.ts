/**
 * Tensors put together along an axis, and taken apart.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import {
  assertInteger,
  assertIntegers,
  formatShape,
  normalizeDim,
  sameShape,
  type Shape,
  sizeOf,
} from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { clone } from "./clone.ts";
import { assertArguments, assertEach, assertTensor, zeros } from "../create/creation.ts";
import { refuse, refuseKind } from "../../check/refuse.ts";
import { assertOptions, type Known } from "../../check/options.ts";
import { uniform } from "../create/samples.ts";
import { flatten, reshape, unsqueeze } from "./shape.ts";
import { axisOf, part } from "./view.ts";

/** An empty vector, which PyTorch's cat has always ignored, whatever the other shapes. */
function isSkipped(shape: Shape): boolean {
  return shape.length === 1 && shape[0] === 0;
}

/** The number of values that an axis and those behind it have. */
function widthFrom(shape: Shape, dim: number): number {
  return sizeOf(shape.slice(dim));
}

const catPrimitive = /* @__PURE__ */ ownPrimitive<
  Primitive<
    readonly Tensor[],
    readonly [out: Tensor],
    readonly [],
    { readonly dim: number }
  >
>({
  name: "cat",
  shape: (shapes, { dim }) => {
    const kept = shapes.filter((shape) => !isSkipped(shape));
    if (kept.length === 0) return [[0]];
    return [kept[0].with(dim, kept.reduce((total, shape) => total + shape[dim], 0))];
  },
  forward: (tensors, [out], { dim }) => {
    const row = widthFrom(out.shape, dim);
    let column = 0;
    for (const part of tensors) {
      if (isSkipped(part.shape)) continue;
      const width = widthFrom(part.shape, dim);
      kernels.writeColumns(valuesOf(part), valuesOf(out), row, column, width);
      column += width;
    }
  },
  // Each tensor gets its part of g.
  vjp: ([g], { attrs: { dim }, needs, inputShapes }) => {
    let start = 0;
    return inputShapes.map((shape, i) => {
      if (isSkipped(shape)) return needs[i] ? zeros(shape) : null;
      const from = start;
      start += shape[dim];
      return needs[i] ? part(g, dim, from, shape[dim]) : null;
    });
  },
});

/* @__PURE__ */ described(catPrimitive, "tensors one after another along an axis", (random) => [
  {
    inputs: [[2, 1, 2], [2, 3, 2], [0]].map((shape) => uniform(random, shape, -1, 1)),
    attrs: { dim: 1 },
  },
  { inputs: [uniform(random, [2], -1, 1), uniform(random, [3], -1, 1)], attrs: { dim: 0 } },
]);

const splitPrimitive = /* @__PURE__ */ ownPrimitive<
  Primitive<
    readonly [x: Tensor],
    readonly Tensor[],
    readonly [],
    { readonly dim: number; readonly sizes: readonly number[] }
  >
>({
  name: "split",
  shape: ([x], { dim, sizes }) => sizes.map((size) => x.with(dim, size)),
  forward: ([x], parts, { dim }) => {
    const row = widthFrom(x.shape, dim);
    let column = 0;
    for (const part of parts) {
      const width = widthFrom(part.shape, dim);
      kernels.readColumns(valuesOf(x), valuesOf(part), row, column, width);
      column += width;
    }
  },
  vjp: (cotangents, { attrs: { dim } }) => [bind(catPrimitive, cotangents, { dim })[0]],
});

/* @__PURE__ */ described(splitPrimitive, "parts of an axis one after another", (random) => [
  { inputs: [uniform(random, [2, 4, 2], -1, 1)], attrs: { dim: 1, sizes: [1, 3] } },
  { inputs: [uniform(random, [3], -1, 1)], attrs: { dim: 0, sizes: [2, 1] } },
]);

/** Along which axis. */
export interface DimOptions {
  /** The axis; the first where left out. */
  readonly dim?: number;
}

const KNOWN: Known<DimOptions> = ["dim"];

function assertTensors(
  action: string,
  tensors: unknown,
): asserts tensors is readonly Tensor[] {
  if (!Array.isArray(tensors)) refuseKind(action, "tensors", tensors, "a list of Tensors");
  if (tensors.length === 0) refuse(action, "an empty list of tensors", "at least one");
  assertEach(action, tensors, "tensors");
}

/**
 * The tensors one after another along an axis.
 *
 * Shapes: [*, dᵢ, *], equal elsewhere → [*, Σ dᵢ, *]; vectors without elements are ignored,
 * whatever the other shapes. Gradient: to each its part of g.
 *
 * @param tensors At least one.
 * @param options The axis; the first where left out.
 * @returns A copy.
 * @throws {RangeError} if the list is empty, a tensor is a scalar, or shapes differ elsewhere.
 *
 * @example
 * ```ts
 * import { cat, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1], [2]]);
 * assertEquals(cat([x, x], { dim: 1 }).toArray(), [[1, 1], [2, 2]]);
 * ```
 */
export function cat(tensors: readonly Tensor[], options: DimOptions = {}): Tensor {
  assertTensors("cat", tensors);
  assertOptions("cat", options, KNOWN);
  const scalar = tensors.findIndex((x) => x.ndim === 0);
  if (scalar >= 0) refuse("cat", `tensors[${scalar}] of shape []`, "at least one dim; use stack");
  const first = tensors.find((x) => !isSkipped(x.shape)) ?? tensors[0];
  const dim = normalizeDim("cat", options.dim ?? 0, first.ndim);
  tensors.forEach(({ shape }, i) => {
    const fits = isSkipped(shape) || (shape.length === first.ndim &&
      shape.every((size, axis) => axis === dim || size === first.shape[axis]));
    if (!fits) {
      refuse(
        "cat",
        `tensors[${i}] of shape ${formatShape(shape)}`,
        `that of the first, ${formatShape(first.shape)}, except at dim ${dim}`,
      );
    }
  });
  return bind(catPrimitive, [...tensors], { dim })[0];
}

/**
 * Tensors of one shape side by side along a new axis.
 *
 * Shapes: n times [*] → [*, n, *], the new axis at `dim`. Gradient: to each its slice of g.
 *
 * @param tensors At least one.
 * @param options The place of the new axis; the first where left out.
 * @returns A copy.
 * @throws {RangeError} if the list is empty or shapes differ.
 *
 * @example
 * ```ts
 * import { stack, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(stack([tensor([1, 2]), tensor([3, 4])], { dim: 1 }).toArray(), [[1, 3], [2, 4]]);
 * ```
 */
export function stack(tensors: readonly Tensor[], options: DimOptions = {}): Tensor {
  assertTensors("stack", tensors);
  assertOptions("stack", options, KNOWN);
  const { shape, ndim } = tensors[0];
  const dim = normalizeDim("stack", options.dim ?? 0, ndim + 1);
  tensors.forEach((x, i) => {
    if (!sameShape(x.shape, shape)) {
      refuse(
        "stack",
        `tensors[${i}] of shape ${formatShape(x.shape)}`,
        `that of the first, ${formatShape(shape)}`,
      );
    }
  });
  return bind(catPrimitive, tensors.map((x) => unsqueeze(x, dim)), { dim })[0];
}

/**
 * The parts of a tensor along an axis: of `sizeOrSizes` elements each, the last one smaller where it
 * does not come out even, or of the sizes listed.
 *
 * Shapes: [*, d, *] → [*, sizeᵢ, *] for each part. Gradient: the cotangents one after another.
 *
 * @param x The tensor.
 * @param sizeOrSizes One size for all parts, or the size of each.
 * @param options The axis; the first where left out.
 * @returns The parts, copied.
 * @throws {RangeError} if `x` is a scalar, a size is negative, or listed sizes do not add up.
 *
 * @example
 * ```ts
 * import { split, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([1, 2, 3]);
 * assertEquals(split(x, 2).map((part) => part.toArray()), [[1, 2], [3]]);
 * assertEquals(split(x, [1, 2]).map((part) => part.toArray()), [[1], [2, 3]]);
 * ```
 */
export function split(
  x: Tensor,
  sizeOrSizes: number | readonly number[],
  options: DimOptions = {},
): Tensor[] {
  const [dim, length] = axisToSplit("split", x, options);
  if (typeof sizeOrSizes === "number") {
    assertInteger("split", sizeOrSizes, "sizeOrSizes");
    if (sizeOrSizes < 0 || (sizeOrSizes === 0 && length > 0)) {
      refuse("split", `size ${sizeOrSizes} for a dim of ${length}`, "at least 1");
    }
    return apart(x, dim, evenSizes(length, sizeOrSizes));
  }
  assertIntegers("split", sizeOrSizes, "sizeOrSizes");
  const total = sizeOrSizes.reduce((sum, size) => sum + size, 0);
  if (total !== length || sizeOrSizes.some((size) => size < 0)) {
    refuse(
      "split",
      `sizes ${formatShape(sizeOrSizes)} for a dim of ${length}`,
      "sizes of at least 0 that add up to it",
    );
  }
  return apart(x, dim, [...sizeOrSizes]);
}

/**
 * A tensor in `chunks` parts along an axis, as even as they can be while all but the last are equal;
 * there may be fewer.
 *
 * Shapes: [*, d, *] → [*, d / chunks rounded up, *], the last one smaller. Gradient: the cotangents
 * one after another.
 *
 * @throws {RangeError} if `x` is a scalar or `chunks` is not positive.
 *
 * @example
 * ```ts
 * import { arange, chunk } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(chunk(arange(5), 3).map((part) => part.size), [2, 2, 1]);
 * assertEquals(chunk(arange(5), 4).map((part) => part.size), [2, 2, 1]);
 * ```
 */
export function chunk(x: Tensor, chunks: number, options: DimOptions = {}): Tensor[] {
  const [dim, length] = axisToSplit("chunk", x, options);
  assertInteger("chunk", chunks, "chunks");
  if (chunks <= 0) refuse("chunk", `${chunks} chunks`, "at least 1");
  if (length === 0 && chunks > MOST_EMPTY_CHUNKS) {
    refuse("chunk", `${chunks} chunks of an empty axis`, `at most ${MOST_EMPTY_CHUNKS}`);
  }
  const sizes = length === 0
    ? new Array<number>(chunks).fill(0)
    : evenSizes(length, Math.ceil(length / chunks));
  return apart(x, dim, sizes);
}

/** An empty axis is cut into as many parts as are asked for, each of them a tensor. */
const MOST_EMPTY_CHUNKS = 2 ** 20;

/**
 * The slices of a tensor along an axis, which vanishes.
 *
 * Shapes: [*, d, *] → d times [*, *]. Gradient: the cotangents side by side.
 *
 * @throws {RangeError} if `x` is a scalar.
 *
 * @example
 * ```ts
 * import { tensor, unbind } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(unbind(tensor([[1, 2], [3, 4]])).map((row) => row.toArray()), [[1, 2], [3, 4]]);
 * ```
 */
export function unbind(x: Tensor, options: DimOptions = {}): Tensor[] {
  const [dim, length] = axisToSplit("unbind", x, options);
  if (length === 0) return [];
  const shape = x.shape.toSpliced(dim, 1);
  return apart(x, dim, evenSizes(length, 1)).map((slice) => reshape(slice, shape));
}

function axisToSplit(action: string, x: Tensor, options: DimOptions): [dim: number, size: number] {
  assertArguments(action, x, options, KNOWN);
  const dim = axisOf(action, x, options.dim ?? 0);
  return [dim, x.shape[dim]];
}

function evenSizes(length: number, size: number): number[] {
  if (length === 0) return [0];
  const sizes = new Array<number>(Math.ceil(length / size)).fill(size);
  sizes[sizes.length - 1] = length - (sizes.length - 1) * size;
  return sizes;
}

function apart(x: Tensor, dim: number, sizes: readonly number[]): Tensor[] {
  return [...bind(splitPrimitive, [x], { dim, sizes })];
}

/**
 * The values moved along axes by `shifts`; what falls off one end comes in at the other.
 *
 * Shapes: any → the same. Gradient: rolled back.
 *
 * @param x The tensor.
 * @param shifts How far, for each of `dims`; a negative one moves towards the start.
 * @param dims One axis or several, which may repeat; left out, the flattened values are rolled.
 * @returns A copy.
 * @throws {RangeError} if there are not as many shifts as dims, or a dim is out of range.
 *
 * @example
 * ```ts
 * import { roll, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(roll(tensor([1, 2, 3]), 1).toArray(), [3, 1, 2]);
 * assertEquals(roll(tensor([[1, 2], [3, 4]]), -1, 0).toArray(), [[3, 4], [1, 2]]);
 * ```
 */
export function roll(
  x: Tensor,
  shifts: number | readonly number[],
  dims?: number | readonly number[] | null,
): Tensor {
  assertTensor("roll", x, "x");
  const distances = typeof shifts === "number" ? [shifts] : shifts;
  const axes = typeof dims === "number" ? [dims] : dims ?? [];
  assertIntegers("roll", distances, "shifts");
  assertIntegers("roll", axes, "dims");
  const wholly = axes.length === 0;
  if (distances.length === 0 || distances.length !== (wholly ? 1 : axes.length)) {
    refuse(
      "roll",
      `${distances.length} shifts and ${axes.length} dims`,
      "one shift for each dim, or a single one without dims",
    );
  }
  if (wholly) return reshape(rollAxis(flatten(x), distances[0], 0), x.shape);
  if (x.size === 0) return clone(x);
  if (x.ndim === 0) refuse("roll", `dims ${formatShape(axes)}`, "none for a scalar");
  return axes.reduce(
    (y, dim, i) => rollAxis(y, distances[i], normalizeDim("roll", dim, x.ndim, "dims")),
    x,
  );
}

function rollAxis(x: Tensor, shift: number, dim: number): Tensor {
  const length = x.shape[dim];
  const start = length === 0 ? 0 : (length - shift % length) % length;
  if (start === 0) return clone(x);
  const parts = [part(x, dim, start, length - start), part(x, dim, 0, start)];
  return bind(catPrimitive, parts, { dim })[0];
}
