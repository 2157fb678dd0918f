/** The gallery shows what the examples print today, and all of them. */
import { assert, assertEquals } from "@std/assert";
import { root } from "../house/package.ts";
import { gallery } from "../../tools/gallery.ts";

const page = await Deno.readTextFile(new URL("docs/gallery.md", root));

Deno.test("the gallery shows what the examples print", async () => {
  assertEquals(page, await gallery());
});

// One needs a trained network, one a launcher of several processes.
const elsewhere = ["predict.ts", "train_distributed.ts"];

Deno.test("every example that runs by itself is in the gallery", async () => {
  for await (const { name, isFile } of Deno.readDir(new URL("examples/", root))) {
    if (isFile && name.endsWith(".ts") && !elsewhere.includes(name)) {
      assert(page.includes(`../examples/${name}`), name);
    }
  }
});
