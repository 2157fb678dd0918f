/**
 * Reading what `torch.save` wrote.
 */
import type { Tensor } from "../../autograd/mod.ts";
import { assertOptions } from "../../autograd/internal.ts";
import { type ByteSource, nameOption, sourceOf, withFile } from "../file.ts";
import { quote } from "../errors.ts";
import { identify, isSafetensors } from "../identify.ts";
import { unpickle } from "../pickle/unpickler.ts";
import type { PickleValue } from "../pickle/values.ts";
import type { NameOptions } from "../safetensors.ts";
import { isZip, readEntry, readZip, type ZipEntry } from "../archive/zip_reader.ts";
import { type ParsedTorch, parseLegacy } from "./legacy.ts";
import { fillViews } from "./views.ts";
import { TorchVocabulary } from "./vocabulary.ts";

/** The pickle of a program that begins with its protocol. */
const PROTO = 0x80;

/**
 * Reads a `.pt` file of PyTorch: state dicts, optimizer states, nested checkpoints. Both the zip format
 * and the older stream of pickles are read. No code in the file is run, whatever it says.
 *
 * Objects of other classes stay opaque: an `OpaqueValue` tells what the file says of them.
 *
 * Dicts become `Map`s, an `OrderedDict` (a state dict) a {@linkcode StateDict} with the versions of its
 * modules, lists and tuples arrays. Strided tensors become contiguous, tensors that were one stay one,
 * and every number format becomes float64.
 *
 * @param path The file.
 * @returns What was saved.
 * @throws {RangeError} if the file is damaged or something else.
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
 * @throws {RangeError} if it is damaged or something else.
 */
export async function decodeTorch(
  bytes: Uint8Array,
  options: NameOptions = {},
): Promise<PickleValue> {
  assertOptions("read PyTorch data", options, ["name"]);
  return await readTorch(sourceOf(bytes, nameOption(options.name, "PyTorch data")));
}

/** Reads a `.pt` file wherever it is. */
export async function readTorch(source: ByteSource): Promise<PickleValue> {
  const { value, fill } = await parseTorch(source);
  await fill();
  return value;
}

/** What a `.pt` file holds, and the number formats of its tensors, whose values are not read. */
export async function torchContent(
  source: ByteSource,
): Promise<{ value: PickleValue; dtypes: Map<Tensor, string> }> {
  const { value, views } = await parseTorch(source);
  return { value, dtypes: new Map(views.map(({ tensor, dtype }) => [tensor, dtype.name])) };
}

async function parseTorch(source: ByteSource): Promise<ParsedTorch> {
  const first = new Uint8Array(Math.min(64, source.size));
  await source.read(0, first);
  if (isZip(first)) return await parseArchive(source);
  if (first[0] === PROTO && !isSafetensors(first)) return await parseLegacy(source);
  const found = identify(first);
  throw new RangeError(
    `Cannot read ${source.name}: got ${
      found ?? "a file of a kind that is not known"
    }, expected a zip ` +
      `file or a pickle of protocol 2 or later, as torch.save writes`,
  );
}

async function parseArchive(source: ByteSource): Promise<ParsedTorch> {
  const entries = await readZip(source);
  const pickled = [...entries.values()].find(({ name }) => /^([^/]*\/)?data\.pkl$/.test(name));
  if (pickled === undefined) {
    const isNpz = [...entries.keys()].some((name) => name.endsWith(".npy"));
    throw new RangeError(
      `Cannot read ${source.name}: got ${
        isNpz ? "an .npz file; use loadNpz" : "a zip file"
      } without ` +
        `data.pkl, expected what torch.save writes`,
    );
  }
  const prefix = pickled.name.slice(0, -"data.pkl".length);
  const take = (entry: ZipEntry): Promise<Uint8Array<ArrayBuffer>> => readEntry(source, entry);
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
  const fill = (): Promise<void> =>
    fillViews(vocabulary.views, async (key, size) => {
      const entry = entries.get(`${prefix}data/${key}`) ?? entries.get(`${prefix}tensors/${key}`);
      if (entry === undefined || entry.size < size) {
        throw new RangeError(
          `Cannot read ${source.name}: got ${entry?.size ?? "no"} bytes of storage ${
            quote(key)
          }, ` +
            `expected ${size}`,
        );
      }
      return await take(entry);
    }, source.name);
  return { value: value as PickleValue, views: vocabulary.views, fill };
}
