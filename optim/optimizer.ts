/**
 * The base of all optimizers: groups, steps, and the state on disk.
 */
import { enableGrad, Tensor } from "../autograd/mod.ts";
import {
  assertOptions,
  describe,
  formatShape,
  heldGradOf,
  sameShape,
  write,
} from "../autograd/internal.ts";
import { clearGrad } from "../nn/module/module.ts";
import {
  isImplementationOption,
  type LearningRate,
  type ParamGroup,
  type ParamGroupInput,
  type Params,
  readOptions,
  readParams,
  toGroups,
} from "./groups.ts";
import { HyperparameterCheck } from "./hyperparameters.ts";
import { noteStep, warnOfStep } from "./step_warnings.ts";
import {
  matchParameters,
  type OptimizerStateDict,
  packState,
  type ParameterState,
  snapshot,
  type StateLayout,
  type StateValue,
  toCamelCase,
  toSnakeCase,
  unpackState,
} from "./state_dict.ts";

/** What makes one kind of optimizer: its options, and what it remembers. */
export interface OptimizerKind<Options> {
  /** Its name, as errors and `toString()` show it. */
  readonly name: string;
  /** The options with the values that they have when left out. */
  readonly defaults: Required<Options>;
  /** What a parameter's state holds. */
  readonly state: StateLayout;
  /**
   * The class whose step keeps no hold of the gradient that it is given. Then nobody can tell when its
   * memory is used again, which is as soon as it is cleared. A subclass with a step of its own may
   * keep it.
   */
  readonly forgetsGradient?: () => { readonly prototype: object };
  /** Throws at the first hyperparameter that is out of range. */
  check(values: HyperparameterCheck, group: Required<Options>): void;
}

/** Called before or after a step. */
export type StepHook = (optimizer: Optimizer) => void;

/**
 * Base of all optimizers: holds parameters in groups and moves them against their gradients.
 *
 * A subclass names its options in an {@linkcode OptimizerKind} and writes one parameter's step.
 */
export abstract class Optimizer<
  Options extends LearningRate = LearningRate,
  State extends ParameterState = ParameterState,
> {
  /** The class's name in errors and printed texts, also where a minifier has changed `name`. */
  static readonly kind: string = "Optimizer";

  /** The groups; their hyperparameters may be written between steps. */
  readonly paramGroups: ParamGroup<Options>[] = [];
  /** What is remembered for each parameter that has been stepped. */
  readonly state: Map<Tensor, State> = new Map();
  /** The options in force for groups that name no others. */
  readonly defaults: Readonly<Required<Options>>;
  readonly #kind: OptimizerKind<Options>;
  readonly #before = new Set<StepHook>();
  readonly #after = new Set<StepHook>();
  #stepCount = 0;

  /**
   * Takes over the parameters and checks the options.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options The hyperparameters of groups that name no others.
   * @param kind What the subclass is.
   * @throws {TypeError} for a wrong kind: no iterable, no tensor, an unknown option.
   * @throws {RangeError} for a wrong value: a hyperparameter out of range or NaN, no parameters, a
   * tensor that is no leaf, or one that is listed twice.
   */
  constructor(params: Params<Options>, options: Options, kind: OptimizerKind<Options>) {
    this.#kind = kind;
    const action = `make ${kind.name}`;
    const given = readOptions(action, options, Object.keys(kind.defaults));
    this.defaults = { ...kind.defaults, ...given };
    kind.check(new HyperparameterCheck(action, "", this.defaults), this.defaults);
    for (const group of toGroups(action, params)) this.#add(action, group);
  }

  /** How often `step` has run. */
  get stepCount(): number {
    return this.#stepCount;
  }

  /**
   * Adds parameters, for instance of layers that are to be trained from now on.
   *
   * @param group The parameters and what differs from the optimizer's options.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong value, or for a parameter
   * that another group holds. Nothing is changed then.
   */
  addParamGroup(group: ParamGroupInput<Options>): void {
    const action = `add a parameter group to ${this.#kind.name}`;
    if (typeof group !== "object" || group === null || !("params" in group)) {
      throw new TypeError(`Cannot ${action}: got ${describe(group)}, expected { params, … }`);
    }
    this.#add(action, group);
  }

  #add(action: string, group: ParamGroupInput<Options>): void {
    const index = this.paramGroups.length;
    const where = ` in group ${index}`;
    const { params, names } = readParams(action, where, group.params);
    const { params: _, ...given } = readOptions(action, group, null);
    const values = { ...this.defaults, ...given } as Required<Options>;
    this.#kind.check(new HyperparameterCheck(action, where, values), values);
    for (const [i, other] of this.paramGroups.entries()) {
      const shared = params.findIndex((param) => other.params.includes(param));
      if (shared >= 0) {
        throw new RangeError(
          `Cannot ${action}: got params[${shared}] of shape ${formatShape(params[shared].shape)}` +
            `${where}, which group ${i} holds too, expected every parameter in one group`,
        );
      }
      if ((other.paramNames === undefined) !== (names === null)) {
        throw new TypeError(
          `Cannot ${action}: got params ${names === null ? "without" : "with"} names${where}, ` +
            `expected all groups with names or none`,
        );
      }
    }
    const added: object = names === null
      ? { ...values, params }
      : { ...values, params, paramNames: names };
    this.paramGroups.push(added as ParamGroup<Options>);
    this.groupAdded(added as ParamGroup<Options>);
  }

  /** For optimizers that give parameters a state before their first step. */
  protected groupAdded(_group: ParamGroup<Options>): void {}

  /** The state that a parameter begins with. */
  protected abstract initialState(param: Tensor, group: ParamGroup<Options>): State;

  /** Moves one parameter in place, through its storage. */
  protected abstract update(param: Tensor, grad: Tensor, group: ParamGroup<Options>): void;

  /** The state of a parameter, new at its first step. */
  protected stateOf(param: Tensor, group: ParamGroup<Options>): State {
    let state = this.state.get(param);
    if (state === undefined) {
      state = this.initialState(param, group);
      this.state.set(param, state);
    }
    return state;
  }

  /**
   * Moves every parameter that has a gradient. Nothing is recorded; the tape notices the edits.
   *
   * @param closure Computes the gradients and returns the loss; runs with grad mode on.
   * @returns What the closure returns.
   * @throws {TypeError} if `closure` is no function.
   * @throws {RangeError} if a gradient has another shape than its parameter; nothing is moved then.
   */
  step(): undefined;
  /** As above, with a closure that computes the gradients first. */
  step<T>(closure: () => T): T;
  step<T>(closure?: (() => T) | null): T | undefined {
    if (closure !== undefined && closure !== null && typeof closure !== "function") {
      throw new TypeError(
        `Cannot step ${this.#kind.name}: got closure ${describe(closure)}, expected a function`,
      );
    }
    for (const hook of [...this.#before]) hook(this as unknown as Optimizer);
    const result = closure ? enableGrad(closure) : undefined;
    this.#checkGradients();
    warnOfStep(this as unknown as Optimizer);
    const forgets = this.#forgetsGradient();
    const editor = `the step of ${this.#kind.name}`;
    for (const group of this.paramGroups) {
      for (const param of group.params) {
        const grad = forgets ? heldGradOf(param) : param.grad;
        if (grad === null) continue;
        write(param, () => this.update(param, grad, group), editor);
      }
    }
    noteStep(this as unknown as Optimizer);
    this.#stepCount++;
    for (const hook of [...this.#after]) hook(this as unknown as Optimizer);
    return result;
  }

  #forgetsGradient(): boolean {
    const forgetful: { update?: unknown } | undefined = this.#kind.forgetsGradient?.().prototype;
    return forgetful?.update === this.update;
  }

  #checkGradients(): void {
    for (const [i, group] of this.paramGroups.entries()) {
      for (const [j, param] of group.params.entries()) {
        const [grad, shape] = [heldGradOf(param), param.shape];
        if (grad !== null && !sameShape(grad.shape, shape)) {
          throw new RangeError(
            `Cannot step ${this.#kind.name}: got a gradient of shape ${
              formatShape(grad.shape)
            } for ` +
              `params[${j}] in group ${i}, expected ${formatShape(shape)}`,
          );
        }
      }
    }
  }

  /**
   * Clears the gradients of all parameters.
   *
   * @param options With `setToNone: false` they become zeros, which `step` still decays and carries
   * momentum for; a gradient of `null` makes it skip the parameter.
   */
  zeroGrad(options: { readonly setToNone?: boolean } = {}): void {
    assertOptions("clear gradients", options, ["setToNone"]);
    for (const group of this.paramGroups) {
      for (const param of group.params) clearGrad(param, options.setToNone ?? true);
    }
  }

  /**
   * Calls `hook(optimizer)` before each step.
   *
   * @returns A handle whose `remove()` takes the hook off.
   */
  registerStepPreHook(hook: StepHook): { remove(): void } {
    return addHook(this.#before, hook);
  }

  /**
   * Calls `hook(optimizer)` after each step.
   *
   * @returns A handle whose `remove()` takes the hook off.
   */
  registerStepPostHook(hook: StepHook): { remove(): void } {
    return addHook(this.#after, hook);
  }

  /** A snapshot of hyperparameters and state, in PyTorch's layout and with its names. */
  stateDict(): OptimizerStateDict {
    const indices = new Map<Tensor, number>();
    for (const group of this.paramGroups) {
      for (const param of group.params) indices.set(param, indices.size);
    }
    const state: Record<string, Record<string, StateValue>> = {};
    for (const [param, index] of indices) {
      const held = this.state.get(param);
      if (held !== undefined) state[index] = packState(held);
    }
    const groups = this.paramGroups.map(({ params, ...values }) => {
      const packed: Record<string, StateValue> = {};
      for (const [key, value] of Object.entries(values)) {
        packed[toSnakeCase(key)] = snapshot(value as StateValue);
      }
      packed.params = params.map((param) => indices.get(param)!);
      return packed;
    });
    return { state, param_groups: groups };
  }

  /**
   * Takes over the hyperparameters and the state of a state dict, copying its tensors. Parameters are
   * matched by their order. Nothing is changed unless everything fits.
   *
   * @param saved From `stateDict()` here or `state_dict()` in PyTorch.
   * @throws {TypeError} if it is no such state.
   * @throws {RangeError} if groups, parameters, entries or shapes do not match, or if a
   * hyperparameter is out of range.
   */
  loadStateDict(saved: OptimizerStateDict): void {
    const action = `load the state of ${this.#kind.name}`;
    const byIndex = matchParameters(action, saved, this.paramGroups);
    const groups = saved.param_groups.map((group, i) => {
      const values: Record<string, unknown> = { ...this.paramGroups[i] };
      for (const [name, value] of Object.entries(group)) {
        const key = toCamelCase(name);
        if (key === "params" || key === "paramNames" || isImplementationOption(key)) continue;
        values[key] = snapshot(value);
      }
      const checked = values as Required<Options>;
      this.#kind.check(new HyperparameterCheck(action, ` in group ${i}`, checked), checked);
      return values;
    });
    const states = new Map<Tensor, State>();
    for (const [index, entry] of Object.entries(saved.state)) {
      const param = byIndex.get(index)!;
      const state = unpackState(action, index, entry, param, this.#kind.state);
      if (state !== null) states.set(param, state as State);
    }
    groups.forEach((values, i) => Object.assign(this.paramGroups[i], values));
    this.state.clear();
    for (const [param, state] of states) this.state.set(param, state);
  }

  /** The groups and their hyperparameters, in PyTorch's layout. */
  toString(): string {
    const groups = this.paramGroups.map(({ params: _, paramNames: __, ...values }, i) => {
      const lines = Object.entries(values)
        .sort(([a], [b]) => a < b ? -1 : 1)
        .map(([key, value]) => `    ${key}: ${value instanceof Tensor ? value.item() : value}\n`);
      return `Parameter Group ${i}\n${lines.join("")}`;
    });
    return `${this.#kind.name} (\n${groups.join("\n")})`;
  }

  /** @internal Shows the groups in Deno's console. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** @internal Shows the groups in Node's console. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

function addHook(hooks: Set<StepHook>, hook: StepHook): { remove(): void } {
  const entry: StepHook = (optimizer) => hook(optimizer);
  hooks.add(entry);
  return { remove: () => void hooks.delete(entry) };
}
