/** The experiments that come with the library: what each needs, and the page that tells of them. */
import { assert, assertEquals } from "@std/assert";
import { type Experiment, isExperiment } from "../../experiment/experiment.ts";

const folder = new URL("../../bench/experiments/", import.meta.url);
const page = await Deno.readTextFile(new URL("../../docs/experiments.md", import.meta.url));

const catalogue: Experiment[] = [];
for await (const { name: file, isFile } of Deno.readDir(folder)) {
  if (!isFile || file.endsWith("_bench.ts")) continue;
  const { default: found } = await import(new URL(file, folder).href);
  if (!isExperiment(found)) throw new Error(`${file} exports no experiment`);
  catalogue.push(found);
  Deno.test(`${found.name} stands in a file of its name, with a source and expectations`, () => {
    assertEquals(file, `${found.name.replaceAll("-", "_")}.ts`);
    assert(found.source !== "" || found.name === "separation");
    assert(found.expect.length > 0);
  });
}

/** The names that a pattern finds in the page. */
function named(pattern: RegExp): string[] {
  return [...page.matchAll(pattern)].map(([, name]) => name).toSorted();
}

Deno.test("the page on experiments lists each of them, and what it came to", () => {
  const names = catalogue.map(({ name }) => name).toSorted();
  assertEquals(named(/^\| `([a-z-]+)`/gm), names);
  assertEquals(named(/^- `([a-z-]+)`:/gm), names);
});

Deno.test("the page on experiments names the papers that the experiments name", () => {
  for (const { name, source } of catalogue) {
    const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\``))!;
    const papers = row.match(/\d{4}\.\d{5}/g) ?? [];
    assertEquals(papers.length > 0, source !== "", `the paper of ${name}`);
    for (const paper of papers) {
      assert(source.includes(paper), `${name} names ${source}, the page ${paper}`);
    }
  }
});

Deno.test("a folder without MNIST's files is told in one line, with exit code 2", async () => {
  const tool = new URL("../../tools/experiment.ts", import.meta.url).pathname;
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-images-" });
  try {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", tool]
        .concat("sigmoid-percentiles", "--check", "--data", folder),
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const err = new TextDecoder().decode(stderr);
    assertEquals(code, 2, err);
    assert(/^Cannot find (train|t10k)-images-idx3-ubyte [^\n]*--data[^\n]*\n$/.test(err), err);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
