/**
 * Reductions over axes: sums, means, products.
 */
import { unshared } from "../shape/clone.ts";
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { type Dims, normalizeDims, reducedShape } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { add, div, mul, sub } from "../elementwise/arithmetic.ts";
import { sumTo } from "../shape/broadcast.ts";
import { assertTensor } from "../create/creation.ts";
import { assertOptions, type Known } from "../../check/options.ts";
import { exp } from "../elementwise/math.ts";
import { countOver, dropDims, keptShape, type Reduced, rowsOver } from "./rows.ts";
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
  assertTensor("sum", x, "x");
  assertOptions("sum", options, KNOWN);
  const dims = normalizeDims("sum", options.dim, x.ndim);
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
  assertTensor("mean", x, "x");
  assertOptions("mean", options, KNOWN);
  const dims = normalizeDims("mean", options.dim, x.ndim);
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
  assertTensor("prod", x, "x");
  assertOptions("prod", options, KNOWN);
  const dims = normalizeDims("prod", options.dim, x.ndim);
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
  Primitive<
    readonly [x: Tensor],
    readonly [y: Tensor],
    readonly [x: Tensor, y: Tensor],
    Reduced
  >
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
  assertTensor("logsumexp", x, "x");
  assertOptions("logsumexp", options, KNOWN);
  const dims = normalizeDims("logsumexp", options.dim, x.ndim);
  return dropDims(bind(logsumexpPrimitive, [x], { dims })[0], dims, options.keepdim);
}
