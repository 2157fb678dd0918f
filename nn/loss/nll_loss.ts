/**
 * Negative log likelihood.
 */
import { div, gather, mul, neg, reshape, sum, type Tensor, where } from "../../autograd/mod.ts";
import { assertTensor, fromValues, valuesOf } from "../../autograd/internal.ts";
import {
  asTarget,
  checkClasses,
  checkClassWeight,
  classAxis,
  classLayout,
  type Target,
} from "./classes.ts";
import { type LossOptions, reductionOf } from "./reduction.ts";

/** How {@linkcode nllLoss} weighs its targets. */
export interface NllLossOptions extends LossOptions {
  /** The weight of each class, [C]. */
  readonly weight?: Tensor | null;
  /** The class index that does not count; −100 where left out. */
  readonly ignoreIndex?: number;
}

const ACTION = "run nllLoss";

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
  const known = ["weight", "ignoreIndex", "reduction"] as const;
  const reduction = reductionOf(ACTION, options, known);
  const { weight = null, ignoreIndex = -100 } = options;
  assertTensor(ACTION, x, "x");
  const t = asTarget(ACTION, target);
  const axis = classAxis(ACTION, x);
  checkClassWeight(ACTION, weight, x.shape[axis]);
  checkClasses(ACTION, x, t, ignoreIndex);
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
