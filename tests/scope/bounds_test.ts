/** A recording is bounded, and changes nothing. */
import { assert, assertEquals } from "@std/assert";
import { loadDigits } from "../../examples/digits/data.ts";
import { parseOptions } from "../../examples/digits/options.ts";
import { TrainingRun } from "../../examples/digits/run.ts";
import { manualSeed, nn, noGrad, optim, randn } from "../../mod.ts";
import { numberOf, record } from "../../scope/mod.ts";

const split = await loadDigits(0);

function losses(steps: number, recorded: boolean, every = 1): number[] {
  const run = new TrainingRun(split, parseOptions(["--epochs", "12"])!);
  const recorder = recorded
    ? record(run.net, run.optimizer, { every, callSites: true, channels: "all" })
    : null;
  const found: number[] = [];
  while (found.length < steps) {
    for (const { loss } of run.steps()) {
      found.push(loss);
      recorder?.metric("loss", loss);
      if (found.length % 50 === 0) recorder?.toJSON();
      if (found.length === steps) break;
    }
    if (found.length < steps) run.endEpoch();
  }
  recorder?.stop();
  return found;
}

Deno.test("500 losses are the same to the last bit with and without a recording", () => {
  const without = losses(500, false);
  assertEquals(without.length, 500);
  assertEquals(losses(500, true), without);
  assertEquals(losses(60, true, 7), without.slice(0, 60));
});

Deno.test("10,000 steps of the digits' layers are less than 5 MB, the last 2,000 events in full", () => {
  manualSeed(0);
  // The layers of the main job, without the convolutions between them.
  const net = new nn.Sequential(
    new nn.BatchNorm1d(16),
    new nn.Linear(16, 32),
    new nn.BatchNorm1d(32),
  );
  const sgd = new optim.SGD(net.parameters(), { lr: 0.01 });
  const recorder = record(net, sgd);
  const x = Array.from({ length: 8 }, () => randn([4, 16]));
  for (let step = 0; step < 10_000; step++) {
    sgd.zeroGrad();
    const loss = net.forward(x[step % 8]).square().mean();
    loss.backward();
    sgd.step();
    recorder.metric("loss", loss.item());
  }
  const record10k = recorder.stop().toJSON();
  const size = JSON.stringify(record10k).length;
  assert(size < 5e6, `${size} bytes`);
  assertEquals([record10k.steps, record10k.events], [10_000, 20_000]);
  for (const { series, counts, channels } of record10k.layers) {
    assertEquals(channels.length, 4);
    assertEquals(counts.learned.step, 20_000);
    assertEquals(counts.tracked.forward, 20_000);
    const { at, values, min, max } = series.runningMean;
    assertEquals(at.filter((at) => at > 18_000).length, 1000);
    assertEquals([at[0] < 20_000, at.at(-1)], [true, 19_999]);
    assert(at.every((event, i) => i === 0 || event > at[i - 1]), "in order");
    assert(at.length < 2500, `${at.length} points`);
    // Older points stand for spans and say how far those reached.
    min!.forEach((row, i) =>
      row.forEach((low, j) => {
        const value = numberOf(values[i][j]);
        const slack = 1e-5 * Math.abs(value) + 1e-12;
        assert(numberOf(low) <= value + slack && value <= numberOf(max![i][j]) + slack);
      })
    );
  }
});

Deno.test("a part of a record continues the one before it", () => {
  const bn = new nn.BatchNorm1d(3);
  const recorder = record(bn, null, { channels: [2, 0] });
  for (let i = 0; i < 4; i++) bn.forward(randn([8, 3]));
  const before = recorder.toJSON();
  for (let i = 0; i < 3; i++) bn.forward(randn([8, 3]));
  const [part, whole] = [recorder.toJSON({ since: before.events }), recorder.stop().toJSON()];
  const [a, b, c] = [before, part, whole].map(({ layers }) => layers[0].series.batchMean);
  if (before.layers[0].channels[0] === whole.layers[0].channels[0]) {
    assertEquals([...a.at, ...b.at], c.at);
    assertEquals([...a.values, ...b.values], c.values);
  }
  assertEquals(part.marks.forward, [5, 6, 7]);
});

Deno.test("modes have spans of their own; numbers that are not finite survive JSON", () => {
  const bn = new nn.BatchNorm1d(2);
  const recorder = record(bn, null);
  const x = randn([8, 2]);
  bn.forward(x);
  bn.forward(x);
  noGrad(() => bn.forward(x));
  bn.eval().forward(x);
  bn.train().freeze().forward(x);
  bn.unfreeze().forward(x.mul(NaN));
  const json = JSON.parse(JSON.stringify(recorder.stop()));
  assertEquals(
    json.modes.map(({ mode, from, to }: Record<string, unknown>) => [mode, from, to]),
    [["train", 1, 2], ["noGrad", 3, 3], ["eval", 4, 4], ["frozen", 5, 5], ["train", 6, 6]],
  );
  assertEquals(json.layers[0].final.runningMean, ["NaN", "NaN"]);
  assertEquals(json.layers[0].series.runningMean.values.at(-1), ["NaN", "NaN"]);
  assertEquals(json.health[0].code, "broken-statistics");
});

Deno.test("a lazy layer is recorded from its first forward on", () => {
  const net = new nn.Sequential(new nn.LazyBatchNorm1d());
  const recorder = record(net, null);
  for (let i = 0; i < 2; i++) net.forward(randn([8, 3]));
  const [layer] = recorder.stop().toJSON().layers;
  assertEquals([layer.kind, layer.features, layer.channels.length], ["BatchNorm1d", 3, 3]);
  assertEquals(layer.counts.tracked, { step: 0, forward: 4, other: 0 });
  assertEquals(layer.series.runningMean.at, [0, 1, 2]);
  assertEquals(layer.series.runningMean.values[0].map(numberOf), [0, 0, 0]);
});
