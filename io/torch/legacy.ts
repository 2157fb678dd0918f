/**
 * PyTorch's format before 1.6: five pickles in a row (a magic number, a version, facts about the
 * machine, the object, the names of its storages), then each storage with its length in front.
 */
import type { ByteSource } from "../file.ts";
import { quote } from "../errors.ts";
import { PickleEnd, unpickle } from "../pickle/unpickler.ts";
import type { PickleValue } from "../pickle/values.ts";
import { fillViews } from "./views.ts";
import { MAGIC, type TensorView, TorchVocabulary } from "./vocabulary.ts";

const VERSION = 1001;
/** How much is looked at first; the pickles are usually shorter. */
const FIRST_LOOK = 2 ** 20;

interface Pickles {
  readonly value: PickleValue;
  readonly vocabulary: TorchVocabulary;
  readonly keys: readonly string[];
  /** Where the storages begin. */
  readonly end: number;
}

/** A file whose pickles are read, and how its tensors get their values. */
export interface ParsedTorch {
  readonly value: PickleValue;
  readonly views: readonly TensorView[];
  fill(): Promise<void>;
}

/** Reads the pickles of a file of the old format. */
export async function parseLegacy(source: ByteSource): Promise<ParsedTorch> {
  const pickles = await readPickles(source);
  const { value, vocabulary: { views } } = pickles;
  return { value, views, fill: () => fillLegacy(source, pickles) };
}

async function fillLegacy(
  source: ByteSource,
  { vocabulary, keys, end }: Pickles,
): Promise<void> {
  const widths = new Map<string, number>();
  for (const { storage } of vocabulary.views) widths.set(storage.key, storage.dtype?.width ?? 1);
  const places = new Map<string, { start: number; size: number }>();
  let at = end;
  for (const key of keys) {
    const length = new Uint8Array(8);
    if (at + 8 > source.size) throw ended(source, key, at + 8);
    await source.read(at, length);
    const view = new DataView(length.buffer);
    const count = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
    const width = widths.get(key) ?? vocabulary.widthOf(key);
    if (width === undefined) {
      throw new RangeError(
        `Cannot read ${source.name}: got storage ${quote(key)} that no tensor uses, expected none`,
      );
    }
    const size = count * width;
    if (size > source.size - at - 8) throw ended(source, key, at + 8 + size);
    places.set(key, { start: at + 8, size });
    at += 8 + size;
  }
  await fillViews(vocabulary.views, async (key, size) => {
    const inline = vocabulary.inline.get(key);
    if (inline !== undefined && inline.length >= size) return inline;
    const place = places.get(key);
    if (place === undefined || place.size < size) {
      throw new RangeError(
        `Cannot read ${source.name}: got ${place?.size ?? "no"} bytes of storage ${quote(key)}, ` +
          `expected ${size}`,
      );
    }
    const bytes = new Uint8Array(place.size);
    await source.read(place.start, bytes);
    return bytes;
  }, source.name);
}

/** The pickles stand at the beginning, and how long they are only they say. */
async function readPickles(source: ByteSource): Promise<Pickles> {
  for (let length = FIRST_LOOK;; length *= 8) {
    const bytes = new Uint8Array(Math.min(length, source.size));
    await source.read(0, bytes);
    try {
      return parsePickles(bytes, source);
    } catch (error) {
      if (!(error instanceof PickleEnd) || bytes.length === source.size) throw error;
    }
  }
}

function parsePickles(bytes: Uint8Array, source: ByteSource): Pickles {
  const { name } = source;
  const vocabulary = new TorchVocabulary(source.size);
  const magic = unpickle(bytes, 0, vocabulary, name);
  // A plain pickle holds one value, and its storages itself.
  if (magic.value !== MAGIC) {
    const { value, end } = magic;
    return { value: value as PickleValue, vocabulary, keys: [], end };
  }
  const version = unpickle(bytes, magic.end, vocabulary, name);
  if (version.value !== VERSION) {
    throw new RangeError(
      `Cannot read ${name}: got version ${
        String(version.value)
      } of PyTorch's old format, expected ` +
        VERSION,
    );
  }
  const machine = unpickle(bytes, version.end, vocabulary, name);
  if (machine.value instanceof Map && machine.value.get("little_endian") === false) {
    throw new RangeError(`Cannot read ${name}: got big-endian values, expected little-endian`);
  }
  const { value, end } = unpickle(bytes, machine.end, vocabulary, name);
  vocabulary.finish(name);
  const keys = unpickle(bytes, end, vocabulary, name);
  if (!Array.isArray(keys.value) || !keys.value.every((key) => typeof key === "string")) {
    throw new RangeError(`Cannot read ${name}: got no list of storages, expected one`);
  }
  return {
    value: value as PickleValue,
    vocabulary,
    keys: keys.value as string[],
    end: keys.end,
  };
}

function ended(source: ByteSource, key: string, expected: number): RangeError {
  return new RangeError(
    `Cannot read ${source.name}: got its end at byte ${source.size} inside storage ${
      quote(key)
    }, ` +
      `expected ${expected} bytes`,
  );
}
