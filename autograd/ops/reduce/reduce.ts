/**
 * Reductions over axes: sums, means, products, and sums that keep every step.
 */
import { unshared } from "../shape/clone.ts";
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import { type Dims, reducedShape } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { add, div, mul, sub } from "../elementwise/arithmetic.ts";
import { sumTo } from "../shape/broadcast.ts";
import type { Known } from "../../check/options.ts";
import { exp } from "../elementwise/math.ts";
import {
  alongDim,
  countOver,
  dropDims,
  keptShape,
  reduceBy,
  type Reduced,
  reducedDims,
  rowsOver,
  sizesAround,
} from "./rows.ts";
import { uniform } from "../create/samples.ts";
import { reorder, reshape } from "../shape/shape.ts";
import { part } from "../shape/view.ts";

/** Which axes a reduction runs over. */
export interface ReduceOptions {
  /** One axis or several; all of them where left out. */
  readonly dim?: Dims | null;
  /** Whether reduced axes stay with size 1. */
  readonly keepdim?: boolean;
}

const KNOWN: Known<ReduceOptions> = ["dim", "keepdim"];

/**
 * The sum over axes; 0 for an empty one.
 *
 * Shapes: the reduced axes vanish, or stay as 1 with `keepdim`. Gradient: broadcast back.
 *
 * @throws {RangeError} if a dim is out of range or named twice.
 *
 * @example
 * ```ts
 * import { sum, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 2], [3, 4]]);
 * assertEquals(sum(x).item(), 10);
 * assertEquals(sum(x, { dim: -1 }).toArray(), [3, 7]);
 * ```
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  const dims = reducedDims("sum", x, options, KNOWN);
  const total = dims.length === x.ndim && !options.keepdim
    ? sumTo(x, [])
    : dropDims(sumTo(x, reducedShape(x.shape, dims, true)), dims, options.keepdim);
  return unshared(total, x);
}

/**
 * The mean over axes; NaN for an empty one.
 *
 * Shapes: the reduced axes vanish, or stay as 1 with `keepdim`. Gradient: g / n, broadcast back.
 *
 * @throws {RangeError} if a dim is out of range or named twice.
 *
 * @example
 * ```ts
 * import { mean, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mean(tensor([[1, 2], [3, 4]]), { dim: 0 }).toArray(), [2, 3]);
 * ```
 */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const dims = reducedDims("mean", x, options, KNOWN);
  const total = sumTo(x, reducedShape(x.shape, dims, true));
  return dropDims(div(total, countOver(x.shape, dims)), dims, options.keepdim);
}

/**
 * The product over axes; 1 for an empty one.
 *
 * It is multiplied by halves, ((x₀·x₂)·(x₁·x₃)), so that every derivative is a product of the other
 * elements: zeros are no exception.
 *
 * Shapes: the reduced axes vanish, or stay as 1 with `keepdim`. Gradient: g times the product of the
 * other elements.
 *
 * @throws {RangeError} if a dim is out of range or named twice.
 *
 * @example
 * ```ts
 * import { grad, prod, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([0, 2, 3], { requiresGrad: true });
 * assertEquals(prod(x).item(), 0);
 * assertEquals(grad(prod(x), [x])[0]!.toArray(), [6, 0, 0]);
 * ```
 */
export function prod(x: Tensor, options: ReduceOptions = {}): Tensor {
  const dims = reducedDims("prod", x, options, KNOWN);
  const shape = reducedShape(x.shape, dims, options.keepdim ?? false);
  const order = [...dims, ...x.shape.keys().filter((dim) => !dims.includes(dim))];
  let n = countOver(x.shape, dims);
  // Of nothing it is 1, on the tape like any other.
  if (n === 0) return add(reshape(sumTo(x, reducedShape(x.shape, dims, true)), shape), 1);
  let factors = reshape(reorder(x, order), [n, ...reducedShape(x.shape, dims, false)]);
  // An odd one out waits for the end.
  let rest: Tensor | null = null;
  while (n > 1) {
    if (n % 2 === 1) {
      const last = part(factors, 0, n - 1, 1);
      rest = rest === null ? last : mul(rest, last);
    }
    n = Math.floor(n / 2);
    factors = mul(part(factors, 0, 0, n), part(factors, 0, n, n));
  }
  return unshared(reshape(rest === null ? factors : mul(factors, rest), shape), x);
}

const logsumexpPrimitive = /* @__PURE__ */ ownPrimitive<
  Unary<readonly [x: Tensor, y: Tensor], Reduced>
>({
  name: "logsumexp",
  shape: keptShape,
  forward: ([x], [y], { dims }) =>
    kernels.logsumexp(rowsOver(x, dims), valuesOf(y), countOver(x.shape, dims)),
  save: ([x], [y]) => [x, y],
  // dy = Σ e^(x − y) dx
  vjp: ([g], { saved: [x, y] }) => [mul(g, exp(sub(x, y)))],
});

/* @__PURE__ */ described(
  logsumexpPrimitive,
  "ln Σ eˣ",
  (random) =>
    [[0, 2], [1]].map((dims) => ({ inputs: [uniform(random, [2, 3, 2], -1, 1)], attrs: { dims } })),
);

/**
 * ln Σ eˣ over axes, shifted by the largest element so that nothing overflows; −∞ for an empty one.
 *
 * Shapes: the reduced axes vanish, or stay as 1 with `keepdim`. Gradient: g · softmax(x).
 *
 * @throws {RangeError} if a dim is out of range or named twice.
 *
 * @example
 * ```ts
 * import { logsumexp, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(logsumexp(tensor([1000, 1000])).item(), 1000 + Math.LN2);
 * ```
 */
export function logsumexp(x: Tensor, options: ReduceOptions = {}): Tensor {
  const dims = reducedDims("logsumexp", x, options, KNOWN);
  return reduceBy(logsumexpPrimitive, x, { dims }, options.keepdim);
}

interface ScanAttrs {
  readonly dim: number;
  readonly reverse: boolean;
}

const cumsumPrimitive = /* @__PURE__ */ ownPrimitive<Unary<readonly [], ScanAttrs>>({
  name: "cumsum",
  shape: ([x]) => [x],
  forward: ([x], [y], { dim, reverse }) =>
    kernels.cumsum(valuesOf(x), valuesOf(y), sizesAround(x.shape, dim), reverse),
  // Its transpose sums from the other end.
  vjp: ([g], { attrs: { dim, reverse } }) => [scan(g, dim, !reverse)],
});

/* @__PURE__ */ described(
  cumsumPrimitive,
  "yᵢ = x₀ + … + xᵢ along a dim, or xᵢ + … + xₙ in reverse",
  (random) =>
    [false, true].map((reverse) => ({
      inputs: [uniform(random, [2, 3, 2], -1, 1)],
      attrs: { dim: 1, reverse },
    })),
);

function scan(x: Tensor, dim: number, reverse: boolean): Tensor {
  return bind(cumsumPrimitive, [x], { dim, reverse })[0];
}

/**
 * The sum of all elements up to and including each, along an axis.
 *
 * Shapes: any, kept. Gradient: the sums of g from the other end.
 *
 * @param x A tensor.
 * @param dim The axis.
 * @returns A tensor of the same shape.
 * @throws {RangeError} if the dim is out of range.
 *
 * @example
 * ```ts
 * import { cumsum, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cumsum(tensor([1, 2, 3]), 0).toArray(), [1, 3, 6]);
 * ```
 */
export const cumsum: (x: Tensor, dim: number) => Tensor = /* @__PURE__ */ alongDim(
  "cumsum",
  (x, dim) => scan(x, dim, false),
);
