/** Pages and workers that train, as bundlers build them with their defaults. */
import { assert } from "@std/assert";
import { chromium, installed, makeProject, openPage, output, serving, tool } from "./elsewhere.ts";
import { assertSameTraining, importing, type Outcome, train } from "./training_elsewhere.ts";

const name = "@tapegrad/tapegrad";

/** A worker that listens only after its imports, as workers are written. */
const worker = `${importing(name)}
${train}
onmessage = () => train(tapegrad).then((outcome) => postMessage(outcome));
`;

/** A page that trains in its own thread and in the worker that `start` makes. */
function page(start: string): string {
  return `${importing(name)}
${train}
const worker = ${start};
worker.postMessage("train");
worker.onerror = (event) => { throw new Error("the worker failed: " + event.message); };
worker.onmessage = ({ data }) =>
  train(tapegrad).then((outcome) => report(JSON.stringify({ page: outcome, worker: data })));
`;
}

const moduleWorker = `new Worker(new URL("./worker.js", import.meta.url), { type: "module" })`;

function html(script: string): string {
  return `<!doctype html><title>Tapegrad</title><body>${script}</body>`;
}

interface Build {
  readonly bundler: string;
  /** The files of the project. */
  readonly files: Readonly<Record<string, string>>;
  /** The commands that build it: a program and its arguments. */
  readonly commands: readonly (readonly string[])[];
  /** The folder with the result. */
  readonly result: string;
}

const node = tool("node22/bin/node");
const ofVite = {
  "index.html": html('<script type="module" src="/main.js"></script>'),
  "main.js": page(moduleWorker),
  "worker.js": worker,
};

const builds: readonly Build[] = [
  ...[6, 7, 8].map((version) => ({
    bundler: `vite ${version}`,
    files: ofVite,
    commands: [[node, tool(`vite${version}/bin/vite.js`), "build"]],
    result: "dist",
  })),
  {
    bundler: "vite 8 without a worker",
    files: {
      "index.html": ofVite["index.html"],
      "main.js": `${importing(name)}
${train}
train(tapegrad).then((outcome) => report(JSON.stringify({ page: outcome })));
`,
    },
    commands: [[node, tool("vite8/bin/vite.js"), "build"]],
    result: "dist",
  },
  {
    bundler: "esbuild esm",
    files: { "main.js": page(moduleWorker), "worker.js": worker },
    commands: [
      [
        tool("@esbuild/linux-x64/bin/esbuild"),
        "main.js",
        "worker.js",
        "--bundle",
        "--minify",
        "--splitting",
        "--format=esm",
        "--outdir=dist",
      ],
    ],
    result: "dist",
  },
  {
    bundler: "esbuild iife",
    files: { "main.js": page('new Worker("worker.js")'), "worker.js": worker },
    commands: [
      [
        tool("@esbuild/linux-x64/bin/esbuild"),
        "main.js",
        "worker.js",
        "--bundle",
        "--minify",
        "--format=iife",
        "--outdir=dist",
      ],
    ],
    result: "dist",
  },
  {
    bundler: "webpack 5",
    files: {
      "main.js": page(moduleWorker),
      "worker.js": worker,
      "webpack.config.cjs":
        `module.exports = { mode: "production", entry: "./main.js", output: { publicPath: "/" } };`,
    },
    commands: [[node, tool("webpack/bin/webpack.js")]],
    result: "dist",
  },
  {
    bundler: "deno bundle",
    files: { "main.js": page(moduleWorker), "worker.js": worker },
    commands: [
      [
        Deno.execPath(),
        "bundle",
        "--quiet",
        "--platform=browser",
        "--minify",
        "--outdir=dist",
        "main.js",
        "worker.js",
      ],
    ],
    result: "dist",
  },
];

for (const { bundler, files, commands, result } of builds) {
  Deno.test({
    name: `${bundler} builds a page that trains`,
    ignore: !installed || chromium === "",
    async fn() {
      const folder = await makeProject(bundler.replaceAll(" ", "-"), files);
      for (const [program, ...args] of commands) await output(program, args, folder);
      if (!("index.html" in files)) {
        const kind = bundler === "esbuild iife" ? "" : ' type="module"';
        const script = `<script${kind} src="main.js"></script>`;
        await Deno.writeTextFile(`${folder}/${result}/index.html`, html(script));
      }
      const outcome = await serving(`${folder}/${result}`, openPage) as Record<string, Outcome>;
      for (const place of "worker.js" in files ? ["page", "worker"] : ["page"]) {
        assert(outcome[place] !== undefined, `the ${place} did not report`);
        await assertSameTraining(outcome[place]);
      }
    },
  });
}

Deno.test("the entry for bytes bundles for browsers, and has no file system in it", async () => {
  const entry = new URL("../../io/bytes.ts", import.meta.url).pathname;
  const args = ["bundle", "--quiet", "--platform=browser", "--minify", entry];
  const script = await output(Deno.execPath(), args, new URL("../../", import.meta.url).pathname);
  assert(script.includes("safetensors") && !script.includes('import("node:'), "node: is imported");
});
