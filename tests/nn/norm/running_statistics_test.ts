import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  Generator,
  nn,
  noGrad,
  ones,
  optim,
  randn,
  silenceWarnings,
  type Tensor,
  tensor,
  zeros,
} from "../../../mod.ts";

// Small batches give figures that can be worked out by hand, and warnings.
silenceWarnings();

const { BatchNorm1d, auditTrainEval, healthReport } = nn;
const batch = (shape: number[], seed = 1) => randn(shape, { generator: new Generator(seed) });
const high = tensor([[999], [1001]]);
const low = tensor([[-1], [1]]);

/** A layer in which one batch with a mean of 1000 waits for a second one. */
function waiting(): nn.BatchNorm1d {
  const bn = new BatchNorm1d(1).accumulateStats(2);
  bn.forward(high);
  return bn;
}

/** Forwards until the next common update, and the running mean after it. */
function nextUpdate(bn: nn.BatchNorm1d): [forwards: number, mean: number] {
  const before = bn.numBatchesTracked!.item();
  let forwards = 0;
  while (bn.numBatchesTracked!.item() === before) {
    bn.forward(low);
    forwards++;
  }
  return [forwards, bn.runningMean!.item()];
}

const drops: Record<string, (bn: nn.BatchNorm1d) => void> = {
  "resetRunningStats()": (bn) => bn.resetRunningStats(),
  "resetParameters()": (bn) => bn.resetParameters(),
  "loadStateDict()": (bn) => bn.loadStateDict(new BatchNorm1d(1).stateDict()),
  "loadStateDict() of the statistics alone": (bn) =>
    bn.loadStateDict(new Map([["running_mean", zeros([1])]]), { strict: false }),
  "updateBn()": (bn) => optim.swa.updateBn([low], bn),
  "updateBn() in exact mode": (bn) => optim.swa.updateBn([low], bn, { exact: true }),
  "accumulateStats()": (bn) => bn.accumulateStats(2),
};

for (const [name, drop] of Object.entries(drops)) {
  Deno.test(`${name} drops the forwards that wait for a common update`, () => {
    const bn = waiting();
    drop(bn);
    assertEquals(bn.statsAccumulated, 2);
    assertEquals(nextUpdate(bn), [2, 0]);
  });
}

const takes: Record<string, (bn: nn.BatchNorm1d) => void> = {
  "flushStats()": (bn) => bn.flushStats(),
  "eval()": (bn) => bn.eval().train(),
  "eval() of the model": (bn) => new nn.Sequential(bn).eval().train(),
  "freeze()": (bn) => bn.freeze().unfreeze(),
};

for (const [name, take] of Object.entries(takes)) {
  Deno.test(`${name} takes in the forwards that wait for a common update`, () => {
    const bn = waiting();
    take(bn);
    assertEquals([bn.numBatchesTracked!.item(), bn.runningMean!.item()], [1, 100]);
    take(bn);
    assertEquals(bn.numBatchesTracked!.item(), 1);
    assertEquals(nextUpdate(bn), [2, 90]);
  });
}

Deno.test("a state that does not fit leaves the forwards that wait", () => {
  const bn = waiting();
  assertThrows(() => bn.loadStateDict(new BatchNorm1d(2).stateDict()), RangeError);
  bn.loadStateDict(new Map([["bias", ones([1])]]), { strict: false });
  assertEquals(nextUpdate(bn), [1, 50]);
});

Deno.test("a state dict holds the statistics without the forwards that wait", () => {
  assertEquals(waiting().stateDict().get("running_mean")!.toArray(), [0]);
  assertEquals(waiting().flushStats().stateDict().get("running_mean")!.toArray(), [100]);
});

Deno.test("a conversion to SyncBatchNorm keeps the forwards that wait", () => {
  const sync = nn.SyncBatchNorm.convertSyncBatchnorm(waiting()) as nn.SyncBatchNorm;
  sync.forward(low);
  assertEquals(sync.runningMean!.item(), 50);
});

Deno.test("a forward that throws has changed nothing: one sample in training", () => {
  for (const momentum of [0.1, null]) {
    const bn = new BatchNorm1d(1, { momentum });
    assertThrows(() => bn.forward(tensor([[7]])), RangeError, "Expected more than 1 value");
    assertEquals(bn.numBatchesTracked!.item(), 0);
    bn.forward(high);
    assertEquals(bn.runningMean!.item(), momentum === null ? 1000 : 100);
  }
});

Deno.test("a forward that throws has changed nothing: channels, kinds, masks, ghost batches", () => {
  const bn = new BatchNorm1d(2, { virtualBatchSize: 2, nonFinite: "throw" });
  const state = () => [...bn.stateDict()].map(([key, value]) => [key, value.toArray()]);
  const before = state();
  const x = batch([4, 2]);
  const broken = x.clone().copy_(tensor([[1, 2], [3, 4], [5, 6], [NaN, 8]]));
  const masked = { mask: tensor([1, 1, 1, 0]) };
  for (
    const [run, error] of [
      [() => bn.forward(batch([4, 3])), "should contain 2|expected \\[3\\]"],
      [() => bn.forward(batch([4])), "got 1D input"],
      [() => bn.forward(null as unknown as Tensor), "got x null"],
      [() => bn.forward(x, { mask: ones([3]) }), "3"],
      [() => bn.forward(x, { mask: 0 as unknown as Tensor }), "got mask number 0"],
      // The first half is sound and must not be in the statistics either.
      [() => bn.forward(x, masked), "1 valid position"],
      [() => bn.forward(broken), "got mean NaN"],
    ] as const
  ) {
    const thrown = assertThrows(run, Error) as Error;
    assert(new RegExp(error).test(thrown.message), thrown.message);
    assertEquals(state(), before, error);
  }
});

Deno.test("a lazy layer whose first forward throws stays lazy", () => {
  const bn = new nn.LazyBatchNorm1d();
  assertThrows(() => bn.forward(ones([1, 3])), RangeError);
  assertEquals([bn.numFeatures, bn.constructor.name], [0, "LazyBatchNorm1d"]);
  bn.forward(batch([8, 5]));
  assertEquals([bn.numFeatures, bn.numBatchesTracked!.item()], [5, 1]);
});

Deno.test("instance and functional norms that throw have changed nothing", () => {
  const norm = new nn.InstanceNorm1d(2, { trackRunningStats: true });
  assertThrows(() => norm.forward(ones([2, 2, 1])), RangeError);
  norm.runningVar = ones([2], { requiresGrad: true });
  assertThrows(() => norm.forward(batch([2, 2, 4])), RangeError, "runningVar that requires grad");
  assertEquals(norm.runningMean!.toArray(), [0, 0]);
  const mean = zeros([2]);
  const { batchNorm } = nn.functional;
  const wrong = () => batchNorm(batch([4, 2]), mean, ones([3]), null, null, { training: true });
  assertThrows(wrong, RangeError, "got runningVar of shape [3], expected [2]");
  assertEquals(mean.toArray(), [0, 0]);
});

Deno.test("freeze({ affine: true }) and unfreeze() leave γ and β as they were", () => {
  const bn = new BatchNorm1d(2).requiresGrad_(false);
  bn.bias!.requiresGrad_(true);
  // Freezing twice must not forget what was before the first time.
  bn.freeze({ affine: true }).freeze({ affine: true });
  assert(bn.frozenParameters);
  assertFalse(bn.weight!.requiresGrad || bn.bias!.requiresGrad);
  for (const layer of [bn.deepCopy(), nn.SyncBatchNorm.convertSyncBatchnorm(bn) as nn.BatchNorm]) {
    layer.unfreeze();
    assertEquals([layer.weight!.requiresGrad, layer.bias!.requiresGrad], [false, true]);
    assertFalse(layer.frozenParameters);
  }
  const open = new BatchNorm1d(2).requiresGrad_(false).unfreeze();
  assertFalse(open.weight!.requiresGrad);
});

Deno.test("training = true does not thaw a frozen layer", () => {
  const bn = new BatchNorm1d(2);
  bn.forward(batch([8, 2]));
  bn.eval().freeze();
  const expected = bn.forward(batch([8, 2], 2)).toArray();
  const before = bn.runningMean!.toArray();
  bn.training = true;
  assertEquals(bn.forward(batch([8, 2], 2)).toArray(), expected);
  assertEquals(bn.runningMean!.toArray(), before);
  assertEquals(bn.numBatchesTracked!.item(), 1);
  assert(bn.unfreeze().training);
  bn.freeze().eval();
  assertFalse(bn.unfreeze().training);
});

for (const [name, value] of [["NaN", NaN], ["−1", -1], ["infinity", Infinity]] as const) {
  Deno.test(`a running variance of ${name} is found by healthReport() and auditTrainEval()`, () => {
    const bn = new BatchNorm1d(3);
    for (let i = 0; i < 60; i++) bn.forward(batch([64, 3], i));
    bn.runningVar!.copy_(tensor([1, value, 1]));
    const findings = healthReport(bn).map(({ code, channels }) => [code, channels]);
    assertEquals(findings, [["broken-statistics", [1]]]);
    const [row] = auditTrainEval(bn, batch([64, 3], 99));
    assertEquals(row.reasons[0].cause, "broken-statistics");
  });
}

Deno.test("a running mean of NaN and a batch with NaN are named", () => {
  const bn = new BatchNorm1d(2);
  for (let i = 0; i < 60; i++) bn.forward(batch([64, 2], i));
  const x = batch([64, 2], 99);
  x.copy_(x.add(tensor([0, NaN])));
  assertEquals(auditTrainEval(bn, x)[0].reasons.map(({ cause }) => cause), ["non-finite-batch"]);
  bn.runningMean!.copy_(tensor([NaN, 0]));
  assertEquals(healthReport(bn)[0].channels, [0]);
});

Deno.test("a γ of NaN hides no γ of 0", () => {
  const bn = new BatchNorm1d(3);
  for (let i = 0; i < 60; i++) bn.forward(batch([64, 3], i));
  noGrad(() => bn.weight!.copy_(tensor([NaN, 0, 1])));
  noGrad(() => bn.bias!.copy_(tensor([0, 0, Infinity])));
  assertEquals(healthReport(bn).map(({ code, channels }) => [code, channels]), [
    ["non-finite-parameter", [0]],
    ["non-finite-parameter", [2]],
    ["gamma-near-zero", [1]],
  ]);
});

Deno.test("healthReport() and auditTrainEval() take 200,000 channels", () => {
  const bn = new BatchNorm1d(200_000);
  assertEquals(healthReport(bn), []);
  assertEquals(auditTrainEval(bn, batch([2, 200_000]))[0].reasons[0].cause, "never-updated");
});

Deno.test("statistics from updateBn(), saved and loaded, are not called too few", () => {
  const data = batch([2048, 4]).add(3).split(512);
  for (const exact of [false, true]) {
    const [bn, fresh] = [new BatchNorm1d(4), new BatchNorm1d(4)];
    optim.swa.updateBn(data, bn, { exact });
    fresh.loadStateDict(bn.stateDict());
    assertEquals(auditTrainEval(fresh, batch([512, 4], 2).add(3))[0].reasons, []);
    // Variances below what the initial 1 would still weigh show that it is gone.
    optim.swa.updateBn(data.map((x) => x.mul(0.01)), bn, { exact });
    fresh.loadStateDict(bn.stateDict());
    assertEquals(auditTrainEval(fresh, batch([512, 4], 2).add(3).mul(0.01))[0].reasons, []);
  }
});

Deno.test("an audit takes in no forward that waits", () => {
  const bn = waiting();
  auditTrainEval(bn, batch([8, 1]));
  assertEquals(bn.numBatchesTracked!.item(), 0);
  assertEquals(nextUpdate(bn), [1, 50]);
});

Deno.test("batchNorm() takes a mask, as the layer does", () => {
  const [bn, mean, variance] = [new BatchNorm1d(2), zeros([2]), ones([2])];
  const x = batch([4, 2]);
  const mask = tensor([1, 0, 1, 1]);
  const y = nn.functional.batchNorm(x, mean, variance, null, null, { training: true, mask });
  assertEquals(y.toArray(), bn.forward(x, { mask }).toArray());
  assertEquals([mean, variance], [bn.runningMean, bn.runningVar]);
});

Deno.test("batchNorm() and the layers refuse operands of a wrong kind by their public names", () => {
  const { batchNorm, instanceNorm } = nn.functional;
  const x = batch([4, 2]);
  const wrong: [() => unknown, string][] = [
    [() => batchNorm("x" as unknown as Tensor), "got x string x"],
    [() => batchNorm(x, [0, 0] as unknown as Tensor), "got runningMean an array of 2"],
    [() => batchNorm(x, null, null, null, null, { training: 1 as unknown as boolean }), "training"],
    [() => instanceNorm(x, { useInputStats: "no" as unknown as boolean }), "useInputStats"],
    [() => nn.functional.layerNorm(x, "2" as unknown as number), "got normalizedShape"],
    [() => auditTrainEval(5 as unknown as nn.Module, x), "got model number 5"],
    [() => nn.utils.fuseConvBnEval(5 as never, new BatchNorm1d(2)), "got layer number 5"],
    [() => nn.utils.fuseLinearBnEval(new nn.Linear(2, 2), null as never), "got bn null"],
    [() => healthReport({} as nn.Module), "got model an Object"],
    [() => optim.swa.updateBn([x], null as unknown as nn.Module), "got model null"],
  ];
  for (const [run, message] of wrong) assertThrows(run, TypeError, message);
});
