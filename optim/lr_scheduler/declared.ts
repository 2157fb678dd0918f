/**
 * Schedules that are declared by their options: what they default to, what is checked, and what the
 * rate is multiplied with.
 */
import { Tensor } from "../../autograd/mod.ts";
import { assertOptions, kindOf } from "../../autograd/internal.ts";
import { HyperparameterCheck } from "../hyperparameters.ts";
import type { Optimizer } from "../optimizer.ts";
import { LRScheduler, type SchedulerOptions } from "./scheduler.ts";

/**
 * The options of a schedule with the values that they have when left out. The first may stand in front
 * of the others; where it is `undefined` here, it has to be given.
 */
export type Defaults<Options> = {
  readonly [Key in Exclude<keyof Options, "lastEpoch">]-?: Options[Key] | undefined;
};

/** PyTorch's T_max is tMax, but TMax letter by letter: both are taken. */
function withSmallT(options: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key.replace(/^T/, "t"), value]),
  );
}

/**
 * The options of a call that gives its main argument in front, or among the options.
 *
 * @throws {TypeError} if the main argument is missing or an option is unknown.
 */
export function readArguments<Options extends object>(
  action: string,
  first: unknown,
  options: object | undefined,
  defaults: Defaults<Options>,
): Required<Options & SchedulerOptions> {
  const [main, ...others] = [...Object.keys(defaults), "lastEpoch"];
  const read = (given: object, known: readonly string[]): Record<string, unknown> => {
    const values = typeof given === "object" ? withSmallT(given) : given;
    assertOptions(action, values, known as never);
    return values;
  };
  // An option by its place, as in StepLR(optimizer, 30, 0.1), is refused too.
  const rest = read(options ?? {}, others);
  const named = typeof first === "object" && first !== null && !Array.isArray(first) &&
    !(first instanceof Tensor);
  const given = named ? read(first, [main, ...others]) : { ...rest, [main]: first };
  const values: Record<string, unknown> = { ...defaults, lastEpoch: -1 };
  for (const [key, value] of Object.entries(given)) if (value !== undefined) values[key] = value;
  if (values[main] === undefined) {
    throw new TypeError(`Cannot ${action}: got no ${main}, expected one`);
  }
  return values as Required<Options & SchedulerOptions>;
}

/** @internal A schedule whose fields are its options; those fields are its state too. */
export abstract class DeclaredLR<Options extends SchedulerOptions> extends LRScheduler {
  readonly #options: readonly string[];

  /**
   * Checks the options, takes them over as fields, and sets the rates to begin with.
   *
   * @param first The main option, or all of them.
   * @param options The others.
   */
  constructor(
    optimizer: Optimizer,
    first: unknown,
    options: Options | undefined,
    defaults: Defaults<Options>,
    check: (values: HyperparameterCheck) => void,
  ) {
    const action = `make ${kindOf(new.target.prototype)}`;
    const { lastEpoch, ...fields } = readArguments(action, first, options, defaults);
    check(new HyperparameterCheck(action, "", fields));
    super(optimizer, lastEpoch);
    this.#options = Object.keys(fields);
    Object.assign(this, fields);
    this.start();
  }

  protected override stateFields(): readonly string[] {
    return this.#options;
  }
}

/** @internal A schedule that multiplies the rate: the one that it finds, or the first one. */
export abstract class FactorLR<Options extends SchedulerOptions> extends DeclaredLR<Options> {
  /** What the rate is multiplied with when the schedule begins. */
  protected firstChange(): number {
    return 1;
  }

  /** What the rate of the epoch before is multiplied with. */
  protected abstract change(epoch: number): number;

  /** What the rate that a group began with is multiplied with. */
  protected abstract changeSoFar(epoch: number): number;

  protected override getLr(): number[] {
    const epoch = this.lastEpoch;
    const factor = epoch === 0 ? this.firstChange() : this.isInitial ? 1 : this.change(epoch);
    return this.currentLrs().map((lr) => lr * factor);
  }

  protected override closedForm(): number[] {
    const factor = this.changeSoFar(this.lastEpoch);
    return this.baseLrs.map((lr) => lr * factor);
  }
}
