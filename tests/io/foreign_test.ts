/**
 * Files as people have them: checkpoints with foreign objects, whole models, NumPy values, plain pickles,
 * TorchScript. Python writes them where it has PyTorch.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { nn, tensor } from "../../mod.ts";
import {
  decodeNpy,
  decodeNpz,
  decodePng,
  decodeSafetensors,
  decodeState,
  decodeTorch,
  encodeCheckpoint,
  encodeNpz,
  encodeSafetensors,
  encodeTorch,
  inspect,
  loadCheckpoint,
  loadCsv,
  loadIdx,
  loadNpy,
  loadNpz,
  loadPng,
  loadSafetensors,
  loadState,
  loadTorch,
  OpaqueValue,
  parseCsv,
  parseIdx,
  saveCheckpoint,
} from "../../io/mod.ts";
import { findPython, pythonTest, runPython } from "./python.ts";
import { withTempDir } from "./temp_dir.ts";

const python = await findPython(["torch", "numpy"]);

const script = `
import sys, argparse, collections, datetime, pathlib, pickle, zipfile, io
import numpy as np, torch
torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
folder = sys.argv[1]
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU())
        self.head = torch.nn.Linear(4, 2)
        self.register_buffer("scratch", torch.zeros(2), persistent=False)
    def forward(self, x):
        return self.head(self.body(x))
net = Net()
net(torch.randn(8, 3))
state = net.state_dict()
np.savez(folder + "/expected.npz", **{k: v.numpy() for k, v in state.items()})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=10)
counts = collections.defaultdict(list); counts["a"].append(1)
torch.save({"args": argparse.Namespace(lr=0.1), "model": state, "when": datetime.datetime(2020, 1, 2),
  "path": pathlib.PurePosixPath("/data"), "counts": counts, "fn": Net, "cycle": cycle.state_dict(),
  "f8": np.float64(2.5), "i8": np.int64(7), "b": np.bool_(True),
  "array": np.arange(6, dtype=">f4").reshape(2, 3), "fortran": np.asfortranarray(np.arange(6.).reshape(2, 3)),
  "words": np.array(["a", "bc"]), "complex": torch.zeros(2, dtype=torch.complex128)},
  folder + "/foreign.pt")
torch.save(net, folder + "/whole.pt")
torch.save(net, folder + "/whole_old.pt", _use_new_zipfile_serialization=False)
torch.jit.trace(net.eval(), torch.randn(2, 3)).save(folder + "/script.pt")
with open(folder + "/plain.pkl", "wb") as f: pickle.dump(state, f)
with open(folder + "/numpy.pkl", "wb") as f: pickle.dump({k: v.numpy() for k, v in state.items()}, f)
torch.save(state, folder + "/stored.pt")
with zipfile.ZipFile(folder + "/stored.pt") as a, zipfile.ZipFile(folder + "/deflated.pt", "w", zipfile.ZIP_DEFLATED) as b:
    for name in a.namelist(): b.writestr(name, a.read(name))
torch.save({"w": torch.ones(2), "seed": torch.tensor([2**53 + 1]), "exact": torch.tensor(2**53 + 2)}, folder + "/big.pt")
np.savez(folder + "/big.npz", w=np.ones(2), seed=np.array([2**53 + 1]))
torch.save({"epoch": 3, "w": torch.ones(2), "hist": [1, 2]}, folder + "/partial.pt")
print(1)
np.savez(folder + "/mixed.npz", x=np.arange(3.), names=np.array(["a", "b"]), objects=np.array([{}, []], dtype=object))
`;

pythonTest(
  "weights are read from the files that people have",
  python,
  ["torch", "numpy"],
  () =>
    withTempDir(async (folder) => {
      await runPython(python!, script, [folder]);
      const expected = await loadNpz(`${folder}/expected.npz`);
      const files = [
        "foreign.pt",
        "whole.pt",
        "whole_old.pt",
        "script.pt",
        "plain.pkl",
        "numpy.pkl",
        "deflated.pt",
        "stored.pt",
      ];
      for (const file of files) {
        const state = await loadState(`${folder}/${file}`);
        // A traced program keeps buffers that are not persistent.
        const names = [...state.keys()].filter((name) =>
          name !== "scratch" || file !== "script.pt"
        );
        assertEquals(names.sort(), [...expected.keys()].sort(), file);
        for (const [name, value] of expected) {
          assertEquals(state.get(name)!.toArray(), value.toArray(), `${file}: ${name}`);
        }
      }

      const foreign = await loadTorch(`${folder}/foreign.pt`) as Map<string, unknown>;
      const args = foreign.get("args") as OpaqueValue;
      assertEquals(args.name, "argparse.Namespace");
      assertEquals((args.state as Map<string, number>).get("lr"), 0.1);
      assertEquals((foreign.get("fn") as OpaqueValue).args, null);
      assertEquals(foreign.get("counts"), new Map([["a", [1]]]));
      assertEquals([foreign.get("f8"), foreign.get("i8"), foreign.get("b")], [2.5, 7, 1]);
      for (const name of ["array", "fortran"]) {
        const array = foreign.get(name) as { toArray(): unknown };
        assertEquals(array.toArray(), [[0, 1, 2], [3, 4, 5]], name);
      }
      for (const name of ["when", "path", "words", "complex"]) {
        assert(foreign.get(name) instanceof OpaqueValue, name);
      }

      const seen = await inspect(`${folder}/foreign.pt`);
      assertEquals(seen.format, "torch");
      const weight = seen.tensors.find(({ name }) => name === "model.head.weight");
      assertEquals(weight, { name: "model.head.weight", shape: [2, 4], dtype: "F64" });
      assertEquals(seen.others.get("args"), "an object of Python's argparse.Namespace");

      assertEquals([...(await loadState(`${folder}/partial.pt`)).keys()], ["w"]);
      // One integer that is too large denies nothing but itself.
      for (const file of ["big.pt", "big.npz"]) {
        const big = await loadState(`${folder}/${file}`);
        assertEquals(big.get("w")!.toArray(), [1, 1]);
        if (file === "big.pt") assertEquals(big.get("exact")!.item(), 2 ** 53 + 2);
        assertThrows(() => big.get("seed")!.item(), RangeError, "9007199254740993");
      }
      const mixed = await loadNpz(`${folder}/mixed.npz`);
      assertEquals([...mixed.keys()], ["x"]);
      assert(mixed.metadata.get("names")!.includes("texts"));
      await assertRejects(() => loadNpz(`${folder}/mixed.npz`, { names: ["names"] }), RangeError);
    }),
);

Deno.test("weights are read from recorded files of every kind", async () => {
  const folder = decodeURIComponent(new URL("data", import.meta.url).pathname);
  const expected = await loadNpz(`${folder}/weights.npz`);
  const kinds = ["foreign.pt", "whole.pt", "whole_old.pt", "script.pt", "plain.pkl", "numpy.pkl"];
  for (const file of [...kinds, "deflated.pt"]) {
    const state = await loadState(`${folder}/${file}`, { names: (name) => name !== "scratch" });
    assertEquals([...state.keys()].sort(), [...expected.keys()].sort(), file);
    for (const [name, value] of expected) {
      assertEquals(state.get(name)!.toArray(), value.toArray(), `${file}: ${name}`);
    }
  }
});

const w = tensor([[1, 2], [3, 4]]);

Deno.test("a state is chosen by key, prefix, names and map", async () => {
  const file = encodeTorch({
    run: { best: new Map([["module.a", w], ["module.b", w], ["c", w]]) },
  });
  const options = { key: "run.best", prefix: "module." };
  assertEquals([...(await decodeState(file, options)).keys()], ["a", "b"]);
  assertEquals([...(await decodeState(file, { ...options, names: ["b"] })).keys()], ["b"]);
  const map = (name: string) => name === "a" ? null : `x.${name}`;
  assertEquals([...(await decodeState(file, { ...options, map })).keys()], ["x.b"]);
  const none = await assertRejects(
    () => decodeState(file, { ...options, names: ["z"] }),
    RangeError,
  );
  assert(none.message.includes('"module.a"'), none.message);
  const lost = await assertRejects(
    () => decodeState(encodeTorch({ epoch: 3, note: "x" })),
    RangeError,
  );
  assert(lost.message.includes('"epoch", "note"'), lost.message);
});

Deno.test("a file is named as what it is, by every reader", async () => {
  const text = (s: string) => new TextEncoder().encode(s);
  const files: [Uint8Array, string][] = [
    [text("version https://git-lfs.github.com/spec/v1\noid sha256:1\n"), "a Git LFS pointer"],
    [text("<!DOCTYPE html><html></html>"), "an HTML page"],
    [Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), "a gzip file"],
    [Uint8Array.from([0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10]), "an HDF5 file"],
    [Uint8Array.from([0x93, ...text("NUMPY"), 1, 0, 10, 0]), "a .npy file"],
    [Uint8Array.from([0x89, ...text("PNG\r\n\x1a\n")]), "a PNG image"],
    [text('{"a": 1}'), "JSON text"],
    [new Uint8Array(0), "an empty file"],
  ];
  const readers = {
    decodeState,
    decodeTorch,
    decodeSafetensors,
    decodeNpy,
    decodeNpz,
    decodePng,
    parseIdx,
    inspect,
  };
  const own: Readonly<Record<string, string>> = {
    decodeNpy: "a .npy file",
    decodePng: "a PNG image",
    parseIdx: "a gzip file",
  };
  for (const [name, read] of Object.entries(readers)) {
    for (const [bytes, what] of files) {
      if (own[name] === what) continue;
      const error = await assertRejects(async () => await read(bytes), RangeError);
      assert(error.message.includes(what), `${name}: ${error.message}`);
    }
  }
});

Deno.test("safetensors keep the order of their header, and a length like a pickle's is a length", async () => {
  await withTempDir(async (folder) => {
    const path = `${folder}/x.safetensors`;
    const state = new Map([["10", w], ["b", w], ["2", w]]);
    await Deno.writeFile(path, encodeSafetensors(state));
    assertEquals([...(await loadSafetensors(path)).keys()], ["10", "b", "2"]);
    // A header of 0x…80 bytes: the first byte is that of a pickle.
    for (let n = 0; n < 400; n++) {
      const bytes = encodeSafetensors({ ["x".repeat(n + 1)]: w });
      if (bytes[0] !== 0x80) continue;
      await Deno.writeFile(path, bytes);
      assertEquals((await loadState(path)).size, 1);
    }
  });
});

Deno.test("a name that stands twice in a header is refused", async () => {
  const bytes = encodeSafetensors(new Map([["aa", w], ["ab", w]]));
  const at = new TextDecoder("latin1").decode(bytes).indexOf('"ab"');
  bytes[at + 2] = "a".charCodeAt(0);
  await assertRejects(() => decodeState(bytes), RangeError, '"aa" twice');
});

Deno.test("writers take a Map, a plain object or a module, and refuse everything else", () => {
  const layer = new nn.Linear(2, 1);
  assertEquals([...decodeSafetensors(encodeSafetensors({ w })).keys()], ["w"]);
  assertEquals([...decodeSafetensors(encodeSafetensors(layer)).keys()], ["weight", "bias"]);
  for (const write of [encodeSafetensors, encodeNpz]) {
    for (const wrong of [[["a", w]], 5, null, w, "x", new Set([w])]) {
      assertThrows(() => write(wrong as never), TypeError, "expected a StateDict, a Map");
    }
    assertThrows(() => write(new Map([[3, w]]) as never), TypeError, "got a name number 3");
    assertThrows(() => write({ w: 3 } as never), TypeError, "got number 3, expected a Tensor");
  }
});

Deno.test("a bound that is no number bounds nothing, and is refused", async () => {
  const file = encodeNpz({ w });
  await assertRejects(
    () => decodeNpz(file, { maxUnpackedBytes: NaN }),
    RangeError,
    "got maxUnpackedBytes NaN",
  );
});

Deno.test("misspelt parts of a checkpoint are refused, in both directions", async () => {
  const net = new nn.Linear(1, 1);
  assertThrows(() => encodeCheckpoint({ modell: net } as never), TypeError, "got an option modell");
  await withTempDir(async (folder) => {
    await saveCheckpoint(`${folder}/c.pt`, { model: net });
    const load = (run: unknown) => () => loadCheckpoint(`${folder}/c.pt`, run as never);
    await assertRejects(load({ modell: net }), TypeError, "got an option modell");
    await assertRejects(load({ model: 3 }), TypeError, "got model number 3");
  });
});

Deno.test("CSV: lines that end with CR, a missing mark in the first row, a long cell", () => {
  assertEquals(parseCsv("1,2\r3,4\r").values.toArray(), [[1, 2], [3, 4]]);
  assertEquals(parseCsv("a,b\r1,2\r").columns, ["a", "b"]);
  // A row with a number in it is no header.
  assertThrows(() => parseCsv("5.1,NA,0\n1,2,3\n"), RangeError, '"NA" in line 1');
  // An ambiguous pattern would take a time that grows with the square of the cell.
  assertThrows(() => parseCsv(`1\n${"1".repeat(400_000)}x\n`), RangeError, "expected a number");
});

Deno.test("paths, bytes and formats of a wrong kind are refused in words", async () => {
  for (const wrong of [5, null, undefined, {}, ""]) {
    await assertRejects(() => loadState(wrong as never), TypeError, "Cannot open a file");
    await assertRejects(() => loadNpz(wrong as never), TypeError, "Cannot open a file");
  }
  for (const wrong of ["abc", null, [1], new ArrayBuffer(8)]) {
    await assertRejects(() => decodeTorch(wrong as never), TypeError, "expected a Uint8Array");
    assertThrows(() => decodeSafetensors(wrong as never), TypeError, "expected a Uint8Array");
  }
  for (const write of [encodeSafetensors, encodeNpz]) {
    assertThrows(() => write({ w }, { dtype: "F99" as never }), RangeError, "got dtype F99");
  }
});

Deno.test("what was loaded is written in the formats that it had", () => {
  const state = new Map([
    ["labels", tensor([3, 0, 2])],
    ["mask", tensor([1, 0])],
    ["half", tensor([1.5, -0, Infinity, NaN, 2 ** -24])],
    ["brain", tensor([1, -2.5])],
    ["w", tensor([0.1])],
  ]);
  const dtypes = { labels: "I64", mask: "BOOL", half: "F16", brain: "BF16" };
  const read = decodeSafetensors(encodeSafetensors(state, { dtypes }));
  assertEquals(Object.fromEntries(read.dtypes), { ...dtypes, w: "F64" });
  for (const [name, value] of state) {
    assertEquals(read.get(name)!.toArray(), value.toArray(), name);
  }
  const again = encodeSafetensors(read, { dtypes: read.dtypes });
  assertEquals(again, encodeSafetensors(state, { dtypes }));
  const refused: [Record<string, string>, string][] = [
    [{ w: "I64" }, 'Cannot write "w" as I64: got 0.1'],
    [{ labels: "BOOL" }, 'Cannot write "labels" as BOOL: got 3'],
    [{ lables: "I64" }, 'got a dtype for "lables"'],
    [{ labels: "int64" }, "got dtype int64 for"],
  ];
  for (const [wrong, message] of refused) {
    assertThrows(() => encodeSafetensors(state, { dtypes: wrong }), RangeError, message);
  }
});

Deno.test("small floats are rounded to the nearest, to the even one of two as near", () => {
  const values = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, -1e9, 2 ** -25, 3 * 2 ** -26];
  const rounded = [1, 1 + 2 ** -9, 65504, Infinity, -Infinity, 0, 2 ** -24];
  const file = encodeSafetensors({ x: tensor(values) }, { dtypes: { x: "F16" } });
  assertEquals(decodeSafetensors(file).get("x")!.toArray(), rounded);
});

pythonTest(
  "PyTorch and NumPy read the formats that were asked for",
  python,
  ["torch", "numpy"],
  () =>
    withTempDir(async (folder) => {
      const dtypes = { a: "I32", b: "F16", c: "BOOL", d: "U8" };
      const state = {
        a: tensor([-3, 7]),
        b: tensor([0.1, 1e6]),
        c: tensor([1, 0]),
        d: tensor([9]),
      };
      await Deno.writeFile(`${folder}/x.npz`, encodeNpz(state, { dtypes }));
      const report = await runPython(
        python!,
        `
import sys, json, numpy as np
f = np.load(sys.argv[1])
print(json.dumps({k: [str(f[k].dtype), [str(float(v)) for v in f[k]]] for k in f.files}))
`,
        [`${folder}/x.npz`],
      );
      assertEquals(report, {
        a: ["int32", ["-3.0", "7.0"]],
        b: ["float16", ["0.0999755859375", "inf"]],
        c: ["bool", ["1.0", "0.0"]],
        d: ["uint8", ["9.0"]],
      });
      assertThrows(() => encodeNpz(state, { dtypes: { a: "BF16" } }), RangeError, "NumPy has");
    }),
);

pythonTest(
  "weights that are no plain arrays are named, not left out",
  python,
  ["torch", "numpy"],
  () =>
    withTempDir(async (folder) => {
      await runPython(
        python!,
        `
import sys, torch
eye = torch.eye(3)
kinds = {"sparse": eye.to_sparse(), "quantised": torch.quantize_per_tensor(eye, 0.1, 0, torch.qint8),
  "complex": torch.zeros(2, dtype=torch.complex128)}
for kind, value in kinds.items():
    torch.save({"model": {"w": eye, "x": value}}, f"{sys.argv[1]}/{kind}.pt")
print(1)
`,
        [folder],
      );
      for (const kind of ["sparse", "quantised", "complex"]) {
        const file = `${folder}/${kind}.pt`;
        const error = await assertRejects(() => loadState(file), RangeError, '"x"');
        assert(error.message.includes(kind), error.message);
        assertEquals([...(await loadState(file, { key: "model", names: ["w"] })).keys()], ["w"]);
      }
    }),
);

Deno.test("every reader says what a file is that is another one", async () => {
  await withTempDir(async (folder) => {
    const files: [string, Uint8Array, string][] = [
      [
        "pointer",
        new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\n"),
        "Git LFS",
      ],
      ["page", new TextEncoder().encode("<!DOCTYPE html><html></html>"), "HTML"],
      ["hdf5", Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a), "HDF5"],
    ];
    const readers = {
      loadCsv,
      loadIdx,
      loadNpy,
      loadNpz,
      loadPng,
      loadSafetensors,
      loadState,
      loadTorch,
    };
    for (const [name, bytes, kind] of files) {
      const path = `${folder}/${name}`;
      await Deno.writeFile(path, bytes);
      for (const [reader, read] of Object.entries(readers)) {
        const error = await assertRejects(() => read(path) as Promise<unknown>, RangeError);
        assert(error.message.includes(kind), `${reader}: ${error.message}`);
      }
    }
  });
});
