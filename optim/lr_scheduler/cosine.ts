/**
 * Schedules along a cosine.
 */
import type { Optimizer } from "../optimizer.ts";
import { DeclaredLR } from "./declared.ts";
import type { SchedulerOptions } from "./scheduler.ts";

/** The options of {@linkcode CosineAnnealingLR}. */
export interface CosineAnnealingLROptions extends SchedulerOptions {
  /** How many epochs half a period takes, above 0. */
  readonly tMax?: number;
  /** The lowest rate; defaults to 0. */
  readonly etaMin?: number;
}

/** η_min + (η − η_min)·(1 + cos(π·part))/2 */
function onCosine(etaMin: number, base: number, part: number): number {
  return etaMin + (base - etaMin) * (1 + Math.cos(Math.PI * part)) / 2;
}

/**
 * Lets the rate follow half a cosine from the first one to `etaMin` in `tMax` epochs, and back again.
 *
 * ```text
 * η_min + (η − η_min)·(1 + cos(π·epoch/tMax))/2
 * ```
 *
 * @see I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
 * const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, 4);
 * scheduler.step();
 * scheduler.step();
 * assertAlmostEquals(scheduler.getLastLr()[0], 0.5, 1e-15);
 * ```
 */
export class CosineAnnealingLR extends DeclaredLR<CosineAnnealingLROptions> {
  /** @internal */ static override readonly kind: string = "CosineAnnealingLR";

  /** How many epochs half a period takes. */
  declare tMax: number;
  /** The lowest rate. */
  declare etaMin: number;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param tMax How many epochs half a period takes, or all options.
   * @param options See {@linkcode CosineAnnealingLROptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(
    optimizer: Optimizer,
    tMax: number | CosineAnnealingLROptions,
    options?: CosineAnnealingLROptions,
  ) {
    super(optimizer, tMax, options, { tMax: undefined, etaMin: 0 }, (check) => {
      check.aboveZero("tMax");
      check.noNaN("etaMin");
    });
  }

  /** @internal */
  protected override getLr(): number[] {
    const { tMax, etaMin, lastEpoch } = this;
    const lrs = this.currentLrs();
    if (this.isInitial || lastEpoch === 0) return lrs;
    // At the lowest point the ratio below would be 0/0.
    if ((lastEpoch - 1 - tMax) % (2 * tMax) === 0) {
      const rise = (1 - Math.cos(Math.PI / tMax)) / 2;
      return this.baseLrs.map((base, i) => lrs[i] + (base - etaMin) * rise);
    }
    const ratio = (1 + Math.cos(Math.PI * lastEpoch / tMax)) /
      (1 + Math.cos(Math.PI * (lastEpoch - 1) / tMax));
    return lrs.map((lr) => ratio * (lr - etaMin) + etaMin);
  }

  /** @internal */
  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => onCosine(this.etaMin, lr, this.lastEpoch / this.tMax));
  }
}

/** The options of {@linkcode CosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestartsOptions extends SchedulerOptions {
  /** How many epochs the first period takes, at least 1. */
  readonly t0?: number;
  /** What the length of a period is multiplied with, at least 1; defaults to 1. */
  readonly tMult?: number;
  /** The lowest rate; defaults to 0. */
  readonly etaMin?: number;
}

/**
 * Lets the rate follow half a cosine from the first one to `etaMin`, and starts again at the top.
 *
 * Periods take t0, t0·tMult, t0·tMult², … epochs. `step(epoch)` also takes fractions, as in
 * `step(epoch + i / batches)`.
 *
 * @see I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
 * const scheduler = new optim.lrScheduler.CosineAnnealingWarmRestarts(optimizer, 2);
 * scheduler.step();
 * assertAlmostEquals(scheduler.getLastLr()[0], 0.5, 1e-15);
 * scheduler.step();
 * assertAlmostEquals(scheduler.getLastLr()[0], 1, 1e-15);
 * ```
 */
export class CosineAnnealingWarmRestarts extends DeclaredLR<CosineAnnealingWarmRestartsOptions> {
  /** @internal */ static override readonly kind: string = "CosineAnnealingWarmRestarts";

  /** How many epochs the first period takes. */
  declare t0: number;
  /** What the length of a period is multiplied with. */
  declare tMult: number;
  /** The lowest rate. */
  declare etaMin: number;
  /** How many epochs the current period takes. */
  declare tI: number;
  /** How far into it we are. */
  declare tCur: number;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param t0 How many epochs the first period takes, or all options.
   * @param options See {@linkcode CosineAnnealingWarmRestartsOptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(
    optimizer: Optimizer,
    t0: number | CosineAnnealingWarmRestartsOptions,
    options?: CosineAnnealingWarmRestartsOptions,
  ) {
    super(optimizer, t0, options, { t0: undefined, tMult: 1, etaMin: 0 }, (check) => {
      check.count("t0");
      check.count("tMult");
      check.noNaN("etaMin");
    });
  }

  /** @internal */
  protected override stateFields(): readonly string[] {
    return [...super.stateFields(), "tI", "tCur"];
  }

  /** @internal */
  override restart(): void {
    this.seek(0);
    super.restart();
  }

  /**
   * Goes on by one epoch and sets the rates.
   *
   * @param epoch The epoch to go to instead, fractions included.
   * @throws {RangeError} if `epoch` is below 0 or NaN.
   */
  override step(epoch?: number): void {
    if (epoch === undefined || epoch === null) {
      if (this.isInitial || this.lastEpoch < 0) {
        this.seek(this.lastEpoch + 1);
      } else if (++this.tCur >= this.tI) {
        this.tCur %= this.tI;
        this.tI *= this.tMult;
      }
      super.step();
      return;
    }
    this.assertEpoch(epoch, Number.isFinite(epoch), "a number of at least 0");
    this.seek(epoch);
    super.step(Math.floor(epoch));
  }

  /** Finds the period that an epoch lies in. */
  private seek(epoch: number): void {
    this.tI = this.t0;
    this.tCur = this.tMult === 1 ? epoch % this.t0 : epoch;
    while (this.tCur >= this.tI) {
      this.tCur -= this.tI;
      this.tI *= this.tMult;
    }
  }

  /** @internal */
  protected override getLr(): number[] {
    return this.baseLrs.map((lr) => onCosine(this.etaMin, lr, this.tCur / this.tI));
  }
}
