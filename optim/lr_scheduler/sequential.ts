/**
 * Schedules made of schedules.
 */
import { describe } from "../../autograd/internal.ts";
import { assignScalar, HyperparameterCheck, valueOf } from "../hyperparameters.ts";
import type { Optimizer } from "../optimizer.ts";
import { ReduceLROnPlateau } from "./plateau.ts";
import { readDict } from "../state_dict.ts";
import {
  assertOptimizer,
  assignLrs,
  LRScheduler,
  readArguments,
  type SchedulerOptions,
  type SchedulerStateDict,
} from "./scheduler.ts";

function assertSchedulers(
  action: string,
  schedulers: unknown,
  optimizer?: Optimizer,
): asserts schedulers is readonly LRScheduler[] {
  if (!Array.isArray(schedulers)) {
    throw new TypeError(
      `Cannot ${action}: got schedulers ${describe(schedulers)}, expected a list of schedules`,
    );
  }
  if (schedulers.length === 0) {
    throw new RangeError(
      `Cannot ${action}: got an empty list of schedulers, expected at least one`,
    );
  }
  schedulers.forEach((scheduler: unknown, i) => {
    if (scheduler instanceof ReduceLROnPlateau || !(scheduler instanceof LRScheduler)) {
      throw new TypeError(
        `Cannot ${action}: got schedulers[${i}] ${
          describe(scheduler)
        }, expected a schedule whose ` +
          `step takes no measure`,
      );
    }
    if (scheduler.optimizer !== (optimizer ?? (schedulers[0] as LRScheduler).optimizer)) {
      throw new RangeError(
        `Cannot ${action}: got schedulers[${i}] of another optimizer, expected one optimizer for all`,
      );
    }
  });
}

/** Sets the rates that the groups began with. */
function resetLrs({ optimizer, baseLrs }: LRScheduler): void {
  optimizer.paramGroups.forEach((group, i) => {
    const base = group.initialLr ?? baseLrs[i];
    if (base !== undefined) assignScalar(group, "lr", valueOf(base));
  });
}

/** Loads the states of the parts. */
function loadParts(
  name: string,
  parts: readonly LRScheduler[],
  saved: SchedulerStateDict,
): void {
  const states = readDict(`load the state of ${name}`, "", saved)._schedulers;
  if (!Array.isArray(states)) {
    throw new TypeError(
      `Cannot load the state of ${name}: got _schedulers ${describe(states)}, expected a list`,
    );
  }
  if (states.length !== parts.length) {
    throw new RangeError(
      `Cannot load the state of ${name}: got ${states.length} schedulers, expected ${parts.length}`,
    );
  }
  const before = parts.map((part) => part.stateDict());
  try {
    parts.forEach((part, i) => part.loadStateDict(states[i] as SchedulerStateDict));
  } catch (error) {
    parts.forEach((part, i) => part.loadStateDict(before[i]));
    throw error;
  }
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
export class SequentialLR extends LRScheduler {
  /** @internal */ static override readonly kind: string = "SequentialLR";

  /** The schedules, in their order. */
  readonly schedulers: readonly LRScheduler[];
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
      "schedulers",
      schedulers,
      rest as SequentialLROptions | undefined,
      { milestones: [] },
    );
    assertOptimizer(action, optimizer);
    assertSchedulers(action, values.schedulers, optimizer);
    const check = new HyperparameterCheck(action, "", values);
    check.wholeNumbers("milestones");
    if (values.milestones.some((epoch, i) => i > 0 && epoch <= values.milestones[i - 1])) {
      throw new RangeError(check.fault("milestones", "ascending epochs"));
    }
    if (values.milestones.length !== values.schedulers.length - 1) {
      throw new RangeError(
        `Cannot ${action}: got ${values.schedulers.length} schedulers and ` +
          `${values.milestones.length} milestones, expected one milestone less than schedulers`,
      );
    }
    super(optimizer, values.lastEpoch);
    this.schedulers = [...values.schedulers];
    this.milestones = [...values.milestones];
    // Each was started when it was made; only one is to act on the first rates.
    resetLrs(this);
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
  override rewind(): void {
    super.rewind();
    for (const scheduler of this.schedulers) scheduler.rewind();
  }

  /** @internal */
  override restart(): void {
    resetLrs(this);
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

  /** @internal */
  protected override getLr(): number[] {
    return this.currentLrs();
  }

  /** What resuming needs. */
  override stateDict(): SchedulerStateDict {
    return {
      ...super.stateDict(),
      _milestones: [...this.milestones],
      _schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()),
    };
  }

  /** As in the base, for all of the schedules. */
  override loadStateDict(saved: SchedulerStateDict): void {
    const entries = readDict("load the state of SequentialLR", "", saved);
    const milestones = entries._milestones;
    const fits = Array.isArray(milestones) && milestones.length === this.milestones.length &&
      milestones.every((milestone) => typeof milestone === "number");
    if (!fits) {
      throw new TypeError(
        `Cannot load the state of SequentialLR: got _milestones ${
          describe(milestones)
        }, expected a ` +
          `list of ${this.milestones.length} epochs`,
      );
    }
    const before = this.schedulers.map((scheduler) => scheduler.stateDict());
    loadParts("SequentialLR", this.schedulers, saved);
    try {
      // PyTorch keeps no base rates here.
      super.loadStateDict({ base_lrs: this.baseLrs, _step_count: 0, ...entries });
    } catch (error) {
      this.schedulers.forEach((scheduler, i) => scheduler.loadStateDict(before[i]));
      throw error;
    }
    this.milestones = [...milestones];
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
export class ChainedScheduler extends LRScheduler {
  /** @internal */ static override readonly kind: string = "ChainedScheduler";

  /** The schedules, in their order. */
  readonly schedulers: readonly LRScheduler[];

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param schedulers The schedules, all of one optimizer.
   * @throws {TypeError} for a wrong kind, ReduceLROnPlateau among them.
   * @throws {RangeError} if there is none, or one belongs to another optimizer.
   */
  constructor(schedulers: readonly LRScheduler[]) {
    assertSchedulers("make ChainedScheduler", schedulers);
    super(schedulers[0].optimizer);
    this.schedulers = [...schedulers];
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
  override rewind(): void {
    super.rewind();
    for (const scheduler of this.schedulers) scheduler.rewind();
  }

  /** @internal */
  override restart(): void {
    resetLrs(this);
    this.rewind();
    this.start();
  }

  /** Goes on by one epoch in each of the schedules; in none of them if one throws. */
  override step(): void {
    const before = this.schedulers.map((scheduler) => scheduler.stateDict());
    const lrs = this.currentLrs();
    try {
      for (const scheduler of this.schedulers) scheduler.step();
    } catch (error) {
      this.schedulers.forEach((scheduler, i) => scheduler.loadStateDict(before[i]));
      assignLrs("step ChainedScheduler", this.optimizer, lrs);
      throw error;
    }
    this.lastEpoch++;
    this.noteLrs();
  }

  /** @internal */
  protected override getLr(): number[] {
    return this.currentLrs();
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
    const before = this.schedulers.map((scheduler) => scheduler.stateDict());
    const own = this.stateDict();
    loadParts("ChainedScheduler", this.schedulers, saved);
    try {
      // PyTorch keeps only the last rates beside the schedules.
      const { lastEpoch } = this.schedulers[0];
      const entries = readDict("load the state of ChainedScheduler", "", saved);
      super.loadStateDict({ ...own, last_epoch: lastEpoch, ...entries });
    } catch (error) {
      this.schedulers.forEach((scheduler, i) => scheduler.loadStateDict(before[i]));
      throw error;
    }
  }
}
