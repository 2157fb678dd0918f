/**
 * The base of the schedules that follow a count of steps.
 */
import { kindOf, refuse, refuseKind, show } from "../../autograd/internal.ts";
import { type Scalar, valueOf } from "../hyperparameters.ts";
import type { Optimizer } from "../optimizer.ts";
import { noteScheduleStep } from "../step_warnings.ts";
import {
  assertOptimizer,
  assignLrs,
  diskNames,
  loadState,
  lrsOf,
  type SchedulerStateDict,
  takeState,
} from "./state.ts";

/** The option that every schedule has. */
export interface SchedulerOptions {
  /** The last epoch of a run that goes on; defaults to −1, which begins a new one. */
  readonly lastEpoch?: number;
}

/**
 * Base of the schedules: sets the learning rates of an optimizer, once when it is made and then at
 * each `step()`.
 *
 * As in PyTorch most schedules change the rate that they find instead of setting it, so that several
 * can act on one optimizer. A subclass gives the rates of `lastEpoch` in `getLr()`, names its fields
 * in `stateFields()`, and calls `start()` at the end of its constructor.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * class Halving extends optim.lrScheduler.LRScheduler {
 *   constructor(optimizer: optim.Optimizer) {
 *     super(optimizer);
 *     this.start();
 *   }
 *   protected override getLr(): number[] {
 *     return this.baseLrs.map((lr) => lr / 2 ** this.lastEpoch);
 *   }
 * }
 *
 * const scheduler = new Halving(new optim.SGD([zeros([1])], { lr: 1 }));
 * scheduler.step();
 * assertEquals(scheduler.getLastLr(), [0.5]);
 * ```
 */
export abstract class LRScheduler {
  /** The class's name in errors and printed texts, also where a minifier has changed `name`. */
  static readonly kind: string = "LRScheduler";

  /** The optimizer whose rates are set. */
  readonly optimizer: Optimizer;
  /** How many steps were taken; 0 once the schedule is made. */
  lastEpoch: number;
  /** The rates that the groups began with. */
  baseLrs: number[];
  /** Whether `getLr` is asked for the rates to begin with. */
  protected isInitial = false;
  private stepCount = 0;
  private lastLr: number[] = [];
  /** The groups that first got an `initialLr` here, until the first step is taken. */
  private begun: { initialLr?: Scalar }[] = [];

  /**
   * Takes the optimizer; the subclass calls `start()`.
   *
   * @param optimizer Its groups remember their rate as `initialLr`.
   * @param lastEpoch The last epoch of a resumed run, or −1.
   * @throws {TypeError} if it is not an optimizer or `lastEpoch` not a number.
   * @throws {RangeError} if `lastEpoch` is not an integer, or a resumed run has groups without `initialLr`.
   */
  constructor(optimizer: Optimizer, lastEpoch = -1) {
    const action = `make ${kindOf(this)}`;
    assertOptimizer(action, optimizer);
    if (typeof lastEpoch !== "number") {
      refuseKind(action, "lastEpoch", lastEpoch, "a number");
    }
    if (!Number.isInteger(lastEpoch) || lastEpoch < -1) {
      refuse(action, `lastEpoch ${lastEpoch}`, "an integer of at least -1");
    }
    this.optimizer = optimizer;
    this.lastEpoch = lastEpoch;
    this.baseLrs = optimizer.paramGroups.map((group, i) => {
      if (lastEpoch === -1 && group.initialLr === undefined) {
        group.initialLr = valueOf(group.lr);
        this.begun.push(group);
      }
      if (group.initialLr === undefined) {
        refuse(
          action,
          `lastEpoch ${lastEpoch} and group ${i} without initialLr`,
          "the rate that the run began with",
        );
      }
      return valueOf(group.initialLr);
    });
  }

  /** The rates at `lastEpoch`, one for each group. */
  protected abstract getLr(): number[];

  /** The same from `baseLrs` alone, where there is a formula. */
  protected closedForm(): number[] | null {
    return null;
  }

  /** The fields that belong to the state. */
  protected stateFields(): readonly string[] {
    return [];
  }

  /** The rates that the groups have now; what `getLr` returns to leave them. */
  protected currentLrs(): number[] {
    return lrsOf(this.optimizer);
  }

  /** @internal Takes the first step. */
  start(): void {
    this.stepCount = 0;
    this.isInitial = true;
    try {
      this.step();
    } catch (error) {
      // A schedule that was refused leaves no trace in the optimizer.
      for (const group of this.begun) delete group.initialLr;
      throw error;
    } finally {
      this.isInitial = false;
      this.begun = [];
    }
  }

  /** @internal Goes back to before the first step, and leaves the rates. */
  rewind(): void {
    this.lastEpoch = -1;
  }

  /** @internal Begins the schedule at its first epoch, whatever rates the groups have. */
  restart(): void {
    this.moveTo(0, true);
  }

  /**
   * Goes on by one epoch and sets the rates.
   *
   * @param epoch The epoch to go to instead; where the schedule has a formula, the rates then follow
   * from those that the groups began with.
   * @throws {RangeError} if `epoch` is not an integer of at least 0.
   */
  step(epoch?: number): void {
    if (this.stepCount === 1) noteScheduleStep(this.optimizer, kindOf(this));
    if (epoch === undefined || epoch === null) {
      this.moveTo(this.lastEpoch + 1, false);
    } else {
      this.assertEpoch(epoch, Number.isInteger(epoch), "an integer of at least 0");
      this.moveTo(epoch, true);
    }
    this.stepCount++;
  }

  /** Checks an epoch that was asked for. */
  protected assertEpoch(epoch: unknown, fits: boolean, expected: string): void {
    if (typeof epoch !== "number" || !(epoch >= 0) || !fits) {
      refuse(`step ${kindOf(this)}`, `epoch ${show(epoch)}`, expected);
    }
  }

  /** Sets the rates of an epoch; stays where it is if that fails. */
  private moveTo(epoch: number, closed: boolean): void {
    const before = this.lastEpoch;
    this.lastEpoch = epoch;
    try {
      this.setLrs((closed ? this.closedForm() : null) ?? this.getLr());
    } catch (error) {
      this.lastEpoch = before;
      throw error;
    }
  }

  /**
   * Writes rates into the groups. A group that was added after the schedule was made has no rate to begin
   * with; where a formula needs one, the group keeps the rate it has.
   *
   * @throws {RangeError} if a rate is not finite; none is written then.
   */
  protected setLrs(values: readonly number[]): void {
    assignLrs(`step ${kindOf(this)}`, this.optimizer, values);
    this.noteLrs();
  }

  /** Keeps the rates in force for `getLastLr`. */
  protected noteLrs(): void {
    this.lastLr = this.currentLrs();
  }

  /** The rates that the last step set, one for each group. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** The fields of the state, with the names that they have on disk. */
  private stateNames(): Map<string, string> {
    return diskNames([...this.stateFields(), "baseLrs", "lastEpoch"])
      .set("stepCount", "_step_count").set("lastLr", "_last_lr");
  }

  /** What resuming needs; the rates themselves are in the optimizer's state. */
  stateDict(): SchedulerStateDict {
    return takeState(this, this.stateNames());
  }

  /**
   * Loads a state and sets the rates that were in force when it was saved. So it does not matter
   * whether the schedule was made before or after the optimizer's state was loaded; load the optimizer's
   * first. Nothing is changed unless everything fits.
   *
   * @throws {TypeError} if it is not such a state or an entry is of the wrong kind.
   * @throws {RangeError} if an entry is missing or there is another number of groups.
   */
  loadStateDict(saved: SchedulerStateDict): void {
    loadState(this, this.stateNames(), saved);
  }
}
