/**
 * Losses of embeddings, rankings and classes: what is far enough on the right side costs nothing.
 */
import {
  assertTensor,
  formatShape,
  fromValues,
  refuse,
  valuesOf,
} from "../../autograd/internal.ts";
import {
  add,
  clamp,
  div,
  eq,
  gather,
  mean,
  minimum,
  mul,
  ne,
  neg,
  pow,
  relu,
  reshape,
  sqrt,
  sub,
  sum,
  type Tensor,
  where,
} from "../../autograd/mod.ts";
import { pairwiseDistance } from "../linear/distance_function.ts";
import { asTarget, checkClasses, checkClassWeight, type Target } from "./classes.ts";
import {
  assertTensors,
  checkBroadcast,
  checkSameRank,
  checkShapeOf,
  type LossOptions,
  readOptions,
  reduce,
} from "./operands.ts";

/** max(x, 0); unlike relu it hands the gradient on at 0, as PyTorch does. */
function hinge(x: Tensor): Tensor {
  return clamp(x, { min: 0 });
}

/** Options of the losses with a margin. */
export interface MarginLossOptions extends LossOptions {
  /** How far on the right side costs nothing. */
  readonly margin?: number;
}

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
  const { margin, reduction } = readOptions(action, options, { margin: 1, reduction: "mean" });
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
  const { margin, reduction } = readOptions(action, options, { margin: 0, reduction: "mean" });
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
  const { margin, reduction } = readOptions(action, options, { margin: 0, reduction: "mean" });
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
  const defaults = { margin: 1, p: 2, eps: 1e-6, swap: false, reduction: "mean" } as const;
  const { margin, p, eps, swap, reduction } = readOptions(action, options, defaults);
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

/** Options of {@linkcode multiMarginLoss}. */
export interface MultiMarginLossOptions extends LossOptions {
  /** 1 or 2. */
  readonly p?: number;
  /** By how much the target's score should exceed the others. */
  readonly margin?: number;
  /** The weight of each class, [C]. */
  readonly weight?: Tensor | null;
}

/**
 * Σₖ weight[t] · max(0, margin − x[t] + x[k])ᵖ / C over the classes k other than the target t.
 *
 * Shapes: x [N, C] with target [N], or [C] with a scalar → a scalar, or the shape of the target with
 * reduction "none".
 *
 * @param x Scores.
 * @param target Class indices, a tensor or an array.
 * @param options p = 1, margin = 1, weight, reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes do not fit, a class is out of range or p is neither 1 nor 2.
 */
export function multiMarginLoss(
  x: Tensor,
  target: Target,
  options: MultiMarginLossOptions = {},
): Tensor {
  const action = "run multiMarginLoss";
  const defaults = { p: 1, margin: 1, weight: null, reduction: "mean" } as const;
  const { p, margin, weight, reduction } = readOptions(action, options, defaults);
  if (p !== 1 && p !== 2) refuse(action, `p ${p}`, "1 or 2");
  const scores = asRows(action, x);
  const classes = scores.shape[scores.ndim - 1];
  const given = asTarget(action, target);
  // As in PyTorch, a single sample may have its target in a list.
  const t = scores.ndim === 1 && given.ndim === 1 && given.size === 1 ? reshape(given, []) : given;
  checkClassWeight(action, weight, classes);
  checkClasses(action, scores, t, null);
  const rows = reshape(scores, [t.size, classes]);
  const index = reshape(t, [t.size, 1]);
  const short = relu(add(sub(rows, gather(rows, 1, index)), margin));
  const others = new Float64Array(rows.size).fill(1);
  valuesOf(t).forEach((k, n) => {
    const by = weight === null ? 1 : valuesOf(weight)[k];
    others.fill(by, n * classes, (n + 1) * classes);
    others[n * classes + k] = 0;
  });
  const powered = p === 1 ? short : pow(short, 2);
  const losses = mean(mul(powered, fromValues(others, rows.shape)), { dim: 1 });
  return reduce(reshape(losses, given.shape), reduction);
}

/**
 * Σ max(0, 1 − (x[j] − x[i])) / C over the target classes j and the others i, for several targets of
 * each sample: those before the first −1.
 *
 * Shapes: x and target [N, C] or [C] → a scalar, or [N] or a scalar with reduction "none".
 *
 * @param x Scores.
 * @param target Class indices, then −1; a tensor or an array.
 * @param options reduction = "mean".
 * @returns The loss.
 * @throws {RangeError} if the shapes differ or a class is out of range.
 */
export function multilabelMarginLoss(
  x: Tensor,
  target: Target,
  options: LossOptions = {},
): Tensor {
  const action = "run multilabelMarginLoss";
  const { reduction } = readOptions(action, options, { reduction: "mean" });
  const scores = asRows(action, x);
  const t = asTarget(action, target);
  checkShapeOf(action, x, t, "target");
  const c = scores.shape[scores.ndim - 1];
  const n = scores.ndim === 1 ? 1 : scores.shape[0];
  const index = new Float64Array(n * c);
  // 1 where j is a target of the sample and i is none
  const pairs = new Float64Array(n * c * c);
  for (let row = 0; row < n; row++) {
    const listed = Array.from(valuesOf(t).subarray(row * c, (row + 1) * c));
    const end = listed.indexOf(-1);
    const targets = end < 0 ? listed : listed.slice(0, end);
    for (const [j, k] of targets.entries()) {
      if (!Number.isInteger(k) || k < 0 || k >= c) {
        refuse(action, `target ${k}`, `an integer of 0 … ${c - 1} or -1`);
      }
      index[row * c + j] = k;
      for (let i = 0; i < c; i++) pairs[(row * c + j) * c + i] = targets.includes(i) ? 0 : 1;
    }
  }
  const rows = reshape(scores, [n, c]);
  const wanted = gather(rows, 1, fromValues(index, [n, c]));
  const short = relu(sub(add(reshape(rows, [n, 1, c]), 1), reshape(wanted, [n, c, 1])));
  const total = sum(mul(short, fromValues(pairs, [n, c, c])), { dim: [1, 2] });
  return reduce(reshape(mul(total, 1 / c), scores.shape.slice(0, -1)), reduction);
}

/** [C] or [N, C]; a scalar is the score of the only class. */
function asRows(action: string, x: Tensor): Tensor {
  assertTensor(action, x, "x");
  if (x.ndim === 0) return reshape(x, [1]);
  if (x.ndim > 2 || x.shape[x.ndim - 1] === 0) {
    refuse(action, `x of shape ${formatShape(x.shape)}`, "[C] or [N, C]");
  }
  return x;
}
