import { assert, assertEquals, assertLess } from "@std/assert";
import { loadDigits, type Split, takeBatch } from "../../examples/digits/data.ts";
import * as experiments from "../../examples/digits/experiments.ts";
import { parseOptions, type TrainOptions } from "../../examples/digits/options.ts";
import { TrainingRun } from "../../examples/digits/run.ts";
import { distill } from "../../examples/distillation.ts";
import { compareFineTuning } from "../../examples/fine_tuning.ts";
import { fourCombinations } from "../../examples/four_combinations.ts";
import { accumulate } from "../../examples/gradient_accumulation.ts";
import { recalibrate } from "../../examples/recalibration.ts";
import { nn, onWarning, type Warning } from "../../mod.ts";

/** Runs an example, which throws unless its point holds; correct programs are warned of nothing. */
function silently<T>(run: () => T): T {
  const warnings: Warning[] = [];
  const restore = onWarning((warning) => warnings.push(warning));
  try {
    const result = run();
    assertEquals(warnings, []);
    return result;
  } finally {
    restore();
  }
}

Deno.test("the example of the four combinations", () => {
  const rows = silently(fourCombinations);
  assertEquals(
    rows.map((row) => [
      row.training,
      row.trackRunningStats,
      row.normalisesWith,
      row.forwardsThatMovedStatistics,
      row.stepsThatMovedParameters,
    ]),
    [
      [true, true, "batch", 20, 20],
      [true, false, "batch", "–", 20],
      [false, true, "running", 0, 20],
      [false, false, "batch", "–", 20],
    ],
  );
  assertEquals(rows.map((row) => row.shiftByOthers > 0), [true, true, false, true]);
});

Deno.test("the example of distillation", () => {
  const result = silently(distill);
  assertEquals(result.movedInEval, 0);
  assert(result.movedInTrain > 0.01);
  assert(result.teacher > 0.95 && result.studentOfTeacher > 0.95);
});

Deno.test("the example of recalibration", () => {
  const { candidates, splitError } = silently(recalibrate);
  assertEquals(candidates.length, 9);
  assert(candidates.every(({ shared, recalibrated }) => recalibrated > shared));
  assertLess(splitError, 1e-12);
});

Deno.test("the example of gradient accumulation", () => {
  const [full, separate, pooled] = silently(accumulate);
  assertEquals([full, separate, pooled].map(({ updates }) => updates), [60, 480, 60]);
  assertLess(Math.max(pooled.meanError, pooled.varianceError), 1e-12);
  assert(separate.varianceError > 0.1);
});

Deno.test("the example of fine-tuning", () => {
  const [plain, evaluated, frozen] = silently(compareFineTuning);
  assertEquals(evaluated.accuracy, plain.accuracy);
  assertEquals(frozen.statisticsMoved, 0);
  assert(frozen.accuracy > plain.accuracy + 0.5);
});

Deno.test("the main job on a part of the digits is warned of nothing, and passes its audit", async () => {
  const { name, train, test } = await loadDigits(0);
  const part = (set: Split["train"], count: number) => ({
    ...set,
    pixels: set.pixels.slice(0, count * set.width * set.height),
    labels: set.labels.slice(0, count),
  });
  const split: Split = { name, train: part(train, 640), test: part(test, 160) };
  const options: TrainOptions = { ...parseOptions([])!, batchSize: 32 };
  const { net } = silently(() => {
    const run = new TrainingRun(split, options);
    while (run.epoch <= 6) {
      for (const _ of run.steps());
      run.endEpoch();
    }
    experiments.trainingUntracked(split, options);
    experiments.evaluationTracked(run.net, split, options);
    experiments.evaluationUntracked(run.net, split, options);
    experiments.frozenTeacher(run.net.deepCopy(), split, options);
    experiments.recalibration(run.net, split);
    return run;
  });
  const indices = Array.from({ length: 128 }, (_, i) => i);
  const rows = silently(() => nn.auditTrainEval(net, takeBatch(split.test, indices).images));
  assertEquals(rows.map((row) => row.name), ["bn1", "bn2"]);
  assertEquals(rows.flatMap((row) => row.reasons), [], nn.formatAudit(rows));
});

Deno.test("the examples run as programs, without any permission, and print their tables", async () => {
  const names = [
    "distillation",
    "fine_tuning",
    "four_combinations",
    "gradient_accumulation",
    "recalibration",
  ];
  for (const name of names) {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", `examples/${name}.ts`],
      cwd: new URL("../../", import.meta.url),
      env: { NO_COLOR: "1" },
    }).output();
    const [printed, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert(success, `${name}: ${complained}`);
    assert(printed.includes("│"), `${name} printed ${printed}`);
    assert(!complained.includes("tapegrad ["), complained);
  }
});
