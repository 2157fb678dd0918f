/**
 * Schedules along a cosine.
 */
import { HyperparameterCheck } from "../hyperparameters.ts";
import type { Optimizer } from "../optimizer.ts";
import { LRScheduler, readArguments, type SchedulerOptions } from "./scheduler.ts";

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
export class CosineAnnealingLR extends LRScheduler {
  /** @internal */ static override readonly kind: string = "CosineAnnealingLR";

  /** How many epochs half a period takes. */
  tMax: number;
  /** The lowest rate. */
  etaMin: number;

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
    const action = "make CosineAnnealingLR";
    const values = readArguments<CosineAnnealingLROptions>(action, "tMax", tMax, options, {
      etaMin: 0,
    });
    const check = new HyperparameterCheck(action, "", values);
    check.aboveZero("tMax");
    check.noNaN("etaMin");
    super(optimizer, values.lastEpoch);
    this.tMax = values.tMax;
    this.etaMin = values.etaMin;
    this.start();
  }

  /** @internal */
  protected override stateFields(): readonly string[] {
    return ["tMax", "etaMin"];
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
export class CosineAnnealingWarmRestarts extends LRScheduler {
  /** @internal */ static override readonly kind: string = "CosineAnnealingWarmRestarts";

  /** How many epochs the first period takes. */
  t0: number;
  /** What the length of a period is multiplied with. */
  tMult: number;
  /** The lowest rate. */
  etaMin: number;
  /** How many epochs the current period takes. */
  tI: number;
  /** How far into it we are. */
  tCur: number;

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
    const action = "make CosineAnnealingWarmRestarts";
    const values = readArguments<CosineAnnealingWarmRestartsOptions>(action, "t0", t0, options, {
      tMult: 1,
      etaMin: 0,
    });
    const check = new HyperparameterCheck(action, "", values);
    check.count("t0");
    check.count("tMult");
    check.noNaN("etaMin");
    super(optimizer, values.lastEpoch);
    this.t0 = values.t0;
    this.tMult = values.tMult;
    this.etaMin = values.etaMin;
    this.tI = values.t0;
    this.tCur = 0;
    if (values.lastEpoch > 0) this.#seek(values.lastEpoch);
    this.start();
  }

  /** @internal */
  protected override stateFields(): readonly string[] {
    return ["t0", "tMult", "etaMin", "tI", "tCur"];
  }

  /** @internal */
  override restart(): void {
    this.tI = this.t0;
    this.tCur = 0;
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
      if (this.lastEpoch < 0) {
        this.tI = this.t0;
        this.tCur = 0;
      } else if (++this.tCur >= this.tI) {
        this.tCur %= this.tI;
        this.tI *= this.tMult;
      }
      super.step();
      return;
    }
    this.assertEpoch(epoch, Number.isFinite(epoch), "a number of at least 0");
    this.#seek(epoch);
    super.step(Math.floor(epoch));
  }

  /** Finds the period that an epoch lies in. */
  #seek(epoch: number): void {
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
