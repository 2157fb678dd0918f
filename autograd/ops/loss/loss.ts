/**
 * Losses element by element, whose compositions would lose digits or gradients.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, type Input, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { div, mul, neg, sub } from "../elementwise/arithmetic.ts";
import { clamp } from "../elementwise/bounds.ts";
import { lt } from "../elementwise/compare.ts";
import { abs, log, log1p } from "../elementwise/math.ts";
import { uniform, uniformAwayFrom } from "../create/samples.ts";
import { defineSlope, describedSlope } from "../elementwise/slope.ts";

const huberOf = /* @__PURE__ */ defineSlope<{ readonly delta: number }>({
  name: "huber",
  saves: "x",
  forward: (d, out, { delta }) => kernels.huber(d, out, delta),
  backward: (g, d, out, { delta }) => kernels.huberBackward(g, d, out, delta),
  // f′ = d between ±delta, flat beyond
  curvature: (d, { delta }) => lt(abs(d), delta),
});
/* @__PURE__ */ describedSlope(
  "huber",
  "d²/2 for |d| < delta, else delta·(|d| − delta/2)",
  (random) => [{
    inputs: [uniformAwayFrom(random, [2, 4], -2, 2, [-0.7, 0.7])],
    attrs: { delta: 0.7 },
  }],
);

/** Huber's function of a difference: square near 0, straight from ±delta on. */
export function huber(d: Tensor, delta: number): Tensor {
  return huberOf(d, { delta });
}

/** PyTorch keeps its bound of 1e-12 in single precision. */
const LEAST_DIVISOR = Math.fround(1e-12);

type BinaryCrossEntropy = Primitive<
  readonly [x: Tensor, y: Tensor],
  readonly [loss: Tensor],
  readonly [x: Tensor, y: Input]
>;

const binaryCrossEntropyPrimitive: BinaryCrossEntropy = /* @__PURE__ */ ownPrimitive<
  BinaryCrossEntropy
>({
  name: "binaryCrossEntropy",
  shape: ([x]) => [x],
  forward: ([x, y], [loss]) => kernels.binaryCrossEntropy(valuesOf(x), valuesOf(y), valuesOf(loss)),
  save: ([x, y], _, __, needs) => [x, needs[0] ? y : null],
  // to x: g·(x − y)/(x·(1 − x)), the divisor at least 1e-12; to y: g·(ln(1 − x) − ln x)
  vjp: ([g], { saved: [x, y], needs }) => [
    y === null ? null : div(mul(g, sub(x, y)), clamp(mul(sub(1, x), x), { min: LEAST_DIVISOR })),
    needs[1] ? mul(g, sub(log1p(neg(x)), log(x))) : null,
  ],
});

/* @__PURE__ */ described(
  binaryCrossEntropyPrimitive,
  "−(y·ln x + (1 − y)·ln(1 − x)), each logarithm at least −100",
  (random) => [{
    inputs: [uniform(random, [2, 3], 0.2, 0.8), uniform(random, [2, 3], 0, 1)] as const,
    attrs: undefined,
  }],
);

/** The binary cross entropy of each probability with its target; shapes are equal. */
export function elementwiseBinaryCrossEntropy(x: Tensor, y: Tensor): Tensor {
  return bind(binaryCrossEntropyPrimitive, [x, y], undefined)[0];
}
