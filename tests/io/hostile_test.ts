/**
 * Files made to hurt: code, bombs, lies about sizes, deep nesting.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Tensor, tensor } from "../../mod.ts";
import {
  decodeNpz,
  decodeSafetensors,
  decodeTorch,
  encodeNpz,
  encodeTorch,
  OpaqueValue,
} from "../../io/mod.ts";
import { crc32 } from "../../io/archive/crc32.ts";
import { joinChunks } from "../../io/file.ts";
import { zipChunks } from "../../io/archive/zip_writer.ts";
import { legacyFile, long, pickle, storage, text, view } from "./hostile.ts";

/** A `.pt` file around a pickle, with one storage of `count` doubles. */
function archive(data: Uint8Array, count = 0): Uint8Array {
  return joinChunks(zipChunks([
    { name: "a/data.pkl", content: data },
    { name: "a/data/0", content: new Uint8Array(8 * count) },
    { name: "a/version", content: new TextEncoder().encode("3\n") },
  ]));
}

function refuses(name: string, data: Uint8Array, message: string, count = 0): void {
  Deno.test(`PyTorch files: ${name} is refused`, async () => {
    const started = performance.now();
    for (const bytes of [archive(data, count), legacyFile(data, pickle("]."))]) {
      const error = await assertRejects(() => decodeTorch(bytes, { name: "x.pt" }), RangeError);
      assert(error.message.startsWith("Cannot read "), error.message);
      if (bytes[0] === 0x50) assert(error.message.includes(message), error.message);
    }
    assert(performance.now() - started < 2000);
  });
}

/** What is not known is noted down; nothing of it happens. */
function staysOpaque(name: string, data: Uint8Array, opaque: string, count = 0): void {
  Deno.test(`PyTorch files: ${name} stays opaque`, async () => {
    const value = await decodeTorch(archive(data, count));
    assert(value instanceof OpaqueValue && value.name.endsWith(opaque), String(value));
    assert(typeof value !== "function");
  });
}

const call = (module: string, name: string, ...args: readonly Uint8Array[]): Uint8Array =>
  pickle(`c${module}\n${name}\n(`, ...args, "tR.");

for (
  const [module, name] of [
    ["os", "system"],
    ["posix", "system"],
    ["nt", "system"],
    ["subprocess", "Popen"],
    ["builtins", "eval"],
    ["builtins", "exec"],
    ["builtins", "getattr"],
    ["__builtin__", "compile"],
    ["runpy", "_run_code"],
    ["torch", "load"],
    ["torch.hub", "load"],
    ["torch.nn.modules.linear", "Linear"],
    ["constructor", "constructor"],
    ["__proto__", "toString"],
    ["torch", "__proto__"],
    ["torch", "constructor"],
    ["collections", "__proto__"],
  ]
) {
  const touching = text("touch /tmp/owned");
  staysOpaque(`${module}.${name}`, call(module, name, touching), `${module}.${name}`);
  staysOpaque(`${module}.${name} by INST`, pickle("(", touching, `i${module}\n${name}\n.`), name);
  staysOpaque(`${module}.${name} by OBJ`, pickle(`(c${module}\n${name}\n`, touching, "o."), name);
}

staysOpaque(
  "a global by STACK_GLOBAL",
  pickle(text("os"), text("system"), "\x93", text("id"), "\x85R."),
  "os.system",
);
staysOpaque(
  "a complex tensor",
  pickle(view(storage("0", 4, "torch\nComplexDoubleStorage\n"), 0, [2], [1]), "."),
  "torch.Tensor",
  4,
);
refuses("an extension code", pickle("\x82\x01."), "opcode 0x82");
refuses("a call of text", pickle(text("f"), ")R."), "a call of something that is no function");
refuses("a call of a call", pickle("ccollections\nOrderedDict\n)R)R."), "that is no function");
refuses(
  "a persistent id of another kind",
  pickle(text("file:///etc/passwd"), "Q."),
  "persistent id",
);
refuses("a text opcode", pickle("S'x'\n."), "opcode 0x53");
refuses("a memo that was never set", pickle("h\x05."), "memo 5");
refuses("an empty stack", pickle("."), "an empty stack");
refuses("items without a mark", pickle("]e."), "no mark");
refuses("an odd number of entries", pickle("}(", text("a"), "u."), "no dict");
refuses("items for a tuple", pickle(")K\x01a."), "no list");
refuses("an integer of a megabyte", pickle("\x8b\x00\x00\x10\x00."), "an integer of 1048576 bytes");
refuses("text longer than the file", pickle("X\xff\xff\xff\x7f."), "got its end");
refuses("no end", pickle("]"), "got its end");
refuses("protocol 0", Uint8Array.from([0x80, 0, 0x2e]), "protocol 0");

const tensors: [name: string, tensor: Uint8Array, message: string, count?: number][] = [
  ["a tensor beyond its storage", view(storage("0", 4), 1, [4], [1]), "expected it inside", 4],
  ["a storage shorter than it says", view(storage("0", 8), 0, [8], [1]), "expected 64", 4],
  ["a missing storage", view(storage("7", 4), 0, [4], [1]), 'storage "7"', 4],
  ["a path as a storage", view(storage("../../etc/passwd", 1), 0, [1], [1]), "storage", 1],
  [
    "one value seen a million million times",
    view(storage("0", 1), 0, [2 ** 20, 2 ** 20], [0, 0]),
    "values or more",
    1,
  ],
  [
    "sizes whose product overflows",
    view(storage("0", 1), 0, [2 ** 52, 2 ** 52], [0, 0]),
    "values or more",
    1,
  ],
  ["a negative size", view(storage("0", 1), 0, [-1], [1]), "no sizes", 1],
  ["a negative stride", view(storage("0", 4), 3, [4], [-1]), "no sizes", 4],
  ["a negative offset", view(storage("0", 4), -1, [1], [1]), "no sizes", 4],
  ["strides of another length", view(storage("0", 4), 0, [2, 2], [1]), "no sizes", 4],
  ["a storage on its own", storage("0", 4), "on its own", 4],
];
for (const [name, made, message, count] of tensors) {
  refuses(name, pickle(made, "."), message, count);
}

Deno.test("PyTorch files: a list in itself a million deep is read, and not walked", async () => {
  const deep = pickle("]".repeat(1e6), "a".repeat(1e6 - 1), ".");
  assert(Array.isArray(await decodeTorch(archive(deep))));
});

Deno.test("PyTorch files: a billion laughs take no memory", async () => {
  // Each list holds the one before ten times.
  const parts: (string | Uint8Array)[] = ["]q\x00"];
  for (let i = 0; i < 60; i++) {
    const get = `h${String.fromCharCode(i)}`;
    parts.push("](", get.repeat(10), `eq${String.fromCharCode(i + 1)}`);
  }
  assert(Array.isArray(await decodeTorch(archive(pickle(...parts, ".")))));
});

Deno.test("PyTorch files: a list that holds itself is read", async () => {
  const list = await decodeTorch(archive(pickle("]q\x00h\x00a."))) as unknown[];
  assertEquals(list[0] === list, true);
});

Deno.test("PyTorch files: names of JavaScript's own are plain keys", async () => {
  const loaded = await decodeTorch(
    archive(pickle("}(", text("__proto__"), "}(", text("polluted"), "K\x01uu.")),
  ) as Map<string, unknown>;
  assert(loaded.get("__proto__") instanceof Map);
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("PyTorch files: a shape that grows after the tensor is made does not", async () => {
  const place = storage("0", 2);
  const grown = pickle(
    "ctorch._utils\n_rebuild_tensor_v2\n(",
    place,
    long(0),
    "]q\x05",
    long(2),
    "a]",
    long(1),
    "a\x89ccollections\nOrderedDict\n)RtRq\x06h\x05",
    long(1000),
    "a0h\x06.",
  );
  const x = await decodeTorch(archive(grown, 2)) as Tensor;
  assertEquals([x.shape, x.data.length], [[2], 2]);
});

/** A zip file after `edit` has changed its bytes. */
function zipWith(edit: (view: DataView, central: number[], end: number) => void): Uint8Array {
  const bytes = encodeNpz({ a: tensor([1, 2]), b: tensor([3]) });
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  const central: number[] = [];
  for (let at = view.getUint32(end + 16, true); at < end;) {
    central.push(at);
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true);
  }
  edit(view, central, end);
  return bytes;
}

const zips: [name: string, bytes: Uint8Array, message: string][] = [
  [
    "entries that lie in each other",
    zipWith((v, [a, b]) => v.setUint32(b + 42, v.getUint32(a + 42, true), true)),
    "between its neighbours",
  ],
  [
    "an entry larger than the file",
    zipWith((v, [, b]) => {
      v.setUint32(b + 20, 0x7fffffff, true);
      v.setUint32(b + 24, 0x7fffffff, true);
    }),
    "between its neighbours",
  ],
  [
    "a size that deflate cannot reach",
    zipWith((v, [, b]) => {
      v.setUint16(b + 10, 8, true);
      v.setUint32(b + 24, 0x7fffffff, true);
    }),
    "expected at most",
  ],
  [
    "an entry count that lies",
    zipWith((v, _, end) => v.setUint16(end + 10, 60000, true)),
    "60000 entries",
  ],
  [
    "a directory beyond the end",
    zipWith((v, _, end) => v.setUint32(end + 16, 0x7fffffff, true)),
    "got a directory",
  ],
  [
    "zip64 that is not there",
    zipWith((v, _, end) => v.setUint32(end + 16, 0xffffffff, true)),
    "zip64",
  ],
  ["an unknown method", zipWith((v, [a]) => v.setUint16(a + 10, 99, true)), "method 99"],
  ["encryption", zipWith((v, [a]) => v.setUint16(a + 8, 1, true)), "encrypted"],
  ["another checksum", zipWith((v, [a]) => v.setUint32(a + 16, 1, true)), "checksum"],
  ["no zip file", new Uint8Array(100), "no zip directory"],
  ["nothing", new Uint8Array(0), "an empty file"],
];
for (const [name, bytes, message] of zips) {
  Deno.test(`zip files: ${name} is refused`, async () => {
    await assertRejects(() => decodeNpz(bytes, { name: "x.npz" }), RangeError, message);
  });
}

/** A safetensors file with this header. */
function safetensors(header: string, values = 0): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + values);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const entry = (shape: unknown, from: unknown, to: unknown, dtype: unknown = "F64"): string =>
  JSON.stringify({ dtype, shape, data_offsets: [from, to] });

const headers: [name: string, bytes: Uint8Array, message: string][] = [
  ["nothing", new Uint8Array(3), "got 3 bytes, expected at least 8"],
  ["a header of 2^63 bytes", new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0x80, 1]), "got a header of"],
  ["no JSON", safetensors("{"), "no JSON"],
  ["a list", safetensors("[]"), "no JSON object"],
  ["nesting a million deep", safetensors(`{"a":${"[".repeat(1e6)}${"]".repeat(1e6)}}`), "dtype"],
  ["an unknown dtype", safetensors(`{"a":${entry([1], 0, 8, "C128")}}`, 8), 'dtype "C128"'],
  [
    "a shape that is too large",
    safetensors(`{"a":${entry([1e15, 1e15], 0, 8)}}`, 8),
    "got 8 bytes",
  ],
  ["a negative size", safetensors(`{"a":${entry([-1], 0, 8)}}`, 8), "no list of at most 64 sizes"],
  ["a broken size", safetensors(`{"a":${entry([0.5], 0, 4)}}`, 4), "no list of at most 64 sizes"],
  ["100 axes", safetensors(`{"a":${entry(new Array(100).fill(1), 0, 8)}}`, 8), "64 sizes"],
  ["offsets beyond the end", safetensors(`{"a":${entry([2], 0, 16)}}`, 8), "expected"],
  ["offsets that are none", safetensors(`{"a":${entry([1], "0", 8)}}`, 8), "no pair of places"],
  [
    "tensors in each other",
    safetensors(`{"a":${entry([2], 0, 16)},"b":${entry([1], 8, 16)}}`, 16),
    "where the one before ends",
  ],
  [
    "a hole",
    safetensors(`{"a":${entry([1], 0, 8)},"b":${entry([1], 16, 24)}}`, 24),
    "where the one before ends",
  ],
  ["bytes left over", safetensors(`{"a":${entry([1], 0, 8)}}`, 9), "as its header says"],
  ["metadata that is no text", safetensors('{"__metadata__":{"a":1}}'), "no text"],
  ["text that is no UTF-8", safetensors('{"a\u0000":1}').fill(0xff, 10, 11), "no JSON"],
];
for (const [name, bytes, message] of headers) {
  Deno.test(`safetensors: ${name} is refused`, () => {
    const error = assertThrows(
      () => decodeSafetensors(bytes, { name: "x.safetensors" }),
      RangeError,
    );
    assert(error.message.startsWith("Cannot read x.safetensors: "), error.message);
    assert(error.message.includes(message), error.message);
  });
}

Deno.test("64-bit integers that float64 does not hold are refused", () => {
  const bytes = safetensors(`{"n":${entry([1], 0, 8, "I64")}}`, 8);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(bytes.length - 8, 2n ** 53n, true);
  assertEquals(decodeSafetensors(bytes).get("n")!.toArray(), [2 ** 53]);
  view.setBigInt64(bytes.length - 8, 2n ** 53n + 1n, true);
  assertThrows(
    () => decodeSafetensors(bytes),
    RangeError,
    "the 64-bit integer 9007199254740993",
  );
});

Deno.test("crc32 equals the standard's check value", () => {
  const bytes = new TextEncoder().encode("123456789");
  assertEquals(crc32(bytes), 0xcbf43926);
  assertEquals(crc32(bytes.subarray(4), crc32(bytes.subarray(0, 4))), 0xcbf43926);
});

Deno.test("what contains itself cannot be written", () => {
  const list: unknown[] = [];
  list.push(list);
  assertThrows(() => encodeTorch(list as never), RangeError, "nested more than 200 deep");
  assertThrows(() => encodeTorch({ f: new Date() as never }), TypeError, 'a Date under "f"');
});
