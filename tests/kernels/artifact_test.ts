import { assertEquals } from "@std/assert";
import { generateModule, unroll } from "../../tools/build_kernels.ts";

Deno.test("the kernels' module is what its sources and the pinned compiler give", async () => {
  const path = new URL("../../autograd/kernels/wasm/module.ts", import.meta.url);
  const actual = await Deno.readTextFile(path);
  assertEquals(actual === await generateModule(), true, "run deno task build:kernels");
});

Deno.test("unroll repeats marked lines with a number in place of the sign", () => {
  assertEquals(unroll("a;\n  // unroll(2) $\n  b$;\n  // end\nc;\n"), "a;\n  b0;\n  b1;\nc;\n");
});
