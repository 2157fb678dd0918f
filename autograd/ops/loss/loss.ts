/**
 * Losses: those element by element, whose compositions would lose digits or gradients, and the cross
 * entropy of logits with class indices, log-softmax and the choice of the target's class in one pass each
 * way.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, type Input, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf, valuesOrNull } from "../../tensor.ts";
import { div, mul, neg, sub } from "../elementwise/arithmetic.ts";
import { clamp } from "../elementwise/bounds.ts";
import { lt } from "../elementwise/compare.ts";
import { abs, log, log1p } from "../elementwise/math.ts";
import { uniform, uniformAwayFrom } from "../create/samples.ts";
import { defineSlope, describedSlope } from "../elementwise/slope.ts";
import type { Generator } from "../../random.ts";
import type { Shape } from "../../shape.ts";
import { sumTo } from "../shape/broadcast.ts";
import { fromValues, ones, tensor } from "../create/creation.ts";
import { sum } from "../reduce/reduce.ts";
import { reshape } from "../shape/shape.ts";
import { softmax } from "../reduce/softmax.ts";

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

/** How the losses of the positions become one: not at all, their weighted mean, or their sum. */
export type Reduction = "none" | "mean" | "sum";

/** The constants of a cross entropy with class indices. */
export interface CrossEntropyAttrs {
  /** How the losses become one. */
  readonly reduction: Reduction;
  /** The target that does not count. */
  readonly ignoreIndex: number;
  /** ε: the share of the target's weight that is spread over all classes. */
  readonly labelSmoothing: number;
}

function sizesOf(shape: Shape, attrs: CrossEntropyAttrs): kernels.CrossEntropySizes {
  const [n, c, s] = shape;
  return { n, c, s, ignoreIndex: attrs.ignoreIndex, smoothing: attrs.labelSmoothing };
}

/**
 * What the losses are divided by: for the mean the weight of all targets that count, NaN if that is 0.
 */
function divisor(target: Tensor, weight: Input, attrs: CrossEntropyAttrs): number {
  if (attrs.reduction !== "mean") return 1;
  const weights = valuesOrNull(weight);
  let total = 0;
  for (const t of valuesOf(target)) {
    if (t !== attrs.ignoreIndex) total += weights === null ? 1 : weights[t];
  }
  return total === 0 ? NaN : total;
}

type CrossEntropy = Primitive<
  readonly [x: Tensor, target: Tensor, weight: Input],
  readonly [loss: Tensor],
  readonly [x: Tensor, target: Tensor, weight: Input],
  CrossEntropyAttrs
>;

const crossEntropyPrimitive: CrossEntropy = /* @__PURE__ */ ownPrimitive<CrossEntropy>({
  name: "crossEntropy",
  shape: ([, target], { reduction }) => [reduction === "none" ? target : []],
  forward: ([x, target, weight], [loss], attrs) => {
    const none = attrs.reduction === "none";
    const losses = none ? valuesOf(loss) : new Float64Array(target.size);
    kernels.crossEntropy(
      valuesOf(x),
      valuesOf(target),
      valuesOrNull(weight),
      losses,
      sizesOf(x.shape, attrs),
    );
    if (none) return;
    let total = 0;
    for (let i = 0; i < losses.length; i++) total += losses[i];
    valuesOf(loss)[0] = total / divisor(target, weight, attrs);
  },
  save: ([x, target, weight]) => [x, target, weight],
  // dx = g/W · (Q·softmax(x) − q): q the weights that the losses give the classes, Q their sum
  vjp: ([g], { saved: [x, target, weight], attrs }) => [
    bind(backwardPrimitive, [g, x, target, weight], attrs)[0],
    null,
    null,
  ],
});

/* @__PURE__ */ described(
  crossEntropyPrimitive,
  "−log softmax(x) at the target, over the positions",
  (random) =>
    calls.map((call) => {
      const [x, target, weight] = operands(random, call);
      return { inputs: [x, target, weight] as const, attrs: attrsOf(call) };
    }),
);

type CrossEntropyBackward = Primitive<
  readonly [g: Tensor, x: Tensor, target: Tensor, weight: Input],
  readonly [dx: Tensor],
  readonly [g: Tensor, x: Tensor, target: Tensor, weight: Input],
  CrossEntropyAttrs
>;

const backwardPrimitive: CrossEntropyBackward = /* @__PURE__ */ ownPrimitive<CrossEntropyBackward>({
  name: "crossEntropyBackward",
  shape: ([, x]) => [x],
  forward: ([g, x, target, weight], [dx], attrs) =>
    kernels.crossEntropyBackward(
      valuesOf(x),
      valuesOf(target),
      valuesOrNull(weight),
      valuesOf(g),
      1 / divisor(target, weight, attrs),
      valuesOf(dx),
      sizesOf(x.shape, attrs),
    ),
  save: ([g, x, target, weight]) => [g, x, target, weight],
  // With p = softmax(x), dp = p·(dx − Σ p·dx): to g: Σ v·(Q·p − q)/W; to x: g·Q/W · p·(v − Σ p·v)
  vjp: ([v], { saved: [g, x, target, weight], attrs, needs }) => {
    const { share, total } = targetWeights(x.shape, target, weight, attrs);
    const [n, , s] = x.shape;
    const p = softmax(x, 1);
    const row = g.ndim === 0 ? [] : [n, 1, s];
    const toG = needs[0] ? reshape(sumTo(mul(v, sub(mul(p, total), share)), row), g.shape) : null;
    const toX = needs[1]
      ? mul(
        mul(mul(reshape(g, row), total), p),
        sub(v, sum(mul(p, v), { dim: 1, keepdim: true })),
      )
      : null;
    return [toG, toX, null, null];
  },
});

/* @__PURE__ */ described(
  backwardPrimitive,
  "g/W · (Q·softmax(x) − q), the gradient of cross entropy",
  (random) =>
    calls.map((call) => {
      const [x, target, weight] = operands(random, call);
      const attrs = attrsOf(call);
      const g = uniform(random, attrs.reduction === "none" ? target.shape : [], -1, 1);
      return { inputs: [g, x, target, weight] as const, attrs };
    }),
);

/** q/W of every class and Q/W of every position. */
function targetWeights(
  [n, c, s]: Shape,
  target: Tensor,
  weight: Input,
  attrs: CrossEntropyAttrs,
): { share: Tensor; total: Tensor } {
  const by = 1 / divisor(target, weight, attrs);
  const weights = valuesOrNull(weight);
  const share = new Float64Array(n * c * s);
  const total = new Float64Array(n * s);
  valuesOf(target).forEach((t, row) => {
    if (t === attrs.ignoreIndex) return;
    const first = Math.floor(row / s) * c * s + row % s;
    for (let k = 0; k < c; k++) {
      const w = weights === null ? 1 : weights[k];
      const q = attrs.labelSmoothing / c * w + (k === t ? (1 - attrs.labelSmoothing) * w : 0);
      share[first + k * s] = q * by;
      total[row] += q * by;
    }
  });
  return { share: fromValues(share, [n, c, s]), total: fromValues(total, [n, 1, s]) };
}

/**
 * Cross entropy of logits with class indices, unchecked; `nn.functional.crossEntropy` is the public
 * face.
 *
 * @param x Logits, [n, c, s].
 * @param target Whole numbers below c or `ignoreIndex`, [n, s].
 * @param weight [c], or `null`.
 */
export function indexCrossEntropy(
  x: Tensor,
  target: Tensor,
  weight: Tensor | null,
  attrs: CrossEntropyAttrs,
): Tensor {
  return bind(crossEntropyPrimitive, [x, target, weight], attrs)[0];
}

interface Call {
  readonly reduction: Reduction;
  readonly weighted?: true;
  readonly labelSmoothing?: number;
}

const calls: readonly Call[] = [
  { reduction: "mean" },
  { reduction: "none" },
  { reduction: "sum", weighted: true },
  { reduction: "mean", weighted: true, labelSmoothing: 0.3 },
  { reduction: "none", labelSmoothing: 0.1 },
];

function attrsOf({ reduction, labelSmoothing = 0 }: Call): CrossEntropyAttrs {
  return { reduction, labelSmoothing, ignoreIndex: 1 };
}

function operands(random: Generator, { weighted }: Call): [Tensor, Tensor, Tensor | null] {
  const target = tensor([[0, 2], [1, 3], [3, 0]]);
  const weight = weighted ? sub(ones([4]), uniform(random, [4], -0.5, 0.5)).detach() : null;
  return [uniform(random, [3, 4, 2], -2, 2), target, weight];
}
