import {
  allocateStorage,
  allocateUninitialised,
  heapValues,
  isPooled,
  release,
  type Storage,
} from "../../autograd/runtime/memory.ts";
import { atRest, memoryInfo, setLimits } from "../../autograd/runtime/pool.ts";
import { forgetTokens, scarcity, takeToken } from "../../autograd/runtime/tokens.ts";
import { Blocks } from "../../autograd/runtime/blocks.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

const MIB = 2 ** 20;
const LARGE = 2 ** 15;

/** Tokens made in this job cannot be seen to die in it. */
async function nextJob(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("storage of zeros is zero at every size, also where a block is used again", () => {
  for (const n of [0, 1, 64, 65, 2047, 2048, LARGE]) {
    const first = allocateUninitialised(n);
    first.values.fill(7);
    release(first);
    const second = allocateStorage(n);
    assertEquals(second.values.length, n);
    assert(second.values.every((value) => value === 0), `${n} values`);
  }
});

Deno.test("a small tensor that is kept keeps little besides", () => {
  for (const n of [1, 10, 33, 64, 65, 200, 500, 1000, 2000]) {
    const kept: Float64Array[] = [];
    for (let i = 0; i < 5000; i++) {
      const { values } = allocateStorage(n);
      if (i % 50 === 0) kept.push(values);
    }
    const slabs = new Set(kept.map(({ buffer }) => buffer));
    const bytes = [...slabs].reduce((sum, { byteLength }) => sum + byteLength, 0);
    assert(bytes <= kept.length * Math.max(4096, 32 * 8 * n), `${n} values: ${bytes} bytes`);
  }
});

Deno.test("storages do not overlap", () => {
  const all = Array.from({ length: 300 }, (_, i) => allocateUninitialised(i * 13));
  all.forEach(({ values }, i) => values.fill(i));
  all.forEach(({ values }, i) => assert(values.every((value) => value === i), `storage ${i}`));
});

Deno.test("what a user sees is an array of its own", () => {
  for (const n of [3, 100, LARGE]) {
    const storage = allocateStorage(n);
    storage.values[1] = 5;
    const seen = heapValues(storage);
    assertEquals(seen.buffer.byteLength, 8 * n);
    assert(seen.buffer instanceof ArrayBuffer);
    assertEquals(seen[1], 5);
    // From here on both are one.
    seen[2] = 6;
    assertEquals(storage.values[2], 6);
    assert(heapValues(storage) === seen);
  }
});

Deno.test("release gives a block back at once and leaves no values behind", () => {
  const before = memoryInfo().pooledBytes;
  const storage = allocateUninitialised(LARGE);
  assert(isPooled(storage));
  assert(memoryInfo().pooledBytes > before);
  release(storage);
  assertEquals(memoryInfo().pooledBytes, before);
  assertEquals(storage.values.length, 0);
  release(storage);
  assertEquals(memoryInfo().pooledBytes, before);
});

Deno.test("a synchronous loop that drops what it makes runs in few blocks", async () => {
  await nextJob();
  setLimits(8 * MIB, 32 * MIB);
  let most = 0;
  for (let i = 0; i < 1000; i++) {
    allocateUninitialised(LARGE).values[0] = i;
    most = Math.max(most, memoryInfo().pooledBytes);
  }
  setLimits(128 * MIB, 256 * MIB);
  // 250 MB went through it.
  assert(most < 60 * MIB, `${most} bytes`);
});

Deno.test("a tensor that is held keeps its values while thousands come and go", async () => {
  await nextJob();
  setLimits(4 * MIB, 16 * MIB);
  const held = Array.from({ length: 100 }, (_, i) => {
    const storage = allocateUninitialised(LARGE);
    storage.values.fill(i);
    return storage;
  });
  const check = () =>
    held.forEach(({ values }, i) => {
      assert(values.every((value) => value === i), `storage ${i}`);
    });
  for (let i = 0; i < 3000; i++) {
    allocateUninitialised(LARGE).values.fill(-1);
    // One after the other, so that those that moved out come back in between.
    const one = held[i % 100].values;
    assert(one[0] === i % 100 && one[LARGE - 1] === i % 100, `storage ${i % 100}`);
  }
  check();
  await nextJob();
  for (let i = 0; i < 500; i++) allocateUninitialised(LARGE).values.fill(-2);
  check();
  setLimits(128 * MIB, 256 * MIB);
});

Deno.test("storages that seem alive to the end of the job move out, and come back", async () => {
  await nextJob();
  setLimits(2 * MIB, 8 * MIB);
  const held: Storage[] = [];
  for (let i = 0; i < 120; i++) {
    held.push(allocateUninitialised(LARGE));
    held[i].values.fill(i);
  }
  // 30 MB are held: most of them have left the pool.
  assert(memoryInfo().pooledBytes < 30 * MIB, `${memoryInfo().pooledBytes} bytes`);
  held.forEach(({ values }, i) => assert(values.every((value) => value === i), `storage ${i}`));
  setLimits(128 * MIB, 256 * MIB);
});

Deno.test("a tensor that is held of every thirtieth step does not keep the others' memory", async () => {
  await nextJob();
  setLimits(8 * MIB, 32 * MIB);
  const held: Storage[] = [];
  let most = 0;
  for (let i = 0; i < 600; i++) {
    for (let j = 0; j < 3; j++) {
      const storage = allocateUninitialised(LARGE);
      if (j > 0 || i % 30 > 0) continue;
      storage.values.fill(i);
      held.push(storage);
    }
    atRest();
    most = Math.max(most, memoryInfo().pooledBytes);
  }
  setLimits(128 * MIB, 256 * MIB);
  // 5 MB are held; with all that was made next to them it would be 450.
  assert(most < 120 * MIB, `${most} bytes`);
  held.forEach(({ values }, i) => {
    assert(values.every((value) => value === 30 * i), `storage ${i}`);
  });
});

Deno.test("too large a tensor is refused with what was asked for and what is held", () => {
  assertThrows(
    () => allocateUninitialised(2 ** 44),
    RangeError,
    "Cannot allocate a tensor: got 17592186044416 values (134217728.0 MiB), expected",
  );
});

Deno.test("blocks are handed out apart, aligned, and merged when the classes change", () => {
  const blocks = new Blocks(new ArrayBuffer(2 ** 26));
  let seed = 1;
  const random = (n: number) => (seed = seed * 48271 % 2147483647) % n;
  const taken: { at: number; bytes: number }[] = [];
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    if (random(2) === 0 || taken.length === 0) {
      // The sizes change from time to time, so that old classes are of no use.
      const bytes = 8 + random(2 ** (10 + i % 20_000 / 2000 | 0));
      const at = blocks.take(bytes);
      if (at === 0) {
        refused++;
        continue;
      }
      assertEquals(at % 64, 0);
      assert(at + bytes <= 2 ** 26);
      for (const other of taken) {
        assert(at + bytes <= other.at || other.at + other.bytes <= at, "blocks overlap");
      }
      taken.push({ at, bytes });
    } else {
      const [{ at, bytes }] = taken.splice(random(taken.length), 1);
      blocks.free(at, bytes);
    }
    if (taken.length > 200) {
      for (const { at, bytes } of taken.splice(0, 150)) blocks.free(at, bytes);
    }
  }
  assertEquals(refused, 0);
  for (const { at, bytes } of taken) blocks.free(at, bytes);
  assertEquals(blocks.usedBytes, 0);
});

/** Makes the collector run, as the memory behind tensors does. */
function collect(): void {
  for (let i = 0; i < 4; i++) {
    try {
      void new WebAssembly.Memory({ initial: 65536, maximum: 65536 });
    } catch {
      // Refused, and collected all the same.
    }
  }
}

Deno.test("a token is seen dead within the job that made it and looked at it", () => {
  const watches = Array.from({ length: 100 }, () => takeToken().watch);
  assert(watches.every((watch) => watch.deref() !== undefined));
  collect();
  assert(watches.every((watch) => watch.deref() !== undefined), "kept to the end of the job");
  forgetTokens();
  collect();
  assertEquals(watches.filter((watch) => watch.deref() !== undefined), []);
  assertEquals(scarcity(), 1);
});

Deno.test("where jobs cannot be ended tokens are used sparingly, and are there again in the next", async () => {
  const url = new URL("../../autograd/runtime/tokens.ts", import.meta.url).href;
  const program = `delete globalThis.Deno;
globalThis.process = undefined;
const { scarcity, takeToken } = await import(${JSON.stringify(url)});
const seen = new Set();
for (let i = 0; i < 10_000; i++) { takeToken(); seen.add(scarcity()); }
await Promise.resolve();
// Where one job used them all, the next has more.
for (let i = 0; i < 1000; i++) takeToken();
console.log(JSON.stringify([...seen, scarcity()]));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", program],
  }).output();
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), [1, 2, 4, 1]);
});
