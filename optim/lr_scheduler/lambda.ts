/**
 * Schedules that a function gives.
 */
import { describe, kindOf, refuse, refuseKind } from "../../autograd/internal.ts";
import type { Optimizer } from "../optimizer.ts";
import { readArguments } from "./declared.ts";
import { assertOptimizer } from "./state.ts";
import { LRScheduler, type SchedulerOptions } from "./scheduler.ts";

/** A factor for each epoch. */
export type LrLambda = (epoch: number) => number;

/** The options of {@linkcode LambdaLR} and {@linkcode MultiplicativeLR}. */
export interface LambdaLROptions extends SchedulerOptions {
  /** The factor for each epoch, or a list with one for each group. */
  readonly lrLambda?: LrLambda | readonly LrLambda[];
}

function readLambdas(
  action: string,
  optimizer: Optimizer,
  lrLambda: LrLambda | readonly LrLambda[],
): LrLambda[] {
  assertOptimizer(action, optimizer);
  const count = optimizer.paramGroups.length;
  const list = typeof lrLambda === "function"
    ? new Array<LrLambda>(count).fill(lrLambda)
    : lrLambda;
  const functions = Array.isArray(list) && list.every((item) => typeof item === "function");
  if (!functions) {
    refuseKind(action, "lrLambda", lrLambda, "a function or a list of them");
  }
  if (list.length !== count) {
    refuse(action, `${list.length} functions in lrLambda`, `${count}, one for each group`);
  }
  return [...list];
}

/** @internal What LambdaLR and MultiplicativeLR have in common. */
abstract class ByFunction extends LRScheduler {
  /** The factor for each epoch, by group. */
  readonly lrLambdas: readonly LrLambda[];

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param lrLambda The function, a list with one for each group, or all options.
   * @param options See {@linkcode LambdaLROptions}.
   * @throws {TypeError} if it is not a function. @throws {RangeError} for a wrong number of functions.
   */
  constructor(
    optimizer: Optimizer,
    lrLambda: LrLambda | readonly LrLambda[] | LambdaLROptions,
    options?: LambdaLROptions,
  ) {
    const action = `make ${kindOf(new.target.prototype)}`;
    const values = readArguments<LambdaLROptions>(action, lrLambda, options, {
      lrLambda: undefined,
    });
    const lambdas = readLambdas(action, optimizer, values.lrLambda);
    super(optimizer, values.lastEpoch);
    this.lrLambdas = lambdas;
    this.start();
  }

  /** The rates times the factors of this epoch. */
  protected scaled(lrs: readonly number[]): number[] {
    return this.lrLambdas.map((lambda, i) => {
      const factor: unknown = lambda(this.lastEpoch);
      if (typeof factor === "number") return lrs[i] * factor;
      throw new TypeError(
        `Cannot step ${kindOf(this)}: lrLambda returned ${
          describe(factor)
        } for epoch ${this.lastEpoch}, expected a number`,
      );
    });
  }
}

/**
 * Sets the rate to the first one times a factor that a function gives for each epoch.
 *
 * The functions are not part of the state.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 8 });
 * const scheduler = new optim.lrScheduler.LambdaLR(optimizer, (epoch) => 1 / (1 + epoch));
 * const rates = [1, 2, 3].map(() => (scheduler.step(), scheduler.getLastLr()[0]));
 * assertEquals(rates, [4, 8 / 3, 2]);
 * ```
 */
export class LambdaLR extends ByFunction {
  /** @internal */ static override readonly kind: string = "LambdaLR";

  /** @internal */
  protected override getLr(): number[] {
    return this.scaled(this.baseLrs);
  }
}

/**
 * Multiplies the rate at each epoch by a factor that a function gives.
 *
 * The functions are not part of the state.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 8 });
 * const scheduler = new optim.lrScheduler.MultiplicativeLR(optimizer, () => 0.5);
 * const rates = [1, 2, 3].map(() => (scheduler.step(), scheduler.getLastLr()[0]));
 * assertEquals(rates, [4, 2, 1]);
 * ```
 */
export class MultiplicativeLR extends ByFunction {
  /** @internal */ static override readonly kind: string = "MultiplicativeLR";

  /** @internal */
  protected override getLr(): number[] {
    const lrs = this.currentLrs();
    return this.isInitial || this.lastEpoch === 0 ? lrs : this.scaled(lrs);
  }
}
