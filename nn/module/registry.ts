/**
 * What a module owns: what was registered under a name, and what its public fields hold.
 */
import { describe, kindOf, refuse, refuseKind, warnOnce } from "../../autograd/internal.ts";
import { Tensor } from "../../autograd/mod.ts";
import type { Module } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";

type Registered<T> = ReadonlyMap<string, T | null>;

/** The kinds of tensors, and the class that a public field declares each by. */
const TENSORS = { parameter: Parameter, buffer: Buffer } as const;
type TensorKind = keyof typeof TENSORS;

/**
 * The registrations of one module.
 *
 * A name reads and follows the field of that name, or of its camelCase, where the module has one: a
 * field set to `null` leaves the state.
 */
export class Registry {
  private readonly tensors = {
    parameter: new Map<string, Tensor | null>(),
    buffer: new Map<string, Tensor | null>(),
  };
  /** Names of the registered buffers that are not persistent. */
  private readonly transient = new Set<string>();
  /** What kind of tensor a public field has held: an assignment does not change it. */
  private readonly seen = new Map<string, TensorKind>();
  /** How many fields there were when a name was registered: its place among them. */
  private readonly fieldsBefore = new Map<string, number>();
  /** The registered submodules. */
  readonly modules: Map<string, Module | null> = new Map();
  private readonly fields: Record<string, unknown>;
  private noticed = false;

  constructor(owner: Module) {
    this.fields = owner as unknown as Record<string, unknown>;
  }

  /** Refuses a name that is empty, has a dot or is taken. */
  checkName(kind: string, name: string): void {
    if (typeof name !== "string") refuseKind(`register a ${kind}`, "name", name, "a string");
    if (name === "" || name.includes(".")) {
      refuse(`register a ${kind}`, `name "${name}"`, "one that is not empty and has no dot");
    }
    const taken = this.registries().some((registry) => registry.has(name));
    if (taken || this.fields[name] !== undefined) {
      throw new RangeError(
        `Cannot register a ${kind}: the name "${name}" is taken, expected a new one`,
      );
    }
    const held = this.fields[camelCase(name)];
    if (kind !== "module" && held !== undefined && held !== null && !(held instanceof Tensor)) {
      refuse(
        `register a ${kind}`,
        `name "${name}", whose field ${camelCase(name)} holds ${describe(held)}`,
        "a name whose field is free",
      );
    }
  }

  addTensor(kind: TensorKind, name: string, value: Tensor | null, persistent = true): void {
    this.checkName(kind, name);
    if (value !== null && !(value instanceof Tensor)) {
      refuseKind(`register ${kind} ${name}`, "value", value, "a Tensor or null");
    }
    if (kind === "parameter" && value !== null) {
      if (!value.isLeaf) {
        refuse(`register parameter ${name}`, "a tensor that an operation made", "a leaf");
      }
      if (!(value instanceof Parameter)) value.requiresGrad_();
    }
    this.tensors[kind].set(name, value);
    if (!persistent) this.transient.add(name);
    this.notePlace(name);
  }

  /** Notes where among the fields a name was registered. */
  notePlace(name: string): void {
    this.fieldsBefore.set(name, Object.keys(this.fields).length);
  }

  /** Notes what the public fields hold, and warns of modules that nobody can find. */
  noticeFields(moduleClass: typeof Module): void {
    if (this.noticed) return;
    this.noticed = true;
    for (const [name, value] of Object.entries(this.fields)) {
      for (const kind of ["parameter", "buffer"] as const) this.declares(kind, name, value);
    }
    warnOfHiddenModules(this.fields as unknown as Module, moduleClass);
  }

  /** Puts a submodule in the place of the one of that name. */
  replaceModule(name: string, replacement: Module): void {
    const field = this.fieldOf(name);
    if (field !== null) this.fields[field] = replacement;
    if (this.modules.has(name)) this.modules.set(name, replacement);
  }

  /** The submodules; the class is handed in, since its file imports this one. */
  ownModules(kind: typeof Module): Iterable<[string, Module]> {
    return this.own<Module>(this.modules, (_, value) => canBeAsked(value) && value instanceof kind);
  }

  /** The parameters and the persistent buffers. */
  *ownState(): Iterable<[string, Tensor]> {
    yield* this.ownTensors("parameter");
    for (const [name, buffer] of this.ownTensors("buffer")) {
      const persistent = this.tensors.buffer.has(name)
        ? !this.transient.has(name)
        : !(buffer instanceof Buffer) || buffer.persistent;
      if (persistent) yield [name, buffer];
    }
  }

  /** The tensors of one kind, after a look at what has been assigned to their fields. */
  *ownTensors(kind: TensorKind): Iterable<[string, Tensor]> {
    const registered: Registered<Tensor> = this.tensors[kind];
    const holds = (name: string, value: unknown): boolean =>
      this.declares(kind, name, value) ||
      (this.seen.get(name) === kind && canBeAsked(value) && value instanceof Tensor);
    for (const [name, value] of this.own<Tensor>(registered, holds)) {
      const fits = value instanceof Tensor &&
        (kind === "buffer" || value === registered.get(name) || trains(value));
      if (!fits) {
        const expected = kind === "buffer"
          ? "a Tensor or null"
          : "a Parameter or null; to change the values, use copy_ under noGrad";
        throw new TypeError(
          `Cannot list ${kind}s: got ${describe(value)} assigned to ${name}, expected ${expected}`,
        );
      }
      yield [name, value];
    }
  }

  /** Whether what a field holds makes it one of that kind, which is noted. */
  private declares(kind: TensorKind, field: string, value: unknown): boolean {
    const declared = canBeAsked(value) && value instanceof TENSORS[kind];
    if (declared) this.seen.set(field, kind);
    return declared;
  }

  /**
   * What registered names hold now, and the public fields that no name covers, in the order in which they
   * came.
   */
  private own<T>(
    registered: Registered<T>,
    holds: (name: string, value: unknown) => boolean,
  ): Iterable<[string, T]> {
    const covered = new Set<string | null>();
    const found: [place: number, name: string, value: T][] = [];
    for (const registry of this.registries()) {
      for (const [name, given] of registry) {
        const field = this.fieldOf(name);
        covered.add(field);
        const value = (field === null ? given : this.fields[field]) as T | null | undefined;
        if (registry !== registered || value === null || value === undefined) continue;
        found.push([this.fieldsBefore.get(name) ?? 0, name, value]);
      }
    }
    Object.keys(this.fields).forEach((name, i) => {
      if (covered.has(name) || !holds(name, this.fields[name])) return;
      // Behind what was registered before this field came.
      found.push([i + 0.5, name, this.fields[name] as T]);
    });
    found.sort(([a], [b]) => a - b);
    return found.map(([, name, value]) => [name, value]);
  }

  private registries(): Registered<unknown>[] {
    return [this.tensors.parameter, this.tensors.buffer, this.modules];
  }

  /** The field that a registered name reads: its own name or the camelCase of it. */
  private fieldOf(name: string): string | null {
    if (Object.hasOwn(this.fields, name)) return name;
    const camel = camelCase(name);
    return Object.hasOwn(this.fields, camel) ? camel : null;
  }
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Whether a tensor may stand in the place of a parameter. */
function trains(value: Tensor): boolean {
  return value instanceof Parameter || (value.isLeaf && value.requiresGrad);
}

/** No network is a list of so many modules; a longer one holds data. */
const MOST_ITEMS = 100_000;

/** Whether a value can be asked what it is: a proxy that was revoked cannot. */
function canBeAsked(value: unknown): boolean {
  try {
    Array.isArray(value);
    return true;
  } catch {
    return false;
  }
}

/** Modules in arrays, maps and plain objects: neither trained, nor saved, nor switched to evaluation. */
function warnOfHiddenModules(owner: Module, kind: typeof Module): void {
  let known: Set<Module> | null = null;
  for (const [field, value] of Object.entries(owner)) {
    if (!canBeAsked(value) || (Array.isArray(value) && value.length > MOST_ITEMS)) continue;
    const items: readonly unknown[] = Array.isArray(value)
      ? value.flat()
      : value instanceof Map || value instanceof Set
      ? [...value.values()]
      : isPlainObject(value)
      ? Object.values(value)
      : [];
    for (const item of items) {
      if (!canBeAsked(item) || !(item instanceof kind)) continue;
      known ??= new Set(owner.modules());
      if (known.has(item)) continue;
      warnOnce(
        owner,
        "module-in-plain-container",
        `${kindOf(owner)} holds a ${
          kindOf(item)
        } in its plain field ${field}, where parameters(), ` +
          `stateDict() and train() do not find it; hold it in a ModuleList or ModuleDict.`,
      );
    }
  }
}

function isPlainObject(value: unknown): value is object {
  return Object.prototype.toString.call(value) === "[object Object]" &&
    Object.getPrototypeOf(value) === Object.prototype;
}
