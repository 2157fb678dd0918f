/**
 * Schedules that multiply the rate at chosen epochs.
 */
import { HyperparameterCheck } from "../hyperparameters.ts";
import type { Optimizer } from "../optimizer.ts";
import { Counter, readDict } from "../state_dict.ts";
import {
  LRScheduler,
  readArguments,
  type SchedulerOptions,
  type SchedulerStateDict,
} from "./scheduler.ts";

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
export class StepLR extends LRScheduler {
  /** @internal */ static override readonly kind: string = "StepLR";

  /** How many epochs lie between two changes. */
  stepSize: number;
  /** What the rate is multiplied with. */
  gamma: number;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param stepSize How many epochs lie between two changes, or all options.
   * @param options See {@linkcode StepLROptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(optimizer: Optimizer, stepSize: number | StepLROptions, options?: StepLROptions) {
    const values = readArguments<StepLROptions>("make StepLR", "stepSize", stepSize, options, {
      gamma: 0.1,
    });
    const check = new HyperparameterCheck("make StepLR", "", values);
    check.count("stepSize");
    check.noNaN("gamma");
    super(optimizer, values.lastEpoch);
    this.stepSize = values.stepSize;
    this.gamma = values.gamma;
    this.start();
  }

  /** @internal */
  protected override stateFields(): readonly string[] {
    return ["stepSize", "gamma"];
  }

  /** @internal */
  protected override getLr(): number[] {
    const lrs = this.currentLrs();
    const rests = this.isInitial || this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0;
    return rests ? lrs : lrs.map((lr) => lr * this.gamma);
  }

  /** @internal */
  protected override closedForm(): number[] {
    const factor = this.gamma ** Math.floor(this.lastEpoch / this.stepSize);
    return this.baseLrs.map((lr) => lr * factor);
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
export class MultiStepLR extends LRScheduler {
  /** @internal */ static override readonly kind: string = "MultiStepLR";

  /** The epochs at which the rate changes, ascending. */
  milestones: number[];
  /** What the rate is multiplied with. */
  gamma: number;

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
    const action = "make MultiStepLR";
    const values = readArguments<MultiStepLROptions>(action, "milestones", milestones, options, {
      gamma: 0.1,
    });
    const check = new HyperparameterCheck(action, "", values);
    check.wholeNumbers("milestones");
    check.noNaN("gamma");
    super(optimizer, values.lastEpoch);
    this.milestones = [...values.milestones].sort((a, b) => a - b);
    this.gamma = values.gamma;
    this.start();
  }

  /** @internal */
  protected override stateFields(): readonly string[] {
    return ["milestones", "gamma"];
  }

  /** What resuming needs; the milestones with their counts, as in PyTorch. */
  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), milestones: new Counter(this.milestones) };
  }

  /** As in the base; the milestones as a list or with their counts. */
  override loadStateDict(saved: SchedulerStateDict): void {
    const action = "load the state of MultiStepLR";
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
  protected override getLr(): number[] {
    const lrs = this.currentLrs();
    const times = this.milestones.filter((milestone) => milestone === this.lastEpoch).length;
    return this.isInitial || times === 0 ? lrs : lrs.map((lr) => lr * this.gamma ** times);
  }

  /** @internal */
  protected override closedForm(): number[] {
    const passed = this.milestones.filter((milestone) => milestone <= this.lastEpoch).length;
    return this.baseLrs.map((lr) => lr * this.gamma ** passed);
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
export class ExponentialLR extends LRScheduler {
  /** @internal */ static override readonly kind: string = "ExponentialLR";

  /** What the rate is multiplied with. */
  gamma: number;

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
    const action = "make ExponentialLR";
    const values = readArguments<ExponentialLROptions>(action, "gamma", gamma, options, {});
    new HyperparameterCheck(action, "", values).noNaN("gamma");
    super(optimizer, values.lastEpoch);
    this.gamma = values.gamma;
    this.start();
  }

  /** @internal */
  protected override stateFields(): readonly string[] {
    return ["gamma"];
  }

  /** @internal */
  protected override getLr(): number[] {
    const lrs = this.currentLrs();
    return this.isInitial || this.lastEpoch === 0 ? lrs : lrs.map((lr) => lr * this.gamma);
  }

  /** @internal */
  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** this.lastEpoch);
  }
}
