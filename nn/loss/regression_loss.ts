/**
 * Losses between numbers.
 */
import { abs, div, mul, type Shape, square, sub, sum, type Tensor } from "../../autograd/mod.ts";
import { formatShape, huber, refuse, sameShape, warnOnce } from "../../autograd/internal.ts";
import { checkBroadcast, checkShapeOf, type LossOptions, readOptions, reduce } from "./operands.ts";

/** Options of the losses that can weigh each element. */
export interface WeightedLossOptions extends LossOptions {
  /** The weight of each element, of the shape of x; the mean is then Σ weight · loss / Σ weight. */
  readonly weight?: Tensor | null;
}

/** Options of {@linkcode smoothL1Loss}. */
export interface SmoothL1LossOptions extends LossOptions {
  /** Where the square becomes a straight line; 1 where left out. */
  readonly beta?: number;
}

/** Options of {@linkcode huberLoss}. */
export interface HuberLossOptions extends WeightedLossOptions {
  /** Where the square becomes a straight line; 1 where left out. */
  readonly delta?: number;
}

/** x − target, after checking that they broadcast. */
function difference(action: string, x: Tensor, target: Tensor): Tensor {
  const shape = checkBroadcast(action, { x, target });
  if (!sameShape(x.shape, target.shape)) warnOfBroadcast(action, x.shape, target.shape, shape);
  return sub(x, target);
}

/** For each loss and pair of shapes what warnings remember it by. */
const broadcasts = new Map<string, object>();

/** Predictions of [n, 1] against targets of [n] are compared each with each, as nobody means it. */
function warnOfBroadcast(action: string, x: Shape, target: Shape, shape: Shape): void {
  const [given, expected] = [formatShape(x), formatShape(target)];
  const key = `${action} ${given} ${expected}`;
  const place = broadcasts.get(key) ?? {};
  broadcasts.set(key, place);
  warnOnce(
    place,
    "loss-broadcast",
    `${
      action.replace("run ", "")
    }() compares x of shape ${given} with target of shape ${expected}, ` +
      `which broadcast to ${formatShape(shape)}; reshape one so that both are equal.`,
  );
}

function reduceWeighted(
  action: string,
  x: Tensor,
  losses: Tensor,
  { weight, reduction }: Required<WeightedLossOptions>,
): Tensor {
  if (weight === null) return reduce(losses, reduction);
  checkShapeOf(action, x, weight, "weight");
  const weighted = mul(losses, weight);
  return reduction === "mean" ? div(sum(weighted), sum(weight)) : reduce(weighted, reduction);
}

/**
 * The squared difference (x − target)².
 *
 * Shapes: x and target broadcastable → a scalar, or the broadcast shape with reduction "none".
 * Gradient: 2·(x − target)·g to x, its negative to target.
 *
 * @param x A tensor.
 * @param target A tensor.
 * @param options reduction = "mean", weight.
 * @returns The loss.
 * @throws {RangeError} if the shapes do not broadcast or the reduction is unknown.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nn.functional.mseLoss(tensor([1, 2]), tensor([3, 2])).item(), 2);
 * ```
 */
export function mseLoss(x: Tensor, target: Tensor, options: WeightedLossOptions = {}): Tensor {
  const action = "run mseLoss";
  const values = readOptions(action, options, { reduction: "mean", weight: null });
  return reduceWeighted(action, x, square(difference(action, x, target)), values);
}

/**
 * The absolute difference |x − target|.
 *
 * Shapes: as {@linkcode mseLoss}. Gradient: sign(x − target)·g to x, 0 at equality.
 *
 * @param x A tensor.
 * @param target A tensor.
 * @param options reduction = "mean", weight.
 * @returns The loss.
 * @throws {RangeError} if the shapes do not broadcast or the reduction is unknown.
 */
export function l1Loss(x: Tensor, target: Tensor, options: WeightedLossOptions = {}): Tensor {
  const action = "run l1Loss";
  const values = readOptions(action, options, { reduction: "mean", weight: null });
  return reduceWeighted(action, x, abs(difference(action, x, target)), values);
}

/**
 * d²/(2·beta) for |d| < beta, else |d| − beta/2, with d = x − target.
 *
 * Shapes: as {@linkcode mseLoss}. Gradient: g times d/beta, held between ±1.
 *
 * @param x A tensor.
 * @param target A tensor.
 * @param options reduction = "mean", beta = 1; at beta = 0 it is the absolute difference.
 * @returns The loss.
 * @throws {RangeError} if beta is negative or the shapes do not broadcast.
 * @see Girshick: Fast R-CNN, 2015, equation 3.
 */
export function smoothL1Loss(
  x: Tensor,
  target: Tensor,
  options: SmoothL1LossOptions = {},
): Tensor {
  const action = "run smoothL1Loss";
  const { reduction, beta } = readOptions(action, options, { reduction: "mean", beta: 1 });
  if (!(beta >= 0)) {
    refuse(action, `beta ${beta}`, "at least 0");
  }
  const d = difference(action, x, target);
  return reduce(beta === 0 ? abs(d) : div(huber(d, beta), beta), reduction);
}

/**
 * d²/2 for |d| < delta, else delta · (|d| − delta/2), with d = x − target.
 *
 * Shapes: as {@linkcode mseLoss}. Gradient: g times d, held between ±delta.
 *
 * @param x A tensor.
 * @param target A tensor.
 * @param options reduction = "mean", delta = 1, weight.
 * @returns The loss.
 * @throws {RangeError} if delta is not positive or the shapes do not broadcast.
 * @see Huber: Robust Estimation of a Location Parameter, 1964.
 */
export function huberLoss(x: Tensor, target: Tensor, options: HuberLossOptions = {}): Tensor {
  const action = "run huberLoss";
  const values = readOptions(action, options, { reduction: "mean", weight: null, delta: 1 });
  const { delta } = values;
  if (!(delta > 0)) {
    refuse(action, `delta ${delta}`, "more than 0");
  }
  return reduceWeighted(action, x, huber(difference(action, x, target), delta), values);
}
