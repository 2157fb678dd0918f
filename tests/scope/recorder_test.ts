import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { loadDigits } from "../../examples/digits/data.ts";
import { TrainingRun } from "../../examples/digits/run.ts";
import { parseOptions } from "../../examples/digits/options.ts";
import { ledgerOf, numberOf, record, type RunRecord, sentenceOf } from "../../scope/mod.ts";

const split = await loadDigits(0);

function digits(steps: number): { run: TrainingRun; record: RunRecord; losses: number[] } {
  const run = new TrainingRun(split, parseOptions(["--epochs", "3"])!);
  const recorder = record(run.net, run.optimizer, { title: "digits" });
  const losses: number[] = [];
  while (run.step < steps) {
    for (const { loss } of run.steps()) {
      losses.push(loss);
      recorder.metric("loss", loss);
      if (run.step === steps) break;
    }
    if (run.step < steps) run.endEpoch();
  }
  return { run, record: recorder.stop().toJSON(), losses };
}

Deno.test("a run of digits says what moved what", () => {
  const { run, record } = digits(90);
  assertEquals(
    sentenceOf(record),
    "In 90 steps the optimizer moved γ and β 360 times, and forward passes moved them 0 times. " +
      "Forward passes moved the running mean and variance 360 times, and the optimizer moved them " +
      "0 times.",
  );
  const { learned, tracked } = ledgerOf(record);
  const moved = (
    quantities: ("weight" | "bias" | "runningMean" | "runningVar")[],
    by: "optimizer" | "forward",
  ) =>
    ["bn1", "bn2"].flatMap((name) =>
      quantities.map((q) => run.ledger.movement(name, q, by).distance)
    )
      .reduce((a, b) => a + b);
  assertAlmostEquals(learned.step.distance, moved(["weight", "bias"], "optimizer"), 1e-9);
  assertAlmostEquals(
    tracked.forward.distance,
    moved(["runningMean", "runningVar"], "forward"),
    1e-9,
  );
  assertEquals([learned.other.count, tracked.other.count], [0, 0]);
  const [bn1] = record.layers;
  assertEquals([bn1.path, bn1.kind, bn1.features], ["bn1", "BatchNorm2d", 16]);
  const { at, values } = bn1.series.runningMean;
  assertEquals(at[0], 0);
  assertEquals(values[0], bn1.channels.map(() => 0));
  bn1.channels.forEach((c, i) => {
    assertEquals(numberOf(values.at(-1)![i]), run.net.norms()[0][1].runningMean!.data[c]);
    assertEquals(
      numberOf(bn1.series.gamma.values.at(-1)![i]),
      run.net.norms()[0][1].weight!.data[c],
    );
  });
  assertEquals(JSON.parse(JSON.stringify(record)), record);
  assert(record.metrics[0].values.length === 90);
});
