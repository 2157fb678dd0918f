/**
 * Schedules made of schedules.
 */
import { assertList, kindOf, refuse, refuseKind } from "../../autograd/internal.ts";
import { assignScalar, HyperparameterCheck, valueOf } from "../hyperparameters.ts";
import type { Optimizer } from "../optimizer.ts";
import { readDict } from "../state_dict.ts";
import { readArguments } from "./declared.ts";
import { ReduceLROnPlateau } from "./plateau.ts";
import { assertOptimizer, assignLrs, type SchedulerStateDict } from "./state.ts";
import { LRScheduler, type SchedulerOptions } from "./scheduler.ts";

function assertSchedulers(
  action: string,
  schedulers: unknown,
  optimizer?: Optimizer,
): asserts schedulers is readonly LRScheduler[] {
  assertList(action, schedulers, "schedulers", "schedules");
  if (schedulers.length === 0) {
    refuse(action, "an empty list of schedulers", "at least one");
  }
  schedulers.forEach((scheduler, i) => {
    if (scheduler instanceof ReduceLROnPlateau || !(scheduler instanceof LRScheduler)) {
      refuseKind(action, `schedulers[${i}]`, scheduler, "a schedule whose step takes no measure");
    }
    if (scheduler.optimizer !== (optimizer ?? (schedulers[0] as LRScheduler).optimizer)) {
      refuse(action, `schedulers[${i}] of another optimizer`, "one optimizer for all");
    }
  });
}

/** @internal A schedule that is made of others. */
abstract class Composed extends LRScheduler {
  /** The schedules, in their order. */
  readonly schedulers: readonly LRScheduler[];

  constructor(schedulers: readonly LRScheduler[], lastEpoch?: number) {
    super(schedulers[0].optimizer, lastEpoch);
    this.schedulers = [...schedulers];
  }

  /** @internal */
  override rewind(): void {
    super.rewind();
    for (const scheduler of this.schedulers) scheduler.rewind();
  }

  /** Sets the rates that the groups began with. */
  protected resetLrs(): void {
    this.optimizer.paramGroups.forEach((group, i) => {
      const base = group.initialLr ?? this.baseLrs[i];
      if (base !== undefined) assignScalar(group, "lr", valueOf(base));
    });
  }

  /** @internal */
  protected override getLr(): number[] {
    return this.currentLrs();
  }

  /** Does something to the schedules; they and the rates stay as they were if it throws. */
  protected attempt(act: () => void): void {
    const before = this.schedulers.map((scheduler) => scheduler.stateDict());
    const lrs = this.currentLrs();
    try {
      act();
    } catch (error) {
      this.schedulers.forEach((scheduler, i) => scheduler.loadStateDict(before[i]));
      assignLrs(`step ${kindOf(this)}`, this.optimizer, lrs);
      throw error;
    }
  }

  /** What resuming needs. */
  override stateDict(): SchedulerStateDict {
    return {
      ...super.stateDict(),
      _schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()),
    };
  }

  /** As in the base, for all of the schedules. */
  override loadStateDict(saved: SchedulerStateDict): void {
    const action = `load the state of ${kindOf(this)}`;
    const entries = readDict(action, "", saved);
    const states = entries._schedulers;
    assertList(action, states, "_schedulers", "states");
    if (states.length !== this.schedulers.length) {
      refuse(action, `${states.length} schedulers`, `${this.schedulers.length}`);
    }
    const own = this.stateDict();
    this.attempt(() => {
      this.schedulers.forEach((part, i) => part.loadStateDict(states[i] as SchedulerStateDict));
      super.loadStateDict({ ...this.defaultState(own), ...entries });
    });
  }

  /** The entries that PyTorch leaves out here. */
  protected abstract defaultState(own: SchedulerStateDict): SchedulerStateDict;
}

/** The options of {@linkcode SequentialLR}. */
export interface SequentialLROptions extends SchedulerOptions {
  /** The schedules, in their order. */
  readonly schedulers?: readonly LRScheduler[];
  /** The epochs at which the next schedule takes over, ascending; one less than schedules. */
  readonly milestones?: readonly number[];
}

/**
 * One schedule after the other: the next one takes over at each milestone and begins there.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const { ConstantLR, ExponentialLR, SequentialLR } = optim.lrScheduler;
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
 * const warmUp = new ConstantLR(optimizer, { factor: 0.25, totalIters: 2 });
 * const decay = new ExponentialLR(optimizer, { gamma: 0.5 });
 * const scheduler = new SequentialLR(optimizer, [warmUp, decay], [2]);
 * const rates = [1, 2, 3].map(() => (scheduler.step(), scheduler.getLastLr()[0]));
 * assertEquals(rates, [0.25, 1, 0.5]);
 * ```
 */
export class SequentialLR extends Composed {
  /** @internal */ static override readonly kind: string = "SequentialLR";

  /** The epochs at which the next schedule takes over. */
  milestones: number[];

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer that all of them were made for.
   * @param schedulers The schedules, or all options.
   * @param milestones The epochs at which the next one takes over, one less than schedules; may stand
   * among the options.
   * @param options See {@linkcode SequentialLROptions}.
   * @throws {TypeError} for a wrong kind, ReduceLROnPlateau among them.
   * @throws {RangeError} if there is none, their number does not fit the milestones, the milestones do
   * not ascend, or one belongs to another optimizer.
   */
  constructor(
    optimizer: Optimizer,
    schedulers: readonly LRScheduler[] | SequentialLROptions,
    milestones?: readonly number[] | SequentialLROptions,
    options?: SequentialLROptions,
  ) {
    const action = "make SequentialLR";
    const rest = Array.isArray(milestones) ? { ...options, milestones } : milestones;
    const values = readArguments<SequentialLROptions>(
      action,
      schedulers,
      rest as SequentialLROptions | undefined,
      { schedulers: undefined, milestones: [] },
    );
    assertOptimizer(action, optimizer);
    assertSchedulers(action, values.schedulers, optimizer);
    const check = new HyperparameterCheck(action, "", values);
    check.wholeNumbers("milestones");
    if (values.milestones.some((epoch, i) => i > 0 && epoch <= values.milestones[i - 1])) {
      throw new RangeError(check.fault("milestones", "ascending epochs"));
    }
    if (values.milestones.length !== values.schedulers.length - 1) {
      refuse(
        action,
        `${values.schedulers.length} schedulers and ${values.milestones.length} milestones`,
        "one milestone less than schedulers",
      );
    }
    super(values.schedulers, values.lastEpoch);
    this.milestones = [...values.milestones];
    // Each was started when it was made; only one is to act on the first rates.
    this.resetLrs();
    this.rewind();
    this.start();
    // A resumed run is at the epoch after its last one.
    for (let epoch = 0; epoch <= values.lastEpoch; epoch++) this.step();
  }

  /** How many milestones an epoch has reached: the index of the schedule whose turn it is. */
  #turnAt(epoch: number): number {
    return this.milestones.filter((milestone) => milestone <= epoch).length;
  }

  /** @internal */
  override start(): void {
    this.lastEpoch++;
    this.schedulers[this.#turnAt(0)].start();
    this.noteLrs();
  }

  /** @internal */
  override restart(): void {
    this.resetLrs();
    this.lastEpoch = 0;
    this.schedulers[this.#turnAt(0)].restart();
    this.noteLrs();
  }

  /** Goes on by one epoch of the schedule whose turn it is. */
  override step(): void {
    const epoch = this.lastEpoch + 1;
    const turn = this.#turnAt(epoch);
    const scheduler = this.schedulers[turn];
    if (turn > 0 && this.milestones[turn - 1] === epoch) scheduler.restart();
    else scheduler.step();
    this.lastEpoch = epoch;
    this.noteLrs();
  }

  /** What resuming needs. */
  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), _milestones: [...this.milestones] };
  }

  /** As in the base, for all of the schedules. */
  override loadStateDict(saved: SchedulerStateDict): void {
    const action = `load the state of ${kindOf(this)}`;
    const milestones = readDict(action, "", saved)._milestones;
    const fits = Array.isArray(milestones) && milestones.length === this.milestones.length &&
      milestones.every((milestone) => typeof milestone === "number");
    if (!fits) {
      refuseKind(action, "_milestones", milestones, `a list of ${this.milestones.length} epochs`);
    }
    super.loadStateDict(saved);
    this.milestones = [...milestones];
  }

  /** @internal */
  protected override defaultState(): SchedulerStateDict {
    return { base_lrs: this.baseLrs, _step_count: 0 };
  }
}

/**
 * Several schedules at once: each changes the rate that the one before has left.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const { ChainedScheduler, ExponentialLR, StepLR } = optim.lrScheduler;
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
 * const scheduler = new ChainedScheduler([
 *   new ExponentialLR(optimizer, { gamma: 0.5 }),
 *   new StepLR(optimizer, 2, { gamma: 0.1 }),
 * ]);
 * scheduler.step();
 * assertEquals(scheduler.getLastLr(), [0.5]);
 * ```
 */
export class ChainedScheduler extends Composed {
  /** @internal */ static override readonly kind: string = "ChainedScheduler";

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param schedulers The schedules, all of one optimizer.
   * @throws {TypeError} for a wrong kind, ReduceLROnPlateau among them.
   * @throws {RangeError} if there is none, or one belongs to another optimizer.
   */
  constructor(schedulers: readonly LRScheduler[]) {
    assertSchedulers("make ChainedScheduler", schedulers);
    super(schedulers);
    // The schedules have taken their first step already.
    this.lastEpoch = 0;
    this.noteLrs();
  }

  /** @internal */
  override start(): void {
    this.lastEpoch++;
    for (const scheduler of this.schedulers) scheduler.start();
    this.noteLrs();
  }

  /** @internal */
  override restart(): void {
    this.resetLrs();
    this.rewind();
    this.start();
  }

  /** Goes on by one epoch in each of the schedules; in none of them if one throws. */
  override step(): void {
    this.attempt(() => {
      for (const scheduler of this.schedulers) scheduler.step();
    });
    this.lastEpoch++;
    this.noteLrs();
  }

  /** @internal */
  protected override defaultState(own: SchedulerStateDict): SchedulerStateDict {
    return { ...own, last_epoch: this.schedulers[0].lastEpoch };
  }
}
