/**
 * Losses of embeddings and rankings: what is far enough on the right side costs nothing.
 */
import {
  add,
  clamp,
  div,
  eq,
  minimum,
  mul,
  ne,
  neg,
  sqrt,
  sub,
  sum,
  type Tensor,
  where,
} from "../../autograd/mod.ts";
import { formatShape, type Known, refuse } from "../../autograd/internal.ts";
import { pairwiseDistance } from "../linear/distance_function.ts";
import { assertTensors, checkBroadcast, checkNumber, checkSameRank } from "./operands.ts";
import { type LossOptions, reduce, reductionOf } from "./reduction.ts";

/** max(x, 0); unlike relu it hands the gradient on at 0, as PyTorch does. */
function hinge(x: Tensor): Tensor {
  return clamp(x, { min: 0 });
}

/** Options of the losses with a margin. */
export interface MarginLossOptions extends LossOptions {
  /** How far on the right side costs nothing. */
  readonly margin?: number;
}

const MARGIN: Known<MarginLossOptions> = ["margin", "reduction"];

/** Options of {@linkcode tripletMarginLoss}. */
export interface TripletMarginLossOptions extends MarginLossOptions {
  /** The order of the norm; 2 where left out. */
  readonly p?: number;
  /** Added to each difference; 1e-6 where left out. */
  readonly eps?: number;
  /** Whether the negative's distance from the positive counts where it is the smaller. */
  readonly swap?: boolean;
}

/**
 * x where the target is 1, max(0, margin − x) where it is −1.
 *
 * Shapes: x and target broadcastable → a scalar, or the broadcast shape with reduction "none".
 *
 * @param x Distances.
 * @param target 1 or −1.
 * @param options margin = 1, reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes do not broadcast or the reduction is unknown.
 */
export function hingeEmbeddingLoss(
  x: Tensor,
  target: Tensor,
  options: MarginLossOptions = {},
): Tensor {
  const action = "run hingeEmbeddingLoss";
  const reduction = reductionOf(action, options, MARGIN);
  const { margin = 1 } = options;
  checkNumber(action, "margin", margin);
  checkBroadcast(action, { x, target });
  const apart = where(ne(target, 1), hinge(sub(margin, x)), 0);
  const together = where(ne(target, -1), x, 0);
  return reduce(add(apart, together), reduction);
}

/**
 * 1 − cos(x1, x2) where the target is 1, max(0, cos(x1, x2) − margin) where it is −1.
 *
 * Shapes: x1 and x2 [N, D] with target [N], or [D] with a scalar → a scalar, or the shape of the
 * target with reduction "none".
 *
 * @param x1 Vectors.
 * @param x2 Vectors.
 * @param target 1 or −1.
 * @param options margin = 0, reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes do not fit or the reduction is unknown.
 */
export function cosineEmbeddingLoss(
  x1: Tensor,
  x2: Tensor,
  target: Tensor,
  options: MarginLossOptions = {},
): Tensor {
  const action = "run cosineEmbeddingLoss";
  const reduction = reductionOf(action, options, MARGIN);
  const { margin = 0 } = options;
  checkNumber(action, "margin", margin);
  assertTensors(action, { x1, x2, target });
  if (target.ndim > 1 || x1.ndim !== target.ndim + 1 || x2.ndim !== target.ndim + 1) {
    refuse(
      action,
      `x1 of shape ${formatShape(x1.shape)}, x2 of shape ${
        formatShape(x2.shape)
      } and target of shape ${formatShape(target.shape)}`,
      "[N, D], [N, D] and [N], or [D], [D] and []",
    );
  }
  checkBroadcast(action, { x1, x2 });
  const lengthSquared = (x: Tensor) => add(sum(mul(x, x), { dim: -1 }), 1e-12);
  const cosine = div(
    sum(mul(x1, x2), { dim: -1 }),
    sqrt(mul(lengthSquared(x1), lengthSquared(x2))),
  );
  const together = where(eq(target, 1), sub(1, cosine), 0);
  const apart = where(eq(target, -1), hinge(sub(cosine, margin)), 0);
  return reduce(add(together, apart), reduction);
}

/**
 * max(0, margin − target·(x1 − x2)): which of two should be ranked higher.
 *
 * Shapes: all broadcastable → a scalar, or the broadcast shape with reduction "none".
 *
 * @param x1 Scores.
 * @param x2 Scores.
 * @param target 1 where x1 should be the larger, −1 where x2 should.
 * @param options margin = 0, reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes do not broadcast or the reduction is unknown.
 */
export function marginRankingLoss(
  x1: Tensor,
  x2: Tensor,
  target: Tensor,
  options: MarginLossOptions = {},
): Tensor {
  const action = "run marginRankingLoss";
  const reduction = reductionOf(action, options, MARGIN);
  const { margin = 0 } = options;
  checkNumber(action, "margin", margin);
  checkSameRank(action, { x1, x2, target });
  checkBroadcast(action, { x1, x2, target });
  return reduce(hinge(add(mul(neg(target), sub(x1, x2)), margin)), reduction);
}

/**
 * max(0, ‖anchor − positive‖ − ‖anchor − negative‖ + margin).
 *
 * Shapes: all [*, D], broadcastable, of as many dims → a scalar, or [*] with reduction "none".
 *
 * @param anchor Vectors.
 * @param positive Vectors that should be near.
 * @param negative Vectors that should be far.
 * @param options margin = 1, p = 2, eps = 1e-6, swap = false, reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes do not fit, the margin is not positive or the reduction is unknown.
 * @see Balntas et al.: Learning shallow convolutional feature descriptors with triplet losses, 2016.
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginLossOptions = {},
): Tensor {
  const action = "run tripletMarginLoss";
  const reduction = reductionOf(action, options, [...MARGIN, "p", "eps", "swap"]);
  const { margin = 1, p = 2, eps = 1e-6, swap = false } = options;
  checkNumber(action, "margin", margin);
  if (!(margin > 0)) {
    refuse(action, `margin ${margin}`, "more than 0");
  }
  checkSameRank(action, { anchor, positive, negative });
  checkBroadcast(action, { anchor, positive, negative });
  const near = pairwiseDistance(anchor, positive, { p, eps });
  const far = pairwiseDistance(anchor, negative, { p, eps });
  const farther = swap ? minimum(far, pairwiseDistance(positive, negative, { p, eps })) : far;
  return reduce(hinge(sub(add(near, margin), farther)), reduction);
}
