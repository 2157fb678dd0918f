/**
 * Losses with a margin.
 */
import type { Tensor } from "../../autograd/mod.ts";
import {
  type BinaryCrossEntropyOptions,
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  type LossOptions,
  type MarginLossOptions,
  marginRankingLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  type MultiMarginLossOptions,
  softMarginLoss,
  type Target,
  tripletMarginLoss,
  type TripletMarginLossOptions,
} from "../functional.ts";
import { Loss, WeightedLoss } from "./base.ts";

/** Distances of like and unlike pairs; see {@linkcode hingeEmbeddingLoss}. */
export class HingeEmbeddingLoss extends Loss<MarginLossOptions> {
  /** @internal */ static override readonly kind: string = "HingeEmbeddingLoss";

  /** How far on the right side costs nothing. */
  declare readonly margin: number;

  /**
   * Makes the layer.
   *
   * @param options margin = 1, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: MarginLossOptions = {}) {
    super(options, { margin: 1, reduction: "mean" });
  }

  /** The loss of distances x at targets of ±1. */
  override forward(x: Tensor, target: Tensor): Tensor {
    return hingeEmbeddingLoss(x, target, this.lossOptions());
  }
}

/** Angles of like and unlike pairs; see {@linkcode cosineEmbeddingLoss}. */
export class CosineEmbeddingLoss extends Loss<MarginLossOptions> {
  /** @internal */ static override readonly kind: string = "CosineEmbeddingLoss";

  /** How far on the right side costs nothing. */
  declare readonly margin: number;

  /**
   * Makes the layer.
   *
   * @param options margin = 0, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: MarginLossOptions = {}) {
    super(options, { margin: 0, reduction: "mean" });
  }

  /** The loss of pairs of vectors at targets of ±1. */
  override forward(x1: Tensor, x2: Tensor, target: Tensor): Tensor {
    return cosineEmbeddingLoss(x1, x2, target, this.lossOptions());
  }
}

/** Which of two ranks higher; see {@linkcode marginRankingLoss}. */
export class MarginRankingLoss extends Loss<MarginLossOptions> {
  /** @internal */ static override readonly kind: string = "MarginRankingLoss";

  /** How far on the right side costs nothing. */
  declare readonly margin: number;

  /**
   * Makes the layer.
   *
   * @param options margin = 0, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: MarginLossOptions = {}) {
    super(options, { margin: 0, reduction: "mean" });
  }

  /** The loss of pairs of scores at targets of ±1. */
  override forward(x1: Tensor, x2: Tensor, target: Tensor): Tensor {
    return marginRankingLoss(x1, x2, target, this.lossOptions());
  }
}

/** Nearer to the positive than to the negative; see {@linkcode tripletMarginLoss}. */
export class TripletMarginLoss extends Loss<TripletMarginLossOptions> {
  /** @internal */ static override readonly kind: string = "TripletMarginLoss";

  /** How far on the right side costs nothing. */
  declare readonly margin: number;
  /** The order of the norm. */
  declare readonly p: number;
  /** Added to each difference. */
  declare readonly eps: number;
  /** Whether the negative's distance from the positive counts where it is the smaller. */
  declare readonly swap: boolean;

  /**
   * Makes the layer.
   *
   * @param options margin = 1, p = 2, eps = 1e-6, swap = false, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: TripletMarginLossOptions = {}) {
    super(options, { margin: 1, p: 2, eps: 1e-6, swap: false, reduction: "mean" });
  }

  /** The loss of triplets of vectors. */
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return tripletMarginLoss(anchor, positive, negative, this.lossOptions());
  }
}

/** ln(1 + e^(−target·x)); see {@linkcode softMarginLoss}. */
export class SoftMarginLoss extends Loss {
  /** @internal */ static override readonly kind: string = "SoftMarginLoss";

  /**
   * Makes the layer.
   *
   * @param options reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: LossOptions = {}) {
    super(options, { reduction: "mean" });
  }

  /** The loss of scores x at targets of ±1. */
  override forward(x: Tensor, target: Tensor): Tensor {
    return softMarginLoss(x, target, this.lossOptions());
  }
}

/** The target's score above the others; see {@linkcode multiMarginLoss}. */
export class MultiMarginLoss extends WeightedLoss<MultiMarginLossOptions> {
  /** @internal */ static override readonly kind: string = "MultiMarginLoss";

  /** 1 or 2. */
  declare readonly p: number;
  /** How far on the right side costs nothing. */
  declare readonly margin: number;

  /**
   * Makes the layer.
   *
   * @param options weight, p = 1, margin = 1, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: MultiMarginLossOptions = {}) {
    super(options, { p: 1, margin: 1, weight: null, reduction: "mean" });
  }

  /** The loss of scores x at class indices. */
  override forward(x: Tensor, target: Target): Tensor {
    return multiMarginLoss(x, target, this.lossOptions());
  }
}

/** Several targets' scores above the others; see {@linkcode multilabelMarginLoss}. */
export class MultiLabelMarginLoss extends Loss {
  /** @internal */ static override readonly kind: string = "MultiLabelMarginLoss";

  /**
   * Makes the layer.
   *
   * @param options reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: LossOptions = {}) {
    super(options, { reduction: "mean" });
  }

  /** The loss of scores x at lists of class indices. */
  override forward(x: Tensor, target: Target): Tensor {
    return multilabelMarginLoss(x, target, this.lossOptions());
  }
}

/** One binary cross entropy for each class; see {@linkcode multilabelSoftMarginLoss}. */
export class MultiLabelSoftMarginLoss extends WeightedLoss<BinaryCrossEntropyOptions> {
  /** @internal */ static override readonly kind: string = "MultiLabelSoftMarginLoss";

  /**
   * Makes the layer.
   *
   * @param options weight, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: BinaryCrossEntropyOptions = {}) {
    super(options, { weight: null, reduction: "mean" });
  }

  /** The loss of logits x at targets of 0 or 1. */
  override forward(x: Tensor, target: Tensor): Tensor {
    return multilabelSoftMarginLoss(x, target, this.lossOptions());
  }
}
