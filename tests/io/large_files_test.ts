/** Large files: every value, and no more memory than the tensors take. */
import { assert, assertEquals } from "@std/assert";
import { Tensor } from "../../mod.ts";
import { loadSafetensors, saveSafetensors } from "../../io/mod.ts";

const VALUES = 2 ** 21;
const TENSORS = 6;

Deno.test("safetensors of 0.1 GB hold every value", async () => {
  const path = await Deno.makeTempFile();
  try {
    const values = Float64Array.from({ length: VALUES }, (_, i) => i);
    const state = new Map(
      Array.from({ length: TENSORS }, (_, i) => [
        `w${i}`,
        new Tensor({ values, version: 0 }, [VALUES]),
      ]),
    );
    await saveSafetensors(path, state);
    const loaded = await loadSafetensors(path);
    assertEquals(loaded.size, TENSORS);
    for (const [name, tensor] of loaded) {
      assert(tensor.data.every((value, i) => value === i), name);
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("safetensors of 0.4 GB are read within the memory of their tensors", async () => {
  const path = await Deno.makeTempFile();
  try {
    // A file with a hole: it takes no space on the disk.
    const count = 50_000_000;
    const entry = { dtype: "F64", shape: [count], data_offsets: [0, 8 * count] };
    const json = new TextEncoder().encode(JSON.stringify({ w: entry }));
    const head = new Uint8Array(8 + json.length);
    new DataView(head.buffer).setBigUint64(0, BigInt(json.length), true);
    head.set(json, 8);
    await Deno.writeFile(path, head);
    await Deno.truncate(path, head.length + 8 * count);
    const before = Deno.memoryUsage();
    const loaded = await loadSafetensors(path);
    const after = Deno.memoryUsage();
    const grown = after.external + after.heapUsed - before.external - before.heapUsed;
    assert(grown <= 8 * count + 3e7, `${grown} bytes for ${8 * count}`);
    assertEquals(loaded.get("w")!.size, count);
  } finally {
    await Deno.remove(path);
  }
});
