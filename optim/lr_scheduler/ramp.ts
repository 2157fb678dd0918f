/**
 * Schedules that act over the first `totalIters` epochs.
 */
import type { Optimizer } from "../optimizer.ts";
import { FactorLR } from "./declared.ts";
import type { SchedulerOptions } from "./scheduler.ts";

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
export class ConstantLR extends FactorLR<ConstantLROptions> {
  /** @internal */ static override readonly kind: string = "ConstantLR";

  /** What the rate is multiplied with. */
  declare factor: number;
  /** For how many epochs. */
  declare totalIters: number;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param options See {@linkcode ConstantLROptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(optimizer: Optimizer, options: ConstantLROptions = {}) {
    super(optimizer, options, undefined, { factor: 1 / 3, totalIters: 5 }, (check) => {
      check.count("totalIters");
      check.fraction("factor", { open: true });
    });
  }

  /** @internal */
  protected override firstChange(): number {
    return this.factor;
  }

  /** @internal */
  protected override change(epoch: number): number {
    return epoch === this.totalIters ? 1 / this.factor : 1;
  }

  /** @internal */
  protected override changeSoFar(epoch: number): number {
    return epoch >= this.totalIters ? 1 : this.factor;
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
export class LinearLR extends FactorLR<LinearLROptions> {
  /** @internal */ static override readonly kind: string = "LinearLR";

  /** The factor at the first epoch. */
  declare startFactor: number;
  /** The factor at the end. */
  declare endFactor: number;
  /** How many epochs it takes. */
  declare totalIters: number;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param options See {@linkcode LinearLROptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(optimizer: Optimizer, options: LinearLROptions = {}) {
    const defaults = { startFactor: 1 / 3, endFactor: 1, totalIters: 5 };
    super(optimizer, options, undefined, defaults, (check) => {
      check.count("totalIters");
      check.fraction("startFactor", { open: true });
      check.fraction("endFactor");
    });
  }

  /** @internal */
  protected override firstChange(): number {
    return this.startFactor;
  }

  /** @internal */
  protected override change(epoch: number): number {
    if (epoch > this.totalIters) return 1;
    const rise = this.endFactor - this.startFactor;
    return 1 + rise / (this.totalIters * this.startFactor + (epoch - 1) * rise);
  }

  /** @internal */
  protected override changeSoFar(epoch: number): number {
    const part = Math.min(this.totalIters, epoch) / this.totalIters;
    return this.startFactor + (this.endFactor - this.startFactor) * part;
  }
}

/** The options of {@linkcode PolynomialLR}. */
export interface PolynomialLROptions extends SchedulerOptions {
  /** How many epochs it takes to reach 0; defaults to 5. */
  readonly totalIters?: number;
  /** The power; defaults to 1, a straight line. */
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
export class PolynomialLR extends FactorLR<PolynomialLROptions> {
  /** @internal */ static override readonly kind: string = "PolynomialLR";

  /** How many epochs it takes to reach 0. */
  declare totalIters: number;
  /** The power. */
  declare power: number;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param options See {@linkcode PolynomialLROptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(optimizer: Optimizer, options: PolynomialLROptions = {}) {
    super(optimizer, options, undefined, { totalIters: 5, power: 1 }, (check) => {
      check.count("totalIters");
      check.noNaN("power");
    });
  }

  /** @internal */
  protected override change(epoch: number): number {
    if (epoch > this.totalIters) return 1;
    const before = 1 - (epoch - 1) / this.totalIters;
    return ((1 - epoch / this.totalIters) / before) ** this.power;
  }

  /** @internal */
  protected override changeSoFar(epoch: number): number {
    return (1 - Math.min(this.totalIters, epoch) / this.totalIters) ** this.power;
  }
}
