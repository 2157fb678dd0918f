/**
 * Damaged files: whatever happens to the bytes, a reader gives the right tensors or a clear error, soon
 * and without unbounded memory. `MUTATIONS=10000` tries more of them.
 */
import { assert, assertEquals } from "@std/assert";
import { gzipSync, zipSync } from "npm:fflate@0.8.3";
import { Generator, nn, optim, Tensor, tensor } from "../../mod.ts";
import {
  decodeNpy,
  decodeNpz,
  decodePng,
  decodeSafetensors,
  decodeState,
  decodeTorch,
  encodeNpy,
  encodeNpz,
  encodeSafetensors,
  encodeTorch,
  inspect,
  parseCsv,
  parseIdx,
} from "../../io/mod.ts";
import { encodeLegacy } from "./hostile.ts";
import { encodePng } from "./png.ts";

const COUNT = Number(Deno.env.get("MUTATIONS") ?? 2000);
const SLOW_MS = 2000;

const state = new Map<string, Tensor>([
  ["conv.weight", tensor(Float64Array.from({ length: 54 }, (_, i) => i / 7), { shape: [2, 3, 9] })],
  ["bn.num_batches_tracked", tensor(12)],
  ["scalar", tensor(-0.5)],
  ["empty", tensor([], { shape: [0, 4] })],
]);

function checkpoint(): Uint8Array {
  const model = new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  return encodeTorch({
    model: model.stateDict(),
    optimizer: optimizer.stateDict() as never,
    step: 3,
    note: "text",
  });
}

interface Format {
  readonly bytes: Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
  /** Whether its checksums notice every change that matters. */
  readonly isGuarded: boolean;
}

const npz = encodeNpz(state);
const formats: Record<string, Format> = {
  "safetensors": {
    bytes: encodeSafetensors(state, { metadata: { epoch: "3" } }),
    decode: (bytes) => decodeSafetensors(bytes),
    isGuarded: false,
  },
  "PyTorch, zip": { bytes: checkpoint(), decode: (bytes) => decodeTorch(bytes), isGuarded: true },
  "PyTorch's own": {
    bytes: await Deno.readFile(new URL("../oracle/data/cnn-dev.pt", import.meta.url)),
    decode: (bytes) => decodeTorch(bytes),
    isGuarded: true,
  },
  "PyTorch, old": {
    bytes: encodeLegacy(state),
    decode: (bytes) => decodeTorch(bytes),
    isGuarded: false,
  },
  "npz": { bytes: npz, decode: (bytes) => decodeNpz(bytes), isGuarded: true },
  "npz, packed": {
    bytes: zipSync(Object.fromEntries([...state].map(([k, x]) => [`${k}.npy`, encodeNpy(x)]))),
    decode: (bytes) => decodeNpz(bytes),
    isGuarded: true,
  },
  "npy": {
    bytes: encodeNpy(state.get("conv.weight")!),
    decode: (bytes) => decodeNpy(bytes),
    isGuarded: false,
  },
  "IDX": {
    bytes: Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]),
    decode: (bytes) => parseIdx(bytes),
    isGuarded: false,
  },
  "IDX, packed": {
    bytes: gzipSync(Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6])),
    decode: (bytes) => parseIdx(bytes),
    isGuarded: false,
  },
  "PNG": {
    bytes: encodePng({
      width: 9,
      height: 7,
      depth: 8,
      colourType: 2,
      samples: Array.from({ length: 189 }, (_, i) => i),
    }),
    decode: (bytes) => decodePng(bytes),
    isGuarded: true,
  },
  "CSV": {
    bytes: new TextEncoder().encode('width,"a ""label"""\n0.5,1\n-3e-4,"0"\n12,3\n'),
    decode: (bytes) => parseCsv(new TextDecoder().decode(bytes)).values,
    isGuarded: false,
  },
};

/** What people's files are like, as Python wrote them: see data/record.py. */
for (
  const name of [
    "foreign.pt",
    "whole.pt",
    "whole_old.pt",
    "script.pt",
    "plain.pkl",
    "numpy.pkl",
    "deflated.pt",
    "mixed.npz",
  ]
) {
  const bytes = await Deno.readFile(new URL(`data/${name}`, import.meta.url));
  const isGuarded = !/old|pkl/.test(name);
  // Integers beyond 2^53 refuse to be looked at, and nothing else is asked of them here.
  const names = name.endsWith(".npz") ? ["x"] : undefined;
  formats[`state of ${name}`] = {
    bytes,
    decode: (bytes) => decodeState(bytes, { names }),
    isGuarded,
  };
  formats[`content of ${name}`] = { bytes, decode: (bytes) => content(bytes), isGuarded: false };
}

async function content(bytes: Uint8Array): Promise<unknown> {
  const { tensors, others } = await inspect(bytes);
  return [tensors.map(({ name, shape }) => [name, ...shape]), others];
}

const EXTREMES = [0, 1, 0x7f, 0x80, 0xff];

function mutate(original: Uint8Array, random: Generator): Uint8Array {
  const bytes = original.slice();
  const at = (limit: number): number => Math.floor(random.uniform() * limit);
  const place = at(bytes.length);
  switch (at(7)) {
    case 0: // One flipped bit.
      bytes[place] ^= 1 << at(8);
      return bytes;
    case 1: // Several.
      for (let i = at(16); i >= 0; i--) bytes[at(bytes.length)] ^= 1 << at(8);
      return bytes;
    case 2: // A length or a place replaced by an absurd one.
      bytes.fill(EXTREMES[at(EXTREMES.length)], place, place + 1 + at(8));
      return bytes;
    case 3: // Cut off.
      return bytes.slice(0, place);
    case 4: // Something taken out.
      return joined(bytes.slice(0, place), bytes.slice(place + 1 + at(32)));
    case 5: // Something put in.
      return joined(
        bytes.slice(0, place),
        bytes.slice(at(bytes.length)).slice(0, 1 + at(64)),
        bytes.slice(place),
      );
    default: // Something copied over something else.
      bytes.copyWithin(at(bytes.length), place, place + 1 + at(64));
      return bytes;
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The content as text, and how many numbers its tensors hold. */
function summary(value: unknown): { text: string; size: number } {
  let size = 0;
  const show = (part: unknown): unknown => {
    if (part instanceof Tensor) {
      assertEquals(part.data.length, part.shape.reduce((product, n) => product * n, 1));
      size += part.size;
      return { shape: part.shape, data: [...part.data].map(String) };
    }
    if (part instanceof Map) return [...part].map(([key, entry]) => [show(key), show(entry)]);
    if (part instanceof Set) return [...part].map(show);
    if (part instanceof Uint8Array) return [...part];
    if (Array.isArray(part)) return part.map(show);
    return typeof part === "object" && part !== null ? { ...part } : String(part);
  };
  const plain = (_: string, part: unknown) => typeof part === "bigint" ? String(part) : part;
  return { text: JSON.stringify(show(value), plain), size };
}

for (const [name, { bytes, decode, isGuarded }] of Object.entries(formats)) {
  Deno.test(`${name}: ${COUNT} damaged files give clear errors or the right tensors`, async () => {
    const expected = summary(await decode(bytes)).text;
    const random = new Generator(42);
    let refused = 0;
    for (let i = 0; i < COUNT; i++) {
      const damaged = mutate(bytes, random);
      const started = performance.now();
      try {
        const { text, size } = summary(await decode(damaged));
        assert(size <= 2 ** 24 + 8 * damaged.length, `case ${i}: ${size} values`);
        if (isGuarded) assertEquals(text, expected, `case ${i} was read as something else`);
      } catch (error) {
        const isClear = (error instanceof RangeError || error instanceof TypeError) &&
          error.message.startsWith("Cannot read ");
        if (!isClear) throw new Error(`case ${i}`, { cause: error });
        refused++;
      }
      const took = performance.now() - started;
      assert(took < SLOW_MS, `case ${i} took ${took} ms`);
    }
    assert(refused > COUNT / 10, `only ${refused} of ${COUNT} were refused`);
  });
}
