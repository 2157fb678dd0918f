/**
 * Losses of classifiers.
 */
import type { Tensor } from "../../autograd/mod.ts";
import {
  checkChoice,
  checkFlag,
  checkNumber,
  checkTensor,
  layerOptions,
} from "../module/arguments.ts";
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
export class CrossEntropyLoss extends WeightedLoss {
  /** @internal */ static override readonly kind: string = "CrossEntropyLoss";

  /** The class index that does not count. */
  readonly ignoreIndex: number;
  /** The share of a target that is spread over all classes. */
  readonly labelSmoothing: number;

  /**
   * Makes the layer.
   *
   * @param options weight, ignoreIndex = −100, reduction = "mean", labelSmoothing = 0.
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: CrossEntropyOptions = {}) {
    super(
      layerOptions("CrossEntropyLoss", options, [
        "weight",
        "ignoreIndex",
        "reduction",
        "labelSmoothing",
      ]),
    );
    this.ignoreIndex = checkNumber("CrossEntropyLoss", "ignoreIndex", options?.ignoreIndex ?? -100);
    this.labelSmoothing = checkNumber(
      "CrossEntropyLoss",
      "labelSmoothing",
      options?.labelSmoothing ?? 0,
    );
  }

  /** The loss of logits x at a target. */
  override forward(x: Tensor, target: Target): Tensor {
    const { weight, ignoreIndex, reduction, labelSmoothing } = this;
    return crossEntropy(x, target, { weight, ignoreIndex, reduction, labelSmoothing });
  }
}

/**
 * The negative log likelihood of class indices, from log-probabilities; see {@linkcode nllLoss}.
 */
export class NLLLoss extends WeightedLoss {
  /** @internal */ static override readonly kind: string = "NLLLoss";

  /** The class index that does not count. */
  readonly ignoreIndex: number;

  /**
   * Makes the layer.
   *
   * @param options weight, ignoreIndex = −100, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: NllLossOptions = {}) {
    super(layerOptions("NLLLoss", options, ["weight", "ignoreIndex", "reduction"]));
    this.ignoreIndex = checkNumber("NLLLoss", "ignoreIndex", options?.ignoreIndex ?? -100);
  }

  /** The loss of log-probabilities x at a target. */
  override forward(x: Tensor, target: Target): Tensor {
    const { weight, ignoreIndex, reduction } = this;
    return nllLoss(x, target, { weight, ignoreIndex, reduction });
  }
}

/** The cross entropy of probabilities with targets; see {@linkcode binaryCrossEntropy}. */
export class BCELoss extends WeightedLoss {
  /** @internal */ static override readonly kind: string = "BCELoss";

  /**
   * Makes the layer.
   *
   * @param options weight, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: BinaryCrossEntropyOptions = {}) {
    super(layerOptions("BCELoss", options, ["weight", "reduction"]));
  }

  /** The loss of probabilities x at a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    const { weight, reduction } = this;
    return binaryCrossEntropy(x, target, { weight, reduction });
  }
}

/**
 * The cross entropy of the sigmoid of logits with targets; see
 * {@linkcode binaryCrossEntropyWithLogits}.
 */
export class BCEWithLogitsLoss extends WeightedLoss {
  /** @internal */ static override readonly kind: string = "BCEWithLogitsLoss";

  /** The weight of the positive class; `null` for none. */
  posWeight: Tensor | null;

  /**
   * Makes the layer.
   *
   * @param options weight, posWeight, reduction = "mean".
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: BinaryCrossEntropyWithLogitsOptions = {}) {
    super(
      layerOptions("BCEWithLogitsLoss", options, ["weight", "reduction", "posWeight"]),
    );
    const posWeight = checkTensor("BCEWithLogitsLoss", "posWeight", options?.posWeight);
    this.posWeight = this.registerBuffer("pos_weight", posWeight);
  }

  /** The loss of logits x at a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    const { weight, posWeight, reduction } = this;
    return binaryCrossEntropyWithLogits(x, target, { weight, posWeight, reduction });
  }
}

/** The Kullback-Leibler divergence, from log-probabilities; see {@linkcode klDiv}. */
export class KLDivLoss extends Module {
  /** @internal */ static override readonly kind: string = "KLDivLoss";

  /** How the divergences of single elements become one. */
  readonly reduction: "none" | "batchmean" | "sum" | "mean";
  /** Whether the target holds log-probabilities too. */
  readonly logTarget: boolean;

  /**
   * Makes the layer.
   *
   * @param options reduction = "mean", logTarget = false.
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: KlDivOptions = {}) {
    super();
    const { reduction = "mean", logTarget = false } = layerOptions("KLDivLoss", options, [
      "reduction",
      "logTarget",
    ]);
    const known = ["none", "batchmean", "sum", "mean"] as const;
    this.reduction = checkChoice("KLDivLoss", "reduction", reduction, known);
    this.logTarget = checkFlag("KLDivLoss", "logTarget", logTarget);
  }

  /** The divergence of log-probabilities x from a target. */
  override forward(x: Tensor, target: Tensor): Tensor {
    return klDiv(x, target, { reduction: this.reduction, logTarget: this.logTarget });
  }
}
