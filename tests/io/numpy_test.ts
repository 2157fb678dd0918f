import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Generator, ones, rand, Tensor, tensor } from "../../mod.ts";
import {
  decodeNpy,
  decodeNpz,
  encodeNpy,
  encodeNpz,
  loadNpy,
  loadNpz,
  saveNpy,
  saveNpz,
} from "../../io/mod.ts";
import { npzContent } from "../../io/numpy/npz.ts";
import { readEntry, readZip } from "../../io/archive/zip_reader.ts";
import { sourceOf } from "../../io/file.ts";
import { bitsOf, findPython, pythonTest, runPython } from "./python.ts";

const python = await findPython(["numpy"]);
const test = (name: string, run: (python: string, folder: string) => Promise<void>): void =>
  pythonTest(name, python, ["numpy"], run);

type Told = [dtype: string, shape: number[], bits: string];

test("arrays of every kind come from NumPy bit for bit", async (python, folder) => {
  const told = await runPython(
    python,
    `
import numpy as np
base = np.arange(24.0).reshape(2, 3, 4) / 7
arrays = {"c": base, "fortran": np.asfortranarray(base), "big": base.astype(">f8"), "scalar": np.array(-0.0),
  "empty": np.zeros((0, 3)), "one": np.arange(3.0), "f4": (base / 3).astype("f4"), "f2": base.astype("f2"),
  "i8": np.array([-2**53, 2**53]), "i4big": np.array([-5, 7], dtype=">i4"), "u2": np.array([65535], dtype="u2"),
  "bool": np.array([True, False]), "special": np.array([np.inf, -np.inf, 5e-324, 1e-300])}
np.savez(sys.argv[1] + "/plain.npz", **arrays)
np.savez_compressed(sys.argv[1] + "/packed.npz", **arrays)
np.save(sys.argv[1] + "/one.npy", arrays["fortran"])
print(json.dumps({k: [str(v.dtype), list(v.shape), bits(v.flatten().tolist())] for k, v in arrays.items()}))
`,
    [folder],
  ) as Record<string, Told>;
  for (const file of ["plain.npz", "packed.npz"]) {
    const arrays = await loadNpz(`${folder}/${file}`);
    assertEquals([...arrays.keys()], Object.keys(told));
    for (const [name, [, shape, bits]] of Object.entries(told)) {
      assertEquals([...arrays.get(name)!.shape], shape, name);
      assertEquals(bitsOf(arrays.get(name)!.data), bits, name);
    }
  }
  assertEquals(bitsOf((await loadNpy(`${folder}/one.npy`)).data), told.fortran[2]);
});

test("NumPy opens arrays written here", async (python, folder) => {
  const values = [1 / 3, -0, Infinity, 5e-324, NaN, 2];
  const state = new Map([
    ["w", tensor(values, { shape: [2, 3] })],
    ["bn.num_batches_tracked", tensor(3)],
    ["scalar", tensor(1.5)],
    ["empty", tensor([], { shape: [0, 2] })],
  ]);
  await saveNpz(`${folder}/state.npz`, state);
  await saveNpy(`${folder}/w.npy`, state.get("w")!, { dtype: "F32" });
  const told = await runPython(
    python,
    `
import numpy as np
state = np.load(sys.argv[1] + "/state.npz")
single = np.load(sys.argv[1] + "/w.npy")
print(json.dumps([{k: [str(state[k].dtype), list(state[k].shape), bits(state[k].flatten().tolist())]
  for k in state.files}, str(single.dtype), list(single.shape)]))
`,
    [folder],
  ) as [Record<string, Told>, string, number[]];
  for (const [name, x] of state) assertEquals(told[0][name][2], bitsOf(x.data), name);
  assertEquals(told[0]["bn.num_batches_tracked"].slice(0, 2), ["int64", []]);
  assertEquals(told[0].w.slice(0, 2), ["float64", [2, 3]]);
  assertEquals(told.slice(1), ["float32", [2, 3]]);
});

Deno.test("arrays keep their values through npy and npz", async () => {
  for (const shape of [[], [1], [0], [3, 2], [2, 1, 3]]) {
    const size = shape.reduce((a, b) => a * b, 1);
    const x = tensor(Float64Array.from({ length: size }, (_, i) => i / 3), { shape });
    const loaded = decodeNpy(encodeNpy(x));
    assertEquals(loaded.shape, shape);
    assertEquals(loaded.data, x.data);
    assertEquals((await decodeNpz(encodeNpz({ x }))).get("x")!.data, x.data);
  }
});

/** A `.npy` file with this header and eight bytes of values. */
function npy(header: string): Uint8Array {
  const bytes = new Uint8Array(10 + header.length + 8);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  bytes.set(new TextEncoder().encode(header), 10);
  return bytes;
}

const refused: [name: string, header: string, message: string][] = [
  ["objects", "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "type '|O'"],
  ["text", "{'descr': '<U2', 'fortran_order': False, 'shape': (1,)}", "type '<U2'"],
  ["records", "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", "type ["],
  ["another size", "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", "expected 16"],
  ["no shape", "{'descr': '<f8', 'fortran_order': False}", "without descr, fortran_order or shape"],
  ["code", "{'descr': __import__('os'), 'shape': (1,)}", "a header of another form"],
  ["a size that is none", "{'descr': '<f8', 'fortran_order': False, 'shape': (1,,)}", "got shape"],
];

for (const [name, header, message] of refused) {
  Deno.test(`decodeNpy refuses ${name}`, () => {
    assertThrows(() => decodeNpy(npy(header), { name: "x.npy" }), RangeError, message);
    assertThrows(() => decodeNpy(npy(header), { name: "x.npy" }), RangeError, "Cannot read x.npy");
  });
}

Deno.test("loadNpz refuses to unpack more than allowed", async () => {
  const zeros = encodeNpy(new Tensor({ values: new Float64Array(1e6), version: 0 }, [1e6]));
  const bomb = await deflatedZip("x.npy", zeros);
  assert(bomb.length < 20_000);
  assertEquals((await decodeNpz(bomb)).get("x")!.size, 1e6);
  await assertRejects(
    () => decodeNpz(bomb, { maxUnpackedBytes: 1e6 }),
    RangeError,
    "expected at most maxUnpackedBytes 1000000",
  );
});

/** A zip file with one deflated entry. */
async function deflatedZip(name: string, content: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const { zipSync } = await import("npm:fflate@0.8.3");
  return zipSync({ [name]: content });
}

Deno.test("what an npz file holds is told by the headers of its arrays alone", async () => {
  const long = Array.from({ length: 60 }, () => 1);
  const noise = rand([3000, 100], { generator: new Generator(1) });
  const stored = encodeNpz({ noise, deep: ones(long) }, { dtype: "F32" });
  for (const bytes of [stored, await deflated(stored)]) {
    let read = 0;
    const source = {
      name: "arrays.npz",
      size: bytes.length,
      read(offset: number, target: Uint8Array): Promise<void> {
        read += target.length;
        target.set(bytes.subarray(offset, offset + target.length));
        return Promise.resolve();
      },
    };
    const { tensors, others } = await npzContent(source);
    assertEquals(tensors, [
      { name: "noise", shape: [3000, 100], dtype: "F32" },
      { name: "deep", shape: long, dtype: "F32" },
    ]);
    assertEquals(others.size, 0);
    // A zip file is searched for its directory in its last 64 KiB.
    assert(read < 80_000, `${read} of ${bytes.length} bytes were read`);
  }
});

/** The same archive with its entries deflated. */
async function deflated(archive: Uint8Array): Promise<Uint8Array> {
  const entries = await readZip(sourceOf(archive, "the archive"));
  const files: Record<string, Uint8Array> = {};
  for (const [name, entry] of entries) {
    files[name] = await readEntry(sourceOf(archive, "the archive"), entry);
  }
  const { zipSync } = await import("npm:fflate@0.8.3");
  return zipSync(files);
}
