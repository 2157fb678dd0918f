/**
 * Losses of classifiers.
 */
import type { Tensor } from "../../autograd/mod.ts";
import { layerOptions } from "../module/arguments.ts";
import { keepOptions } from "../module/declared.ts";
import {
  binaryCrossEntropy,
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  type BinaryCrossEntropyWithLogitsOptions,
  crossEntropy,
  type CrossEntropyOptions,
  klDiv,
  type KlDivOptions,
  nllLoss,
  type NllLossOptions,
  type Target,
} from "../functional.ts";
import { Module } from "../module/module.ts";
import { WeightedLoss } from "./base.ts";

/**
 * The cross entropy between the softmax of logits and a target: class indices or probabilities; see
 * {@linkcode crossEntropy}.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const loss = new nn.CrossEntropyLoss().forward(tensor([[0, 0]]), [1]);
 * assertAlmostEquals(loss.item(), Math.log(2));
 * ```
 */
export class CrossEntropyLoss extends WeightedLoss<CrossEntropyOptions> {
  /** @internal */ static override readonly kind: string = "CrossEntropyLoss";

  /** The class index that does not count. */
  declare readonly ignoreIndex: number;
  /** The share of a target that is spread over all classes. */
  declare readonly labelSmoothing: number;

  /**
   * Makes the layer.
   *
   * @param options weight, ignoreIndex = −100, reduction = "mean", labelSmoothing = 0.
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: CrossEntropyOptions = {}) {
    super(options, { weight: null, ignoreIndex: -100, reduction: "mean", labelSmoothing: 0 });
  }

  /** The loss of logits x at a target. */
  override forward(x: Tensor, target: Target): Tensor {
    return crossEntropy(x, target, this.lossOptions());
  }
}

/**
 * The negative log likelihood of class indices, from log-probabilities; see {@linkcode nllLoss}.
 */
export class NLLLoss extends WeightedLoss<NllLossOptions> {
  /** @internal */ static override readonly kind: string = "NLLLoss";

  /** The class index that does not count. */
  declare readonly ignoreIndex: number;

  /**
   * Makes the layer.
   *
   * @param options weight, ignoreIndex = −100, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: NllLossOptions = {}) {
    super(options, { weight: null, ignoreIndex: -100, reduction: "mean" });
  }

  /** The loss of log-probabilities x at a target. */
  override forward(x: Tensor, target: Target): Tensor {
    return nllLoss(x, target, this.lossOptions());
  }
}

/** The cross entropy of probabilities with targets; see {@linkcode binaryCrossEntropy}. */
export class BCELoss extends WeightedLoss<BinaryCrossEntropyOptions> {
  /** @internal */ static override readonly kind: string = "BCELoss";

  /**
   * Makes the layer.
   *
   * @param options weight, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: BinaryCrossEntropyOptions = {}) {
    super(options, { weight: null, reduction: "mean" });
  }

  /** The loss of probabilities x at a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropy(x, target, this.lossOptions());
  }
}

/**
 * The cross entropy of the sigmoid of logits with targets; see
 * {@linkcode binaryCrossEntropyWithLogits}.
 */
export class BCEWithLogitsLoss extends WeightedLoss<BinaryCrossEntropyWithLogitsOptions> {
  /** @internal */ static override readonly kind: string = "BCEWithLogitsLoss";

  /** The weight of the positive class; `null` for none. */
  declare posWeight: Tensor | null;

  /**
   * Makes the layer.
   *
   * @param options weight, posWeight, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: BinaryCrossEntropyWithLogitsOptions = {}) {
    super(options, { weight: null, reduction: "mean", posWeight: null });
  }

  /** The loss of logits x at a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(x, target, this.lossOptions());
  }
}

/** The Kullback-Leibler divergence, from log-probabilities; see {@linkcode klDiv}. */
export class KLDivLoss extends Module {
  /** @internal */ static override readonly kind: string = "KLDivLoss";

  /** How the divergences of single elements become one. */
  declare readonly reduction: "none" | "batchmean" | "sum" | "mean";
  /** Whether the target holds log-probabilities too. */
  declare readonly logTarget: boolean;

  /**
   * Makes the layer.
   *
   * @param options reduction = "mean", logTarget = false.
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: KlDivOptions = {}) {
    super();
    layerOptions("KLDivLoss", options, ["reduction", "logTarget"]);
    const words = ["none", "batchmean", "sum", "mean"];
    keepOptions(this, options, { reduction: "mean", logTarget: false }, words);
  }

  /** The divergence of log-probabilities x from a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    return klDiv(x, target, { reduction: this.reduction, logTarget: this.logTarget });
  }
}
