/**
 * The largest and the smallest over axes, and where they stand.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import { formatShape, normalizeDim, normalizeDims, shaped } from "../../shape.ts";
import { Tensor, valuesOf } from "../../tensor.ts";
import { add, div, mul } from "../elementwise/arithmetic.ts";
import { maximum, minimum } from "../elementwise/bounds.ts";
import { eq, ne, where } from "../elementwise/compare.ts";
import { assertArguments, assertTensor, fromValues } from "../create/creation.ts";
import { gather } from "../shape/index.ts";
import { describe } from "../../check/describe.ts";
import { refuse } from "../../check/refuse.ts";
import { assertOptions, type Known } from "../../check/options.ts";
import { type ReduceOptions, sum } from "./reduce.ts";
import {
  countOver,
  dropDims,
  keptShape,
  reduceBy,
  type Reduced,
  reducedDims,
  rowsOver,
} from "./rows.ts";

interface ExtremumAttrs extends Reduced {
  /** Whether elements that are NaN share the gradient of a result that is, as `max` has it. */
  readonly nanShares: boolean;
}

type Extremum = Unary<readonly [x: Tensor, y: Tensor], ExtremumAttrs>;

type RowKernel = (x: Float64Array, out: Float64Array, n: number) => void;

/** Values with gaps between them, so that no small step makes another one the extremum. */
function distinct() {
  const x = fromValues([3, -1, 4, 1.5, -5, 9, 2, 6, -3, 5.5, 8, 7], [2, 3, 2]).requiresGrad_();
  return [[0, 2], [1], [0, 1, 2]].map((dims) => ({
    inputs: [x] as const,
    attrs: { dims, nanShares: dims.length === 3 },
  }));
}

function defineExtremum(name: string, kernel: RowKernel): Extremum {
  return ownPrimitive<Extremum>({
    name,
    shape: keptShape,
    forward: ([x], [y], { dims }) =>
      kernel(rowsOver(x, dims), valuesOf(y), countOver(x.shape, dims)),
    save: ([x], [y]) => [x, y],
    // g / ties to each element that is the extremum
    vjp: ([g], { saved: [x, y], attrs: { dims, nanShares } }) => {
      const same = eq(x, y);
      if (!nanShares) return [div(mul(g, same), sum(same, { dim: dims, keepdim: true }))];
      const ties = add(same, mul(ne(x, x), ne(y, y)));
      return [where(ties, div(g, sum(ties, { dim: dims, keepdim: true })), 0)];
    },
  });
}

const amaxPrimitive = /* @__PURE__ */ defineExtremum("amax", kernels.amax);
const aminPrimitive = /* @__PURE__ */ defineExtremum("amin", kernels.amin);
/* @__PURE__ */ described(amaxPrimitive, "the largest element", distinct);
/* @__PURE__ */ described(aminPrimitive, "the smallest element", distinct);

function reduceExtremum(
  action: string,
  primitive: Extremum,
  x: Tensor,
  options: ReduceOptions,
  nanShares = false,
): Tensor {
  const dims = reducedDims(action, x, options, KNOWN);
  assertSome(action, x, dims);
  return reduceBy(primitive, x, { dims, nanShares }, options.keepdim);
}

function assertSome(action: string, x: Tensor, dims: readonly number[]): void {
  if (countOver(x.shape, dims) === 0) {
    refuse(action, shaped("x", x), `at least one element over dims ${formatShape(dims)}`);
  }
}

/**
 * The largest element over axes; NaN if there is one.
 *
 * Shapes: the reduced axes vanish, or stay as 1 with `keepdim`. Gradient: shared equally among the
 * elements that tie.
 *
 * @throws {RangeError} if a dim is out of range or named twice, or if there is nothing to compare.
 *
 * @example
 * ```ts
 * import { amax, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(amax(tensor([[1, 5], [7, 2]]), { dim: 1 }).toArray(), [5, 7]);
 * ```
 */
export function amax(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduceExtremum("amax", amaxPrimitive, x, options);
}

/**
 * The smallest element over axes; NaN if there is one.
 *
 * Shapes: the reduced axes vanish, or stay as 1 with `keepdim`. Gradient: shared equally among the
 * elements that tie.
 *
 * @throws {RangeError} if a dim is out of range or named twice, or if there is nothing to compare.
 *
 * @example
 * ```ts
 * import { amin, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(amin(tensor([[1, 5], [7, 2]]), { dim: 1 }).toArray(), [1, 2]);
 * ```
 */
export function amin(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduceExtremum("amin", aminPrimitive, x, options);
}

/** The axis of {@linkcode argmax} and of {@linkcode max}. */
export interface ExtremumOptions {
  /** One axis; all of them as one where left out. */
  readonly dim?: number | null;
  /** Whether the reduced axis stays with size 1. */
  readonly keepdim?: boolean;
}

const KNOWN: Known<ExtremumOptions> = ["dim", "keepdim"];

type Places = Unary<readonly [], Reduced>;

function distinctPlaces() {
  return distinct().map(({ inputs, attrs: { dims } }) => ({ inputs, attrs: { dims } }));
}

function definePlaces(name: string, kernel: RowKernel): Places {
  return ownPrimitive<Places>({
    name,
    shape: keptShape,
    forward: ([x], [y], { dims }) =>
      kernel(rowsOver(x, dims), valuesOf(y), countOver(x.shape, dims)),
  });
}

const argmaxPrimitive = /* @__PURE__ */ definePlaces("argmax", kernels.argmax);
const argminPrimitive = /* @__PURE__ */ definePlaces("argmin", kernels.argmin);
/* @__PURE__ */ described(argmaxPrimitive, "where the largest stands first", distinctPlaces);
/* @__PURE__ */ described(argminPrimitive, "where the smallest stands first", distinctPlaces);

function places(action: string, primitive: Places, x: Tensor, options: ExtremumOptions): Tensor {
  assertArguments(action, x, options, KNOWN);
  const { dim = null, keepdim } = options;
  const axes = dim === null ? null : normalizeDim(action, dim, x.ndim);
  const dims = normalizeDims(action, axes, x.ndim);
  assertSome(action, x, dims);
  return reduceBy(primitive, x, { dims }, keepdim);
}

/**
 * Where the largest element stands along an axis, or among all elements in row-major order; the first
 * of several, and a NaN before any number.
 *
 * Shapes: the axis vanishes, or stays as 1 with `keepdim`. Gradient: none.
 *
 * @throws {TypeError} if `dim` is not an integer. @throws {RangeError} if it is out of range, or if there
 * is nothing to compare.
 *
 * @example
 * ```ts
 * import { argmax, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 5, 5], [7, 2, 3]]);
 * assertEquals(argmax(x).item(), 3);
 * assertEquals(argmax(x, { dim: 1 }).toArray(), [1, 0]);
 * ```
 */
export function argmax(x: Tensor, options: ExtremumOptions = {}): Tensor {
  return places("argmax", argmaxPrimitive, x, options);
}

/**
 * Where the smallest element stands along an axis, or among all elements in row-major order; the
 * first of several, and a NaN before any number. As {@linkcode argmax} otherwise.
 */
export function argmin(x: Tensor, options: ExtremumOptions = {}): Tensor {
  return places("argmin", argminPrimitive, x, options);
}

/** What {@linkcode max} and {@linkcode min} return along a dim. */
export interface ValuesAndIndices {
  /** The extreme values. */
  readonly values: Tensor;
  /** Where each stands first along the dim. */
  readonly indices: Tensor;
}

/** The options of {@linkcode max} with a dim. */
export interface AlongDimOptions {
  /** The axis. */
  readonly dim: number;
  /** Whether it stays with size 1. */
  readonly keepdim?: boolean;
}

/** What {@linkcode max} accepts in second place. */
export type MaxArgument = Tensor | ExtremumOptions;

function extremum(
  action: "max" | "min",
  x: Tensor,
  argument: MaxArgument,
): Tensor | ValuesAndIndices {
  const isMax = action === "max";
  assertTensor(action, x, "x");
  if (argument instanceof Tensor) return isMax ? maximum(x, argument) : minimum(x, argument);
  if (typeof argument !== "object" || argument === null) {
    throw new TypeError(
      `Cannot ${action}: got ${describe(argument)}, expected a Tensor or options`,
    );
  }
  assertOptions(action, argument, KNOWN);
  const dim = argument.dim ?? null;
  if (dim === null) {
    if (argument.keepdim !== undefined) {
      throw new TypeError(`Cannot ${action}: got keepdim without dim, expected both or neither`);
    }
    return reduceExtremum(action, isMax ? amaxPrimitive : aminPrimitive, x, {}, true);
  }
  const axis = normalizeDim(action, dim, x.ndim);
  const places = (isMax ? argmax : argmin)(x, { dim: axis, keepdim: true });
  const dims = x.ndim === 0 ? [] : [axis];
  return {
    values: dropDims(gather(x, axis, places), dims, argument.keepdim),
    indices: dropDims(places, dims, argument.keepdim),
  };
}

/**
 * The largest: of all elements; along an axis, with where it stands; or of two tensors, element by
 * element ({@linkcode maximum}). NaN if there is one.
 *
 * Shapes: → []; along an axis, which vanishes or stays as 1 with `keepdim`; or broadcast. Gradient: of
 * all elements, shared equally among those that tie; along an axis, to the element that `indices`
 * names.
 *
 * @throws {TypeError} if the second argument is something else, or has `keepdim` without `dim`.
 * @throws {RangeError} if the dim is out of range, or if there is nothing to compare.
 *
 * @example
 * ```ts
 * import { max, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 5], [7, 2]]);
 * assertEquals(max(x).item(), 7);
 * const { values, indices } = max(x, { dim: 1 });
 * assertEquals([values.toArray(), indices.toArray()], [[5, 7], [1, 0]]);
 * assertEquals(max(x, tensor(3)).toArray(), [[3, 5], [7, 3]]);
 * ```
 */
export function max(x: Tensor, options: AlongDimOptions): ValuesAndIndices;
/** The largest of all elements. */
export function max(x: Tensor, options?: { readonly dim?: null }): Tensor;
/** The larger of two tensors, element by element. */
export function max(x: Tensor, y: Tensor): Tensor;
/** Any of the three. */
export function max(x: Tensor, argument?: MaxArgument): Tensor | ValuesAndIndices;
export function max(x: Tensor, argument: MaxArgument = {}): Tensor | ValuesAndIndices {
  return extremum("max", x, argument);
}

/**
 * The smallest: of all elements; along an axis, with where it stands; or of two tensors, element by
 * element ({@linkcode minimum}). As {@linkcode max} otherwise.
 *
 * @throws {TypeError} if the second argument is something else, or has `keepdim` without `dim`.
 * @throws {RangeError} if the dim is out of range, or if there is nothing to compare.
 */
export function min(x: Tensor, options: AlongDimOptions): ValuesAndIndices;
/** The smallest of all elements. */
export function min(x: Tensor, options?: { readonly dim?: null }): Tensor;
/** The smaller of two tensors, element by element. */
export function min(x: Tensor, y: Tensor): Tensor;
/** Any of the three. */
export function min(x: Tensor, argument?: MaxArgument): Tensor | ValuesAndIndices;
export function min(x: Tensor, argument: MaxArgument = {}): Tensor | ValuesAndIndices {
  return extremum("min", x, argument);
}
