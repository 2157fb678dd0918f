/**
 * Reading what `torch.save` wrote.
 */
import { assertOptions } from "../../autograd/internal.ts";
import { type ByteSource, sourceOf, withFile } from "../file.ts";
import { quote } from "../errors.ts";
import { unpickle } from "../pickle/unpickler.ts";
import type { PickleValue } from "../pickle/values.ts";
import type { NameOptions } from "../safetensors.ts";
import { isZip, readEntry, readZip, type ZipEntry } from "../zip_reader.ts";
import { readLegacy } from "./legacy.ts";
import { fillViews } from "./views.ts";
import { TorchVocabulary } from "./vocabulary.ts";

/** The pickle of a program that begins with its protocol. */
const PROTO = 0x80;

/**
 * Reads a `.pt` file of PyTorch: state dicts, optimizer states, nested checkpoints. Both the zip format
 * and the older stream of pickles are read. No code in the file is run, whatever it says.
 *
 * Dicts become `Map`s, an `OrderedDict` (a state dict) a {@linkcode StateDict} with the versions of its
 * modules, lists and tuples arrays. Strided tensors become contiguous, tensors that were one stay one,
 * and every number format becomes float64.
 *
 * @param path The file.
 * @returns What was saved.
 * @throws {RangeError} if the file is damaged or holds something other than tensors and plain values.
 *
 * @example
 * ```ts
 * import { loadTorch, saveTorch } from "@tapegrad/tapegrad/io";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await saveTorch(path, { epoch: 3, weights: new Map([["w", tensor([1, 2])]]) });
 * const checkpoint = await loadTorch(path);
 * assertEquals(checkpoint instanceof Map && checkpoint.get("epoch"), 3);
 * await Deno.remove(path);
 * ```
 */
export async function loadTorch(path: string): Promise<PickleValue> {
  return await withFile(path, readTorch);
}

/**
 * Reads the bytes of a `.pt` file.
 *
 * @param bytes The file.
 * @param options `name` for errors.
 * @returns What was saved; see {@linkcode loadTorch}.
 * @throws {RangeError} if it is damaged or holds something other than tensors and plain values.
 */
export async function decodeTorch(
  bytes: Uint8Array,
  options: NameOptions = {},
): Promise<PickleValue> {
  assertOptions("read PyTorch data", options, ["name"]);
  return await readTorch(sourceOf(bytes, options.name ?? "PyTorch data"));
}

/** Reads a `.pt` file wherever it is. */
export async function readTorch(source: ByteSource): Promise<PickleValue> {
  const first = new Uint8Array(Math.min(4, source.size));
  await source.read(0, first);
  if (isZip(first)) return await readArchive(source);
  if (first[0] === PROTO) return await readLegacy(source);
  throw new RangeError(
    `Cannot read ${source.name}: got a file that is neither a zip file nor a pickle of protocol 2 ` +
      `or later, expected what torch.save writes`,
  );
}

async function readArchive(source: ByteSource): Promise<PickleValue> {
  const entries = await readZip(source);
  const pickled = [...entries.values()].find(({ name }) => /^([^/]*\/)?data\.pkl$/.test(name));
  if (pickled === undefined) {
    throw new RangeError(
      `Cannot read ${source.name}: got a zip file without data.pkl, expected what torch.save writes`,
    );
  }
  const prefix = pickled.name.slice(0, -"data.pkl".length);
  if (entries.has(`${prefix}constants.pkl`)) {
    throw new RangeError(
      `Cannot read ${source.name}: got a TorchScript program, expected what torch.save writes`,
    );
  }
  const take = async (entry: ZipEntry): Promise<Uint8Array<ArrayBuffer>> => {
    if (entry.deflated) {
      throw new RangeError(
        `Cannot read ${source.name}: got ${quote(entry.name)} deflated, expected it stored`,
      );
    }
    return await readEntry(source, entry);
  };
  const byteOrder = entries.get(`${prefix}byteorder`);
  if (byteOrder !== undefined) {
    const order = new TextDecoder().decode(await take(byteOrder));
    if (order !== "little") {
      throw new RangeError(
        `Cannot read ${source.name}: got byte order ${quote(order)}, expected "little"`,
      );
    }
  }
  const vocabulary = new TorchVocabulary(source.size);
  const file = `${quote(pickled.name)} of ${source.name}`;
  const { value } = unpickle(await take(pickled), 0, vocabulary, file);
  vocabulary.finish(file);
  await fillViews(vocabulary.views, async (key, size) => {
    const entry = entries.get(`${prefix}data/${key}`);
    if (entry === undefined || entry.size < size) {
      throw new RangeError(
        `Cannot read ${source.name}: got ${entry?.size ?? "no"} bytes of storage ${quote(key)}, ` +
          `expected ${size}`,
      );
    }
    return await take(entry);
  }, source.name);
  return value as PickleValue;
}
