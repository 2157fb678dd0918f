/** The experiments that come with the library. */
import { assertEquals } from "@std/assert";
import { isExperiment } from "../../experiment/experiment.ts";

const folder = new URL("../../bench/experiments/", import.meta.url);

const names: string[] = [];
for await (const { name, isFile } of Deno.readDir(folder)) {
  if (!isFile || name.endsWith("_bench.ts")) continue;
  const { default: found } = await import(new URL(name, folder).href);
  if (!isExperiment(found)) throw new Error(`${name} exports no experiment`);
  names.push(found.name);
  Deno.test(`${found.name} stands in a file of its name, with a source and expectations`, () => {
    assertEquals(name, `${found.name.replaceAll("-", "_")}.ts`);
    assertEquals(found.source !== "" || found.name === "separation", true);
    assertEquals(found.expect.length > 0, true);
  });
}

Deno.test("the page on experiments lists each of them", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/experiments.md", import.meta.url));
  const listed = [...page.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name]) => name);
  assertEquals(listed.toSorted(), names.toSorted());
});
