/**
 * The one-cycle policy.
 */
import { refuse } from "../../autograd/internal.ts";
import { HyperparameterCheck, type Scalar, valueOf } from "../hyperparameters.ts";
import type { Optimizer } from "../optimizer.ts";
import { readArguments } from "./declared.ts";
import { assertOptimizer, forEachGroup, type SchedulerStateDict } from "./state.ts";
import { LRScheduler, type SchedulerOptions } from "./scheduler.ts";

/** The options of {@linkcode OneCycleLR}. */
export interface OneCycleLROptions extends SchedulerOptions {
  /** The highest rate, or a list with one for each group. */
  readonly maxLr?: Scalar | readonly Scalar[];
  /** The number of steps; defaults to `epochs` times `stepsPerEpoch`. */
  readonly totalSteps?: number | null;
  /** The number of epochs. */
  readonly epochs?: number | null;
  /** The number of steps in an epoch. */
  readonly stepsPerEpoch?: number | null;
  /** The part of the cycle in which the rate rises, in 0 … 1; defaults to 0.3. */
  readonly pctStart?: number;
  /** The way between two rates; defaults to "cos". */
  readonly annealStrategy?: "cos" | "linear";
  /** Whether momentum (or β₁) falls while the rate rises; defaults to true. */
  readonly cycleMomentum?: boolean;
  /** The lowest momentum, or a list with one for each group; defaults to 0.85. */
  readonly baseMomentum?: number | readonly number[];
  /** The highest momentum, or a list with one for each group; defaults to 0.95. */
  readonly maxMomentum?: number | readonly number[];
  /** The highest rate divided by the first; defaults to 25. */
  readonly divFactor?: number;
  /** The first rate divided by the last; defaults to 1e4. */
  readonly finalDivFactor?: number;
  /** Whether the rate falls as it rose before it falls to the last one. */
  readonly threePhase?: boolean;
}

/** What this schedule keeps in the groups, as PyTorch does. */
interface Cycled {
  lr: Scalar;
  initialLr?: Scalar;
  maxLr?: number;
  minLr?: number;
  maxMomentum?: number;
  baseMomentum?: number;
  momentum?: Scalar;
  betas?: readonly [Scalar, Scalar];
}

type Rate = "initialLr" | "maxLr" | "minLr";
type Momentum = "maxMomentum" | "baseMomentum";

/** A place in the cycle at which rate and momentum turn, and what they are there. */
interface Turn {
  readonly step: number;
  readonly lr: Rate;
  readonly momentum: Momentum;
}

/**
 * One cycle over the whole run: the rate rises from maxLr/divFactor to maxLr and falls to a
 * `finalDivFactor`-th of where it began, while momentum falls and rises. One step for each batch.
 *
 * @see L. Smith and N. Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
 * Learning Rates", 2019.
 *
 * @example
 * ```ts
 * import { optim, zeros } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const optimizer = new optim.SGD([zeros([1])], { lr: 1, momentum: 0.9 });
 * const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, 1, { totalSteps: 10 });
 * assertAlmostEquals(scheduler.getLastLr()[0], 1 / 25, 1e-15);
 * scheduler.step();
 * scheduler.step();
 * assertAlmostEquals(scheduler.getLastLr()[0], 1, 1e-15);
 * ```
 */
export class OneCycleLR extends LRScheduler {
  /** @internal */ static override readonly kind: string = "OneCycleLR";

  /** The number of steps. */
  totalSteps: number;
  /** Whether momentum is cycled too. */
  cycleMomentum: boolean;
  #turns: readonly Turn[];
  #linear: boolean;

  /**
   * Checks the options and sets the rates to begin with.
   *
   * @param optimizer The optimizer.
   * @param maxLr The highest rate, a list with one for each group, or all options.
   * @param options See {@linkcode OneCycleLROptions}.
   * @throws {TypeError} for a wrong kind, or if the optimizer has no momentum to cycle.
   * @throws {RangeError} for a wrong value.
   */
  constructor(
    optimizer: Optimizer,
    maxLr: Scalar | readonly Scalar[] | OneCycleLROptions,
    options?: OneCycleLROptions,
  ) {
    const action = "make OneCycleLR";
    const values = readArguments<OneCycleLROptions>(action, maxLr, options, {
      maxLr: undefined,
      totalSteps: null,
      epochs: null,
      stepsPerEpoch: null,
      pctStart: 0.3,
      annealStrategy: "cos",
      cycleMomentum: true,
      baseMomentum: 0.85,
      maxMomentum: 0.95,
      divFactor: 25,
      finalDivFactor: 1e4,
      threePhase: false,
    });
    assertOptimizer(action, optimizer);
    const check = new HyperparameterCheck(action, "", values);
    const totalSteps = countSteps(action, check, values);
    check.fraction("pctStart");
    check.aboveZero("divFactor");
    check.aboveZero("finalDivFactor");
    check.flags("cycleMomentum", "threePhase");
    check.oneOf("annealStrategy", "cos", "linear");
    const groups = optimizer.paramGroups as Cycled[];
    const maxLrs = forEachGroup(action, "maxLr", values.maxLr, groups.length);
    const highest = forEachGroup(action, "maxMomentum", values.maxMomentum, groups.length);
    const lowest = forEachGroup(action, "baseMomentum", values.baseMomentum, groups.length);
    if (values.cycleMomentum && !groups.every((group) => "momentum" in group || "betas" in group)) {
      throw new TypeError(
        `Cannot ${action}: got cycleMomentum true and an optimizer without momentum or betas, ` +
          `expected cycleMomentum: false`,
      );
    }
    if (values.lastEpoch === -1) {
      groups.forEach((group, i) => {
        const initialLr = maxLrs[i] / values.divFactor;
        Object.assign(group, {
          initialLr,
          maxLr: maxLrs[i],
          minLr: initialLr / values.finalDivFactor,
        });
        if (values.cycleMomentum) {
          Object.assign(group, { maxMomentum: highest[i], baseMomentum: lowest[i] });
          setMomentum(group, highest[i]);
        }
      });
    }
    super(optimizer, values.lastEpoch);
    this.totalSteps = totalSteps;
    this.cycleMomentum = values.cycleMomentum;
    this.#linear = values.annealStrategy === "linear";
    this.#turns = turnsOf(totalSteps, values.pctStart, values.threePhase);
    this.start();
  }

  /** @internal */
  protected override stateFields(): readonly string[] {
    return ["totalSteps", "cycleMomentum"];
  }

  /** As in the base; the momentum of that step too, where it is cycled. */
  override loadStateDict(saved: SchedulerStateDict): void {
    super.loadStateDict(saved);
    // Making the schedule has set the momentum of the first step.
    if (this.lastEpoch >= 0 && this.lastEpoch <= this.totalSteps) this.getLr();
  }

  /** @internal */
  protected override getLr(): number[] {
    const step = this.lastEpoch;
    if (step > this.totalSteps) {
      refuse("step OneCycleLR", `step ${step}`, `at most ${this.totalSteps} steps`);
    }
    const turns = this.#turns;
    const next = turns.findIndex((turn, i) => i > 0 && step <= turn.step);
    const [from, to] = turns.slice(next < 0 ? -2 : next - 1);
    const part = (step - from.step) / (to.step - from.step);
    const groups = this.optimizer.paramGroups as Cycled[];
    return groups.slice(0, this.baseLrs.length).map((group, i) => {
      const between = (first: Rate | Momentum, last: Rate | Momentum): number => {
        const [start, end] = [keptIn(group, first, i), keptIn(group, last, i)];
        if (this.#linear) return (end - start) * part + start;
        return end + (start - end) / 2 * (Math.cos(Math.PI * part) + 1);
      };
      if (this.cycleMomentum) setMomentum(group, between(from.momentum, to.momentum));
      return between(from.lr, to.lr);
    });
  }
}

function countSteps(
  action: string,
  check: HyperparameterCheck,
  { totalSteps, epochs, stepsPerEpoch }: Required<OneCycleLROptions>,
): number {
  if (totalSteps !== null) return check.count("totalSteps");
  if (epochs === null || stepsPerEpoch === null) {
    throw new TypeError(
      `Cannot ${action}: got totalSteps null, epochs ${epochs} and stepsPerEpoch ` +
        `${stepsPerEpoch}, expected totalSteps, or epochs and stepsPerEpoch`,
    );
  }
  return check.count("epochs") * check.count("stepsPerEpoch");
}

function turnsOf(totalSteps: number, pctStart: number, threePhase: boolean): Turn[] {
  const turns: Turn[] = [
    { step: 0, lr: "initialLr", momentum: "maxMomentum" },
    { step: pctStart * totalSteps - 1, lr: "maxLr", momentum: "baseMomentum" },
    { step: 2 * pctStart * totalSteps - 2, lr: "initialLr", momentum: "maxMomentum" },
    { step: totalSteps - 1, lr: "minLr", momentum: "maxMomentum" },
  ];
  return threePhase ? turns : turns.toSpliced(2, 1);
}

/** What the schedule wrote into a group when it was made. */
function keptIn(group: Cycled, key: Rate | Momentum, index: number): number {
  const value = group[key];
  if (value === undefined) {
    refuse("step OneCycleLR", `no ${key} in group ${index}`, "the groups it was made for");
  }
  return valueOf(value);
}

function setMomentum(group: Cycled, value: number): void {
  if (group.betas !== undefined) group.betas = [value, group.betas[1]];
  else group.momentum = value;
}
