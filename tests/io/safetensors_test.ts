import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { tensor } from "../../mod.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  loadSafetensors,
  saveSafetensors,
} from "../../io/mod.ts";

Deno.test("safetensors keeps values, shapes, names and metadata", () => {
  const values = [-0, 1e-300, 1 / 3, -Infinity, NaN, 5e-324];
  const state = new Map([
    ["bn.num_batches_tracked", tensor(7)],
    ["w", tensor(values, { shape: [2, 3] })],
    ["0", tensor([])],
    ["__proto__", tensor(2.5)],
  ]);
  const loaded = decodeSafetensors(encodeSafetensors(state, { metadata: { a: "ü" } }));
  assertEquals(loaded.size, 4);
  assertEquals(loaded.dtypes.get("bn.num_batches_tracked"), "I64");
  assertEquals(loaded.get("bn.num_batches_tracked")!.shape, []);
  assertEquals(loaded.get("bn.num_batches_tracked")!.item(), 7);
  assert([...loaded.get("w")!.data].every((x, i) => Object.is(x, values[i])));
  assertEquals(loaded.get("w")!.shape, [2, 3]);
  assertEquals(loaded.get("0")!.shape, [0]);
  assertEquals(loaded.get("__proto__")!.item(), 2.5);
  assertEquals([...loaded.metadata], [["a", "ü"]]);
});

Deno.test("safetensors through a file", async () => {
  const path = await Deno.makeTempFile();
  try {
    const state = new Map([["x", tensor([1, 2, 3])], ["n", tensor(1.5)]]);
    await saveSafetensors(path, state, { dtype: "F32" });
    const loaded = await loadSafetensors(path);
    assertEquals(loaded.dtypes.get("x"), "F32");
    assertEquals([...loaded.get("x")!.data], [1, 2, 3]);
    await Deno.truncate(path, 30);
    await assertRejects(() => loadSafetensors(path), RangeError, path);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("safetensors of PyTorch's recorded network", async () => {
  const loaded = await loadSafetensors(
    new URL("../oracle/data/cnn-dev.safetensors", import.meta.url).pathname,
  );
  assertEquals(loaded.get("bn1.num_batches_tracked")!.item(), 1);
});

Deno.test("safetensors refuses what is no state", () => {
  assertThrows(
    () => encodeSafetensors(new Map([["x", 1 as never]])),
    TypeError,
    'Cannot write "x": got number 1, expected a Tensor',
  );
});
