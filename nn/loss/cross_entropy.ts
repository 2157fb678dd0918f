/**
 * Cross entropy, from logits, and negative log likelihood, from log-probabilities.
 */
import {
  assertTensor,
  fromValues,
  indexCrossEntropy,
  refuse,
  valuesOf,
} from "../../autograd/internal.ts";
import {
  add,
  div,
  gather,
  logSoftmax,
  mul,
  neg,
  reshape,
  sum,
  type Tensor,
  where,
} from "../../autograd/mod.ts";
import {
  asTarget,
  checkClasses,
  checkClassWeight,
  classAxis,
  classLayout,
  type Target,
} from "./classes.ts";
import { type LossOptions, readOptions } from "./operands.ts";

/** How {@linkcode crossEntropy} weighs its targets. */
export interface CrossEntropyOptions extends LossOptions {
  /** The weight of each class, [C]. */
  readonly weight?: Tensor | null;
  /** The class index that does not count; −100 where left out. Not with probabilities. */
  readonly ignoreIndex?: number;
  /** ε in 0 … 1: this share of the target is spread evenly over all classes. */
  readonly labelSmoothing?: number;
}

const ACTION = "run crossEntropy";

/**
 * The cross entropy between the softmax of logits and a target.
 *
 * With class indices t: −weight[t] · log softmax(x)[t]; their mean is weighted: Σ loss / Σ weight[t],
 * NaN if every target is ignored. With probabilities q, in a target of the shape of x:
 * −Σ weight · q · log softmax(x), the mean over all positions. Label smoothing replaces the target by
 * (1 − ε)·target + ε/C.
 *
 * Shapes: x [C], [N, C] or [N, C, d1, …]; target without the C axis, or of the shape of x → a scalar,
 * or with reduction "none" the shape of x without the C axis. Gradient: for the mean of N samples
 * (softmax(x) − onehot(t))/N to x; to a target of probabilities too. Cost: one pass each way for class
 * indices; nothing of the size of x is kept.
 *
 * @param x Logits.
 * @param target Class indices (a tensor or an array) or probabilities (a tensor).
 * @param options weight, ignoreIndex = −100, reduction = "mean", labelSmoothing = 0.
 * @returns The loss.
 * @throws {RangeError} if the shapes do not fit, or a class is out of range.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const logits = tensor([[0, 0], [Math.log(3), 0]]);
 * const loss = nn.functional.crossEntropy(logits, [1, 0]);
 * assertAlmostEquals(loss.item(), (Math.log(2) + Math.log(4 / 3)) / 2);
 * ```
 */
export function crossEntropy(
  x: Tensor,
  target: Target,
  options: CrossEntropyOptions = {},
): Tensor {
  const { weight, ignoreIndex, reduction, labelSmoothing } = readOptions(ACTION, options, {
    weight: null,
    ignoreIndex: -100,
    reduction: "mean",
    labelSmoothing: 0,
  });
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    refuse(ACTION, `labelSmoothing ${labelSmoothing}`, "one in 0 … 1");
  }
  assertTensor(ACTION, x, "x");
  const t = asTarget(ACTION, target);
  const axis = classAxis(ACTION, x);
  checkClassWeight(ACTION, weight, x.shape[axis]);
  if (t.ndim === x.ndim && t.shape.every((n, i) => n === x.shape[i])) {
    if (ignoreIndex >= 0) {
      refuse(ACTION, `ignoreIndex ${ignoreIndex} and probabilities as target`, "class indices");
    }
    return fromProbabilities(x, t, weight, axis, reduction, labelSmoothing);
  }
  checkClasses(ACTION, x, t, ignoreIndex);
  const [n, c, s] = classLayout(x.shape, axis);
  const loss = indexCrossEntropy(reshape(x, [n, c, s]), reshape(t, [n, s]), weight, {
    reduction,
    ignoreIndex,
    labelSmoothing,
  });
  return reduction === "none" ? reshape(loss, t.shape) : loss;
}

function fromProbabilities(
  x: Tensor,
  target: Tensor,
  weight: Tensor | null,
  axis: number,
  reduction: string,
  labelSmoothing: number,
): Tensor {
  const classes = x.shape[axis];
  const smooth = labelSmoothing === 0
    ? target
    : add(mul(target, 1 - labelSmoothing), labelSmoothing / classes);
  const perClass = weight === null
    ? smooth
    : mul(smooth, reshape(weight, [classes, ...x.shape.slice(axis + 1).map(() => 1)]));
  const terms = mul(logSoftmax(x, axis), perClass);
  if (reduction === "none") return neg(sum(terms, { dim: axis }));
  const total = neg(sum(terms));
  return reduction === "sum" ? total : div(total, x.size / classes);
}

/** How {@linkcode nllLoss} weighs its targets. */
export interface NllLossOptions extends LossOptions {
  /** The weight of each class, [C]. */
  readonly weight?: Tensor | null;
  /** The class index that does not count; −100 where left out. */
  readonly ignoreIndex?: number;
}

/**
 * The negative log likelihood of class indices t: −weight[t] · x[t], with x log-probabilities. The
 * mean is weighted: Σ loss / Σ weight[t], NaN if every target is ignored.
 *
 * Shapes: x [C], [N, C] or [N, C, d1, …]; target without the C axis → a scalar, or with reduction
 * "none" the shape of the target. Gradient: −weight[t] at the target's class, 0 elsewhere.
 *
 * @param x Log-probabilities.
 * @param target Class indices, a tensor or an array.
 * @param options weight, ignoreIndex = −100, reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes do not fit, or a class is out of range.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[-1, -2], [-3, -4]]);
 * assertEquals(nn.functional.nllLoss(x, [0, 1]).item(), 2.5);
 * ```
 */
export function nllLoss(x: Tensor, target: Target, options: NllLossOptions = {}): Tensor {
  const action = "run nllLoss";
  const defaults = { weight: null, ignoreIndex: -100, reduction: "mean" } as const;
  const { weight, ignoreIndex, reduction } = readOptions(action, options, defaults);
  assertTensor(action, x, "x");
  const t = asTarget(action, target);
  const axis = classAxis(action, x);
  checkClassWeight(action, weight, x.shape[axis]);
  checkClasses(action, x, t, ignoreIndex);
  const [n, c, s] = classLayout(x.shape, axis);
  const targets = valuesOf(t);
  const counted = targets.map((k) => k === ignoreIndex ? 0 : 1);
  const weights = targets.map((k, i) =>
    counted[i] === 0 ? 0 : weight === null ? 1 : valuesOf(weight)[k]
  );
  const index = fromValues(targets.map((k, i) => counted[i] * k || 0), [n, 1, s]);
  const chosen = reshape(gather(reshape(x, [n, c, s]), 1, index), t.shape);
  // An ignored position counts as 0 even where its value is infinite.
  const finite = counted.includes(0) ? where(fromValues(counted, t.shape), chosen, 0) : chosen;
  const losses = neg(mul(finite, fromValues(weights, t.shape)));
  if (reduction === "none") return losses;
  const total = sum(losses);
  return reduction === "sum" ? total : div(total, weights.reduce((a, b) => a + b, 0));
}
