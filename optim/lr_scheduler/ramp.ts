/**
 * Schedules that act over the first `totalIters` epochs.
 */
import { HyperparameterCheck } from "../hyperparameters.ts";
import type { Optimizer } from "../optimizer.ts";
import { LRScheduler, readArguments, type SchedulerOptions } from "./scheduler.ts";

/** The options of {@linkcode ConstantLR}. */
export interface ConstantLROptions extends SchedulerOptions {
  /** What the rate is multiplied with, above 0 and at most 1; defaults to 1/3. */
  readonly factor?: number;
  /** For how many epochs; defaults to 5. */
  readonly totalIters?: number;
}

/**
 * Multiplies the rate by a factor until epoch `totalIters`.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
 * const scheduler = new optim.lrScheduler.ConstantLR(optimizer, { factor: 0.5, totalIters: 2 });
 * const rates = [1, 2, 3].map(() => (scheduler.step(), scheduler.getLastLr()[0]));
 * assertEquals(rates, [0.5, 1, 1]);
 * ```
 */
export class ConstantLR extends LRScheduler {
  /** @internal */ static override readonly kind: string = "ConstantLR";

  /** What the rate is multiplied with. */
  factor: number;
  /** For how many epochs. */
  totalIters: number;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param options See {@linkcode ConstantLROptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(optimizer: Optimizer, options: ConstantLROptions = {}) {
    const action = "make ConstantLR";
    const values = readArguments<ConstantLROptions>(action, "factor", options, undefined, {
      factor: 1 / 3,
      totalIters: 5,
    });
    const check = new HyperparameterCheck(action, "", values);
    check.count("totalIters");
    check.fraction("factor", { open: true });
    super(optimizer, values.lastEpoch);
    this.factor = values.factor;
    this.totalIters = values.totalIters;
    this.start();
  }

  /** @internal */
  protected override stateFields(): readonly string[] {
    return ["factor", "totalIters"];
  }

  /** @internal */
  protected override getLr(): number[] {
    const lrs = this.currentLrs();
    if (this.lastEpoch === 0) return lrs.map((lr) => lr * this.factor);
    if (this.isInitial || this.lastEpoch !== this.totalIters) return lrs;
    return lrs.map((lr) => lr * (1 / this.factor));
  }

  /** @internal */
  protected override closedForm(): number[] {
    const factor = this.lastEpoch >= this.totalIters ? 1 : this.factor;
    return this.baseLrs.map((lr) => lr * factor);
  }
}

/** The options of {@linkcode LinearLR}. */
export interface LinearLROptions extends SchedulerOptions {
  /** The factor at the first epoch, above 0 and at most 1; defaults to 1/3. */
  readonly startFactor?: number;
  /** The factor from epoch `totalIters` on, in 0 … 1; defaults to 1. */
  readonly endFactor?: number;
  /** How many epochs it takes; defaults to 5. */
  readonly totalIters?: number;
}

/**
 * Multiplies the rate by a factor that goes in equal steps from `startFactor` to `endFactor`: a
 * warm-up, as a rule.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
 * const scheduler = new optim.lrScheduler.LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 });
 * const rates = [1, 2, 3].map(() => (scheduler.step(), scheduler.getLastLr()[0]));
 * assertEquals(rates, [0.75, 1, 1]);
 * ```
 */
export class LinearLR extends LRScheduler {
  /** @internal */ static override readonly kind: string = "LinearLR";

  /** The factor at the first epoch. */
  startFactor: number;
  /** The factor at the end. */
  endFactor: number;
  /** How many epochs it takes. */
  totalIters: number;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param options See {@linkcode LinearLROptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(optimizer: Optimizer, options: LinearLROptions = {}) {
    const action = "make LinearLR";
    const values = readArguments<LinearLROptions>(action, "startFactor", options, undefined, {
      startFactor: 1 / 3,
      endFactor: 1,
      totalIters: 5,
    });
    const check = new HyperparameterCheck(action, "", values);
    check.count("totalIters");
    check.fraction("startFactor", { open: true });
    check.fraction("endFactor");
    super(optimizer, values.lastEpoch);
    this.startFactor = values.startFactor;
    this.endFactor = values.endFactor;
    this.totalIters = values.totalIters;
    this.start();
  }

  /** @internal */
  protected override stateFields(): readonly string[] {
    return ["startFactor", "endFactor", "totalIters"];
  }

  /** @internal */
  protected override getLr(): number[] {
    const lrs = this.currentLrs();
    if (this.lastEpoch === 0) return lrs.map((lr) => lr * this.startFactor);
    if (this.isInitial || this.lastEpoch > this.totalIters) return lrs;
    const rise = this.endFactor - this.startFactor;
    const before = this.totalIters * this.startFactor + (this.lastEpoch - 1) * rise;
    return lrs.map((lr) => lr * (1 + rise / before));
  }

  /** @internal */
  protected override closedForm(): number[] {
    const part = Math.min(this.totalIters, this.lastEpoch) / this.totalIters;
    const factor = this.startFactor + (this.endFactor - this.startFactor) * part;
    return this.baseLrs.map((lr) => lr * factor);
  }
}

/** The options of {@linkcode PolynomialLR}. */
export interface PolynomialLROptions extends SchedulerOptions {
  /** How many epochs it takes to reach 0; defaults to 5. */
  readonly totalIters?: number;
  /** The power; defaults to 1, a straight line,. */
  readonly power?: number;
}

/**
 * Lets the rate fall to 0 as (1 − epoch/totalIters)^power.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
 * const scheduler = new optim.lrScheduler.PolynomialLR(optimizer, { totalIters: 2, power: 2 });
 * const rates = [1, 2, 3].map(() => (scheduler.step(), scheduler.getLastLr()[0]));
 * assertEquals(rates, [0.25, 0, 0]);
 * ```
 */
export class PolynomialLR extends LRScheduler {
  /** @internal */ static override readonly kind: string = "PolynomialLR";

  /** How many epochs it takes to reach 0. */
  totalIters: number;
  /** The power. */
  power: number;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param options See {@linkcode PolynomialLROptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(optimizer: Optimizer, options: PolynomialLROptions = {}) {
    const action = "make PolynomialLR";
    const values = readArguments<PolynomialLROptions>(action, "totalIters", options, undefined, {
      totalIters: 5,
      power: 1,
    });
    const check = new HyperparameterCheck(action, "", values);
    check.count("totalIters");
    check.noNaN("power");
    super(optimizer, values.lastEpoch);
    this.totalIters = values.totalIters;
    this.power = values.power;
    this.start();
  }

  /** @internal */
  protected override stateFields(): readonly string[] {
    return ["totalIters", "power"];
  }

  /** @internal */
  protected override getLr(): number[] {
    const lrs = this.currentLrs();
    const rests = this.isInitial || this.lastEpoch === 0 || this.lastEpoch > this.totalIters;
    if (rests) return lrs;
    const left = 1 - this.lastEpoch / this.totalIters;
    const before = 1 - (this.lastEpoch - 1) / this.totalIters;
    return lrs.map((lr) => lr * (left / before) ** this.power);
  }

  /** @internal */
  protected override closedForm(): number[] {
    const left = 1 - Math.min(this.totalIters, this.lastEpoch) / this.totalIters;
    return this.baseLrs.map((lr) => lr * left ** this.power);
  }
}
