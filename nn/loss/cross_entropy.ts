/**
 * Cross entropy, from logits.
 */
import { add, div, logSoftmax, mul, neg, reshape, sum, type Tensor } from "../../autograd/mod.ts";
import {
  assertTensor,
  indexCrossEntropy,
  type Known,
  refuse,
  show,
} from "../../autograd/internal.ts";
import {
  asTarget,
  checkClasses,
  checkClassWeight,
  classAxis,
  classLayout,
  type Target,
} from "./classes.ts";
import { type LossOptions, reductionOf } from "./reduction.ts";

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
const KNOWN: Known<CrossEntropyOptions> = ["weight", "ignoreIndex", "reduction", "labelSmoothing"];

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
  const reduction = reductionOf(ACTION, options, KNOWN);
  const { weight = null, ignoreIndex = -100, labelSmoothing = 0 } = options;
  assertTensor(ACTION, x, "x");
  const t = asTarget(ACTION, target);
  const axis = classAxis(ACTION, x);
  checkClassWeight(ACTION, weight, x.shape[axis]);
  checkSmoothing(labelSmoothing);
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

function checkSmoothing(labelSmoothing: number): void {
  if (typeof labelSmoothing !== "number") {
    throw new TypeError(
      `Cannot ${ACTION}: got labelSmoothing ${show(labelSmoothing)}, expected a number`,
    );
  }
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    refuse(ACTION, `labelSmoothing ${labelSmoothing}`, "one in 0 … 1");
  }
}
