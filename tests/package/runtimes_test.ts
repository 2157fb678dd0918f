/** The package in other engines: as npm installs it, by import and by require, and as its sources are. */
import { assert, assertMatch } from "@std/assert";
import { installed, makeProject, output, run, runs, tool } from "./elsewhere.ts";
import { assertSameTraining, importing, type Outcome, programText } from "./training_elsewhere.ts";

const name = "@tapegrad/tapegrad";
const sources = new URL("../../mod.ts", import.meta.url).href;
const requiring = `const tapegrad = require(${JSON.stringify(name)});`;

const project = installed
  ? await makeProject("runtimes", {
    "train.mjs": programText(importing(name), "console.log"),
    "train.cjs": programText(requiring, "console.log"),
    "sources.mjs": programText(importing(sources), "console.log"),
    "late.mjs": `import * as tapegrad from "${name}";
onmessage = ({ data }) => postMessage(tapegrad.tensor(data).sum().item());
`,
    "first_message.mjs":
      `const worker = new Worker(new URL("./late.mjs", import.meta.url), { type: "module" });
worker.postMessage([1, 2, 3]);
const timer = setTimeout(() => { console.log("lost"); process.exit(1); }, 20_000);
worker.onmessage = ({ data }) => { console.log(data); clearTimeout(timer); worker.terminate(); };
`,
    "late_node.mjs": `import * as tapegrad from "${name}";
import { parentPort } from "node:worker_threads";
parentPort.once("message", (data) => parentPort.postMessage(tapegrad.tensor(data).sum().item()));
`,
    "first_message_node.mjs": `import { Worker } from "node:worker_threads";
const worker = new Worker(new URL("./late_node.mjs", import.meta.url));
worker.postMessage([1, 2, 3]);
worker.once("message", (sum) => { console.log(sum); worker.terminate(); });
`,
  })
  : "";

const node20 = runs("node") ? "node" : "";
const engines: readonly (readonly [name: string, program: string])[] = [
  ["Node on the path", node20],
  ["Node 22", tool("node22/bin/node")],
  ["Node 24", tool("node24/bin/node")],
  ["Bun", tool("bun/bin/bun")],
];

for (const [engine, program] of engines) {
  Deno.test({
    name: `the npm package trains in ${engine}`,
    ignore: !installed || program === "",
    async fn() {
      const text = await output(program, ["train.mjs"], project);
      await assertSameTraining(JSON.parse(text) as Outcome);
    },
  });

  if (engine === "Bun") continue;
  Deno.test({
    name: `a worker thread that listens after its imports gets its first message in ${engine}`,
    ignore: !installed || program === "",
    async fn() {
      assertMatch(await output(program, ["first_message_node.mjs"], project), /^6\n/);
    },
  });
}

for (const [engine, program] of engines.filter(([engine]) => /22|24|Bun/.test(engine))) {
  Deno.test({
    name: `require() loads the npm package in ${engine}`,
    ignore: !installed,
    async fn() {
      const text = await output(program, ["train.cjs"], project);
      await assertSameTraining(JSON.parse(text) as Outcome);
    },
  });
}

for (const [engine, program] of engines.filter(([engine]) => /24|Bun/.test(engine))) {
  Deno.test({
    name: `${engine} runs the sources as they are`,
    ignore: !installed,
    async fn() {
      const text = await output(program, ["sources.mjs"], project);
      await assertSameTraining(JSON.parse(text) as Outcome);
    },
  });
}

const withWorkers = [
  ["Deno", Deno.execPath(), ["run", "--quiet", "--allow-read", "first_message.mjs"]],
  ["Bun", tool("bun/bin/bun"), ["first_message.mjs"]],
] as const;

for (const [engine, program, args] of withWorkers) {
  Deno.test({
    name: `a worker that sets onmessage after its imports gets its first message in ${engine}`,
    ignore: !installed,
    async fn() {
      const { success, stdout, stderr } = await run(program, args, project);
      assert(success && stdout === "6\n", stdout + stderr);
    },
  });
}
