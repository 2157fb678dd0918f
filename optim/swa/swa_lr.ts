/**
 * The schedule that goes with averaged weights.
 */
import { HyperparameterCheck, type Scalar } from "../hyperparameters.ts";
import type { Optimizer } from "../optimizer.ts";
import { readDict } from "../state_dict.ts";
import { readArguments } from "../lr_scheduler/declared.ts";
import { assertOptimizer, forEachGroup, type SchedulerStateDict } from "../lr_scheduler/state.ts";
import { LRScheduler, type SchedulerOptions } from "../lr_scheduler/scheduler.ts";

/** The options of {@linkcode SWALR}. */
export interface SWALROptions extends SchedulerOptions {
  /** The rate to go to, or a list with one for each group. */
  readonly swaLr?: Scalar | readonly Scalar[];
  /** How many epochs it takes; defaults to 10. */
  readonly annealEpochs?: number;
  /** The way; defaults to "cos". */
  readonly annealStrategy?: "cos" | "linear";
}

/**
 * Goes from the rate it finds to a constant one, at which weights are averaged.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
 * const scheduler = new optim.swa.SWALR(optimizer, 0.5, { annealEpochs: 2 });
 * scheduler.step();
 * assertAlmostEquals(scheduler.getLastLr()[0], 0.75, 1e-15);
 * ```
 */
export class SWALR extends LRScheduler {
  /** @internal */ static override readonly kind: string = "SWALR";

  /** How many epochs it takes. */
  annealEpochs: number;
  /** The rates to go to. */
  swaLrs: number[];
  #linear: boolean;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param swaLr The rate to go to, a list with one for each group, or all options.
   * @param options See {@linkcode SWALROptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(
    optimizer: Optimizer,
    swaLr: Scalar | readonly Scalar[] | SWALROptions,
    options?: SWALROptions,
  ) {
    const action = "make SWALR";
    const values = readArguments<SWALROptions>(action, swaLr, options, {
      swaLr: undefined,
      annealEpochs: 10,
      annealStrategy: "cos",
    });
    assertOptimizer(action, optimizer);
    const check = new HyperparameterCheck(action, "", values);
    check.oneOf("annealStrategy", "cos", "linear");
    if (values.annealEpochs !== 0) check.count("annealEpochs");
    const swaLrs = forEachGroup(action, "swaLr", values.swaLr, optimizer.paramGroups.length);
    super(optimizer, values.lastEpoch);
    this.annealEpochs = values.annealEpochs;
    this.swaLrs = swaLrs;
    this.#linear = values.annealStrategy === "linear";
    this.start();
  }

  /** @internal */
  protected override stateFields(): readonly string[] {
    return ["annealEpochs", "swaLrs"];
  }

  /** As in the base; PyTorch keeps the rates to go to elsewhere, and those given to the constructor stay. */
  override loadStateDict(saved: SchedulerStateDict): void {
    const entries = readDict("load the state of SWALR", "", saved);
    super.loadStateDict({ swa_lrs: this.swaLrs, ...entries });
  }

  /** How far along the way an epoch is. */
  #part(epoch: number): number {
    const part = Math.max(0, Math.min(1, epoch / Math.max(1, this.annealEpochs)));
    return this.#linear ? part : (1 - Math.cos(Math.PI * part)) / 2;
  }

  /** @internal */
  protected override getLr(): number[] {
    const epoch = this.annealEpochs === 0 ? Math.max(1, this.lastEpoch) : this.lastEpoch;
    const before = this.#part(epoch - 1);
    const now = this.#part(epoch);
    const lrs = this.currentLrs();
    return this.swaLrs.map((target, i) => {
      const lr = lrs[i];
      // The rate that would be in force without the way so far: other schedules may change it.
      const start = before === 1 ? target : (lr - before * target) / (1 - before);
      return target * now + start * (1 - now);
    });
  }
}
