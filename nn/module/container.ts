/**
 * Modules that hold modules.
 */
import type { Tensor } from "../../autograd/mod.ts";
import { assertIterable, describe, kindOf, refuse, show } from "../../autograd/internal.ts";
import { Passage } from "./joining.ts";
import { Module } from "./module.ts";
import { pythonModule } from "./repr.ts";

/** Modules by name: a record, a Map or pairs; their order is that of the container. */
export type NamedModules = Readonly<Record<string, Module>> | Iterable<readonly [string, Module]>;

function checkModule(container: Module, value: unknown): asserts value is Module {
  if (!(value instanceof Module)) refuseContent(container, value, "a Module");
}

function refuseContent(container: Module, value: unknown, expected: string): never {
  const action = `fill ${kindOf(container)}`;
  throw new TypeError(`Cannot ${action}: got ${describe(value)}, expected ${expected}`);
}

function namedEntries(container: Module, modules: NamedModules): [string, Module][] {
  const action = `fill ${kindOf(container)}`;
  if (typeof modules !== "object" || modules === null) {
    refuseContent(container, modules, "modules by name");
  }
  const isIterable = Symbol.iterator in modules;
  if (isIterable) assertIterable(action, modules, "modules", "[name, Module]");
  const pairs = isIterable
    ? [...modules as Iterable<readonly [string, Module]>]
    : Object.entries(modules);
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      refuseContent(container, pair, "pairs of a name and a Module");
    }
  }
  const [name] = pairs.find(([name]) => /^(0|[1-9]\d*)$/.test(name)) ?? [];
  if (name !== undefined && pairs.length > 1 && !isIterable) {
    const cause = "where names that are numbers come first whatever their place";
    refuse(action, `the name "${name}" in an object, ${cause}`, "a Map or pairs");
  }
  return pairs.map(([name, module]) => {
    checkModule(container, module);
    return [name, module];
  });
}

/** @internal What containers with positions have in common. */
abstract class ModuleRow extends Module {
  /** How many modules there are. */
  get length(): number {
    return this.registeredModules.size;
  }

  /** The modules in order; one that was added twice appears twice. */
  protected row(): Module[] {
    return this.childEntries().map(([, child]) => child);
  }

  /** Runs over the modules in order. */
  [Symbol.iterator](): IterableIterator<Module> {
    return this.row().values();
  }

  /**
   * The module at an index; a negative one counts from the end.
   *
   * @throws {RangeError} if there is none.
   */
  at(index: number): Module {
    const row = this.row();
    const found = Number.isInteger(index) ? row.at(index) : undefined;
    if (found !== undefined) return found;
    refuse(
      `take a module of ${kindOf(this)}`,
      `index ${show(index)}`,
      `one of ${-row.length} … ${row.length - 1}`,
    );
  }

  /**
   * Puts a module in the place of another.
   *
   * @throws {RangeError} if there is none. @throws {TypeError} if it is not a module.
   */
  set(index: number, module: Module): this {
    this.at(index);
    checkModule(this, module);
    const [name] = this.childEntries().at(index)!;
    this.registeredModules.set(name, module);
    return this;
  }

  /**
   * Adds a module at the end, named by its position.
   *
   * @throws {TypeError} if it is not a module.
   */
  append(module: Module): this {
    checkModule(this, module);
    this.registerModule(String(this.length), module);
    return this;
  }

  /**
   * Adds modules at the end.
   *
   * @throws {TypeError} if one is not a module.
   */
  extend(modules: Iterable<Module>): this {
    assertIterable(`fill ${kindOf(this)}`, modules, "modules", "Modules");
    const added = [...modules];
    // All are checked first: nothing has changed where one is refused.
    for (const module of added) checkModule(this, module);
    for (const module of added) this.append(module);
    return this;
  }
}

/**
 * Runs modules one after the other.
 *
 * Names are positions, or those given: `new Sequential({ conv: …, norm: … })`, or pairs.
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const net = new nn.Sequential(new nn.Linear(4, 3), new nn.ReLU(), new nn.Linear(3, 2));
 * assertEquals(net.forward(zeros([5, 4])).shape, [5, 2]);
 * assertEquals([...net.stateDict().keys()], ["0.weight", "0.bias", "2.weight", "2.bias"]);
 * ```
 */
export class Sequential<Inputs extends unknown[] = [x: Tensor], Output = Tensor> extends ModuleRow {
  /** @internal */ static override readonly kind: string = "Sequential";

  /**
   * Makes the layer.
   *
   * @param modules Modules in order, or one record, Map or list of pairs that names them.
   * @throws {TypeError} if something is not a module. @throws {RangeError} if a name is refused.
   */
  constructor(...modules: readonly Module[] | readonly [NamedModules]) {
    super();
    const [first] = modules;
    if (modules.length === 1 && !(first instanceof Module)) {
      for (const [name, module] of namedEntries(this, first)) this.registerModule(name, module);
    } else {
      this.extend(modules as readonly Module[]);
    }
  }

  /**
   * The last module's output. A row that takes or returns something other than one tensor says so:
   * `new Sequential<[index: number[]], Tensor>(new Embedding(9, 4))`.
   */
  override forward(...inputs: Inputs): Output {
    let values: unknown[] = inputs;
    const row = this.row();
    const passage = new Passage();
    for (let i = 0; i < row.length; i++) {
      const together = values.length === 1 && i + 1 < row.length
        ? row[i].forwardJoined(values[0], row.slice(i + 1, i + 3))
        : null;
      const output = together === null ? row[i].forward(...values) : together.output;
      passage.pass(row[i], values.length === 1 ? values[0] : null, output);
      values = [output];
      i += together?.taken ?? 0;
    }
    return values[0] as Output;
  }
}

/**
 * A list of modules, found by `parameters()` and the like; it has no forward.
 *
 * @example
 * ```ts
 * import { nn } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const list = new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2)]);
 * assertEquals(list.length, 2);
 * assertEquals([...list.stateDict().keys()], ["0.weight", "0.bias", "1.weight", "1.bias"]);
 * ```
 */
export class ModuleList extends ModuleRow {
  /** @internal */ static override readonly kind: string = "ModuleList";

  /**
   * Makes the layer.
   *
   * @param modules The modules.
   * @throws {TypeError} if one is not a module.
   */
  constructor(modules: Iterable<Module> = []) {
    super();
    this.extend(modules);
  }

  /** Neighbours that print alike share one line, as in PyTorch. */
  override toString(): string {
    const runs: { start: number; end: number; text: string }[] = [];
    for (const [i, module] of this.row().entries()) {
      const text = module.toString();
      const last = runs.at(-1);
      if (last?.text === text) last.end = i;
      else runs.push({ start: i, end: i, text });
    }
    const lines = runs.map(({ start, end, text }) =>
      start === end ? `(${start}): ${text}` : `(${start}-${end}): ${end - start + 1} x ${text}`
    );
    return pythonModule(kindOf(this), "", lines);
  }
}

/**
 * Modules by name, found by `parameters()` and the like; it has no forward.
 *
 * @example
 * ```ts
 * import { nn } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const heads = new nn.ModuleDict({ digits: new nn.Linear(4, 10), parity: new nn.Linear(4, 2) });
 * assertEquals([...heads.keys()], ["digits", "parity"]);
 * assertEquals(heads.get("parity").stateDict().get("weight")!.shape, [2, 4]);
 * ```
 */
export class ModuleDict extends Module {
  /** @internal */ static override readonly kind: string = "ModuleDict";

  /**
   * Makes the layer.
   *
   * @param modules A record, a Map or pairs.
   * @throws {TypeError} if something is not a module. @throws {RangeError} if a name is refused.
   */
  constructor(modules: NamedModules = {}) {
    super();
    this.update(modules);
  }

  /** How many modules there are. */
  get size(): number {
    return this.registeredModules.size;
  }

  /** Whether there is a module of this name. */
  has(name: string): boolean {
    return this.registeredModules.has(name);
  }

  /**
   * The module of this name.
   *
   * @throws {RangeError} if there is none.
   */
  get(name: string): Module {
    const found = this.registeredModules.get(name);
    if (!found) {
      refuse(
        "take a module of ModuleDict",
        `name ${show(name)}`,
        `one of ${[...this.keys()].join(", ")}`,
      );
    }
    return found;
  }

  /**
   * Adds a module, or puts it in the place of the one of this name.
   *
   * @throws {TypeError} if it is not a module. @throws {RangeError} if the name is refused.
   */
  set(name: string, module: Module): this {
    checkModule(this, module);
    if (this.has(name)) this.registeredModules.set(name, module);
    else this.registerModule(name, module);
    return this;
  }

  /** Adds modules by name, or replaces those of the same names. */
  update(modules: NamedModules): this {
    for (const [name, module] of namedEntries(this, modules)) this.set(name, module);
    return this;
  }

  /** Takes a module out; whether there was one. */
  delete(name: string): boolean {
    return this.registeredModules.delete(name);
  }

  /** The names in order. */
  keys(): IterableIterator<string> {
    return this.registeredModules.keys();
  }

  /** The modules in order. */
  values(): IterableIterator<Module> {
    return this.childEntries().map(([, module]) => module).values();
  }

  /** Names and modules in order. */
  entries(): IterableIterator<[string, Module]> {
    return this.childEntries().values();
  }

  /** Names and modules in order. */
  [Symbol.iterator](): IterableIterator<[string, Module]> {
    return this.entries();
  }
}
