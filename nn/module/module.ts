/**
 * The module: a tree of layers with its parameters, buffers and mode.
 */
import type { Tensor, TensorJson } from "../../autograd/mod.ts";
import {
  assertFunction,
  assertOptions,
  describe,
  heldGradOf,
  kindOf,
  type Known,
  refuseKind,
} from "../../autograd/internal.ts";
import { deepCopy } from "./deep_copy.ts";
import { addHook, type ForwardHook, type ForwardPreHook, guardForward } from "./forward.ts";
import type { Absorbable, Joined } from "./joining.ts";
import { Registry } from "./registry.ts";
import { pythonModule } from "./repr.ts";
import {
  copyState,
  entriesOf,
  entriesOfModule,
  join,
  type LoadResult,
  StateDict,
  type StateSource,
  versionIn,
} from "./state_dict.ts";

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

/**
 * Base of all layers and networks. `Module<[x: Tensor], Tensor>` is one that takes a tensor and returns
 * one; left out, the types of `forward` are open.
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
// deno-lint-ignore no-explicit-any -- layers differ in what they take and return.
export class Module<Inputs extends any[] = any[], Output = any> {
  /** The class's name in errors and printed texts, also where a minifier has changed `name`. */
  static readonly kind: string = "Module";
  /**
   * @internal Whether its forward neither keeps what it is given nor returns anything that somebody else holds. A
   * class speaks for itself alone: what a subclass inherits does not count.
   */
  static readonly keepsNothing: boolean = false;

  /** Whether the module is in training mode; set by `train()` and `eval()`. */
  training = true;
  private readonly ownRegistry = new Registry(this);
  /** The submodules that were registered, by name; containers keep theirs here. */
  protected readonly registeredModules: Map<string, Module | null> = this.ownRegistry.modules;

  constructor() {
    guardForward(new.target);
  }

  /** Computes the output; every layer has its own. */
  forward(..._inputs: Inputs): Output {
    throw new TypeError(
      `Cannot run forward: ${kindOf(this)} has none, expected a class that overrides it`,
    );
  }

  /** @internal What it does, for a module before it that may do that in the same pass. */
  get absorbable(): Absorbable | null {
    return null;
  }

  /** @internal The output with that of modules behind it in a row, `null` where each has to run by itself. */
  forwardJoined(_x: unknown, _next: readonly Module[]): Joined | null {
    return null;
  }

  /**
   * Sets the mode of this module and of all below it.
   *
   * @throws {TypeError} if `mode` is not a boolean.
   */
  train(mode = true): this {
    if (typeof mode !== "boolean") refuseKind("set training", "mode", mode, "true or false");
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
   * @throws {TypeError} if the name is not a string or the value no tensor.
   * @throws {RangeError} if the name is empty, has a dot or is taken, or the value is not a leaf.
   */
  registerParameter<T extends Tensor | null>(name: string, value: T): T {
    this.ownRegistry.addTensor("parameter", name, value);
    return value;
  }

  /**
   * Registers state that is no parameter and returns it.
   *
   * @param name Its key in the state dict.
   * @param value A tensor, or `null` for a buffer that is absent by design.
   * @param options `persistent: false` keeps it out of the state dict.
   * @throws {TypeError} if the name is not a string or the value no tensor.
   * @throws {RangeError} if the name is empty, has a dot or is taken.
   */
  registerBuffer<T extends Tensor | null>(
    name: string,
    value: T,
    options: { readonly persistent?: boolean } = {},
  ): T {
    assertOptions("register a buffer", options, ["persistent"]);
    this.ownRegistry.addTensor("buffer", name, value, options.persistent ?? true);
    return value;
  }

  /**
   * Registers a submodule and returns it; one in a public field needs no registration.
   *
   * @throws {TypeError} if the name is not a string or the value no module.
   * @throws {RangeError} if the name is empty, has a dot or is taken.
   */
  registerModule<T extends Module | null>(name: string, value: T): T {
    this.ownRegistry.checkName("module", name);
    if (value !== null && !(value instanceof Module)) {
      refuseKind(`register module ${name}`, "value", value, "a Module or null");
    }
    this.registeredModules.set(name, value);
    this.ownRegistry.notePlace(name);
    return value;
  }

  /**
   * Puts another module in the place of a direct submodule.
   *
   * @throws {RangeError} if there is none of that name.
   */
  replaceModule(name: string, replacement: Module): void {
    if (!this.childEntries().some(([key]) => key === name)) {
      throw new RangeError(
        `Cannot replace module ${describe(name)}: ${
          kindOf(this)
        } has none of that name, expected ` +
          `one of its children's`,
      );
    }
    this.ownRegistry.replaceModule(name, replacement);
  }

  /** The direct submodules with their names; one that is held twice is listed once. */
  namedChildren(): [string, Module][] {
    return eachOnce(this.childEntries());
  }

  /** The direct submodules with their names; one that is held twice under both. */
  protected childEntries(): [string, Module][] {
    return [...this.ownRegistry.ownModules(Module)];
  }

  /** The direct submodules. */
  children(): Module[] {
    return this.namedChildren().map(([, child]) => child);
  }

  /** This module, named `""`, and all below it, depth first. */
  namedModules(options: Omit<NamedOptions, "recurse"> = {}): [string, Module][] {
    assertOptions("list modules", options, ["prefix", "removeDuplicate"]);
    const { removeDuplicate = true } = options;
    const seen = new Set<Module>();
    const list: [string, Module][] = [];
    const visit = (name: string, module: Module): void => {
      if (removeDuplicate && seen.has(module)) return;
      seen.add(module);
      list.push([name, module]);
      for (const [key, child] of module.childEntries()) visit(join(name, key), child);
    };
    visit(withoutDot(options.prefix), this);
    return list;
  }

  /** This module and all below it, depth first. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** The parameters with their dotted names, in registration order; a shared one once. */
  namedParameters(options: NamedOptions = {}): [string, Tensor][] {
    return this.collect("parameter", options);
  }

  /** The parameters, in registration order; a shared one once. */
  parameters(options: { readonly recurse?: boolean } = {}): Tensor[] {
    return this.namedParameters(options).map(([, parameter]) => parameter);
  }

  /** The buffers with their dotted names, those that are not persistent included. */
  namedBuffers(options: NamedOptions = {}): [string, Tensor][] {
    return this.collect("buffer", options);
  }

  /** The buffers, those that are not persistent included. */
  buffers(options: { readonly recurse?: boolean } = {}): Tensor[] {
    return this.namedBuffers(options).map(([, buffer]) => buffer);
  }

  /** @internal */
  private collect(kind: "parameter" | "buffer", options: NamedOptions): [string, Tensor][] {
    assertOptions("list tensors", options, NAMED);
    const { recurse = true, removeDuplicate = true } = options;
    const prefix = withoutDot(options.prefix);
    const modules: [string, Module][] = recurse
      ? this.namedModules({ prefix, removeDuplicate })
      : [[prefix, this]];
    const list: [string, Tensor][] = [];
    for (const [path, { ownRegistry }] of modules) {
      for (const [name, value] of ownRegistry.ownTensors(kind)) {
        list.push([join(path, name), value]);
      }
    }
    return removeDuplicate ? eachOnce(list) : list;
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
    for (const [path, module] of this.namedModules({ ...options, removeDuplicate: false })) {
      state.metadata.set(path, { version: module.stateVersion() });
      for (const [name, value] of module.ownRegistry.ownState()) {
        state.set(join(path, name), value.detach());
      }
    }
    return state;
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
    const modules = this.namedModules({ removeDuplicate: false });
    const undo = modules.map(([path, module]) => module.beforeLoad(entriesOfModule(source, path)));
    try {
      const places = modules.flatMap(([path, module]) => {
        const optional = module.optionalKeys(versionIn(source, path));
        return Array.from(module.ownRegistry.ownState(), ([name, target]) => ({
          key: join(path, name),
          target,
          isOptional: optional.includes(name),
        }));
      });
      return copyState(kindOf(this), places, source, options.strict ?? true);
    } catch (error) {
      for (const undoOne of undo) undoOne?.();
      throw error;
    }
  }

  /** Calls `fn` with every module, children first, and returns this one. */
  apply(fn: (module: Module) => void): this {
    assertFunction(`apply to ${kindOf(this)}`, fn, "fn");
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
    assertHook("register a forward hook", hook, arguments.length);
    return addHook(this, "after", hook);
  }

  /**
   * Calls `hook(module, inputs)` before each forward; what it returns, if anything, takes the inputs'
   * place: a list of them, or the only one.
   *
   * @returns A handle whose `remove()` takes the hook off.
   */
  registerForwardPreHook(hook: ForwardPreHook): { remove(): void } {
    assertHook("register a forward pre-hook", hook, arguments.length);
    return addHook(this, "before", hook);
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
    return deepCopy(this, Module.prototype.deepCopy);
  }

  /** What `JSON.stringify` writes: the state dict, which {@linkcode loadStateDict} takes back. */
  toJSON(): Record<string, TensorJson> {
    return this.stateDict().toJSON();
  }

  /** @internal Looks at the fields once, before the first forward. */
  noticeFields(): void {
    this.ownRegistry.noticeFields(Module);
  }

  /** What stands between the parentheses in `toString()`. */
  extraRepr(): string {
    return "";
  }

  /** The tree of modules in PyTorch's layout. */
  toString(): string {
    const children = this.childEntries().map(([name, child]) => `(${name}): ${child}`);
    return pythonModule(kindOf(this), this.extraRepr(), children);
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

/** PyTorch's prefixes end with a dot where names are joined here. */
function withoutDot(prefix: string | undefined): string {
  return (prefix ?? "").replace(/\.$/, "");
}

/** The entries without those whose value came before. */
function eachOnce<T>(entries: [string, T][]): [string, T][] {
  const seen = new Set<T>();
  return entries.filter(([, value]) => !seen.has(value) && seen.add(value));
}

function assertHook(action: string, hook: unknown, given: number): void {
  assertFunction(action, hook, "hook");
  if (given > 1) {
    throw new TypeError(`Cannot ${action}: got ${given} arguments, expected the hook alone`);
  }
}

/** Clears one gradient; shared with the optimizers. */
export function clearGrad(parameter: Tensor, setToNone: boolean): void {
  if (heldGradOf(parameter) === null) return;
  if (setToNone) {
    parameter.grad = null;
  } else {
    parameter.grad = parameter.grad!.detach();
    parameter.grad.copy_(0);
  }
}
