/**
 * The base of all optimizers: groups, steps, and the state on disk.
 */
import { enableGrad, noGrad, Tensor } from "../autograd/mod.ts";
import {
  assertOptions,
  describe,
  formatShape,
  heldGradOf,
  kindOf,
  refuse,
  refuseKind,
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
  matchState,
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
  /** Its name, as errors and `toString()` show it; the class's by default. */
  readonly name?: string;
  /** The options with the values that they have when left out. */
  readonly defaults: Required<Options>;
  /**
   * What a parameter's state holds. By default what `initialState` returns: its numbers, and its tensors
   * of the parameter's shape. An entry that only some steps write has to be named as `optional`.
   */
  readonly state?: Partial<StateLayout>;
  /**
   * The class whose step keeps no hold of the gradient that it is given. Then nobody can tell when its
   * memory is used again, which is as soon as it is cleared. A subclass with a step of its own may
   * keep it.
   */
  readonly forgetsGradient?: () => { readonly prototype: object };
  /** Throws at the first hyperparameter that is out of range; by default checks that lr is at least 0. */
  check?(values: HyperparameterCheck, group: Required<Options>): void;
}

const NO_STATE: StateLayout = { tensors: [], optional: [], numbers: [] };

/** The layout of a state that nobody has described. */
function layoutOf(state: ParameterState, param: Tensor): StateLayout {
  const having = (test: (value: unknown) => boolean): string[] =>
    Object.keys(state).filter((key) => test(state[key]));
  return {
    tensors: having((value) => value instanceof Tensor && sameShape(value.shape, param.shape)),
    optional: [],
    numbers: having((value) => typeof value === "number"),
  };
}

/** Called before or after a step. */
export type StepHook = (optimizer: Optimizer) => void;

/**
 * Base of all optimizers: holds parameters in groups and moves them against their gradients.
 *
 * A subclass names its options in an {@linkcode OptimizerKind} and writes one parameter's step, off the
 * tape.
 *
 * @example
 * ```ts
 * import { optim, type Tensor, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * class SignSGD extends optim.Optimizer {
 *   constructor(params: Iterable<Tensor>, options: optim.LearningRate = {}) {
 *     super(params, options, { defaults: { lr: 0.01 } });
 *   }
 *   protected override update(param: Tensor, grad: Tensor, { lr }: { lr: optim.Scalar }): void {
 *     param.copy_(param.sub(grad.sign().mul(lr)));
 *   }
 * }
 *
 * const w = tensor([4, -4], { requiresGrad: true });
 * const optimizer = new SignSGD([w], { lr: 0.5 });
 * w.square().sum().backward();
 * optimizer.step();
 * assertEquals(w.toArray(), [3.5, -3.5]);
 * ```
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
  readonly #name: string;
  readonly #before = new Set<StepHook>();
  readonly #after = new Set<StepHook>();
  #stepCount = 0;

  /**
   * Checks the options and takes the parameters.
   *
   * @param params An iterable of tensors, of [name, tensor], or of groups `{ params, lr?, … }`.
   * @param options The hyperparameters of groups that name no others.
   * @param kind What the subclass is.
   * @throws {TypeError} for a wrong kind: no iterable, no tensor, an unknown option.
   * @throws {RangeError} for a wrong value: a hyperparameter out of range or NaN, no parameters, a
   * tensor that is not a leaf, or one that is listed twice.
   */
  constructor(params: Params<Options>, options: Options, kind: OptimizerKind<Options>) {
    if (typeof kind?.defaults !== "object" || kind.defaults === null) {
      refuseKind(`make ${kindOf(this)}`, "kind", kind, "one with defaults");
    }
    this.#kind = kind;
    this.#name = kind.name ?? kindOf(this);
    const action = `make ${this.#name}`;
    const given = readOptions(action, options, Object.keys(kind.defaults));
    this.defaults = { ...kind.defaults, ...given };
    this.#check(action, "", this.defaults);
    for (const group of toGroups(action, params)) this.#add(action, group);
  }

  #check(action: string, where: string, values: Required<Options>): void {
    const check = new HyperparameterCheck(action, where, values);
    if (this.#kind.check === undefined) check.atLeastZero("lr");
    else this.#kind.check(check, values);
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
    const action = `add a parameter group to ${this.#name}`;
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
    this.#check(action, where, values);
    for (const [i, other] of this.paramGroups.entries()) {
      const shared = params.findIndex((param) => other.params.includes(param));
      if (shared >= 0) {
        refuse(
          action,
          `params[${shared}] of shape ${
            formatShape(params[shared].shape)
          }${where}, which group ${i} holds too`,
          "every parameter in one group",
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

  /** The state that a parameter begins with; an empty one by default. */
  protected initialState(_param: Tensor, _group: ParamGroup<Options>): State {
    return {} as State;
  }

  /** Moves one parameter in place. Runs off the tape. */
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
   * @throws {TypeError} if `closure` is not a function, or a group holds a hyperparameter of a wrong kind.
   * @throws {RangeError} if a hyperparameter is out of range, or a gradient or a state has another shape
   * than its parameter. Nothing has moved when it throws.
   */
  step(): undefined;
  /** As above, with a closure that computes the gradients first. */
  step<T>(closure: () => T): T;
  step<T>(closure?: (() => T) | null): T | undefined {
    if (closure !== undefined && closure !== null && typeof closure !== "function") {
      refuseKind(`step ${this.#name}`, "closure", closure, "a function");
    }
    for (const hook of [...this.#before]) hook(this as unknown as Optimizer);
    const result = closure ? enableGrad(closure) : undefined;
    this.#checkStep();
    warnOfStep(this as unknown as Optimizer);
    const forgets = this.#forgetsGradient();
    const editor = `the step of ${this.#name}`;
    noGrad(() => {
      for (const group of this.paramGroups) {
        for (const param of group.params) {
          const grad = forgets ? heldGradOf(param) : param.grad;
          if (grad !== null) write(param, () => this.update(param, grad, group), editor);
        }
      }
    });
    noteStep(this as unknown as Optimizer);
    this.#stepCount++;
    for (const hook of [...this.#after]) hook(this as unknown as Optimizer);
    return result;
  }

  #forgetsGradient(): boolean {
    const forgetful: { update?: unknown } | undefined = this.#kind.forgetsGradient?.().prototype;
    return forgetful?.update === this.update;
  }

  /** Checks everything that a step reads before it moves anything. */
  #checkStep(): void {
    const action = `step ${this.#name}`;
    const outgrown: Tensor[] = [];
    for (const [i, group] of this.paramGroups.entries()) {
      this.#check(action, ` in group ${i}`, group as Required<Options>);
      for (let j = 0; j < group.params.length; j++) {
        const param = group.params[j];
        const grad = heldGradOf(param);
        if (grad === null) continue;
        if (!sameShape(grad.shape, param.shape)) {
          refuseShape(action, "gradient", grad, param, `params[${j}] in group ${i}`);
        }
        const held = this.#misshapen(param, group);
        if (held === null) continue;
        // A lazy layer's parameter was empty when its state was made.
        if (held.size === 0) outgrown.push(param);
        else refuseShape(action, "state", held, param, `params[${j}] in group ${i}`);
      }
    }
    for (const param of outgrown) this.state.delete(param);
  }

  /** A tensor of a parameter's state that has another shape than the parameter. */
  #misshapen(param: Tensor, group: ParamGroup<Options>): Tensor | null {
    const state = this.state.get(param);
    if (state === undefined) return null;
    const { shape } = param;
    for (const key in state) {
      const held: unknown = state[key];
      if (!(held instanceof Tensor) || held.shape === shape) continue;
      if (sameShape(held.shape, shape)) continue;
      const { tensors, optional } = this.#layoutOf(param, group);
      if (tensors.includes(key) || optional.includes(key)) return held;
    }
    return null;
  }

  #layoutOf(param: Tensor, group: ParamGroup<Options>): StateLayout {
    const { state } = this.#kind;
    return state === undefined
      ? layoutOf(this.initialState(param, group), param)
      : { ...NO_STATE, ...state };
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
   * Loads the hyperparameters and the state of a state dict, copying its tensors. Parameters are
   * matched by their order. Nothing is changed unless everything fits.
   *
   * A schedule of this optimizer has a state of its own and is loaded after it: its last rate is the one in
   * force.
   *
   * @param saved From `stateDict()` here or `state_dict()` in PyTorch, as objects or Maps.
   * @throws {TypeError} if it is not such a state.
   * @throws {RangeError} if groups, parameters, entries or shapes do not match, or if a
   * hyperparameter is out of range.
   */
  loadStateDict(saved: OptimizerStateDict): void {
    const action = `load the state of ${this.#name}`;
    const matched = matchState(action, saved, this.paramGroups);
    const groups = matched.groups.map((group, i) => {
      const { params, paramNames } = this.paramGroups[i];
      const values: Record<string, unknown> = { ...this.defaults };
      for (const [name, value] of Object.entries(group)) {
        const key = toCamelCase(name);
        if (key === "params" || key === "paramNames" || isImplementationOption(key)) continue;
        values[key] = snapshot(value as StateValue);
      }
      this.#check(action, ` in group ${i}`, values as Required<Options>);
      return { ...values, params, ...(paramNames === undefined ? {} : { paramNames }) };
    });
    const states = new Map<Tensor, State>();
    for (const { index, entry, param, group } of matched.states) {
      const state = unpackState(action, index, entry, param, this.#layoutOf(param, group));
      if (state !== null) states.set(param, state as State);
    }
    // The groups keep their identity; what the saved ones do not have, they lose.
    groups.forEach((values, i) => {
      const group = this.paramGroups[i] as Record<string, unknown>;
      for (const key of Object.keys(group)) if (!(key in values)) delete group[key];
      Object.assign(group, values);
    });
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
    return `${this.#name} (\n${groups.join("\n")})`;
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

function refuseShape(
  action: string,
  what: string,
  held: Tensor,
  param: Tensor,
  name: string,
): void {
  const [got, expected] = [held, param].map(({ shape }) => formatShape(shape));
  refuse(action, `a ${what} of shape ${got} for ${name}`, expected);
}
