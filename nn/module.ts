/**
 * The module: a tree of layers with its parameters, buffers and mode.
 */
import { Tensor } from "../autograd/mod.ts";
import { assertOptions, type Known } from "../autograd/ops/options.ts";
import { deepCopy, HookSet } from "./deep_copy.ts";
import { Buffer, Parameter } from "./parameter.ts";
import {
  entriesBelow,
  entriesOf,
  type LoadPlace,
  type LoadResult,
  loadState,
  StateDict,
  type StateSource,
} from "./state_dict.ts";

/** Sees a module's inputs and output after each forward and may return another output. */
// deno-lint-ignore no-explicit-any -- a hook serves modules of every signature.
export type ForwardHook = (module: Module, inputs: any[], output: any) => any;

/** Sees a module's inputs before each forward and may return others, as a list. */
// deno-lint-ignore no-explicit-any -- a hook serves modules of every signature.
export type ForwardPreHook = (module: Module, inputs: any[]) => any[] | void;

/** How the named listings walk. */
export interface NamedOptions {
  /** Put before every name. */
  readonly prefix?: string;
  /** Whether submodules are included. */
  readonly recurse?: boolean;
  /** Whether a tensor or module that is reached twice is listed once. */
  readonly removeDuplicate?: boolean;
}

const NAMED: Known<NamedOptions> = ["prefix", "recurse", "removeDuplicate"];

interface BufferEntry {
  readonly value: Tensor | null;
  readonly persistent: boolean;
}

type Fields = Record<string, unknown>;

/** Forwards that are fields of their modules, while hooks stand in front of them. */
const fieldForwards = new WeakMap<Module, PropertyDescriptor>();

/**
 * Base of all layers and networks.
 *
 * Parameters, buffers and submodules are found in two ways: what `registerParameter`,
 * `registerBuffer` and `registerModule` were told, under the name given there, and public fields that
 * hold a `Module`, a `Parameter` or a `Buffer`. A registered name like `running_mean` reads and
 * follows the field `runningMean`: a field set to `null` leaves the state.
 *
 * @example
 * ```ts
 * import { nn, type Tensor, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * class Net extends nn.Module {
 *   fc1 = new nn.Linear(4, 3);
 *   bn1 = new nn.BatchNorm1d(3);
 *   override forward(x: Tensor): Tensor {
 *     return this.bn1.forward(this.fc1.forward(x)).relu();
 *   }
 * }
 *
 * const net = new Net();
 * assertEquals(net.forward(zeros([8, 4])).shape, [8, 3]);
 * assertEquals([...net.stateDict().keys()].slice(0, 3), ["fc1.weight", "fc1.bias", "bn1.weight"]);
 * ```
 */
export class Module {
  /** Whether the module is in training mode; set by `train()` and `eval()`. */
  training = true;
  private readonly registeredParameters = new Map<string, Tensor | null>();
  private readonly registeredBuffers = new Map<string, BufferEntry>();
  /** The submodules that were registered, by name; containers keep theirs here. */
  protected readonly registeredModules: Map<string, Module | null> = new Map();
  private readonly hooks = new HookSet<ForwardHook>();
  private readonly preHooks = new HookSet<ForwardPreHook>();

  /** Computes the output; every layer has its own. */
  // deno-lint-ignore no-explicit-any -- layers differ in what they take and return.
  forward(..._inputs: any[]): any {
    throw new TypeError(
      `Cannot run forward: ${this.constructor.name} has none, expected a class that overrides it`,
    );
  }

  /**
   * Sets the mode of this module and of all below it.
   *
   * @throws {TypeError} if `mode` is no boolean.
   */
  train(mode = true): this {
    if (typeof mode !== "boolean") {
      throw new TypeError(
        `Cannot set training: got mode ${String(mode)}, expected true or false`,
      );
    }
    this.setMode(mode);
    for (const child of this.children()) child.train(mode);
    return this;
  }

  /** @internal Sets the mode of this module alone. */
  setMode(mode: boolean): void {
    this.training = mode;
  }

  /** @internal The mode that was asked for; where something holds it, `training` is another. */
  requestedMode(): boolean {
    return this.training;
  }

  /** Sets evaluation mode: `train(false)`. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Registers a parameter under a name and returns it, with requiresGrad set.
   *
   * @param name Its key in the state dict; may be PyTorch's snake_case of the field that holds it.
   * @param value A leaf, or `null` for a parameter that is absent by design.
   * @throws {TypeError} if the name is no string or the value no tensor.
   * @throws {RangeError} if the name is empty, has a dot or is taken, or the value is no leaf.
   */
  registerParameter<T extends Tensor | null>(name: string, value: T): T {
    this.checkName("parameter", name);
    if (value !== null) {
      checkTensor("parameter", name, value);
      if (!value.isLeaf) {
        throw new RangeError(
          `Cannot register parameter ${name}: got a tensor that an operation made, expected a leaf`,
        );
      }
      if (!(value instanceof Parameter)) value.requiresGrad_();
    }
    this.registeredParameters.set(name, value);
    return value;
  }

  /**
   * Registers state that is no parameter and returns it.
   *
   * @param name Its key in the state dict.
   * @param value A tensor, or `null` for a buffer that is absent by design.
   * @param options `persistent: false` keeps it out of the state dict.
   * @throws {TypeError} if the name is no string or the value no tensor.
   * @throws {RangeError} if the name is empty, has a dot or is taken.
   */
  registerBuffer<T extends Tensor | null>(
    name: string,
    value: T,
    options: { readonly persistent?: boolean } = {},
  ): T {
    assertOptions("register a buffer", options, ["persistent"]);
    this.checkName("buffer", name);
    if (value !== null) checkTensor("buffer", name, value);
    this.registeredBuffers.set(name, { value, persistent: options.persistent ?? true });
    return value;
  }

  /**
   * Registers a submodule and returns it; one in a public field needs no registration.
   *
   * @throws {TypeError} if the name is no string or the value no module.
   * @throws {RangeError} if the name is empty, has a dot or is taken.
   */
  registerModule<T extends Module | null>(name: string, value: T): T {
    this.checkName("module", name);
    if (value !== null && !(value instanceof Module)) {
      throw new TypeError(
        `Cannot register module ${name}: got ${typeof value}, expected a Module or null`,
      );
    }
    this.registeredModules.set(name, value);
    return value;
  }

  /**
   * Puts another module in the place of a direct submodule.
   *
   * @throws {RangeError} if there is none of that name.
   */
  replaceModule(name: string, replacement: Module): void {
    const field = fieldOf(this, name);
    if (!this.childEntries().some(([key]) => key === name)) {
      throw new RangeError(
        `Cannot replace module ${name}: ${this.constructor.name} has none of that name`,
      );
    }
    if (field !== null) (this as unknown as Fields)[field] = replacement;
    if (this.registeredModules.has(name)) this.registeredModules.set(name, replacement);
  }

  /** @internal */
  private checkName(kind: string, name: string): void {
    if (typeof name !== "string") {
      throw new TypeError(`Cannot register a ${kind}: got name ${String(name)}, expected a string`);
    }
    if (name === "" || name.includes(".")) {
      throw new RangeError(
        `Cannot register a ${kind}: got name "${name}", expected one that is not empty and has no dot`,
      );
    }
    const taken = this.registeredParameters.has(name) || this.registeredBuffers.has(name) ||
      this.registeredModules.has(name) || (this as unknown as Fields)[name] !== undefined;
    if (taken) {
      throw new RangeError(
        `Cannot register a ${kind}: the name "${name}" is taken, expected a new one`,
      );
    }
  }

  /** What a registered name holds now: its field's value where there is a field. */
  private current<T>(name: string, registered: T): T {
    const field = fieldOf(this, name);
    return field === null ? registered : (this as unknown as Fields)[field] as T;
  }

  /** Public fields of a class that no registered name covers. */
  private *looseFields<T>(kind: abstract new (...args: never[]) => T): Iterable<[string, T]> {
    const covered = new Set<string | null>();
    const registries = [this.registeredParameters, this.registeredBuffers, this.registeredModules];
    for (const registry of registries) {
      for (const name of registry.keys()) covered.add(fieldOf(this, name));
    }
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof kind && !covered.has(name)) yield [name, value];
    }
  }

  /** @internal */
  private *ownParameters(): Iterable<[string, Tensor]> {
    for (const [name, registered] of this.registeredParameters) {
      const value = this.current(name, registered);
      if (value) yield [name, value];
    }
    yield* this.looseFields(Parameter);
  }

  /** @internal */
  private *ownBuffers(): Iterable<[string, Tensor, persistent: boolean]> {
    for (const [name, { value: registered, persistent }] of this.registeredBuffers) {
      const value = this.current(name, registered);
      if (value) yield [name, value, persistent];
    }
    for (const [name, value] of this.looseFields(Buffer)) yield [name, value, value.persistent];
  }

  /** The direct submodules with their names; one that is held twice is listed once. */
  namedChildren(): [string, Module][] {
    const seen = new Set<Module>();
    return this.childEntries().filter(([, child]) => !seen.has(child) && seen.add(child));
  }

  /** The direct submodules with their names; one that is held twice under both. */
  protected childEntries(): [string, Module][] {
    const entries: [string, Module][] = [];
    for (const [name, registered] of this.registeredModules) {
      const value = this.current(name, registered);
      if (value) entries.push([name, value]);
    }
    return [...entries, ...this.looseFields(Module)];
  }

  /** The direct submodules. */
  children(): Module[] {
    return this.namedChildren().map(([, child]) => child);
  }

  /** This module, named `""`, and all below it, depth first. */
  namedModules(options: Omit<NamedOptions, "recurse"> = {}): [string, Module][] {
    assertOptions("list modules", options, ["prefix", "removeDuplicate"]);
    const { prefix = "", removeDuplicate = true } = options;
    const seen = new Set<Module>();
    const list: [string, Module][] = [];
    const visit = (name: string, module: Module): void => {
      if (removeDuplicate && seen.has(module)) return;
      seen.add(module);
      list.push([name, module]);
      for (const [key, child] of module.childEntries()) visit(join(name, key), child);
    };
    visit(prefix, this);
    return list;
  }

  /** This module and all below it, depth first. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** The parameters with their dotted names, in registration order; a shared one once. */
  namedParameters(options: NamedOptions = {}): [string, Tensor][] {
    return this.collect(options, (module) => module.ownParameters());
  }

  /** The parameters, in registration order; a shared one once. */
  parameters(options: { readonly recurse?: boolean } = {}): Tensor[] {
    return this.namedParameters(options).map(([, parameter]) => parameter);
  }

  /** The buffers with their dotted names, those that are not persistent included. */
  namedBuffers(options: NamedOptions = {}): [string, Tensor][] {
    return this.collect(options, (module) => module.ownBuffers());
  }

  /** The buffers, those that are not persistent included. */
  buffers(options: { readonly recurse?: boolean } = {}): Tensor[] {
    return this.namedBuffers(options).map(([, buffer]) => buffer);
  }

  /** @internal */
  private collect(
    options: NamedOptions,
    own: (module: Module) => Iterable<[string, Tensor, boolean?]>,
  ): [string, Tensor][] {
    assertOptions("list tensors", options, NAMED);
    const { prefix = "", recurse = true, removeDuplicate = true } = options;
    const seen = new Set<Tensor>();
    const list: [string, Tensor][] = [];
    const modules: [string, Module][] = recurse
      ? this.namedModules({ prefix, removeDuplicate })
      : [[prefix, this]];
    for (const [path, module] of modules) {
      for (const [name, value] of own(module)) {
        if (removeDuplicate && seen.has(value)) continue;
        seen.add(value);
        list.push([join(path, name), value]);
      }
    }
    return list;
  }

  /** The version of the layout that this class writes into a state dict. */
  protected stateVersion(): number {
    return 1;
  }

  /** Own names that a state of that version (`null`: unknown) may lack; the values then stay. */
  protected optionalKeys(_version: number | null): readonly string[] {
    return [];
  }

  /**
   * Called before a state is loaded into the module, with the entries under its own names: the place
   * for a layer whose shapes are not known before. What it returns, if anything, is called to undo it
   * when the state does not fit.
   */
  protected beforeLoad(_own: ReadonlyMap<string, Tensor>): (() => void) | null {
    return null;
  }

  /**
   * The parameters and persistent buffers by dotted name, in registration order; a shared module
   * under each of its names. The tensors share their values with the module.
   */
  stateDict(options: { readonly prefix?: string } = {}): StateDict {
    assertOptions("take the state", options, ["prefix"]);
    const state = new StateDict();
    for (
      const [path, module] of this.namedModules({
        prefix: options.prefix ?? "",
        removeDuplicate: false,
      })
    ) {
      state.metadata.set(path, { version: module.stateVersion() });
      for (const [name, value] of module.ownState()) state.set(join(path, name), value.detach());
    }
    return state;
  }

  /** @internal */
  private *ownState(): Iterable<[string, Tensor]> {
    yield* this.ownParameters();
    for (const [name, value, persistent] of this.ownBuffers()) {
      if (persistent) yield [name, value];
    }
  }

  /**
   * Copies values into the parameters and buffers, in place, so that optimizers keep their hold.
   * Nothing is changed unless everything fits.
   *
   * @param state Tensors by dotted name; a `StateDict` carries versions, other maps do not.
   * @param options `strict: false` accepts names that are missing or unexpected.
   * @returns The names that did not match.
   * @throws {RangeError} with every fault in one message: missing and unexpected names (if strict),
   * shapes that differ (always).
   */
  loadStateDict(state: StateSource, options: { readonly strict?: boolean } = {}): LoadResult {
    assertOptions("load a state", options, ["strict"]);
    const source = entriesOf(state);
    const metadata = state instanceof StateDict ? state.metadata : null;
    const places: LoadPlace[] = [];
    const undo: (() => void)[] = [];
    for (const [path, module] of this.namedModules({ removeDuplicate: false })) {
      const prefix = path === "" ? "" : `${path}.`;
      const undoThis = module.beforeLoad(entriesBelow(source, prefix));
      if (undoThis !== null) undo.push(undoThis);
      const optional = module.optionalKeys(metadata?.get(path)?.version ?? null);
      places.push({ prefix, targets: module.ownState(), optional });
    }
    try {
      return loadState(this.constructor.name, places, source, options.strict ?? true);
    } catch (error) {
      for (const undoOne of undo) undoOne();
      throw error;
    }
  }

  /** Calls `fn` with every module, children first, and returns this one. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Clears the gradients of all parameters: to `null`, or to zeros with `setToNone: false`. */
  zeroGrad(options: { readonly setToNone?: boolean } = {}): void {
    assertOptions("clear gradients", options, ["setToNone"]);
    for (const parameter of this.parameters()) clearGrad(parameter, options.setToNone ?? true);
  }

  /** Sets whether all parameters collect gradients. */
  requiresGrad_(on = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(on);
    return this;
  }

  /**
   * Calls `hook(module, inputs, output)` after each forward; what it returns, if anything, takes the
   * output's place.
   *
   * @returns A handle whose `remove()` takes the hook off.
   */
  registerForwardHook(hook: ForwardHook): { remove(): void } {
    return this.hookInto(this.hooks, (module, inputs, output) => hook(module, inputs, output));
  }

  /**
   * Calls `hook(module, inputs)` before each forward; a list that it returns takes the inputs' place.
   *
   * @returns A handle whose `remove()` takes the hook off.
   */
  registerForwardPreHook(hook: ForwardPreHook): { remove(): void } {
    return this.hookInto(this.preHooks, (module, inputs) => hook(module, inputs));
  }

  /** @internal */
  private hookInto<T>(hooks: Set<T>, hook: T): { remove(): void } {
    // Callers call forward itself, so a module with hooks gets one of its own in front.
    if (this.hooks.size + this.preHooks.size === 0) {
      const field = Object.getOwnPropertyDescriptor(this, "forward");
      if (field !== undefined) fieldForwards.set(this, field);
      Object.defineProperty(this, "forward", {
        value: (...inputs: unknown[]) => this.forwardWithHooks(inputs),
        configurable: true,
        enumerable: false,
        writable: true,
      });
    }
    hooks.add(hook);
    return {
      remove: () => {
        if (!hooks.delete(hook) || this.hooks.size + this.preHooks.size > 0) return;
        const field = fieldForwards.get(this);
        fieldForwards.delete(this);
        if (field !== undefined) Object.defineProperty(this, "forward", field);
        else delete (this as { forward?: unknown }).forward;
      },
    };
  }

  /** @internal */
  private forwardWithHooks(given: unknown[]): unknown {
    let inputs = given;
    for (const hook of [...this.preHooks]) inputs = hook(this, inputs) ?? inputs;
    const { forward } = Object.getPrototypeOf(this) as Module;
    let output: unknown = (fieldForwards.get(this)?.value ?? forward).apply(this, inputs);
    for (const hook of [...this.hooks]) output = hook(this, inputs, output) ?? output;
    return output;
  }

  /**
   * A copy that shares nothing with this module: parameters, buffers, submodules (one that is shared
   * stays shared within the copy), modes and other fields; without hooks.
   *
   * Fields declared with `#` cannot be seen from here: a class that has some overrides this method,
   * for instance by making a new module and loading its state dict. Functions are shared.
   *
   * @throws {TypeError} if a module's `forward` is a field: the function would go on running the
   * original's layers.
   */
  deepCopy(): this {
    for (const [name, module] of this.namedModules()) {
      if (fieldForwards.has(module) || Object.keys(module).includes("forward")) {
        throw new TypeError(
          `Cannot deepCopy ${module.constructor.name}${name === "" ? "" : ` at ${name}`}: got a ` +
            `forward that is a field and belongs to the original, expected a method`,
        );
      }
    }
    return deepCopy(this);
  }

  /** What stands between the parentheses in `toString()`. */
  extraRepr(): string {
    return "";
  }

  /** The tree of modules in PyTorch's layout. */
  toString(): string {
    const children = this.childEntries().map(([name, child]) =>
      `  (${name}): ${child.toString().replaceAll("\n", "\n  ")}`
    );
    const extra = this.extraRepr();
    const name = this.constructor.name;
    if (children.length === 0) return `${name}(${extra})`;
    const lines = extra === "" ? children : [`  ${extra}`, ...children];
    return `${name}(\n${lines.join("\n")}\n)`;
  }

  /** @internal Shows the tree in Deno's console. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** @internal Shows the tree in Node's console. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Clears one gradient; shared with the optimizers. */
export function clearGrad(parameter: Tensor, setToNone: boolean): void {
  if (parameter.heldGrad === null) return;
  if (setToNone) {
    parameter.grad = null;
  } else {
    parameter.grad = parameter.grad!.detach();
    parameter.grad.copy_(0);
  }
}

function checkTensor(kind: string, name: string, value: unknown): void {
  if (!(value instanceof Tensor)) {
    throw new TypeError(
      `Cannot register ${kind} ${name}: got ${typeof value}, expected a Tensor or null`,
    );
  }
}

/** The field that a registered name reads: its own name or the camelCase of it. */
function fieldOf(module: Module, name: string): string | null {
  if (Object.hasOwn(module, name)) return name;
  const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return Object.hasOwn(module, camel) ? camel : null;
}

function join(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}
