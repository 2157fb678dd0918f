/**
 * The base of the schedules that follow a count of steps.
 */
import { Tensor } from "../../autograd/mod.ts";
import { assertOptions, describe, kindOf, show } from "../../autograd/internal.ts";
import { assignScalar, type Scalar, valueOf } from "../hyperparameters.ts";
import { Optimizer } from "../optimizer.ts";
import { readDict, toSnakeCase } from "../state_dict.ts";
import { noteScheduleStep } from "../step_warnings.ts";

/** What a schedule writes to disk, under PyTorch's names. */
export type SchedulerStateDict = Readonly<Record<string, unknown>>;

/** The option that every schedule has. */
export interface SchedulerOptions {
  /** The last epoch of a run that goes on; defaults to −1,, begins a new one. */
  readonly lastEpoch?: number;
}

type Fields = Record<string, unknown>;

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
      throw new TypeError(
        `Cannot ${action}: got lastEpoch ${describe(lastEpoch)}, expected a number`,
      );
    }
    if (!Number.isInteger(lastEpoch) || lastEpoch < -1) {
      throw new RangeError(
        `Cannot ${action}: got lastEpoch ${lastEpoch}, expected an integer of at least -1`,
      );
    }
    this.optimizer = optimizer;
    this.lastEpoch = lastEpoch;
    this.baseLrs = optimizer.paramGroups.map((group, i) => {
      if (lastEpoch === -1 && group.initialLr === undefined) {
        group.initialLr = valueOf(group.lr);
        this.begun.push(group);
      }
      if (group.initialLr === undefined) {
        throw new RangeError(
          `Cannot ${action}: got lastEpoch ${lastEpoch} and group ${i} without initialLr, expected ` +
            `the rate that the run began with`,
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
    return this.optimizer.paramGroups.map((group) => valueOf(group.lr));
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
      throw new RangeError(
        `Cannot step ${kindOf(this)}: got epoch ${show(epoch)}, expected ${expected}`,
      );
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

  /** What resuming needs; the rates themselves are in the optimizer's state. */
  stateDict(): SchedulerStateDict {
    const state: Fields = {};
    for (const field of this.stateFields()) {
      state[diskName(field)] = copy((this as unknown as Fields)[field]);
    }
    return {
      ...state,
      base_lrs: [...this.baseLrs],
      last_epoch: this.lastEpoch,
      _step_count: this.stepCount,
      _last_lr: [...this.lastLr],
    };
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
    const names = new Map(this.stateFields().map((field) => [field, diskName(field)]));
    names.set("baseLrs", "base_lrs").set("lastEpoch", "last_epoch");
    names.set("stepCount", "_step_count").set("lastLr", "_last_lr");
    const action = `load the state of ${kindOf(this)}`;
    const values = readState(action, this as unknown as Fields, names, saved);
    assignLrs(action, this.optimizer, values.lastLr as number[]);
    Object.assign(this, values);
  }
}

/**
 * Sets the rates of an optimizer's groups, as far as there are values.
 *
 * @throws {RangeError} if a rate is not finite; none is written then.
 */
export function assignLrs(action: string, optimizer: Optimizer, values: readonly number[]): void {
  const { paramGroups } = optimizer;
  values.forEach((lr, i) => {
    if (Number.isFinite(lr)) return;
    throw new RangeError(
      `Cannot ${action}: got a rate of ${lr} for group ${i}, expected a finite one`,
    );
  });
  for (let i = 0; i < Math.min(paramGroups.length, values.length); i++) {
    assignScalar(paramGroups[i], "lr", values[i]);
  }
}

/** Checks that a schedule was given an optimizer. */
export function assertOptimizer(action: string, value: unknown): asserts value is Optimizer {
  if (!(value instanceof Optimizer)) {
    throw new TypeError(`Cannot ${action}: got ${describe(value)}, expected an optimizer`);
  }
}

/** `tMax` → `T_max`, as PyTorch has it; others in snake case. */
export function diskName(field: string): string {
  return /^t([A-Z]|0$)/.test(field)
    ? `T_${field[1].toLowerCase()}${field.slice(2)}`
    : toSnakeCase(field);
}

/** Reads the fields of a schedule from a state, an object or a Map, and checks them against those it has. */
export function readState(
  action: string,
  target: Fields,
  names: ReadonlyMap<string, string>,
  saved: SchedulerStateDict,
): Fields {
  const entries = readDict(action, "", saved);
  const values: Fields = {};
  for (const [field, key] of names) {
    const value = numberOf(entries[key]);
    const current = target[field];
    if (value === undefined) {
      throw new RangeError(`Cannot ${action}: got no ${key}, expected ${[...names.values()]}`);
    }
    if (typeof value !== typeof current || Array.isArray(value) !== Array.isArray(current)) {
      throw new TypeError(
        `Cannot ${action}: got ${key} ${describe(value)}, expected ${
          Array.isArray(current) ? "a list" : `a ${typeof current}`
        }`,
      );
    }
    if (/Lrs?$/.test(field) && Array.isArray(value) && Array.isArray(current)) {
      // A group may have been added after the schedule was made: the last rates are then one more.
      const groups = (target.optimizer as Optimizer).paramGroups.length;
      const fits = value.length === current.length ||
        (field === "lastLr" && value.length === groups);
      if (!fits) {
        throw new RangeError(
          `Cannot ${action}: got ${value.length} ${key}, expected ${current.length}, one for each ` +
            `group`,
        );
      }
    }
    values[field] = value;
  }
  return values;
}

/** A copy of a value, with numbers for tensors of one element. */
function numberOf(value: unknown): unknown {
  if (value instanceof Tensor && value.size === 1) return value.item();
  return Array.isArray(value) ? value.map(numberOf) : value;
}

function copy(value: unknown): unknown {
  return Array.isArray(value) ? value.map(copy) : value;
}

/** PyTorch's T_max is tMax, but TMax letter by letter: both are taken. */
function withSmallT(options: object): Fields {
  if (typeof options !== "object") return options;
  const entries = Object.entries(options);
  return Object.fromEntries(entries.map(([key, value]) => [key.replace(/^T/, "t"), value]));
}

/**
 * The options of a call that gives its main argument in front, or among the options.
 *
 * @throws {TypeError} if the main argument is missing or an option is unknown.
 */
export function readArguments<Options extends object>(
  action: string,
  main: keyof Options & string,
  first: unknown,
  options: object | undefined,
  defaults: Partial<Options>,
): Required<Options> {
  const named = typeof first === "object" && first !== null && !Array.isArray(first) &&
    !(first instanceof Tensor);
  const values: Fields = { lastEpoch: -1, ...defaults };
  const others = [...Object.keys(defaults), "lastEpoch"].filter((key) => key !== main);
  // An option by its place, as in StepLR(optimizer, 30, 0.1), is refused too.
  const rest = options ?? {};
  assertOptions(action, withSmallT(rest), others);
  if (named) assertOptions(action, withSmallT(first), [main, ...others]);
  const given = named ? withSmallT(first) : { ...withSmallT(rest), [main]: first };
  for (const [key, value] of Object.entries(given)) if (value !== undefined) values[key] = value;
  if (values[main] === undefined) {
    throw new TypeError(`Cannot ${action}: got no ${main}, expected one`);
  }
  return values as Required<Options>;
}

/**
 * One value for each group, from one for all or a list.
 *
 * @throws {TypeError} if a value is not a number.
 * @throws {RangeError} if the list has another length, or a value is NaN.
 */
export function forEachGroup(
  action: string,
  name: string,
  value: Scalar | readonly Scalar[],
  count: number,
): number[] {
  const list = Array.isArray(value) ? value as readonly Scalar[] : null;
  if (list !== null && list.length !== count) {
    throw new RangeError(
      `Cannot ${action}: got ${list.length} values of ${name}, expected ${count}, one for each group`,
    );
  }
  return Array.from({ length: count }, (_, i) => {
    const scalar = list === null ? value as Scalar : list[i];
    const valid = typeof scalar === "number" || (scalar instanceof Tensor && scalar.size === 1);
    if (!valid) {
      throw new TypeError(`Cannot ${action}: got ${name} ${describe(scalar)}, expected a number`);
    }
    const number = valueOf(scalar);
    if (Number.isNaN(number)) {
      throw new RangeError(`Cannot ${action}: got ${name} NaN, expected a number`);
    }
    return number;
  });
}
