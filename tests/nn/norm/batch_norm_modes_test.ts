import { within } from "../../assert_close.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Generator, nn, randn, silenceWarnings, type Tensor, tensor, zeros } from "../../../mod.ts";

// Batches that are small enough to compute by hand are what is warned of.
silenceWarnings();

const { BatchNorm1d } = nn;
const batch = (shape: number[], seed = 1) => randn(shape, { generator: new Generator(seed) });
const spoilt = tensor([[NaN, 1], [2, 3]]);

function statistics(bn: nn.BatchNorm): number[] {
  return [...bn.runningMean!.data, ...bn.runningVar!.data, bn.numBatchesTracked!.item()];
}

const assertClose = within(1e-14);

for (const momentum of [0.1, null]) {
  Deno.test(`a batch that is skipped leaves no trace, momentum ${momentum}`, () => {
    const [skipping, clean] = [
      new BatchNorm1d(2, { momentum, nonFinite: "skip" }),
      new BatchNorm1d(2, { momentum }),
    ];
    for (const seed of [1, 2, 3]) {
      skipping.forward(batch([8, 2], seed));
      skipping.forward(spoilt);
      clean.forward(batch([8, 2], seed));
    }
    assertEquals(statistics(skipping), statistics(clean));
  });

  Deno.test(`a batch that throws leaves no trace, momentum ${momentum}`, () => {
    const bn = new BatchNorm1d(2, { momentum, nonFinite: "throw" });
    bn.forward(batch([8, 2]));
    const before = statistics(bn);
    assertThrows(() => bn.forward(spoilt), RangeError, "got mean NaN");
    assertEquals(statistics(bn), before);
  });
}

Deno.test("a batch that is skipped has its place among the forwards that wait for an update", () => {
  const bn = new BatchNorm1d(2, { nonFinite: "skip" }).accumulateStats(3);
  const expected = new BatchNorm1d(2).accumulateStats(2);
  for (const x of [batch([8, 2]), spoilt, batch([4, 2], 2)]) bn.forward(x);
  for (const x of [batch([8, 2]), batch([4, 2], 2)]) expected.forward(x);
  assertEquals(statistics(bn), statistics(expected));
  // Three that are skipped make no update.
  for (let i = 0; i < 3; i++) bn.forward(spoilt);
  assertEquals(statistics(bn), statistics(expected));
});

Deno.test("an empty batch has its place among the forwards that wait, and adds nothing", () => {
  const bn = new BatchNorm1d(2).accumulateStats(2);
  const expected = new BatchNorm1d(2);
  bn.forward(batch([8, 2]));
  bn.forward(zeros([0, 2]));
  expected.forward(batch([8, 2]));
  assertClose(statistics(bn), statistics(expected));
});

Deno.test("accumulateStats(1) drops what was gathered; a k that is no count is refused", () => {
  const bn = new BatchNorm1d(2).accumulateStats(3);
  bn.forward(batch([8, 2]));
  assertEquals(bn.statsAccumulated, 3);
  bn.accumulateStats(1);
  assertEquals(bn.statsAccumulated, 1);
  const expected = new BatchNorm1d(2);
  for (const layer of [bn, expected]) layer.forward(batch([8, 2], 2));
  assertEquals(statistics(bn), statistics(expected));
  for (const k of [0, -1, 1.5, NaN]) {
    assertThrows(() => bn.accumulateStats(k), RangeError, `got ${k} forwards`);
  }
});

Deno.test("accumulateStats(k) pools exactly at a large mean and with a cumulative average", () => {
  const x = batch([24, 2]).add(1e8);
  const [whole, parts] = [
    new BatchNorm1d(2, { momentum: null }),
    new BatchNorm1d(2, { momentum: null }).accumulateStats(4),
  ];
  whole.forward(x);
  for (const part of x.split([3, 11, 2, 8])) parts.forward(part);
  parts.runningVar!.data.forEach((value, c) => {
    assertAlmostEquals(value, whole.runningVar!.data[c], 1e-12);
  });
  assertEquals(parts.numBatchesTracked!.item(), 1);
});

Deno.test("each micro-batch is normalised by itself while statistics wait", () => {
  const [bn, plain] = [new BatchNorm1d(2).accumulateStats(2), new BatchNorm1d(2)];
  const x = batch([8, 2]);
  assertEquals(bn.forward(x).toArray(), plain.forward(x).toArray());
  // A forward that updates nothing does not wait either.
  nn.noStatsUpdate(() => bn.forward(x));
  assertEquals(bn.numBatchesTracked!.item(), 0);
  bn.forward(x);
  assertEquals(bn.numBatchesTracked!.item(), 1);
});

Deno.test("unfreeze() gives the mode that was last asked for", () => {
  const model = new nn.Sequential(new BatchNorm1d(2));
  const bn = model.at(0) as nn.BatchNorm1d;
  const modes = (first: boolean, while_: boolean | null) => {
    model.train(first);
    bn.freeze();
    assert(!bn.training);
    if (while_ !== null) model.train(while_);
    assert(!bn.training);
    bn.unfreeze();
    return bn.training;
  };
  assertEquals(
    [modes(true, null), modes(false, null), modes(true, false), modes(false, true)],
    [true, false, false, true],
  );
  // A second freeze does not forget the mode, a second unfreeze changes nothing.
  model.train();
  assertEquals(bn.freeze().freeze().unfreeze().unfreeze().training, true);
  bn.training = false;
  assertEquals(bn.freeze().unfreeze().training, false);
});

Deno.test("freeze({ affine: true }) fixes γ and β alone when statistics are to go on", () => {
  const bn = new BatchNorm1d(2).freeze({ stats: false, affine: true });
  bn.forward(batch([8, 2]));
  assertEquals([bn.frozen, bn.frozenParameters, bn.training], [false, true, true]);
  assertEquals(bn.numBatchesTracked!.item(), 1);
  assert(!bn.toString().includes("frozen"));
  bn.unfreeze();
  assertEquals([bn.weight!.requiresGrad, bn.bias!.requiresGrad], [true, true]);
});

Deno.test("unfreeze() leaves alone what others have frozen", () => {
  const bn = new BatchNorm1d(2).requiresGrad_(false).freeze();
  bn.unfreeze();
  assertEquals(bn.weight!.requiresGrad, false);
});

Deno.test("freeze() and accumulateStats() return the layer", () => {
  const bn = new BatchNorm1d(2);
  assertEquals([bn.freeze(), bn.unfreeze(), bn.accumulateStats(2)].every((it) => it === bn), true);
});

Deno.test("fromKeras() translates momentum and epsilon", () => {
  assertEquals(nn.BatchNorm.fromKeras(), { momentum: 1 - 0.99, eps: 1e-3 });
  const bn = new BatchNorm1d(2, nn.BatchNorm.fromKeras({ momentum: 0.75, epsilon: 0.5 }));
  assertEquals([bn.momentum, bn.eps], [0.25, 0.5]);
  // Keras: moving = moving · momentum + batch · (1 − momentum).
  bn.forward(tensor([[4, 0], [8, 0]]));
  assertEquals(bn.runningMean!.toArray(), [0 * 0.75 + 6 * 0.25, 0]);
});

Deno.test("virtual batches: a rest of one sample is not cut off by itself", () => {
  const ghost = new BatchNorm1d(2, { virtualBatchSize: 4 });
  const x = batch([17, 2]);
  const y: Tensor = ghost.forward(x);
  const plain = new BatchNorm1d(2);
  const parts = x.split([3, 3, 3, 4, 4]).map((part) => plain.forward(part));
  assertEquals(y.toArray(), parts.flatMap((part) => part.toArray()));
  assertEquals(statistics(ghost), statistics(plain));
  assertThrows(() => new BatchNorm1d(2, { virtualBatchSize: 0 }), RangeError, "virtualBatchSize 0");
  assertThrows(
    () => new BatchNorm1d(2, { nonFinite: "ignore" as nn.NonFinitePolicy }),
    RangeError,
    '"ignore"',
  );
});

Deno.test("a mask and virtual batches go together", () => {
  const [ghost, plain] = [new BatchNorm1d(2, { virtualBatchSize: 2 }), new BatchNorm1d(2)];
  const x = batch([4, 2, 3]);
  const mask = tensor([[1, 1, 0], [1, 1, 1], [1, 0, 0], [1, 1, 0]]);
  const y = ghost.forward(x, { mask });
  const parts = [0, 2].map((start) =>
    plain.forward(x.narrow(0, start, 2), { mask: mask.narrow(0, start, 2) })
  );
  assertEquals(y.toArray(), parts.flatMap((part) => part.toArray()));
  assertEquals(statistics(ghost), statistics(plain));
});
