import { Generator } from "../../mod.ts";
import { takeApart, unpack } from "../../autograd/runtime/unpack.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { fuse, generateModule, pack, unroll } from "../../tools/build_kernels.ts";

Deno.test("the kernels' module is what its sources and the pinned compiler give", async () => {
  const path = new URL("../../autograd/runtime/module.ts", import.meta.url);
  const actual = await Deno.readTextFile(path);
  assertEquals(actual === await generateModule(), true, "run deno task build:kernels");
});

Deno.test("unroll repeats marked lines with a number in place of the sign", () => {
  assertEquals(unroll("a;\n  // unroll(2) $\n  b$;\n  // end\nc;\n"), "a;\n  b0;\n  b1;\nc;\n");
});

/** A module of one function with the given body. */
function moduleOf(body: readonly number[]): Uint8Array<ArrayBuffer> {
  const code = [1, body.length, ...body];
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 10, code.length, ...code]);
}

const [get, mul, add, madd] = [[0x20, 7], [0xfd, 0xf2, 1], [0xfd, 0xf0, 1], [0xfd, 0x87, 2]];

Deno.test("the build with fused multiply-add taken apart is the one without", () => {
  const plain = moduleOf([0, ...get, ...mul, ...get, ...mul, ...get, ...add, ...add]);
  const relaxed = moduleOf([0, ...get, ...mul, ...get, ...get, ...madd, ...add]);
  const fused = fuse(plain, relaxed);
  const nothing = [0x41, 0x2a, 0x1a];
  const expected = moduleOf([0, ...get, ...mul, ...get, ...nothing, ...get, ...madd, ...add]);
  assertEquals([...fused], [...expected]);
  assertEquals([...takeApart(fused)], [...plain]);
});

Deno.test("builds that differ in more than multiply-add are refused", () => {
  const plain = moduleOf([0, ...get, ...mul, ...add]);
  assertThrows(() => fuse(plain, moduleOf([0, ...get, ...mul, ...mul])), Error, "Cannot fuse");
  assertThrows(() => fuse(plain, moduleOf([0, ...get, ...mul, ...add, 1])), Error, "Cannot fuse");
  const marked = moduleOf([0, ...get, 0x41, 0x2a, 0x1a]);
  assertThrows(() => fuse(marked, marked), Error, "by chance");
});

Deno.test("what is packed is unpacked again, and what is cut off is refused", () => {
  const generator = new Generator(3);
  for (const size of [1, 2, 300, 70_000]) {
    for (const kinds of [1, 3, 256]) {
      // Noise of few kinds, repeated from far and near: all that a packer makes use of.
      const noise = Uint8Array.from(
        { length: size },
        () => Math.floor(generator.uniform(0, kinds)),
      );
      noise.copyWithin(size >> 1, 0, size >> 2);
      noise.copyWithin(size - (size >> 3), size >> 4);
      const packed = pack(noise);
      assertEquals(unpack(packed, size).every((byte, i) => byte === noise[i]), true);
      if (size === 70_000 && kinds > 1) {
        const half = packed.subarray(0, packed.length >> 1);
        assertThrows(() => unpack(half, size), RangeError, "Cannot unpack the kernels");
      }
    }
  }
});
