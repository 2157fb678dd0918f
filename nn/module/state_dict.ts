/**
 * The state of a tree of modules: taken, and loaded in one go or not at all.
 */
import { assertIterable, describe, show } from "../../autograd/internal.ts";
import { noGrad, Tensor, tensor, type TensorJson } from "../../autograd/mod.ts";
import { causing } from "./cause.ts";

/** A module's own remark in a state dict. */
export interface ModuleMetadata {
  /** The version of the layout that the module wrote. */
  readonly version: number;
}

/**
 * Puts tensors into a map by name.
 *
 * @throws {TypeError} if the entries are not pairs of a name and a tensor.
 */
export function putTensors(
  action: string,
  map: Map<string, Tensor>,
  entries: Iterable<readonly [string, Tensor]>,
): void {
  assertIterable(action, entries, "entries", "[name, Tensor]");
  for (const entry of entries) {
    if (Array.isArray(entry) && typeof entry[0] === "string" && entry[1] instanceof Tensor) {
      map.set(entry[0], entry[1]);
      continue;
    }
    throw new TypeError(
      `Cannot ${action}: got an entry ${describe(entry)}, expected a name and a Tensor`,
    );
  }
}

/** Tensors by dotted name in registration order, with a version for each module. */
export class StateDict extends Map<string, Tensor> {
  /** By dotted module name, `""` for the module that was asked. */
  readonly metadata: Map<string, ModuleMetadata> = new Map();

  /**
   * Holds tensors.
   *
   * @param entries Tensors by name, in order.
   * @throws {TypeError} if they are not pairs of a name and a tensor.
   */
  constructor(entries: Iterable<readonly [string, Tensor]> | null = null) {
    super();
    if (entries !== null) putTensors("make a StateDict", this, entries);
  }

  /** A copy whose tensors share nothing with these. */
  clone(): StateDict {
    const copy = new StateDict();
    for (const [name, value] of this) copy.set(name, noGrad(() => value.clone()));
    for (const [name, { version }] of this.metadata) copy.metadata.set(name, { version });
    return copy;
  }

  /**
   * What `JSON.stringify` writes, an object by name, which `loadStateDict` takes back.
   *
   * @throws {RangeError} if a tensor is too large for JSON: see `Tensor.toJSON`.
   */
  toJSON(): Record<string, TensorJson> {
    return Object.fromEntries([...this].map(([name, value]) => [name, value.toJSON()]));
  }
}

/** What a module can be loaded from; without metadata, as from a file, versions count as unknown. */
export type StateSource =
  | StateDict
  | ReadonlyMap<string, Tensor>
  | Readonly<Record<string, Tensor | TensorJson>>;

/** What `loadStateDict` found with `strict: false`. */
export interface LoadResult {
  /** Names that the module has and the state lacks. */
  readonly missingKeys: string[];
  /** Names that the state has and the module lacks. */
  readonly unexpectedKeys: string[];
}

/** A module, as {@linkcode takeState} and {@linkcode loadState} see it. */
export interface StatePlace {
  /** Its dotted name; `""` for the module that was asked. */
  readonly path: string;
  /** The version of the layout that it writes. */
  readonly version: number;
  /** Its own parameters and persistent buffers. */
  tensors(): Iterable<[string, Tensor]>;
  /** Own names that a state of that version may lack. */
  optionalKeys(version: number | null): readonly string[];
  /** Makes ready for the entries under its own names; what it returns undoes that. */
  beforeLoad(own: ReadonlyMap<string, Tensor>): (() => void) | null;
}

/** The dotted name of what a module calls `name`. */
export function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** The tensors of modules, off the tape, and the versions of their layouts. */
export function takeState(places: readonly StatePlace[]): StateDict {
  const state = new StateDict();
  for (const place of places) {
    state.metadata.set(place.path, { version: place.version });
    for (const [name, value] of place.tensors()) state.set(join(place.path, name), value.detach());
  }
  return state;
}

/** Copies a state into modules, or, if anything does not fit, says everything that does not. */
export function loadState(
  className: string,
  places: readonly StatePlace[],
  state: StateSource,
  strict: boolean,
): LoadResult {
  const source = entriesOf(state);
  const undo = places.map((place) => place.beforeLoad(entriesBelow(source, join(place.path, ""))));
  try {
    return copyState(className, places, source, strict);
  } catch (error) {
    for (const undoOne of undo) undoOne?.();
    throw error;
  }
}

/**
 * A state as a map.
 *
 * @throws {TypeError} if it is neither a map nor an object.
 */
function entriesOf(state: StateSource): ReadonlyMap<string, Tensor> {
  if (state instanceof Map) return state;
  if (typeof state !== "object" || state === null) {
    throw new TypeError(
      `Cannot load a state dict: got ${show(state)}, expected a Map or an object of tensors`,
    );
  }
  return new Map(
    Object.entries(state).map(([name, value]) => [name, isJson(value) ? tensor(value) : value]),
  );
}

function isJson(value: Tensor | TensorJson): value is TensorJson {
  return typeof value === "object" && value !== null && !(value instanceof Tensor) &&
    Array.isArray(value.shape) && Array.isArray(value.data);
}

/** The entries directly below a prefix, under their own names. */
function entriesBelow(
  source: ReadonlyMap<string, Tensor>,
  prefix: string,
): Map<string, Tensor> {
  const own = new Map<string, Tensor>();
  for (const [key, value] of source) {
    const name = key.slice(prefix.length);
    if (key.startsWith(prefix) && !name.includes(".")) own.set(name, value);
  }
  return own;
}

function copyState(
  className: string,
  places: readonly StatePlace[],
  source: ReadonlyMap<string, Tensor>,
  strict: boolean,
): LoadResult {
  const missingKeys: string[] = [];
  const misfits: string[] = [];
  const known = new Set<string>();
  const copies: [Tensor, Tensor][] = [];
  const metadata = source instanceof StateDict ? source.metadata : null;
  for (const place of places) {
    const optional = place.optionalKeys(metadata?.get(place.path)?.version ?? null);
    for (const [name, target] of place.tensors()) {
      const key = join(place.path, name);
      known.add(key);
      const value = source.get(key);
      if (value === undefined) {
        if (!optional.includes(name)) missingKeys.push(key);
      } else {
        const misfit = misfitOf(key, value, target);
        if (misfit === null) copies.push([target, value]);
        else if (isOldScalar(value, target)) copies.push([target, value.reshape([])]);
        else misfits.push(misfit);
      }
    }
  }
  const unexpectedKeys = [...source.keys()].filter((key) => !known.has(key));
  const faults = [
    ...(strict && missingKeys.length > 0
      ? [`Missing key(s) in state_dict: ${quote(missingKeys)}.`]
      : []),
    ...(strict && unexpectedKeys.length > 0
      ? [`Unexpected key(s) in state_dict: ${quote(unexpectedKeys)}.`]
      : []),
    ...misfits,
  ];
  if (faults.length > 0) {
    throw new RangeError(`Cannot load the state dict of ${className}: ${faults.join(" ")}`);
  }
  causing("load", () => noGrad(() => copies.forEach(([target, value]) => target.copy_(value))));
  return { missingKeys, unexpectedKeys };
}

/** The first files of PyTorch hold scalars as tensors of one element. */
function isOldScalar(value: Tensor, target: Tensor): boolean {
  return value instanceof Tensor && target.ndim === 0 && value.ndim === 1 && value.size === 1;
}

function misfitOf(key: string, value: unknown, target: Tensor): string | null {
  if (!(value instanceof Tensor)) {
    return `kind mismatch for ${key}: got ${typeof value}, expected a Tensor.`;
  }
  if (value.ndim === target.ndim && value.shape.every((n, i) => n === target.shape[i])) return null;
  return `size mismatch for ${key}: got shape [${value.shape.join(", ")}], expected ` +
    `[${target.shape.join(", ")}].`;
}

function quote(keys: readonly string[]): string {
  return keys.map((key) => `"${key}"`).join(", ");
}
