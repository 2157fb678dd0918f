/** The line that shows an epoch while it is trained. */
import { assert, assertEquals } from "@std/assert";
import { type Progress, progressLine } from "../../examples/digits/progress.ts";

const progress: Progress = {
  epoch: "2/10",
  step: 30,
  steps: 45,
  trained: { loss: 0.43219, accuracy: 0.9123 },
  tested: { loss: 0.3, accuracy: 0.9444 },
  drift: { layer: "bn2", channel: 7, z: -1.94 },
  stepsPerSecond: 61.6,
  secondsLeft: 130,
};

Deno.test("a wide line tells everything, each part by its name", () => {
  assertEquals(
    progressLine(progress, 120),
    `epoch 2/10 ${"█".repeat(13)}${"░".repeat(6)} 30/45  loss 0.432  train 91.2 %  test 94.4 %  ` +
      "drift bn2[7] 1.9 σ  62 steps/s  3 min left",
  );
});

Deno.test("a narrow line leaves out what matters least, and never wraps", () => {
  for (let columns = 30; columns < 160; columns++) {
    const line = progressLine(progress, columns);
    assert(line.length < columns, `${columns}: ${line}`);
    assertEquals(line.includes("train 91.2 %"), columns >= 37, line);
    assertEquals(line.includes("drift"), columns >= 70, line);
  }
});

Deno.test("in the first epoch there is no test score yet, and before a forward pass no drift", () => {
  const line = progressLine({ ...progress, tested: null, drift: null, secondsLeft: Infinity }, 100);
  assert(!line.includes("test") && !line.includes("drift"), line);
  assert(line.endsWith("– left"), line);
});
