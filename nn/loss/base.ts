/**
 * What losses have in common.
 */
import { kindOf } from "../../autograd/internal.ts";
import type { Tensor } from "../../autograd/mod.ts";
import { checkChoice, checkTensor } from "../module/arguments.ts";
import type { LossOptions, Reduction } from "../functional.ts";
import { Module } from "../module/module.ts";

/** A loss with one of the usual reductions. */
export abstract class Loss extends Module {
  /** @internal */ static override readonly kind: string = "Loss";

  /** How the losses of single elements become one. */
  readonly reduction: Reduction;

  /** @internal */
  constructor(options?: LossOptions | null) {
    super();
    const { reduction = "mean" } = options ?? {};
    this.reduction = checkChoice(kindOf(this), "reduction", reduction, ["none", "mean", "sum"]);
  }
}

/** A loss with weights, which are part of the state. */
export abstract class WeightedLoss extends Loss {
  /** @internal */ static override readonly kind: string = "WeightedLoss";

  /** Weights; `null` for none. */
  weight: Tensor | null;

  /** @internal */
  constructor(options?: (LossOptions & { readonly weight?: Tensor | null }) | null) {
    super(options);
    const weight = checkTensor(kindOf(this), "weight", options?.weight);
    this.weight = this.registerBuffer("weight", weight);
  }
}
