/** The gallery shows what the examples print today, and all of them. */
import { assert, assertEquals } from "@std/assert";
import { root } from "../house/package.ts";
import { gallery } from "../../tools/gallery.ts";

const page = await Deno.readTextFile(new URL("docs/gallery.md", root));

Deno.test("the gallery shows what the examples print", async () => {
  assertEquals(page, await gallery());
});

Deno.test("every example is in the gallery, but for the one that needs a trained network", async () => {
  for await (const { name, isFile } of Deno.readDir(new URL("examples/", root))) {
    if (isFile && name.endsWith(".ts") && name !== "predict.ts") {
      assert(page.includes(`../examples/${name}`), name);
    }
  }
});
