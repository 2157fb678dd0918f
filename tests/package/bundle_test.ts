import { assert } from "@std/assert";
import * as tapegrad from "../../mod.ts";
import { bundle, BUNDLES, sizes } from "../../tools/bundle_size.ts";
import { chromium, elsewhere, openPage, serving } from "./elsewhere.ts";
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
