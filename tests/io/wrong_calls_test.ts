/**
 * Wrong calls of readers and writers of bytes end in the library's words, never the engine's.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { Generator, nn, ones } from "../../mod.ts";
import * as io from "../../io/bytes.ts";
import { decodeCheckpoint } from "../../io/checkpoint.ts";
import { assertPath } from "../../io/file.ts";
import { callWrongly, type RightArguments, type Tally } from "../house/wrong_calls.ts";

const net = () => new nn.Sequential(new nn.Linear(2, 2));
const state = () => ({ w: ones([2]) });
const [safetensors, npy, npz, torch, checkpoint] = [
  io.encodeSafetensors(state()),
  io.encodeNpy(ones([2])),
  io.encodeNpz(state()),
  io.encodeTorch(state()),
  io.encodeCheckpoint({ model: net() }),
];

const options = {
  name: "a",
  names: ["w"],
  map: (name: string) => name,
  prefix: "",
  columns: [0],
  labels: [0],
  missingMarks: ["NA"],
  convert: () => 1,
  delimiter: ",",
  maxUnpackedBytes: 1,
  dtype: "F64",
  outputNames: ["y"],
  generator: new Generator(),
};

// The names of those options that each call has; each is given wrong values too.
const calls: Readonly<
  Record<string, readonly [call: unknown, right: RightArguments, ...(keyof typeof options)[]]>
> = {
  decodeSafetensors: [io.decodeSafetensors, () => [safetensors, {}]],
  decodeNpy: [io.decodeNpy, () => [npy, {}], "name"],
  decodeNpz: [io.decodeNpz, () => [npz, {}], "name", "names", "maxUnpackedBytes"],
  decodeTorch: [io.decodeTorch, () => [torch, {}], "name"],
  decodeState: [io.decodeState, () => [torch, {}], "name", "names", "map", "prefix"],
  decodeCheckpoint: [decodeCheckpoint, () => [checkpoint, { model: net() }, {}], "name"],
  decodePng: [io.decodePng, () => [new Uint8Array(9), {}], "name"],
  parseIdx: [io.parseIdx, () => [new Uint8Array(9), "name"]],
  parseCsv: [
    io.parseCsv,
    () => ["1,2\n3,4\n", {}],
    "name",
    "columns",
    "labels",
    "missingMarks",
    "convert",
    "delimiter",
  ],
  gunzip: [io.gunzip, () => [new Uint8Array(9), "name"]],
  isGzip: [io.isGzip, () => [new Uint8Array(9)]],
  "new LoadedTensors": [
    (entries: never) => new io.LoadedTensors(entries),
    () => [[["w", ones([2])]]],
  ],
  encodeSafetensors: [io.encodeSafetensors, () => [state(), {}], "dtype"],
  encodeNpy: [io.encodeNpy, () => [ones([2]), {}], "dtype"],
  encodeNpz: [io.encodeNpz, () => [state(), {}], "dtype"],
  encodeTorch: [io.encodeTorch, () => [state(), {}], "dtype"],
  encodeOnnx: [io.encodeOnnx, () => [net(), ones([1, 2]), {}], "dtype", "outputNames"],
  encodeCheckpoint: [io.encodeCheckpoint, () => [{ model: net() }], "generator"],
};

Deno.test("wrong calls of readers and writers end in the library's words", async () => {
  const tally: Tally = { made: 0, engine: [] };
  for (const [name, [call, right, ...known]] of Object.entries(calls)) {
    const run = call as (...args: unknown[]) => unknown;
    await callWrongly(name, run, right, tally);
    for (const option of known) {
      const given = right().slice(0, -1);
      const withOption = (value: unknown) => run(...given, { [option]: value });
      await callWrongly(`${name} ${option}`, withOption, () => [options[option]], tally);
    }
  }
  assertEquals([tally.made > 1500, tally.engine], [true, []]);
});

Deno.test("a path with a null character is refused before the system sees it", () => {
  assertThrows(() => assertPath("a\0b"), RangeError, "Cannot open a file: got a path with a null");
});
