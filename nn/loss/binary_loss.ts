/**
 * Losses for two classes.
 */
import { add, logsigmoid, mean, mul, neg, sub, type Tensor } from "../../autograd/mod.ts";
import { elementwiseBinaryCrossEntropy, refuse, valuesOf } from "../../autograd/internal.ts";
import {
  checkBroadcast,
  checkShapeOf,
  checkWeight,
  type LossOptions,
  readOptions,
  reduce,
} from "./operands.ts";

/** Options of {@linkcode binaryCrossEntropy}. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** A weight for each loss, broadcast to their shape; the mean divides by their number. */
  readonly weight?: Tensor | null;
}

/** Options of {@linkcode binaryCrossEntropyWithLogits}. */
export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** The weight of the positive class, broadcast to the shape of x. */
  readonly posWeight?: Tensor | null;
}

/**
 * The cross entropy of probabilities with targets: −(target·ln x + (1 − target)·ln(1 − x)), each
 * logarithm held at −100 or above.
 *
 * Shapes: x and target equal → a scalar, or their shape with reduction "none". Gradient:
 * (x − target)/(x·(1 − x))·g to x, the divisor at least 1e-12. From logits
 * {@linkcode binaryCrossEntropyWithLogits} is more accurate.
 *
 * @param x Probabilities.
 * @param target Numbers in 0 … 1.
 * @param options weight, reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes differ or a probability is outside 0 … 1.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const loss = nn.functional.binaryCrossEntropy(tensor([0.5]), tensor([1]));
 * assertAlmostEquals(loss.item(), Math.log(2));
 * ```
 */
export function binaryCrossEntropy(
  x: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const action = "run binaryCrossEntropy";
  const { weight, reduction } = readOptions(action, options, { weight: null, reduction: "mean" });
  checkShapeOf(action, x, target, "target");
  checkWeight(action, weight, x.shape);
  for (const value of valuesOf(x)) {
    if (!(value >= 0 && value <= 1)) {
      refuse(action, `x ${value}`, "probabilities in 0 … 1");
    }
  }
  return reduce(weighted(elementwiseBinaryCrossEntropy(x, target), weight), reduction);
}

/**
 * The cross entropy of the sigmoid of logits with targets:
 * (1 − target)·x − (1 + (posWeight − 1)·target)·ln sigmoid(x).
 *
 * Shapes: x and target equal → a scalar, or their shape with reduction "none". Gradient: without
 * weights (sigmoid(x) − target)·g to x.
 *
 * @param x Logits.
 * @param target Numbers in 0 … 1.
 * @param options weight, posWeight, reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes differ or a weight does not broadcast.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const loss = nn.functional.binaryCrossEntropyWithLogits(tensor([0, 0]), tensor([1, 0]));
 * assertAlmostEquals(loss.item(), Math.log(2));
 * ```
 */
export function binaryCrossEntropyWithLogits(
  x: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyWithLogitsOptions = {},
): Tensor {
  const action = "run binaryCrossEntropyWithLogits";
  const defaults = { weight: null, reduction: "mean", posWeight: null } as const;
  const { weight, posWeight, reduction } = readOptions(action, options, defaults);
  checkShapeOf(action, x, target, "target");
  checkWeight(action, weight, x.shape);
  checkWeight(action, posWeight, x.shape, "posWeight");
  const rest = mul(sub(1, target), x);
  const positive = posWeight === null
    ? logsigmoid(x)
    : mul(add(mul(sub(posWeight, 1), target), 1), logsigmoid(x));
  return reduce(weighted(sub(rest, positive), weight), reduction);
}

function weighted(losses: Tensor, weight: Tensor | null): Tensor {
  return weight === null ? losses : mul(losses, weight);
}

/**
 * ln(1 + e^(−target·x)) for targets of ±1.
 *
 * Shapes: x and target broadcastable → a scalar, or the broadcast shape with reduction "none".
 *
 * @param x Scores.
 * @param target 1 or −1.
 * @param options reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes do not broadcast or the reduction is unknown.
 */
export function softMarginLoss(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  const action = "run softMarginLoss";
  const { reduction } = readOptions(action, options, { reduction: "mean" });
  checkBroadcast(action, { x, target });
  return reduce(neg(logsigmoid(mul(target, x))), reduction);
}

/**
 * The mean over the classes of the binary cross entropy with logits, for targets of several labels.
 *
 * Shapes: x and target [*, C] → a scalar, or [*] with reduction "none".
 *
 * @param x Logits.
 * @param target 0 or 1.
 * @param options weight [C], reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes differ or the weight does not broadcast.
 */
export function multilabelSoftMarginLoss(
  x: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const action = "run multilabelSoftMarginLoss";
  const { weight, reduction } = readOptions(action, options, { weight: null, reduction: "mean" });
  checkShapeOf(action, x, target, "target");
  checkWeight(action, weight, x.shape);
  const losses = neg(
    add(mul(target, logsigmoid(x)), mul(sub(1, target), logsigmoid(neg(x)))),
  );
  return reduce(mean(weighted(losses, weight), { dim: -1 }), reduction);
}
