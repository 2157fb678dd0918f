import { assert, assertEquals } from "@std/assert";
import * as tapegrad from "../../mod.ts";
import { bundle, BUNDLES, sizes } from "../../tools/bundle_size.ts";
import { chromium, elsewhere, isolation, openPage, serving } from "./elsewhere.ts";
import {
  assertSameTraining,
  importing,
  type Outcome,
  programText,
  train,
} from "./training_elsewhere.ts";

if (chromium === "") console.log("No Chromium here: bundles are not tried on a page.");

Deno.test("the training that is sent elsewhere learns and tracks here", async () => {
  const { losses, runningMean } = await train(tapegrad);
  assert(losses.at(-1)! < losses[0] / 2, `losses ${losses}`);
  assert(runningMean.some((mean) => mean !== 0));
});

for (const bundled of BUNDLES) {
  Deno.test(`small enough for a page: ${bundled.name}`, async () => {
    const { gzip } = await sizes(await bundle(bundled));
    assert(gzip <= bundled.limit * 1000, `${gzip} bytes compressed`);
  });
}

for (const kernels of [true, false]) {
  Deno.test({
    name: `the bundle ${kernels ? "with" : "without"} kernels trains on a page in Chromium`,
    ignore: chromium === "",
    async fn() {
      const folder = `${elsewhere}bundle-${kernels ? "with" : "without"}-kernels`;
      await Deno.mkdir(folder, { recursive: true });
      await Deno.writeTextFile(`${folder}/tapegrad.js`, await bundle({ kernels }));
      await Deno.writeTextFile(
        `${folder}/index.html`,
        `<!doctype html><title>Tapegrad</title><script type="module">
${programText(importing("./tapegrad.js"), "report")}</script>`,
      );
      const outcome = await serving(folder, openPage) as Outcome;
      await assertSameTraining(outcome, { plain: !kernels });
    },
  });
}

/** A page that asks for two threads and reports what comes of it. */
const threaded = `<!doctype html><title>Tapegrad</title><script type="module">
import { kernels, matmul, ones } from "./tapegrad.js";
let error = null;
try {
  await kernels.setThreads(2);
} catch (thrown) {
  error = String(thrown);
}
const sum = matmul(ones([300, 300]), ones([300, 300])).sum().item();
report(JSON.stringify({ error, threads: kernels.info().threads, sum }));
</script>`;

for (const headers of [{}, isolation]) {
  const isIsolated = headers === isolation;
  Deno.test({
    name: `threads ${isIsolated ? "run" : "are refused, and why is told,"} on a page that is ${
      isIsolated ? "" : "not "
    }cross-origin isolated`,
    ignore: chromium === "",
    async fn() {
      const folder = `${elsewhere}threads-${isIsolated}`;
      await Deno.mkdir(folder, { recursive: true });
      await Deno.writeTextFile(`${folder}/tapegrad.js`, await bundle({ kernels: true }));
      await Deno.writeTextFile(`${folder}/index.html`, threaded);
      const outcome = await serving(folder, openPage, headers) as {
        error: string | null;
        threads: number;
        sum: number;
        isolated: boolean;
      };
      assertEquals([outcome.isolated, outcome.sum], [isIsolated, 300 ** 3]);
      assertEquals(outcome.threads, isIsolated ? 2 : 1);
      if (isIsolated) assertEquals(outcome.error, null);
      else {assert(
          outcome.error?.includes("Cross-Origin-Opener-Policy: same-origin"),
          `${outcome.error}`,
        );}
    },
  });
}
