/**
 * What a module owns: what was registered under a name, and what its public fields hold.
 */
import { Tensor } from "../../autograd/mod.ts";
import type { Module } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";

type Registered<T> = ReadonlyMap<string, T | null>;

/**
 * The registrations of one module.
 *
 * A name reads and follows the field of that name, or of its camelCase, where the module has one: a
 * field set to `null` leaves the state.
 */
export class Registry {
  private readonly parameters = new Map<string, Tensor | null>();
  private readonly buffers = new Map<string, Tensor | null>();
  /** Names of the registered buffers that are not persistent. */
  private readonly transient = new Set<string>();
  /** The registered submodules. */
  readonly modules: Map<string, Module | null> = new Map();
  private readonly fields: Record<string, unknown>;

  constructor(owner: Module) {
    this.fields = owner as unknown as Record<string, unknown>;
  }

  /** Refuses a name that is empty, has a dot or is taken. */
  checkName(kind: string, name: string): void {
    if (typeof name !== "string") {
      throw new TypeError(`Cannot register a ${kind}: got name ${String(name)}, expected a string`);
    }
    if (name === "" || name.includes(".")) {
      throw new RangeError(
        `Cannot register a ${kind}: got name "${name}", expected one that is not empty and has no dot`,
      );
    }
    const taken = this.registries().some((registry) => registry.has(name));
    if (taken || this.fields[name] !== undefined) {
      throw new RangeError(
        `Cannot register a ${kind}: the name "${name}" is taken, expected a new one`,
      );
    }
  }

  addParameter(name: string, value: Tensor | null): void {
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
    this.parameters.set(name, value);
  }

  addBuffer(name: string, value: Tensor | null, persistent: boolean): void {
    this.checkName("buffer", name);
    if (value !== null) checkTensor("buffer", name, value);
    this.buffers.set(name, value);
    if (!persistent) this.transient.add(name);
  }

  /** Puts a submodule in the place of the one of that name. */
  replaceModule(name: string, replacement: Module): void {
    const field = this.fieldOf(name);
    if (field !== null) this.fields[field] = replacement;
    if (this.modules.has(name)) this.modules.set(name, replacement);
  }

  ownParameters(): Iterable<[string, Tensor]> {
    return this.own<Tensor>(this.parameters, Parameter);
  }

  ownBuffers(): Iterable<[string, Tensor]> {
    return this.own<Tensor>(this.buffers, Buffer);
  }

  /** The submodules; the class is handed in, since its file imports this one. */
  ownModules(kind: typeof Module): Iterable<[string, Module]> {
    return this.own(this.modules, kind);
  }

  /** The parameters and the persistent buffers. */
  *ownState(): Iterable<[string, Tensor]> {
    yield* this.ownParameters();
    for (const [name, buffer] of this.ownBuffers()) {
      const persistent = this.buffers.has(name)
        ? !this.transient.has(name)
        : (buffer as Buffer).persistent;
      if (persistent) yield [name, buffer];
    }
  }

  /** What registered names hold now, then the public fields of a class that no name covers. */
  private *own<T>(
    registered: Registered<T>,
    kind: abstract new (...args: never[]) => T,
  ): Iterable<[string, T]> {
    const covered = new Set<string | null>();
    for (const registry of this.registries()) {
      for (const [name, given] of registry) {
        const field = this.fieldOf(name);
        covered.add(field);
        const value = (field === null ? given : this.fields[field]) as T | null;
        if (registry === registered && value) yield [name, value];
      }
    }
    for (const [name, value] of Object.entries(this.fields)) {
      if (value instanceof kind && !covered.has(name)) yield [name, value];
    }
  }

  private registries(): Registered<unknown>[] {
    return [this.parameters, this.buffers, this.modules];
  }

  /** The field that a registered name reads: its own name or the camelCase of it. */
  private fieldOf(name: string): string | null {
    if (Object.hasOwn(this.fields, name)) return name;
    const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    return Object.hasOwn(this.fields, camel) ? camel : null;
  }
}

function checkTensor(kind: string, name: string, value: unknown): void {
  if (!(value instanceof Tensor)) {
    throw new TypeError(
      `Cannot register ${kind} ${name}: got ${typeof value}, expected a Tensor or null`,
    );
  }
}
