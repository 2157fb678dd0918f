/**
 * The state of a tree of modules: taken, and loaded in one go or not at all.
 */
import { assertIterable, formatShape, refuseKind, sameShape } from "../../autograd/internal.ts";
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
    refuseKind(action, "an entry", entry, "a name and a Tensor");
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

/** A tensor that a state fills. */
export interface StatePlace {
  /** Its dotted name. */
  readonly key: string;
  /** What is written to. */
  readonly target: Tensor;
  /** Whether a state may lack it; the values then stay. */
  readonly isOptional: boolean;
}

/** The dotted name of what a module calls `name`. */
export function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/**
 * A state as a map.
 *
 * @throws {TypeError} if it is neither a map nor an object.
 */
export function entriesOf(state: StateSource): ReadonlyMap<string, Tensor> {
  if (state instanceof Map) return state;
  if (typeof state !== "object" || state === null) {
    refuseKind("load a state dict", "state", state, "a Map or an object of tensors");
  }
  return new Map(
    Object.entries(state).map(([name, value]) => [name, isJson(value) ? tensor(value) : value]),
  );
}

function isJson(value: Tensor | TensorJson): value is TensorJson {
  return typeof value === "object" && value !== null && !(value instanceof Tensor) &&
    Array.isArray(value.shape) && Array.isArray(value.data);
}

/** The entries of the module at a path, under their own names. */
export function entriesOfModule(
  source: ReadonlyMap<string, Tensor>,
  path: string,
): Map<string, Tensor> {
  const prefix = join(path, "");
  const own = new Map<string, Tensor>();
  for (const [key, value] of source) {
    const name = key.slice(prefix.length);
    if (key.startsWith(prefix) && !name.includes(".")) own.set(name, value);
  }
  return own;
}

/** The version of the layout that a module wrote into a state; `null` where the state does not say. */
export function versionIn(source: ReadonlyMap<string, Tensor>, path: string): number | null {
  return source instanceof StateDict ? source.metadata.get(path)?.version ?? null : null;
}

/** Copies a state into its places, or, if anything does not fit, says everything that does not. */
export function copyState(
  className: string,
  places: readonly StatePlace[],
  source: ReadonlyMap<string, Tensor>,
  strict: boolean,
): LoadResult {
  const missingKeys: string[] = [];
  const misfits: string[] = [];
  const copies: [Tensor, Tensor][] = [];
  for (const { key, target, isOptional } of places) {
    const value = source.get(key);
    if (value === undefined) {
      if (!isOptional) missingKeys.push(key);
    } else if (isOldScalar(value, target)) {
      copies.push([target, value.reshape([])]);
    } else {
      const misfit = misfitOf(key, value, target);
      if (misfit === null) copies.push([target, value]);
      else misfits.push(misfit);
    }
  }
  const known = new Set(places.map(({ key }) => key));
  const unexpectedKeys = [...source.keys()].filter((key) => !known.has(key));
  const named = (what: string, keys: readonly string[]): string[] =>
    strict && keys.length > 0
      ? [`${what} key(s) in state_dict: ${keys.map((key) => `"${key}"`).join(", ")}.`]
      : [];
  const faults = [
    ...named("Missing", missingKeys),
    ...named("Unexpected", unexpectedKeys),
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
  if (sameShape(value.shape, target.shape)) return null;
  return `size mismatch for ${key}: got shape ${formatShape(value.shape)}, expected ` +
    `${formatShape(target.shape)}.`;
}
