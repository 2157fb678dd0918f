import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tapegrad from "../../mod.ts";
import { bundle, LIMIT, sizes } from "../../tools/bundle_size.ts";
import { type Outcome, programText, train } from "./training_elsewhere.ts";

const root = new URL("../../", import.meta.url).pathname;

/** Whether a program can be started. */
function runs(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}

const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
  .find(runs) ?? "";
if (chromium === "") console.log("No Chromium here: the bundle is not tried in a browser.");
const node = runs("node");
if (!node) console.log("No Node here: the npm package is not tried in it.");

async function output(program: string, args: readonly string[], cwd = root): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assert(success, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

function assertSame(actual: Outcome, expected: Outcome): void {
  assertEquals(actual.losses.length, expected.losses.length);
  for (const [i, loss] of expected.losses.entries()) {
    assertAlmostEquals(actual.losses[i], loss, 1e-9 * loss, `loss of step ${i}`);
  }
  for (const [i, mean] of expected.runningMean.entries()) {
    assertAlmostEquals(actual.runningMean[i], mean, 1e-9, `running mean ${i}`);
  }
}

Deno.test("the training that is sent elsewhere learns and tracks here", () => {
  const { losses, runningMean } = train(tapegrad);
  assert(losses.at(-1)! < losses[0] / 2, `losses ${losses}`);
  assert(runningMean.some((mean) => mean !== 0));
});

Deno.test("the bundle is small enough for a page", async () => {
  const withKernels = await sizes(await bundle({ kernels: true }));
  const without = await sizes(await bundle({ kernels: false }));
  assert(withKernels.gzip < LIMIT * 1000, `${withKernels.gzip} bytes compressed`);
  assert(without.gzip < withKernels.gzip, "leaving out the kernels saves nothing");
});

for (const kernels of [true, false]) {
  Deno.test({
    name: `the bundle ${kernels ? "with" : "without"} kernels trains on a page in Chromium`,
    ignore: chromium === "",
    async fn() {
      const script = await bundle({ kernels });
      const page = `<!doctype html><title>Tapegrad</title><script type="module">
${programText("/tapegrad.js", "report")}</script>`;
      // No COOP and COEP headers: the page is not cross-origin isolated.
      const server = Deno.serve(
        { port: 0, hostname: "127.0.0.1", onListen: () => {} },
        (request) => {
          const { pathname } = new URL(request.url);
          if (pathname === "/tapegrad.js") {
            return new Response(script, { headers: { "content-type": "text/javascript" } });
          }
          if (pathname !== "/") return new Response(null, { status: 404 });
          return new Response(page, { headers: { "content-type": "text/html" } });
        },
      );
      try {
        const url = `http://127.0.0.1:${server.addr.port}/`;
        const opener = new URL("open_page.ts", import.meta.url).pathname;
        const text = await output(Deno.execPath(), ["run", "--quiet", "-A", opener, chromium, url]);
        const outcome = JSON.parse(text) as Outcome & { isolated: boolean };
        assertEquals(outcome.isolated, false);
        assertSame(outcome, train(tapegrad));
        assertEquals(outcome.kernels === "plain", !kernels, outcome.kernels);
      } finally {
        await server.shutdown();
      }
    },
  });
}

Deno.test({
  name: "the npm package trains in Node",
  ignore: !node,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "tapegrad-npm-" });
    try {
      const tarball = `${folder}/tapegrad.tgz`;
      await output(Deno.execPath(), ["pack", "--quiet", "--allow-dirty", `--output=${tarball}`]);
      const home = `${folder}/node_modules/@tapegrad/tapegrad`;
      await Deno.mkdir(home, { recursive: true });
      await output("tar", ["-xzf", tarball, "--strip-components=1", "-C", home]);
      await Deno.writeTextFile(
        `${folder}/train.mjs`,
        programText("@tapegrad/tapegrad", "console.log"),
      );
      assertSame(JSON.parse(await output("node", ["train.mjs"], folder)), train(tapegrad));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
