/**
 * Losses as layers.
 */
import type { Tensor } from "../autograd/mod.ts";
import { checkChoice, checkNumber, checkTensor, layerOptions } from "./arguments.ts";
import { crossEntropy, type CrossEntropyOptions, type LossOptions } from "./functional.ts";
import type { Target } from "./functional/classes.ts";
import type { Reduction } from "./functional/reduction.ts";
import { Module } from "./module.ts";

/** What all losses have in common. */
export abstract class Loss extends Module {
  /** How the losses of single elements become one. */
  readonly reduction: Reduction;

  /** @internal */
  constructor(options: LossOptions) {
    super();
    const layer = new.target.name;
    const { reduction = "mean" } = layerOptions(layer, options);
    this.reduction = checkChoice(layer, "reduction", reduction, ["none", "mean", "sum"]);
  }
}

/** A loss with weights, which are part of the state. */
export abstract class WeightedLoss extends Loss {
  /** Weights; `null` for none. */
  weight: Tensor | null;

  /** @internal */
  constructor(options: LossOptions & { readonly weight?: Tensor | null }) {
    super(options);
    this.weight = this.registerBuffer(
      "weight",
      checkTensor(new.target.name, "weight", options.weight),
    );
  }
}

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
  /** The class index that does not count. */
  readonly ignoreIndex: number;
  /** The share of a target that is spread over all classes. */
  readonly labelSmoothing: number;

  /**
   * @param options weight, ignoreIndex = −100, reduction = "mean", labelSmoothing = 0.
   * @throws {TypeError} if one is of the wrong kind. @throws {RangeError} if one is out of range.
   */
  constructor(options: CrossEntropyOptions = {}) {
    super(options);
    this.ignoreIndex = checkNumber("CrossEntropyLoss", "ignoreIndex", options.ignoreIndex ?? -100);
    this.labelSmoothing = checkNumber(
      "CrossEntropyLoss",
      "labelSmoothing",
      options.labelSmoothing ?? 0,
    );
  }

  /** The loss of logits x at a target. */
  override forward(x: Tensor, target: Target): Tensor {
    const { weight, ignoreIndex, reduction, labelSmoothing } = this;
    return crossEntropy(x, target, { weight, ignoreIndex, reduction, labelSmoothing });
  }
}
