/**
 * Losses with a margin.
 */
import type { Tensor } from "../../autograd/mod.ts";
import { checkFlag, checkNumber, layerOptions } from "../module/arguments.ts";
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
export class HingeEmbeddingLoss extends Loss {
  /** @internal */ static override readonly kind: string = "HingeEmbeddingLoss";

  /** How far on the right side costs nothing. */
  readonly margin: number;

  /**
   * Makes the layer.
   *
   * @param options margin = 1, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: MarginLossOptions = {}) {
    super(layerOptions("HingeEmbeddingLoss", options, ["margin", "reduction"]));
    this.margin = checkNumber("HingeEmbeddingLoss", "margin", options?.margin ?? 1);
  }

  /** The loss of distances x at targets of ±1. */
  override forward(x: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return hingeEmbeddingLoss(x, target, { margin, reduction });
  }
}

/** Angles of like and unlike pairs; see {@linkcode cosineEmbeddingLoss}. */
export class CosineEmbeddingLoss extends Loss {
  /** @internal */ static override readonly kind: string = "CosineEmbeddingLoss";

  /** How far on the right side costs nothing. */
  readonly margin: number;

  /**
   * Makes the layer.
   *
   * @param options margin = 0, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: MarginLossOptions = {}) {
    super(layerOptions("CosineEmbeddingLoss", options, ["margin", "reduction"]));
    this.margin = checkNumber("CosineEmbeddingLoss", "margin", options?.margin ?? 0);
  }

  /** The loss of pairs of vectors at targets of ±1. */
  override forward(x1: Tensor, x2: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return cosineEmbeddingLoss(x1, x2, target, { margin, reduction });
  }
}

/** Which of two ranks higher; see {@linkcode marginRankingLoss}. */
export class MarginRankingLoss extends Loss {
  /** @internal */ static override readonly kind: string = "MarginRankingLoss";

  /** How far on the right side costs nothing. */
  readonly margin: number;

  /**
   * Makes the layer.
   *
   * @param options margin = 0, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: MarginLossOptions = {}) {
    super(layerOptions("MarginRankingLoss", options, ["margin", "reduction"]));
    this.margin = checkNumber("MarginRankingLoss", "margin", options?.margin ?? 0);
  }

  /** The loss of pairs of scores at targets of ±1. */
  override forward(x1: Tensor, x2: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return marginRankingLoss(x1, x2, target, { margin, reduction });
  }
}

/** Nearer to the positive than to the negative; see {@linkcode tripletMarginLoss}. */
export class TripletMarginLoss extends Loss {
  /** @internal */ static override readonly kind: string = "TripletMarginLoss";

  /** How far on the right side costs nothing. */
  readonly margin: number;
  /** The order of the norm. */
  readonly p: number;
  /** Added to each difference. */
  readonly eps: number;
  /** Whether the negative's distance from the positive counts where it is the smaller. */
  readonly swap: boolean;

  /**
   * Makes the layer.
   *
   * @param options margin = 1, p = 2, eps = 1e-6, swap = false, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: TripletMarginLossOptions = {}) {
    super(
      layerOptions("TripletMarginLoss", options, ["margin", "p", "eps", "swap", "reduction"]),
    );
    this.margin = checkNumber("TripletMarginLoss", "margin", options?.margin ?? 1);
    this.p = checkNumber("TripletMarginLoss", "p", options?.p ?? 2);
    this.eps = checkNumber("TripletMarginLoss", "eps", options?.eps ?? 1e-6);
    this.swap = checkFlag("TripletMarginLoss", "swap", options?.swap ?? false);
  }

  /** The loss of triplets of vectors. */
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { margin, p, eps, swap, reduction } = this;
    return tripletMarginLoss(anchor, positive, negative, { margin, p, eps, swap, reduction });
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
    super(layerOptions("SoftMarginLoss", options, ["reduction"]));
  }

  /** The loss of scores x at targets of ±1. */
  override forward(x: Tensor, target: Tensor): Tensor {
    const { reduction } = this;
    return softMarginLoss(x, target, { reduction });
  }
}

/** The target's score above the others; see {@linkcode multiMarginLoss}. */
export class MultiMarginLoss extends WeightedLoss {
  /** @internal */ static override readonly kind: string = "MultiMarginLoss";

  /** 1 or 2. */
  readonly p: number;
  /** How far on the right side costs nothing. */
  readonly margin: number;

  /**
   * Makes the layer.
   *
   * @param options weight, p = 1, margin = 1, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: MultiMarginLossOptions = {}) {
    super(
      layerOptions("MultiMarginLoss", options, ["p", "margin", "weight", "reduction"]),
    );
    this.p = checkNumber("MultiMarginLoss", "p", options?.p ?? 1);
    this.margin = checkNumber("MultiMarginLoss", "margin", options?.margin ?? 1);
  }

  /** The loss of scores x at class indices. */
  override forward(x: Tensor, target: Target): Tensor {
    const { weight, p, margin, reduction } = this;
    return multiMarginLoss(x, target, { weight, p, margin, reduction });
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
    super(layerOptions("MultiLabelMarginLoss", options, ["reduction"]));
  }

  /** The loss of scores x at lists of class indices. */
  override forward(x: Tensor, target: Target): Tensor {
    const { reduction } = this;
    return multilabelMarginLoss(x, target, { reduction });
  }
}

/** One binary cross entropy for each class; see {@linkcode multilabelSoftMarginLoss}. */
export class MultiLabelSoftMarginLoss extends WeightedLoss {
  /** @internal */ static override readonly kind: string = "MultiLabelSoftMarginLoss";

  /**
   * Makes the layer.
   *
   * @param options weight, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: BinaryCrossEntropyOptions = {}) {
    super(layerOptions("MultiLabelSoftMarginLoss", options, ["weight", "reduction"]));
  }

  /** The loss of logits x at targets of 0 or 1. */
  override forward(x: Tensor, target: Tensor): Tensor {
    const { weight, reduction } = this;
    return multilabelSoftMarginLoss(x, target, { weight, reduction });
  }
}
