/**
 * What losses have in common.
 */
import { kindOf } from "../../autograd/internal.ts";
import type { Tensor } from "../../autograd/mod.ts";
import { layerOptions } from "../module/arguments.ts";
import { type Defaults, keepOptions } from "../module/declared.ts";
import type { LossOptions, Reduction, WeightedLossOptions } from "../functional.ts";
import { Module } from "../module/module.ts";
import { REDUCTIONS } from "./operands.ts";

/** A loss with one of the usual reductions. */
export abstract class Loss<Options extends LossOptions = LossOptions> extends Module {
  /** @internal */ static override readonly kind: string = "Loss";

  /** How the losses of single elements become one. */
  declare readonly reduction: Reduction;
  private readonly optionNames: readonly string[];

  /** @internal With `defaults`, which become fields, other options are refused. */
  constructor(options?: Options | null, defaults?: Defaults<Options>) {
    super();
    const known = defaults ?? { reduction: "mean" };
    this.optionNames = Object.keys(known);
    if (defaults !== undefined) layerOptions(kindOf(this), options, this.optionNames as never);
    keepOptions(this, options, known, REDUCTIONS);
  }

  /** @internal The options in force, for the function that computes the loss. */
  protected lossOptions(): Required<Options> {
    const fields = this as unknown as Record<string, unknown>;
    const options: Record<string, unknown> = {};
    for (const name of this.optionNames) options[name] = fields[name];
    return options as Required<Options>;
  }
}

/** A loss with weights, which are part of the state. */
export abstract class WeightedLoss<Options extends WeightedLossOptions = WeightedLossOptions>
  extends Loss<Options> {
  /** @internal */ static override readonly kind: string = "WeightedLoss";

  /** Weights; `null` for none. */
  declare weight: Tensor | null;

  /** @internal */
  constructor(options?: Options | null, defaults?: Defaults<Options>) {
    super(options, defaults);
    if (defaults === undefined) keepOptions(this, options, { weight: null });
  }
}
