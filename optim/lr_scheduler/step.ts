/**
 * Schedules that multiply the rate at chosen epochs.
 */
import { kindOf } from "../../autograd/internal.ts";
import { HyperparameterCheck } from "../hyperparameters.ts";
import type { Optimizer } from "../optimizer.ts";
import { Counter, readDict } from "../state_dict.ts";
import { FactorLR } from "./declared.ts";
import type { SchedulerOptions } from "./scheduler.ts";
import type { SchedulerStateDict } from "./state.ts";

/** The options of {@linkcode StepLR}. */
export interface StepLROptions extends SchedulerOptions {
  /** How many epochs lie between two changes, at least 1. */
  readonly stepSize?: number;
  /** What the rate is multiplied with; defaults to 0.1. */
  readonly gamma?: number;
}

/**
 * Multiplies the rate by γ every `stepSize` epochs.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
 * const scheduler = new optim.lrScheduler.StepLR(optimizer, 2, { gamma: 0.5 });
 * const rates = [1, 2, 3, 4].map(() => (scheduler.step(), scheduler.getLastLr()[0]));
 * assertEquals(rates, [1, 0.5, 0.5, 0.25]);
 * ```
 */
export class StepLR extends FactorLR<StepLROptions> {
  /** @internal */ static override readonly kind: string = "StepLR";

  /** How many epochs lie between two changes. */
  declare stepSize: number;
  /** What the rate is multiplied with. */
  declare gamma: number;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param stepSize How many epochs lie between two changes, or all options.
   * @param options See {@linkcode StepLROptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(optimizer: Optimizer, stepSize: number | StepLROptions, options?: StepLROptions) {
    super(optimizer, stepSize, options, { stepSize: undefined, gamma: 0.1 }, (check) => {
      check.count("stepSize");
      check.noNaN("gamma");
    });
  }

  /** @internal */
  protected override change(epoch: number): number {
    return epoch % this.stepSize === 0 ? this.gamma : 1;
  }

  /** @internal */
  protected override changeSoFar(epoch: number): number {
    return this.gamma ** Math.floor(epoch / this.stepSize);
  }
}

/** The options of {@linkcode MultiStepLR}. */
export interface MultiStepLROptions extends SchedulerOptions {
  /** The epochs at which the rate changes; one that is listed twice counts twice. */
  readonly milestones?: readonly number[];
  /** What the rate is multiplied with; defaults to 0.1. */
  readonly gamma?: number;
}

/**
 * Multiplies the rate by γ at each milestone.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
 * const scheduler = new optim.lrScheduler.MultiStepLR(optimizer, [1, 3], { gamma: 0.5 });
 * const rates = [1, 2, 3].map(() => (scheduler.step(), scheduler.getLastLr()[0]));
 * assertEquals(rates, [0.5, 0.5, 0.25]);
 * ```
 */
export class MultiStepLR extends FactorLR<MultiStepLROptions> {
  /** @internal */ static override readonly kind: string = "MultiStepLR";

  /** The epochs at which the rate changes, ascending. */
  declare milestones: number[];
  /** What the rate is multiplied with. */
  declare gamma: number;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param milestones The epochs at which the rate changes, or all options.
   * @param options See {@linkcode MultiStepLROptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(
    optimizer: Optimizer,
    milestones: readonly number[] | MultiStepLROptions,
    options?: MultiStepLROptions,
  ) {
    super(optimizer, milestones, options, { milestones: undefined, gamma: 0.1 }, (check) => {
      check.wholeNumbers("milestones");
      check.noNaN("gamma");
    });
    this.milestones = this.milestones.toSorted((a, b) => a - b);
  }

  /** What resuming needs; the milestones with their counts, as in PyTorch. */
  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), milestones: new Counter(this.milestones) };
  }

  /** As in the base; the milestones as a list or with their counts. */
  override loadStateDict(saved: SchedulerStateDict): void {
    const action = `load the state of ${kindOf(this)}`;
    const entries = readDict(action, "", saved);
    const milestones = Array.isArray(entries.milestones)
      ? entries.milestones
      : Object.entries(readDict(action, "milestones ", entries.milestones)).flatMap(
        ([epoch, times]) => new Array<number>(Number(times)).fill(Number(epoch)),
      );
    new HyperparameterCheck(action, "", { milestones }).wholeNumbers("milestones");
    super.loadStateDict({ ...entries, milestones: milestones.toSorted((a, b) => a - b) });
  }

  /** @internal */
  protected override change(epoch: number): number {
    return this.gamma ** this.milestones.filter((milestone) => milestone === epoch).length;
  }

  /** @internal */
  protected override changeSoFar(epoch: number): number {
    return this.gamma ** this.milestones.filter((milestone) => milestone <= epoch).length;
  }
}

/** The options of {@linkcode ExponentialLR}. */
export interface ExponentialLROptions extends SchedulerOptions {
  /** What the rate is multiplied with. */
  readonly gamma?: number;
}

/**
 * Multiplies the rate by γ at every epoch.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
 * const scheduler = new optim.lrScheduler.ExponentialLR(optimizer, { gamma: 0.5 });
 * const rates = [1, 2, 3].map(() => (scheduler.step(), scheduler.getLastLr()[0]));
 * assertEquals(rates, [0.5, 0.25, 0.125]);
 * ```
 */
export class ExponentialLR extends FactorLR<ExponentialLROptions> {
  /** @internal */ static override readonly kind: string = "ExponentialLR";

  /** What the rate is multiplied with. */
  declare gamma: number;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param gamma What the rate is multiplied with, or all options.
   * @param options See {@linkcode ExponentialLROptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(
    optimizer: Optimizer,
    gamma: number | ExponentialLROptions,
    options?: ExponentialLROptions,
  ) {
    super(optimizer, gamma, options, { gamma: undefined }, (check) => check.noNaN("gamma"));
  }

  /** @internal */
  protected override change(): number {
    return this.gamma;
  }

  /** @internal */
  protected override changeSoFar(epoch: number): number {
    return this.gamma ** epoch;
  }
}
