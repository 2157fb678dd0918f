/**
 * A schedule that watches a measure.
 */
import { Tensor } from "../../autograd/mod.ts";
import { refuse, refuseKind } from "../../autograd/internal.ts";
import { assignScalar, HyperparameterCheck, type Scalar, valueOf } from "../hyperparameters.ts";
import type { Optimizer } from "../optimizer.ts";
import { readArguments } from "./declared.ts";
import {
  assertOptimizer,
  diskNames,
  forEachGroup,
  loadState,
  lrsOf,
  type SchedulerStateDict,
  takeState,
} from "./state.ts";

/** The options of {@linkcode ReduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions {
  /** Whether the measure is to fall or to rise; defaults to "min". */
  readonly mode?: "min" | "max";
  /** What the rate is multiplied with, below 1; defaults to 0.1. */
  readonly factor?: number;
  /** How many epochs without progress are waited for; defaults to 10. */
  readonly patience?: number;
  /** How much better counts as progress; defaults to 1e-4. */
  readonly threshold?: number;
  /** Whether the threshold is a part of the best value or a difference; defaults to "rel". */
  readonly thresholdMode?: "rel" | "abs";
  /** How many epochs to wait after a reduction; defaults to 0. */
  readonly cooldown?: number;
  /** The lowest rate, or a list with one for each group; defaults to 0. */
  readonly minLr?: Scalar | readonly Scalar[];
  /** A reduction by no more than this is left out; defaults to 1e-8. */
  readonly eps?: number;
}

const STATE = /* @__PURE__ */ diskNames([
  "mode",
  "factor",
  "patience",
  "threshold",
  "thresholdMode",
  "cooldown",
  "eps",
  "minLrs",
  "best",
  "cooldownCounter",
  "numBadEpochs",
  "lastEpoch",
]).set("lastLr", "_last_lr");

/**
 * Multiplies the rate by a factor when a measure has made no progress for more than `patience`
 * epochs.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1 });
 * const scheduler = new optim.lrScheduler.ReduceLROnPlateau(optimizer, "min", {
 *   factor: 0.5,
 *   patience: 1,
 * });
 * for (const loss of [3, 2, 2, 2]) scheduler.step(loss);
 * assertEquals(scheduler.getLastLr(), [0.5]);
 * ```
 */
export class ReduceLROnPlateau {
  /** @internal */ static readonly kind: string = "ReduceLROnPlateau";

  /** The optimizer whose rates are set. */
  readonly optimizer: Optimizer;
  /** Whether the measure is to fall or to rise. */
  declare mode: "min" | "max";
  /** What the rate is multiplied with. */
  declare factor: number;
  /** How many epochs without progress are waited for. */
  declare patience: number;
  /** How much better counts as progress. */
  declare threshold: number;
  /** Whether the threshold is a part of the best value or a difference. */
  declare thresholdMode: "rel" | "abs";
  /** How many epochs to wait after a reduction. */
  declare cooldown: number;
  /** A reduction by no more than this is left out. */
  declare eps: number;
  /** The lowest rates. */
  minLrs: number[];
  /** The best measure so far. */
  best: number;
  /** How many epochs of waiting are left. */
  cooldownCounter = 0;
  /** How many epochs have brought no progress. */
  numBadEpochs = 0;
  /** How many steps were taken. */
  lastEpoch = 0;
  private lastLr: number[];

  /**
   * Checks the options and takes the optimizer.
   *
   * @param optimizer The optimizer.
   * @param mode "min" or "max", or all options.
   * @param options See {@linkcode ReduceLROnPlateauOptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value.
   */
  constructor(
    optimizer: Optimizer,
    mode: "min" | "max" | ReduceLROnPlateauOptions = "min",
    options?: ReduceLROnPlateauOptions,
  ) {
    const action = "make ReduceLROnPlateau";
    const values = readArguments<ReduceLROnPlateauOptions>(action, mode, options, {
      mode: "min",
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: "rel",
      cooldown: 0,
      minLr: 0,
      eps: 1e-8,
    });
    assertOptimizer(action, optimizer);
    const check = new HyperparameterCheck(action, "", values);
    check.oneOf("mode", "min", "max");
    check.oneOf("thresholdMode", "rel", "abs");
    if (!(check.number("factor") < 1)) {
      throw new RangeError(check.fault("factor", "a number below 1"));
    }
    check.noNaN("patience", "threshold", "cooldown", "eps");
    const { minLr, lastEpoch: _, ...fields } = values;
    Object.assign(this, fields);
    this.optimizer = optimizer;
    this.minLrs = forEachGroup(action, "minLr", minLr, optimizer.paramGroups.length);
    this.best = this.mode === "min" ? Infinity : -Infinity;
    this.lastLr = lrsOf(optimizer);
  }

  /** Whether a reduction was so recent that nothing is counted. */
  get inCooldown(): boolean {
    return this.cooldownCounter > 0;
  }

  /**
   * Takes the measure of an epoch and sets the rates.
   *
   * @param metrics A number, or a tensor of one element.
   * @throws {TypeError} if it is neither. @throws {RangeError} if groups were added meanwhile.
   */
  step(metrics: number | Tensor): void {
    const value: unknown = metrics instanceof Tensor ? metrics.item() : metrics;
    if (typeof value !== "number") {
      refuseKind(
        "step ReduceLROnPlateau",
        "metrics",
        metrics,
        "a number or a Tensor of one element",
      );
    }
    this.#assertGroups();
    this.lastEpoch++;
    if (this.#isBetter(value)) {
      this.best = value;
      this.numBadEpochs = 0;
    } else {
      this.numBadEpochs++;
    }
    if (this.inCooldown) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > this.patience) {
      this.#reduce();
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
    }
    this.lastLr = lrsOf(this.optimizer);
  }

  #isBetter(value: number): boolean {
    const { best, threshold, mode } = this;
    if (this.thresholdMode === "rel") {
      // Of a negative best value a part is added where of a positive one it is subtracted.
      const part = Math.sign(best) * threshold;
      return mode === "min" ? value < best * (1 - part) : value > best * (part + 1);
    }
    return mode === "min" ? value < best - threshold : value > best + threshold;
  }

  #assertGroups(): void {
    const groups = this.optimizer.paramGroups;
    if (groups.length === this.minLrs.length) return;
    refuse(
      "step ReduceLROnPlateau",
      `${groups.length} groups`,
      `${this.minLrs.length} as when it was made; write minLrs after adding a group`,
    );
  }

  #reduce(): void {
    this.optimizer.paramGroups.forEach((group, i) => {
      const before = valueOf(group.lr);
      const after = Math.max(before * this.factor, this.minLrs[i]);
      if (before - after > this.eps) assignScalar(group, "lr", after);
    });
  }

  /** The rates after the last step, one for each group. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** What resuming needs; the rates themselves are in the optimizer's state. */
  stateDict(): SchedulerStateDict {
    return takeState(this, STATE);
  }

  /**
   * Loads a state and sets the rates that were in force when it was saved; load the optimizer's first.
   * Nothing is changed unless everything fits.
   *
   * @throws {TypeError} if it is not such state or an entry is of the wrong kind.
   * @throws {RangeError} if an entry is missing or there is another number of groups.
   */
  loadStateDict(saved: SchedulerStateDict): void {
    loadState(this, STATE, saved);
  }
}
