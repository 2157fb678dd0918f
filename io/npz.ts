/**
 * `.npz`, NumPy's file for several arrays: a zip file of `.npy` files.
 */
import type { Tensor } from "../autograd/mod.ts";
import { assertOptions, assertTensor } from "../autograd/internal.ts";
import { dtypeToWrite } from "./dtype.ts";
import { quote } from "./errors.ts";
import { type ByteSource, joinChunks, sourceOf, withFile, writeWhole } from "./file.ts";
import { decodeArray, encodeArray, type NpyOptions } from "./npy.ts";
import { LoadedTensors, type NameOptions } from "./safetensors.ts";
import { readEntry, readZip } from "./zip_reader.ts";
import { zipChunks, type ZipFile } from "./zip_writer.ts";

/** How arrays are read. */
export interface NpzOptions {
  /** The most bytes that compressed arrays may unpack to, all together; 4 GiB where left out. */
  readonly maxUnpackedBytes?: number;
}

const MOST_UNPACKED = 2 ** 32;

/**
 * Writes tensors as `.npz`, whole or not at all. Values are float64; an entry `num_batches_tracked` is
 * a 0-d int64, as in PyTorch.
 *
 * @param path The file; what was there is replaced.
 * @param arrays Tensors by name.
 * @param options `dtype: "F32"` to round to float32.
 * @throws {TypeError} if something in `arrays` is no tensor.
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
  arrays: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>,
  options: NpyOptions = {},
): Promise<void> {
  await writeWhole(path, zipChunks(filesOf(arrays, options)));
}

/**
 * Reads the arrays of a `.npz` file, compressed or not.
 *
 * @param path The file.
 * @param options `maxUnpackedBytes` bounds what compressed arrays may unpack to.
 * @returns Tensors by name.
 * @throws {RangeError} if the file is damaged, holds something other than numbers, or unpacks to more.
 */
export async function loadNpz(path: string, options: NpzOptions = {}): Promise<LoadedTensors> {
  return await withFile(path, (source) => readNpz(source, options));
}

/**
 * The bytes of a `.npz` file.
 *
 * @throws {TypeError} if something in `arrays` is no tensor.
 */
export function encodeNpz(
  arrays: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>,
  options: NpyOptions = {},
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
  assertOptions("read npz", options, ["name", "maxUnpackedBytes"]);
  const { name = "npz data", maxUnpackedBytes } = options;
  return await readNpz(sourceOf(bytes, name), { maxUnpackedBytes });
}

/** Reads a `.npz` file wherever it is. */
export async function readNpz(source: ByteSource, options: NpzOptions): Promise<LoadedTensors> {
  assertOptions("read npz", options, ["maxUnpackedBytes"]);
  const most = options.maxUnpackedBytes ?? MOST_UNPACKED;
  const entries = await readZip(source);
  let unpacked = 0;
  for (const { size, deflated } of entries.values()) unpacked += deflated ? size : 0;
  if (unpacked > most) {
    throw new RangeError(
      `Cannot read ${source.name}: got compressed arrays that unpack to ${unpacked} bytes, ` +
        `expected at most maxUnpackedBytes ${most}`,
    );
  }
  const loaded = new LoadedTensors();
  for (const entry of entries.values()) {
    if (!entry.name.endsWith(".npy")) {
      throw new RangeError(
        `Cannot read ${source.name}: got an entry ${quote(entry.name)}, expected only .npy files`,
      );
    }
    const name = entry.name.slice(0, -4);
    const bytes = await readEntry(source, entry);
    const { tensor, dtype } = decodeArray(bytes, `${quote(entry.name)} of ${source.name}`);
    loaded.set(name, tensor);
    loaded.dtypes.set(name, dtype);
  }
  return loaded;
}

function* filesOf(
  arrays: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>,
  options: NpyOptions,
): Iterable<ZipFile> {
  assertOptions("write npz", options, ["dtype"]);
  for (const [name, x] of arrays instanceof Map ? arrays : Object.entries(arrays)) {
    assertTensor(`write ${quote(name)}`, x, "value");
    const content = encodeArray(x, dtypeToWrite(name, x, options.dtype ?? "F64"));
    yield { name: `${name}.npy`, content };
  }
}
