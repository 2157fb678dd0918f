/** The recorder from the npm tarball, in other engines and on a page. */
import {
  chromium,
  installed,
  makeProject,
  openPage,
  output,
  runs,
  serving,
  tool,
} from "./elsewhere.ts";
import { assertSameRecording, type Recorded, recordingText } from "./recording_elsewhere.ts";

const project = installed
  ? await makeProject("recording", {
    "record.mjs": recordingText("console.log"),
    "page.js": recordingText("report"),
    "index.html":
      `<!doctype html><title>Recording</title><script type="module" src="./dist/page.js"></script>`,
  })
  : "";

const engines: readonly (readonly [name: string, program: string])[] = [
  ["Node on the path", runs("node") ? "node" : ""],
  ["Node 22", tool("node22/bin/node")],
  ["Node 24", tool("node24/bin/node")],
  ["Bun", tool("bun/bin/bun")],
];

for (const [engine, program] of engines) {
  Deno.test({
    name: `the npm package records a training in ${engine}`,
    ignore: !installed || program === "",
    async fn() {
      const text = await output(program, ["record.mjs"], project);
      await assertSameRecording(JSON.parse(text) as Recorded, "recording/record.mjs");
    },
  });
}

Deno.test({
  name: "the npm package records a training on a page",
  ignore: !installed || chromium === "",
  async fn() {
    const esbuild = tool("@esbuild/linux-x64/bin/esbuild");
    await output(esbuild, ["page.js", "--bundle", "--format=esm", "--outdir=dist"], project);
    const recorded = await serving(project, openPage) as Recorded;
    // All lines lie in one file there, the library's as well.
    await assertSameRecording(recorded, null);
  },
});
