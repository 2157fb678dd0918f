/** How the losses of single elements become one. */
import { mean, type Reduction, sum, type Tensor } from "../../autograd/mod.ts";
import { assertOptions, type Known, refuse, show } from "../../autograd/internal.ts";

export type { Reduction };

/** What every loss accepts. */
export interface LossOptions {
  /** `"mean"` (the default) of the losses, their `"sum"`, or `"none"`: one loss for each element. */
  readonly reduction?: Reduction;
}

/**
 * Checks the name of a reduction.
 *
 * @throws {TypeError} if it is not a string. @throws {RangeError} if it is another one.
 */
export function checkReduction<R extends string = Reduction>(
  action: string,
  reduction: R,
  known: readonly string[] = ["none", "mean", "sum"],
): R {
  if (typeof reduction !== "string") {
    throw new TypeError(
      `Cannot ${action}: got reduction ${show(reduction)}, expected one of ${known.join(", ")}`,
    );
  }
  if (!known.includes(reduction)) {
    refuse(action, `reduction "${reduction}"`, `one of ${known.join(", ")}`);
  }
  return reduction;
}

/**
 * Checks the options of a loss and returns its reduction.
 *
 * @throws {TypeError} if they are no options, or not those of the loss. @throws {RangeError} if the
 * reduction is another.
 */
export function reductionOf<Options extends LossOptions>(
  action: string,
  options: Options,
  known: Known<NoInfer<Options>>,
): Reduction {
  assertOptions(action, options, known);
  return checkReduction(action, options.reduction ?? "mean");
}

/** The losses of single elements as the reduction wants them. */
export function reduce(losses: Tensor, reduction: Reduction): Tensor {
  return reduction === "none" ? losses : reduction === "sum" ? sum(losses) : mean(losses);
}
