/**
 * `.npz`, NumPy's file for several arrays: a zip file of `.npy` files.
 */
import { type NamedTensors, namedTensors } from "../named_tensors.ts";
import { assertList, assertOptions, show } from "../../autograd/internal.ts";
import { type DtypeOptions, planDtypes } from "../encode_values.ts";
import { quote } from "../errors.ts";
import {
  type ByteSource,
  joinChunks,
  nameOption,
  sourceOf,
  withFile,
  writeWhole,
} from "../file.ts";
import { decodeArray, encodeArray, headerBytes, otherThanNumbers, readHeader } from "./npy.ts";
import { LoadedTensors, type NameOptions } from "../safetensors.ts";
import { readEntry, readEntryStart, readZip, type ZipEntry } from "../archive/zip_reader.ts";
import { zipChunks, type ZipFile } from "../archive/zip_writer.ts";

/** How arrays are read. */
export interface NpzOptions {
  /** The most bytes that compressed arrays may unpack to, all together; 4 GiB where left out. */
  readonly maxUnpackedBytes?: number;
  /** Which arrays are read; all that hold numbers where left out. */
  readonly names?: readonly string[];
}

const MOST_UNPACKED = 2 ** 32;

/** Most headers are shorter. */
const USUAL_HEADER = 256;

/**
 * Writes tensors as `.npz`, whole or not at all. Values are float64; an entry `num_batches_tracked` is
 * a 0-d int64, as in PyTorch.
 *
 * @param path The file; what was there is replaced.
 * @param arrays Tensors by name.
 * @param options `dtype: "F32"` to round to float32; `dtypes` for single arrays, for instance the
 * `dtypes` of what was loaded.
 * @throws {TypeError} if something in `arrays` is not a tensor.
 * @throws {RangeError} if an integer format does not hold a value, or `dtypes` names no array.
 *
 * @example
 * ```ts
 * import { loadNpz, saveNpz } from "@tapegrad/tapegrad/io";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await saveNpz(path, { x: tensor([1, 2]), y: tensor(3) });
 * assertEquals((await loadNpz(path)).get("x")!.toArray(), [1, 2]);
 * await Deno.remove(path);
 * ```
 */
export async function saveNpz(
  path: string,
  arrays: NamedTensors,
  options: DtypeOptions = {},
): Promise<void> {
  await writeWhole(path, zipChunks(filesOf(arrays, options)));
}

/**
 * Reads the arrays of a `.npz` file, compressed or not.
 *
 * @param path The file.
 * @param options `maxUnpackedBytes` bounds what compressed arrays may unpack to.
 * @returns Tensors by name.
 * @throws {RangeError} if the file is damaged, an array that was named holds no numbers, or it unpacks to
 * more. Without names, arrays of texts or objects are left out and described in `metadata`.
 */
export async function loadNpz(path: string, options: NpzOptions = {}): Promise<LoadedTensors> {
  return await withFile(path, (source) => readNpz(source, options));
}

/**
 * The bytes of a `.npz` file.
 *
 * @throws {TypeError} if something in `arrays` is not a tensor.
 */
export function encodeNpz(
  arrays: NamedTensors,
  options: DtypeOptions = {},
): Uint8Array<ArrayBuffer> {
  return joinChunks(zipChunks(filesOf(arrays, options)));
}

/**
 * Reads the bytes of a `.npz` file.
 *
 * @param bytes The file.
 * @param options `name` for errors; `maxUnpackedBytes` as of {@linkcode loadNpz}.
 * @throws {RangeError} if it is damaged, holds something other than numbers, or unpacks to more.
 */
export async function decodeNpz(
  bytes: Uint8Array,
  options: NameOptions & NpzOptions = {},
): Promise<LoadedTensors> {
  assertOptions("read npz", options, ["name", "maxUnpackedBytes", "names"]);
  const { name, ...others } = options;
  return await readNpz(sourceOf(bytes, nameOption(name, "npz data")), others);
}

/** Reads a `.npz` file wherever it is. */
export async function readNpz(source: ByteSource, options: NpzOptions): Promise<LoadedTensors> {
  assertOptions("read npz", options, ["maxUnpackedBytes", "names"]);
  const { maxUnpackedBytes: most = MOST_UNPACKED, names } = options;
  if (names !== undefined) assertList("read npz", names, "names", "names");
  if (typeof most !== "number" || !(most >= 0)) {
    throw new RangeError(`Cannot read npz: got maxUnpackedBytes ${show(most)}, expected 0 or more`);
  }
  const entries = await arraysIn(source);
  for (const name of names ?? []) {
    if (!entries.has(name)) {
      throw new RangeError(
        `Cannot read ${source.name}: got no array ${quote(name)}, expected one of ` +
          [...entries.keys()].slice(0, 12).map(quote).join(", "),
      );
    }
  }
  const chosen = [...entries].filter(([name]) => names?.includes(name) ?? true);
  let unpacked = 0;
  for (const [, { size, deflated }] of chosen) unpacked += deflated ? size : 0;
  if (unpacked > most) {
    throw new RangeError(
      `Cannot read ${source.name}: got compressed arrays that unpack to ${unpacked} bytes, ` +
        `expected at most maxUnpackedBytes ${most}`,
    );
  }
  const loaded = new LoadedTensors();
  for (const [name, entry] of chosen) {
    const bytes = await readEntry(source, entry);
    const file = `${quote(entry.name)} of ${source.name}`;
    // Texts and objects are no tensors; whatever asks for one by name is told.
    const kind = names === undefined ? otherThanNumbers(bytes, file) : null;
    if (kind !== null) {
      loaded.metadata.set(name, kind);
      continue;
    }
    const { tensor, dtype } = decodeArray(bytes, file, true);
    loaded.set(name, tensor);
    loaded.dtypes.set(name, dtype);
  }
  return loaded;
}

/** What a `.npz` file holds, by the headers of its arrays. */
export async function npzContent(source: ByteSource): Promise<{
  tensors: { name: string; shape: readonly number[]; dtype: string }[];
  others: Map<string, string>;
}> {
  const tensors: { name: string; shape: readonly number[]; dtype: string }[] = [];
  const others = new Map<string, string>();
  for (const [name, entry] of await arraysIn(source)) {
    const file = `${quote(entry.name)} of ${source.name}`;
    let bytes = await readEntryStart(source, entry, USUAL_HEADER);
    const start = headerBytes(bytes, file);
    if (start > bytes.length) bytes = await readEntryStart(source, entry, start);
    const kind = otherThanNumbers(bytes, file);
    if (kind !== null) others.set(name, kind);
    else {
      const { shape, dtype } = readHeader(bytes, entry.size, file);
      tensors.push({ name, shape, dtype: dtype.name });
    }
  }
  return { tensors, others };
}

async function arraysIn(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const arrays = new Map<string, ZipEntry>();
  for (const entry of (await readZip(source)).values()) {
    if (!entry.name.endsWith(".npy")) {
      throw new RangeError(
        `Cannot read ${source.name}: got an entry ${quote(entry.name)}, expected only .npy files`,
      );
    }
    arrays.set(entry.name.slice(0, -4), entry);
  }
  return arrays;
}

function* filesOf(
  arrays: NamedTensors,
  options: DtypeOptions,
): Iterable<ZipFile> {
  assertOptions("write npz", options, ["dtype", "dtypes"]);
  const tensors = namedTensors("write npz", arrays);
  for (const planned of planDtypes("write npz", tensors, options)) {
    yield { name: `${planned.name}.npy`, content: encodeArray(planned) };
  }
}
