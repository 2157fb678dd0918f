/**
 * safetensors: an 8-byte length, a JSON header with the dtype, shape and place of each tensor, and the
 * values.
 *
 * @see https://github.com/huggingface/safetensors#format
 */
import { type NamedTensors, namedTensors } from "./named_tensors.ts";
import { identify, isSafetensors } from "./identify.ts";
import { Tensor } from "../autograd/mod.ts";
import { assertOptions } from "../autograd/internal.ts";
import { putTensors } from "../nn/module/state_dict.ts";
import { type Dtype, type DtypeName, dtypeNames, findDtype } from "./dtype.ts";
import { type DtypeOptions, encodePieces, planDtypes } from "./encode_values.ts";
import { messageOf, quote } from "./errors.ts";
import { assertBytes, type ByteSource, joinChunks, withFile, writeWhole } from "./file.ts";

/** Tensors by name as a file holds them, with what the file says about itself. */
export class LoadedTensors extends Map<string, Tensor> {
  /**
   * Holds tensors.
   *
   * @param entries Tensors by name, in order.
   * @throws {TypeError} if they are not pairs of a name and a tensor.
   */
  constructor(entries: Iterable<readonly [string, Tensor]> | null = null) {
    super();
    if (entries !== null) putTensors("hold loaded tensors", this, entries);
  }

  /** The file's own remarks. */
  readonly metadata: Map<string, string> = new Map();
  /** The number format that each tensor has in the file; in memory all are float64. */
  readonly dtypes: Map<string, string> = new Map();
}

/** How tensors are written. */
export interface SafetensorsOptions extends DtypeOptions {
  /** Remarks about the file. */
  readonly metadata?: Readonly<Record<string, string>> | ReadonlyMap<string, string>;
}

/** What errors call bytes in memory. */
export interface NameOptions {
  /** The file that the bytes came from. */
  readonly name?: string;
}

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly count: number;
  readonly begin: number;
  readonly end: number;
}

interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Where the values begin. */
  readonly start: number;
}

/** The reference implementation's limit. */
const LONGEST_HEADER = 100_000_000;
const MOST_DIMS = 64;
/** How much is read at once where values have to be converted. */
const PIECE = 2 ** 22;

/**
 * Writes tensors to a file, whole or not at all: into a temporary file of the same folder, which is
 * synced and then takes the name.
 *
 * Values are F64; an entry `num_batches_tracked` is a 0-d I64, as in PyTorch. They are taken from the
 * tensors while the file is written: do not change them before the promise is fulfilled.
 *
 * @param path The file; what was there is replaced.
 * @param state Tensors by name, for instance `model.stateDict()`.
 * @param options `metadata` for the header; `dtype: "F32"` to round to float32; `dtypes` for single
 * tensors, for instance the `dtypes` of what was loaded.
 * @throws {TypeError} if something in `state` is not a tensor or some metadata is not a string.
 * @throws {RangeError} if an integer format does not hold a value, or `dtypes` names no tensor.
 *
 * @example
 * ```ts
 * import { loadSafetensors, saveSafetensors } from "@tapegrad/tapegrad/io";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await saveSafetensors(path, new Map([["weight", tensor([[1, 2], [3, 4]])]]));
 * const state = await loadSafetensors(path);
 * assertEquals(state.get("weight")!.toArray(), [[1, 2], [3, 4]]);
 * await Deno.remove(path);
 * ```
 */
export async function saveSafetensors(
  path: string,
  state: NamedTensors,
  options: SafetensorsOptions = {},
): Promise<void> {
  await writeWhole(path, chunksOf(state, options));
}

/**
 * Reads tensors from a file. Values go from the file into their tensor, so that memory is bounded by
 * the tensors however large the file is.
 *
 * @param path The file.
 * @returns Tensors by name in the header's order, with the file's metadata.
 * @throws {RangeError} if the file is damaged, or holds a 64-bit integer that float64 does not.
 */
export async function loadSafetensors(path: string): Promise<LoadedTensors> {
  return await withFile(path, readSafetensors);
}

/**
 * The bytes of a safetensors file.
 *
 * @param state Tensors by name.
 * @param options As of {@linkcode saveSafetensors}.
 * @returns The file.
 * @throws {TypeError} if something in `state` is not a tensor or some metadata is not a string.
 *
 * @example
 * ```ts
 * import { decodeSafetensors, encodeSafetensors } from "@tapegrad/tapegrad/io";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeSafetensors(new Map([["x", tensor([1, 2])]]), { metadata: { by: "me" } });
 * assertEquals(decodeSafetensors(bytes).metadata.get("by"), "me");
 * ```
 */
export function encodeSafetensors(
  state: NamedTensors,
  options: SafetensorsOptions = {},
): Uint8Array<ArrayBuffer> {
  return joinChunks(chunksOf(state, options));
}

/**
 * Reads the bytes of a safetensors file.
 *
 * @param bytes The file.
 * @param options `name` for errors.
 * @returns Tensors by name in the header's order, with the file's metadata.
 * @throws {RangeError} if the file is damaged, or holds a 64-bit integer that float64 does not.
 */
export function decodeSafetensors(bytes: Uint8Array, options: NameOptions = {}): LoadedTensors {
  assertOptions("read safetensors", options, ["name"]);
  const name = options.name ?? "safetensors data";
  assertBytes(bytes, name);
  refuseOthers(bytes.subarray(0, 64), name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = headerLength(view, bytes.length, name);
  const header = parseHeader(bytes.subarray(8, 8 + length), bytes.length, name);
  const loaded = emptyState(header);
  for (const entry of header.entries) {
    const values = allocateValues(entry, name);
    decodeInto(entry, view, header.start + entry.begin, values, 0, entry.count, name);
    loaded.set(entry.name, new Tensor({ values, version: 0 }, entry.shape));
  }
  return loaded;
}

/** Reads a safetensors file wherever it is. */
async function readHeader(source: ByteSource): Promise<Header> {
  const first = new Uint8Array(Math.min(64, source.size));
  await source.read(0, first);
  refuseOthers(first, source.name);
  const length = headerLength(new DataView(first.buffer), source.size, source.name);
  const json = new Uint8Array(length);
  await source.read(8, json);
  return parseHeader(json, source.size, source.name);
}

/** What a file holds, by its header. */
export async function safetensorsContent(source: ByteSource): Promise<{
  tensors: { name: string; shape: readonly number[]; dtype: string }[];
  metadata: ReadonlyMap<string, string>;
}> {
  const { entries, metadata } = await readHeader(source);
  const tensors = entries.map(({ name, shape, dtype }) => ({ name, shape, dtype: dtype.name }));
  return { tensors, metadata };
}

export async function readSafetensors(source: ByteSource): Promise<LoadedTensors> {
  const { name } = source;
  const header = await readHeader(source);
  const loaded = emptyState(header);
  const piece = new Uint8Array(PIECE);
  const view = new DataView(piece.buffer);
  for (const entry of header.entries) {
    const values = allocateValues(entry, name);
    const from = header.start + entry.begin;
    const { width } = entry.dtype;
    if (entry.dtype.name === "F64") {
      await source.read(from, new Uint8Array(values.buffer));
    } else {
      for (let start = 0; start < entry.count; start += PIECE / width) {
        const count = Math.min(PIECE / width, entry.count - start);
        await source.read(from + start * width, piece.subarray(0, count * width));
        decodeInto(entry, view, 0, values, start, count, name);
      }
    }
    loaded.set(entry.name, new Tensor({ values, version: 0 }, entry.shape));
  }
  return loaded;
}

function emptyState({ entries, metadata }: Header): LoadedTensors {
  const loaded = new LoadedTensors();
  for (const [key, value] of metadata) loaded.metadata.set(key, value);
  for (const { name, dtype } of entries) loaded.dtypes.set(name, dtype.name);
  return loaded;
}

function allocateValues({ name, count }: Entry, file: string): Float64Array<ArrayBuffer> {
  try {
    return new Float64Array(count);
  } catch (error) {
    throw new RangeError(
      `Cannot read ${file}: got ${count} values in ${
        quote(name)
      }, expected no more than there is ` +
        `memory for`,
      { cause: error },
    );
  }
}

function decodeInto(
  entry: Entry,
  view: DataView,
  offset: number,
  values: Float64Array,
  start: number,
  count: number,
  file: string,
): void {
  try {
    entry.dtype.decode(view, offset, values, start, count);
  } catch (error) {
    throw new RangeError(`Cannot read ${quote(entry.name)} of ${file}: ${messageOf(error)}`);
  }
}

/** Throws if a file begins as one of another kind does. */
function refuseOthers(first: Uint8Array, file: string): void {
  const found = isSafetensors(first) ? null : identify(first);
  if (found === null) return;
  throw new RangeError(`Cannot read ${file}: got ${found}, expected a safetensors file`);
}

function headerLength(view: DataView, size: number, file: string): number {
  if (view.byteLength < 8) {
    throw new RangeError(
      `Cannot read ${file}: got ${size} bytes, expected at least 8 for the header's length`,
    );
  }
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > LONGEST_HEADER || length > size - 8) {
    throw new RangeError(
      `Cannot read ${file}: got a header of ${length} bytes at byte 8, expected at most ` +
        `${Math.min(LONGEST_HEADER, size - 8)}`,
    );
  }
  return length;
}

function parseHeader(json: Uint8Array, size: number, file: string): Header {
  const start = 8 + json.length;
  const damaged = (what: string): RangeError => new RangeError(`Cannot read ${file}: ${what}`);
  let parsed: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(json);
    parsed = JSON.parse(text);
  } catch (error) {
    throw damaged(`got a header that is no JSON (${messageOf(error)}), expected an object`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw damaged("got a header that is no JSON object, expected tensors by name");
  }
  const metadata = new Map<string, string>();
  const entries: Entry[] = [];
  const names = namesIn(text);
  const unique = new Set(names);
  if (unique.size !== names.length) {
    for (const name of names) {
      if (!unique.delete(name)) {
        throw damaged(`got the name ${quote(name)} twice, expected each once`);
      }
    }
  }
  for (const name of unique) {
    const value = (parsed as Record<string, unknown>)[name];
    if (name === "__metadata__") {
      if (typeof value !== "object" || value === null) {
        throw damaged("got __metadata__ that is no object, expected text by name");
      }
      for (const [key, text] of Object.entries(value as Record<string, unknown>)) {
        if (typeof text !== "string") {
          throw damaged(`got __metadata__.${key} that is no text, expected a string`);
        }
        metadata.set(key, text);
      }
    } else {
      entries.push(parseEntry(name, value, damaged));
    }
  }
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== end) {
      throw damaged(
        `got ${quote(entry.name)} from byte ${start + entry.begin} on, expected ${start + end}, ` +
          `where the one before ends`,
      );
    }
    end = entry.end;
  }
  if (start + end !== size) {
    throw damaged(`got ${size} bytes, expected ${start + end} as its header says`);
  }
  return { entries, metadata, start };
}

/** The names of a JSON object in their order: engines move names that are numbers to the front. */
function namesIn(json: string): string[] {
  const names: string[] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;
  let depth = 0;
  let isName = false;
  for (let found = token.exec(json); found !== null; found = token.exec(json)) {
    const [text] = found;
    if (text === "{" || text === "[") {
      depth++;
      isName = depth === 1;
    } else if (text === "}" || text === "]") depth--;
    else if (text === ",") isName = depth === 1;
    else if (text === ":") isName = false;
    else if (isName) names.push(JSON.parse(text));
  }
  return names;
}

function parseEntry(
  name: string,
  value: unknown,
  damaged: (what: string) => RangeError,
): Entry {
  if (typeof value !== "object" || value === null) {
    throw damaged(`got ${quote(name)} that is no object, expected dtype, shape, data_offsets`);
  }
  const { dtype: dtypeName, shape, data_offsets: offsets } = value as Record<string, unknown>;
  const dtype = typeof dtypeName === "string" ? findDtype(dtypeName) : null;
  if (dtype === null) {
    throw damaged(
      `got dtype ${JSON.stringify(dtypeName)} of ${quote(name)}, expected one of ${dtypeNames()}`,
    );
  }
  if (!isSizes(shape) || shape.length > MOST_DIMS) {
    throw damaged(
      `got a shape of ${quote(name)} that is no list of at most ${MOST_DIMS} sizes, expected one`,
    );
  }
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw damaged(`got data_offsets of ${quote(name)} that are no pair of places, expected one`);
  }
  const count = shape.reduce((product, n) => product * n, 1);
  const [begin, end] = offsets;
  if (end - begin !== count * dtype.width) {
    throw damaged(
      `got ${end - begin} bytes for ${quote(name)}, expected ${count * dtype.width} for shape ` +
        `[${shape.join(", ")}] of ${dtype.name}`,
    );
  }
  return { name, dtype, shape, count, begin, end };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** The file in pieces; each tensor's bytes are made when their turn comes. */
function* chunksOf(
  state: NamedTensors,
  options: SafetensorsOptions,
): Iterable<Uint8Array> {
  assertOptions("write safetensors", options, ["metadata", "dtype", "dtypes"]);
  const remarks = metadataEntries(options.metadata ?? {});
  const tensors = namedTensors("write safetensors", state);
  if (tensors.has("__metadata__")) {
    throw new RangeError(
      `Cannot write ${quote("__metadata__")}: the name is taken, expected another one`,
    );
  }
  const plan = planDtypes("write safetensors", tensors, options);
  // Wider formats first, so that every tensor is aligned to its width.
  const places = new Map<number, [begin: number, end: number]>();
  const order = plan.map((_, i) => i).sort((a, b) =>
    widthOf(plan[b].dtype) - widthOf(plan[a].dtype) || a - b
  );
  let end = 0;
  for (const i of order) {
    const { tensor, dtype } = plan[i];
    const begin = end;
    end += tensor.size * widthOf(dtype);
    places.set(i, [begin, end]);
  }
  // By hand, because an object would put names like "0" first.
  const described = plan.map(({ name, tensor, dtype }, i) => {
    const entry = { dtype, shape: tensor.shape, data_offsets: places.get(i) };
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  if (remarks.length > 0) {
    described.unshift(`"__metadata__":${JSON.stringify(Object.fromEntries(remarks))}`);
  }
  const json = new TextEncoder().encode(`{${described.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(json, 8);
  yield head;
  for (const i of order) yield* encodePieces(plan[i]);
}

function widthOf(dtype: DtypeName): number {
  return findDtype(dtype)!.width;
}

function metadataEntries(
  metadata: Readonly<Record<string, string>> | ReadonlyMap<string, string>,
): [string, string][] {
  const entries = metadata instanceof Map ? [...metadata] : Object.entries(metadata);
  for (const [key, value] of entries) {
    if (typeof value !== "string") {
      throw new TypeError(
        `Cannot write metadata ${quote(key)}: got ${typeof value}, expected a string`,
      );
    }
  }
  return entries;
}
