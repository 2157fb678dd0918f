/**
 * The weights of a model from any file that holds them, and what a file holds.
 */
import { Tensor } from "../autograd/mod.ts";
import { assertFunction, assertOptions, describe } from "../autograd/internal.ts";
import { StateDict } from "../nn/module/state_dict.ts";
import { messageOf, quote } from "./errors.ts";
import { type ByteSource, nameOption, sourceOf, withFile } from "./file.ts";
import { identify, isSafetensors } from "./identify.ts";
import { npzContent, readNpz } from "./numpy/npz.ts";
import { OpaqueValue } from "./pickle/values.ts";
import { LoadedTensors, readSafetensors, safetensorsContent } from "./safetensors.ts";
import { readTorch, torchContent } from "./torch/read.ts";
import { isZip, readZip } from "./archive/zip_reader.ts";

/** Which part of a file is meant, and under which names. */
export interface LoadStateOptions {
  /**
   * The entry of a `.pt` checkpoint that holds the weights, dotted where it lies deeper; found by its usual
   * names if left out.
   */
  readonly key?: string;
  /** Only names that begin so are taken, and lose it: `"module."` of DataParallel, for instance. */
  readonly prefix?: string;
  /** Which names are taken, after `prefix`. */
  readonly names?: readonly string[] | ((name: string) => boolean);
  /** The name that a tensor gets; `null` leaves it out. */
  readonly map?: (name: string) => string | null;
}

/** One tensor of a file. */
export interface InspectedTensor {
  /** Its name; in a nested checkpoint dotted. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** Its number format in the file. */
  readonly dtype: string;
}

/** What a file holds. */
export interface Inspected {
  /** What kind of file it is. */
  readonly format: "safetensors" | "npz" | "torch";
  /** The tensors, in the file's order. */
  readonly tensors: readonly InspectedTensor[];
  /** Everything else by name, described in a few words. */
  readonly others: ReadonlyMap<string, string>;
  /** The file's own remarks. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** What checkpoints call the weights. */
const USUAL_KEYS = ["model", "model_state_dict", "state_dict", "net", "weights", "module", "ema"];

/**
 * Reads the weights of a model: safetensors, `.npz`, or PyTorch's `.pt`, told apart by their content.
 * In a checkpoint the weights are looked for at its top and under `model`, `model_state_dict`,
 * `state_dict` and the like; a model that was saved whole gives its parameters and buffers. What else a
 * file holds is ignored: see {@linkcode inspect}.
 *
 * @param path The file.
 * @param options See {@linkcode LoadStateOptions}.
 * @returns The tensors by name, for `model.loadStateDict`.
 * @throws {RangeError} if the file is damaged, is something else, or holds no tensors by name.
 *
 * @example
 * ```ts
 * import { loadState, saveTorch } from "@tapegrad/tapegrad/io";
 * import { nn } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * const layer = new nn.Linear(2, 3);
 * await saveTorch(path, { epoch: 7, model: layer.stateDict({ prefix: "module" }) });
 * const state = await loadState(path, { prefix: "module." });
 * assertEquals(state.get("weight")!.shape, [3, 2]);
 * await Deno.remove(path);
 * ```
 */
export async function loadState(
  path: string,
  options: LoadStateOptions = {},
): Promise<ReadonlyMap<string, Tensor>> {
  assertOptions("load a state", options, ["key", "prefix", "names", "map"]);
  return await withFile(path, (source) => readState(source, options));
}

/**
 * As {@linkcode loadState}, from bytes.
 *
 * @param bytes The file.
 * @param options See {@linkcode LoadStateOptions}; `name` for errors.
 * @throws {RangeError} as {@linkcode loadState}.
 */
export async function decodeState(
  bytes: Uint8Array,
  options: LoadStateOptions & { readonly name?: string } = {},
): Promise<ReadonlyMap<string, Tensor>> {
  assertOptions("read a state", options, ["key", "prefix", "names", "map", "name"]);
  return await readState(sourceOf(bytes, nameOption(options.name, "the weights")), options);
}

async function readState(
  source: ByteSource,
  options: LoadStateOptions,
): Promise<ReadonlyMap<string, Tensor>> {
  assertChoice(options);
  const format = await formatOf(source);
  if (format === "safetensors") return selected(await readSafetensors(source), options, source);
  if (format === "npz") return selected(await readNpz(source, {}), options, source);
  return selected(await readWeights(source, options), options, source);
}

/** Checks what says which tensors are wanted and what they are called. */
function assertChoice({ key, prefix, names, map }: LoadStateOptions): void {
  const action = "read a state";
  for (const [name, value] of Object.entries({ key, prefix })) {
    if (value === undefined || typeof value === "string") continue;
    throw new TypeError(`Cannot ${action}: got ${name} ${describe(value)}, expected a text`);
  }
  if (names !== undefined && typeof names !== "function" && !Array.isArray(names)) {
    throw new TypeError(
      `Cannot ${action}: got names ${describe(names)}, expected a list or a function`,
    );
  }
  if (map !== undefined) assertFunction(action, map, "map");
}

/**
 * What a file holds: names, shapes and number formats of its tensors, and what else there is, without
 * reading the values.
 *
 * @param file A path, or the bytes.
 * @throws {RangeError} if it is damaged, or neither safetensors, `.npz` nor PyTorch's.
 *
 * @example
 * ```ts
 * import { encodeSafetensors, inspect } from "@tapegrad/tapegrad/io";
 * import { zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const { format, tensors } = await inspect(encodeSafetensors({ w: zeros([2, 3]) }));
 * assertEquals([format, tensors], ["safetensors", [{ name: "w", shape: [2, 3], dtype: "F64" }]]);
 * ```
 */
export async function inspect(file: string | Uint8Array): Promise<Inspected> {
  const look = async (source: ByteSource): Promise<Inspected> => {
    const format = await formatOf(source);
    const metadata = new Map<string, string>();
    if (format === "safetensors") {
      return { format, others: new Map(), ...await safetensorsContent(source) };
    }
    if (format === "npz") return { format, metadata, ...await npzContent(source) };
    const { value, dtypes } = await torchContent(source);
    const tensors: InspectedTensor[] = [];
    const others = new Map<string, string>();
    walk(value, "", (name, part) => {
      if (part instanceof Tensor) {
        tensors.push({ name, shape: part.shape, dtype: dtypes.get(part) ?? "F64" });
      } else others.set(name, shown(part));
    });
    return { format, tensors, others, metadata };
  };
  if (typeof file === "string") return await withFile(file, look);
  if (file instanceof Uint8Array) return await look(sourceOf(file, "the bytes"));
  throw new TypeError(`Cannot inspect: got ${describe(file)}, expected a path or a Uint8Array`);
}

async function formatOf(source: ByteSource): Promise<Inspected["format"]> {
  const first = new Uint8Array(Math.min(64, source.size));
  await source.read(0, first);
  if (isZip(first)) {
    const names = [...(await readZip(source)).keys()];
    return names.some((name) => name.endsWith(".npy")) ? "npz" : "torch";
  }
  if (isSafetensors(first)) return "safetensors";
  if (first[0] === 0x80 && first[1] >= 2 && first[1] <= 5) return "torch";
  const found = identify(first);
  throw new RangeError(
    `Cannot read ${source.name}: got ${found ?? "a file of a kind that is not known"}${
      found === null ? ", expected" : " (expected"
    } safetensors, .npz, or what torch.save writes${found === null ? "" : ")"}`,
  );
}

function selected(
  state: ReadonlyMap<string, Tensor>,
  options: LoadStateOptions,
  source: ByteSource,
): ReadonlyMap<string, Tensor> {
  const { prefix = "", names, map } = options;
  if (prefix === "" && names === undefined && map === undefined) return state;
  const chosen = state instanceof LoadedTensors ? new LoadedTensors() : new StateDict();
  for (const [name, value] of state) {
    const given = nameOf(name, options);
    if (given !== null) chosen.set(given, value);
  }
  if (chosen.size === 0) {
    throw new RangeError(
      `Cannot read ${source.name}: got no tensor that was asked for, expected some among ` +
        listed([...state.keys()]),
    );
  }
  return chosen;
}

/** What a tensor of that name is called in the result; `null` leaves it out. */
function nameOf(name: string, { prefix = "", names, map }: LoadStateOptions): string | null {
  if (!name.startsWith(prefix)) return null;
  const short = name.slice(prefix.length);
  const isWanted = typeof names === "function" ? names(short) : names?.includes(short) ?? true;
  if (!isWanted) return null;
  return map === undefined ? short : map(short);
}

async function readWeights(source: ByteSource, options: LoadStateOptions): Promise<StateDict> {
  const { key } = options;
  const loaded = await readTorch(source);
  const candidates: unknown[] = key === undefined
    ? [loaded, ...USUAL_KEYS.map((name) => loaded instanceof Map ? loaded.get(name) : undefined)]
    : [at(loaded, key)];
  for (const candidate of candidates) {
    if (isStateOf(candidate)) refuseForeignTensors(candidate, options, source);
    const state = asStateDict(candidate) ?? stateOfModel(candidate);
    if (state !== null) return state;
  }
  // No whole state dict: the tensors that lie at the top among other things.
  const partial = new StateDict();
  for (const candidate of key === undefined ? [loaded] : candidates) {
    if (!(candidate instanceof Map)) continue;
    refuseForeignTensors(candidate, options, source);
    for (const [name, value] of candidate as Map<unknown, unknown>) {
      if (typeof name === "string" && value instanceof Tensor) partial.set(name, value);
    }
  }
  if (partial.size > 0) return partial;
  const seen: string[] = [];
  walk(loaded, "", (name) => void seen.push(name));
  throw new RangeError(
    `Cannot read ${source.name}: got no tensors by name ` +
      (key === undefined ? "at its top or under a usual name" : `under ${quote(key)}`) +
      `, expected a state dict; it holds ${listed(seen)}`,
  );
}

/** Python's makers of tensors that are no plain arrays, and what to do in Python to make them so. */
const FOREIGN_TENSORS: readonly (readonly [maker: RegExp, what: string, advice: string])[] = [
  [/^torch\._utils\._rebuild_sparse/, "a sparse tensor", "to_dense()"],
  [/^torch\._utils\._rebuild_qtensor$/, "a quantised tensor", "dequantize()"],
  [/^torch\._utils\._rebuild_nested_tensor$/, "a nested tensor", "to_padded_tensor(0)"],
  [/^torch\._utils\._rebuild_meta_tensor/, "a tensor without values", "to_empty(device='cpu')"],
  [/^torch\.Tensor$/, "a tensor of complex numbers", "torch.view_as_real(x)"],
];

/** The maker of a tensor that is no plain array, `undefined` for anything else. */
function foreignTensor(value: unknown): (typeof FOREIGN_TENSORS)[number] | undefined {
  if (!(value instanceof OpaqueValue) || value.args === null) return undefined;
  return FOREIGN_TENSORS.find(([maker]) => maker.test(value.name));
}

/** Whether a value is a state dict, some of whose tensors may be no plain arrays. */
function isStateOf(value: unknown): value is Map<unknown, unknown> {
  return value instanceof Map &&
    [...value.values()].every((x) => x instanceof Tensor || foreignTensor(x) !== undefined);
}

/** Weights that would be missing without a word are named, unless they are not asked for. */
function refuseForeignTensors(
  state: ReadonlyMap<unknown, unknown>,
  options: LoadStateOptions,
  source: ByteSource,
): void {
  for (const [name, value] of state) {
    const foreign = foreignTensor(value);
    if (foreign === undefined || typeof name !== "string" || nameOf(name, options) === null) {
      continue;
    }
    const [, what, advice] = foreign;
    throw new RangeError(
      `Cannot read ${source.name}: got ${what} in ${
        quote(name)
      }, expected plain ones; convert it ` +
        `in Python with ${advice}, or leave it out by names`,
    );
  }
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return "nothing";
  const more = names.length > 12 ? ` and ${names.length - 12} more` : "";
  return names.slice(0, 12).map(quote).join(", ") + more;
}

/** What lies under a dotted key. */
function at(value: unknown, key: string): unknown {
  if (!(value instanceof Map)) return undefined;
  if (value.has(key)) return value.get(key);
  for (let dot = key.indexOf("."); dot >= 0; dot = key.indexOf(".", dot + 1)) {
    const found = at(value.get(key.slice(0, dot)), key.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Deeper than any checkpoint, and less deep than a recursion may go. */
const DEEPEST = 100;

/** Calls `visit` for everything that lies in dicts, by its dotted name. */
function walk(
  value: unknown,
  name: string,
  visit: (name: string, value: unknown) => void,
  depth = 0,
): void {
  if (value instanceof Map && depth < DEEPEST && value.size > 0) {
    for (const [key, part] of value as Map<unknown, unknown>) {
      walk(part, name === "" ? String(key) : `${name}.${String(key)}`, visit, depth + 1);
    }
  } else if (value instanceof OpaqueValue && stateOfModel(value) !== null) {
    for (const [key, part] of stateOfModel(value)!) {
      visit(name === "" ? key : `${name}.${key}`, part);
    }
  } else visit(name, value);
}

/** A value in a few words. */
function shown(value: unknown): string {
  if (value instanceof OpaqueValue) {
    return value.args === null ? `Python's ${value.name}` : `an object of Python's ${value.name}`;
  }
  try {
    return describe(value);
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * The parameters and buffers of a model that was saved whole, by dotted name; `null` if it is none. An
 * `nn.Module` keeps them in `_parameters`, `_buffers` and `_modules`, a TorchScript program as plain
 * attributes.
 */
function stateOfModel(value: unknown): StateDict | null {
  const state = new StateDict();
  const seen = new Set<unknown>();
  const visit = (model: unknown, path: string, depth: number): void => {
    if (!(model instanceof OpaqueValue) || !(model.state instanceof Map)) return;
    if (seen.has(model) || depth > DEEPEST) return;
    seen.add(model);
    const attributes = model.state as Map<unknown, unknown>;
    const isModule = attributes.has("_parameters") || attributes.has("_modules");
    const parts: unknown[] = isModule
      ? [attributes.get("_parameters"), attributes.get("_buffers")]
      : [attributes];
    const transient: unknown = attributes.get("_non_persistent_buffers_set");
    for (const part of parts) {
      if (!(part instanceof Map)) continue;
      for (const [name, tensor] of part as Map<unknown, unknown>) {
        if (!(tensor instanceof Tensor) || typeof name !== "string") continue;
        if (transient instanceof Set && transient.has(name)) continue;
        state.set(path + name, tensor);
      }
    }
    const children: unknown = isModule ? attributes.get("_modules") : attributes;
    if (!(children instanceof Map)) return;
    for (const [name, child] of children as Map<unknown, unknown>) {
      visit(child, `${path}${String(name)}.`, depth + 1);
    }
  };
  visit(value, "", 0);
  return state.size === 0 ? null : state;
}

/** A value as a state dict, `null` if it is none. */
export function asStateDict(value: unknown): StateDict | null {
  if (!(value instanceof Map) || value.size === 0) return null;
  for (const [key, tensor] of value as Map<unknown, unknown>) {
    if (typeof key !== "string" || !(tensor instanceof Tensor)) return null;
  }
  if (value instanceof StateDict) return value;
  const state = new StateDict();
  for (const [key, tensor] of value as Map<string, Tensor>) state.set(key, tensor);
  return state;
}
