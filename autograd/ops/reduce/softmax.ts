/**
 * Softmax and its logarithm, each with a fused backward that is a primitive too.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import type { Generator } from "../../random.ts";
import { normalizeDim } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { mul, neg, sub } from "../elementwise/arithmetic.ts";
import { assertTensor } from "../create/creation.ts";
import { assertNoOptions } from "../../check/options.ts";
import { exp } from "../elementwise/math.ts";
import { sum } from "./reduce.ts";
import { sizesAround } from "./rows.ts";
import { uniform } from "../create/samples.ts";

interface AlongDim {
  readonly dim: number;
}

type Forward = Primitive<
  readonly [x: Tensor],
  readonly [y: Tensor],
  readonly [y: Tensor],
  AlongDim
>;

type Backward = Primitive<
  readonly [g: Tensor, y: Tensor],
  readonly [out: Tensor],
  readonly [g: Tensor | null, y: Tensor],
  AlongDim
>;

function oneForEachDim(random: Generator) {
  return [0, 1, 2].map((dim) => ({
    inputs: [uniform(random, [2, 3, 2], -1, 1)] as const,
    attrs: { dim },
  }));
}

const softmaxPrimitive = /* @__PURE__ */ ownPrimitive<Forward>({
  name: "softmax",
  summary: "eˣ / Σ eˣ along a dim",
  shape: ([x]) => [x],
  forward: ([x], [y], { dim }) =>
    kernels.softmax(valuesOf(x), valuesOf(y), sizesAround(x.shape, dim)),
  save: (_, [y]) => [y],
  vjp: ([g], { saved: [y], attrs: { dim } }) => [softmaxBackward(g, y, dim)],
  samples: oneForEachDim,
});

const softmaxBackwardPrimitive = /* @__PURE__ */ ownPrimitive<Backward>({
  name: "softmaxBackward",
  shape: ([g]) => [g],
  forward: ([g, y], [out], { dim }) =>
    kernels.softmaxBackward(
      valuesOf(g),
      valuesOf(y),
      valuesOf(out),
      sizesAround(g.shape, dim),
    ),
  save: ([g, y], _outputs, _attrs, [, byY]) => [byY ? g : null, y],
  // It is symmetric in g; by y: v·(g − Σ g·y) − g·Σ v·y
  vjp: ([v], { saved: [g, y], needs, attrs: { dim } }) => [
    needs[0] ? softmaxBackward(v, y, dim) : null,
    needs[1] ? sub(mul(v, sub(g!, total(mul(g!, y), dim))), mul(g!, total(mul(v, y), dim))) : null,
  ],
});

/* @__PURE__ */ described(
  softmaxBackwardPrimitive,
  "y · (g − Σ g·y)",
  (random) =>
    oneForEachDim(random).map(({ inputs: [g], attrs }) => ({
      inputs: [g, uniform(random, g.shape, 0.1, 0.9)],
      attrs,
    })),
);

function softmaxBackward(g: Tensor, y: Tensor, dim: number): Tensor {
  return bind(softmaxBackwardPrimitive, [g, y], { dim })[0];
}

function total(x: Tensor, dim: number): Tensor {
  return sum(x, { dim, keepdim: true });
}

const logSoftmaxPrimitive = /* @__PURE__ */ ownPrimitive<Forward>({
  name: "logSoftmax",
  summary: "x − ln Σ eˣ along a dim",
  shape: ([x]) => [x],
  forward: ([x], [y], { dim }) =>
    kernels.logSoftmax(valuesOf(x), valuesOf(y), sizesAround(x.shape, dim)),
  save: (_, [y]) => [y],
  vjp: ([g], { saved: [y], attrs: { dim } }) => [logSoftmaxBackward(g, y, dim)],
  samples: oneForEachDim,
});

const logSoftmaxBackwardPrimitive = /* @__PURE__ */ ownPrimitive<Backward>({
  name: "logSoftmaxBackward",
  shape: ([g]) => [g],
  forward: ([g, y], [out], { dim }) =>
    kernels.logSoftmaxBackward(
      valuesOf(g),
      valuesOf(y),
      valuesOf(out),
      sizesAround(g.shape, dim),
    ),
  save: ([g, y], _outputs, _attrs, [, byY]) => [byY ? g : null, y],
  // by g: v − Σ v·eʸ; by y: −v·eʸ·Σ g
  vjp: ([v], { saved: [g, y], needs, attrs: { dim } }) => {
    const weighted = mul(v, exp(y));
    return [
      needs[0] ? sub(v, total(weighted, dim)) : null,
      needs[1] ? mul(neg(weighted), total(g!, dim)) : null,
    ];
  },
});

/* @__PURE__ */ described(
  logSoftmaxBackwardPrimitive,
  "g − eʸ · Σ g",
  (random) =>
    oneForEachDim(random).map(({ inputs: [g], attrs }) => ({
      inputs: [g, uniform(random, g.shape, -2, -0.1)],
      attrs,
    })),
);

function logSoftmaxBackward(g: Tensor, y: Tensor, dim: number): Tensor {
  return bind(logSoftmaxBackwardPrimitive, [g, y], { dim })[0];
}

/**
 * eˣ / Σ eˣ along an axis, shifted by the largest element so that nothing overflows.
 *
 * Shapes: any, kept. Gradient: y · (g − Σ g·y).
 *
 * @param x A tensor.
 * @param dim The axis whose elements will add up to 1.
 * @returns A tensor of the same shape; NaN where all of a row is −∞ or any of it +∞.
 * @throws {TypeError} if `dim` is left out. @throws {RangeError} if it is out of range.
 *
 * @example
 * ```ts
 * import { softmax, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(softmax(tensor([1000, 1000]), 0).toArray(), [0.5, 0.5]);
 * ```
 */
export function softmax(x: Tensor, dim: number): Tensor {
  assertNoOptions("softmax", arguments, 2);
  assertTensor("softmax", x, "x");
  return bind(softmaxPrimitive, [x], { dim: normalizeDim("softmax", dim, x.ndim) })[0];
}

/**
 * ln(softmax(x)) along an axis, computed as x − max − ln Σ e^(x − max).
 *
 * Shapes: any, kept. Gradient: g − eʸ · Σ g.
 *
 * @param x A tensor.
 * @param dim The axis.
 * @returns A tensor of the same shape.
 * @throws {TypeError} if `dim` is left out. @throws {RangeError} if it is out of range.
 *
 * @example
 * ```ts
 * import { logSoftmax, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(logSoftmax(tensor([1000, 0]), 0).toArray(), [0, -1000]);
 * ```
 */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  assertNoOptions("logSoftmax", arguments, 2);
  assertTensor("logSoftmax", x, "x");
  return bind(logSoftmaxPrimitive, [x], { dim: normalizeDim("logSoftmax", dim, x.ndim) })[0];
}

/** softmax(−x) along an axis. */
export function softmin(x: Tensor, dim: number): Tensor {
  assertNoOptions("softmin", arguments, 2);
  assertTensor("softmin", x, "x");
  normalizeDim("softmin", dim, x.ndim);
  return softmax(neg(x), dim);
}
