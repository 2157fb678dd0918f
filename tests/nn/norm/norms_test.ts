import { within } from "../../assert_close.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  Generator,
  gradcheck,
  nn,
  noGrad,
  ones,
  randn,
  silenceWarnings,
  type Tensor,
  tensor,
  zeros,
} from "../../../mod.ts";

// Batches that are small enough to compute by hand are what is warned of.
silenceWarnings();

const batch = (shape: readonly number[], seed = 1) =>
  randn(shape, { generator: new Generator(seed) });
const numbers = (count: number, shape: number[]) =>
  tensor(Array.from({ length: count }, (_, i) => i), { shape });

const assertClose = within(1e-12);

/** Gradients of output and parameters, of two orders, at random parameters. */
function check(layer: nn.Module, shape: number[]): void {
  const parameters = layer.parameters();
  noGrad(() => parameters.forEach((p, i) => p.copy_(batch(p.shape, 20 + i).add(1))));
  gradcheck((x) => layer.forward(x), [batch(shape).requiresGrad_(), ...parameters], { order: 2 });
}

const layers: [nn.Module, number[]][] = [
  [new nn.LayerNorm(4), [3, 4]],
  [new nn.LayerNorm([2, 3], { eps: 0.1 }), [2, 2, 3]],
  [new nn.LayerNorm(4, { bias: false }), [3, 4]],
  [new nn.LayerNorm(4, { elementwiseAffine: false }), [3, 4]],
  [new nn.RMSNorm(4), [3, 4]],
  [new nn.RMSNorm([2, 3], { eps: 0.1 }), [2, 2, 3]],
  [new nn.RMSNorm(4, { elementwiseAffine: false }), [3, 4]],
  [new nn.GroupNorm(1, 4), [2, 4]],
  [new nn.GroupNorm(2, 4), [2, 4, 3]],
  [new nn.GroupNorm(4, 4, { eps: 0.1 }), [2, 4, 3]],
  [new nn.GroupNorm(2, 4, { affine: false }), [2, 4, 1, 2]],
  [new nn.InstanceNorm1d(2), [3, 2, 4]],
  [new nn.InstanceNorm1d(2, { affine: true }), [2, 4]],
  [new nn.InstanceNorm2d(2, { affine: true, trackRunningStats: true }), [2, 2, 2, 2]],
  [new nn.InstanceNorm3d(2, { affine: true, eps: 0.1 }), [1, 2, 2, 1, 2]],
  [new nn.InstanceNorm1d(2, { affine: true, trackRunningStats: true }).eval(), [2, 2, 3]],
  [new nn.LocalResponseNorm(3, { alpha: 1, k: 2 }), [2, 4, 2]],
];

for (const [layer, shape] of layers) {
  Deno.test(`${layer} of [${shape}] has gradients of two orders`, () => check(layer, shape));
}

/** The definition, in ordinary operations. */
function standardize(x: Tensor, dim: number[], eps = 1e-5): Tensor {
  const centered = x.sub(x.mean({ dim, keepdim: true }));
  return centered.div(centered.square().mean({ dim, keepdim: true }).add(eps).sqrt());
}

Deno.test("each norm is its definition", () => {
  const x = batch([2, 4, 3]).mul(3).add(5);
  const weight = tensor([[1], [2], [3], [4]]);
  assertClose(new nn.LayerNorm([4, 3]).forward(x), standardize(x, [1, 2]));
  assertClose(new nn.LayerNorm(3).forward(x), standardize(x, [2]));
  assertClose(new nn.InstanceNorm1d(4).forward(x), standardize(x, [2]));
  const groups = new nn.GroupNorm(2, 4);
  noGrad(() => groups.weight!.copy_(weight.reshape([4])));
  const inGroups = standardize(x.reshape([2, 2, 2, 3]), [2, 3]).reshape([2, 4, 3]);
  assertClose(groups.forward(x), inGroups.mul(weight));
  const meanSquare = x.square().mean({ dim: 2, keepdim: true });
  assertClose(new nn.RMSNorm(3, { eps: 0.5 }).forward(x), x.div(meanSquare.add(0.5).sqrt()));
});

Deno.test("GroupNorm of one group is LayerNorm, of one channel each InstanceNorm", () => {
  const x = batch([2, 4, 3]);
  assertClose(new nn.GroupNorm(1, 4).forward(x), new nn.LayerNorm([4, 3]).forward(x));
  assertClose(new nn.GroupNorm(4, 4).forward(x), new nn.InstanceNorm1d(4).forward(x));
});

Deno.test("a sample's output does not depend on its batch, nor on the mode", () => {
  const x = batch([3, 4, 5]);
  for (const norm of [new nn.LayerNorm([4, 5]), new nn.GroupNorm(2, 4), new nn.InstanceNorm1d(4)]) {
    const whole = norm.forward(x);
    assertClose(norm.eval().forward(x.narrow(0, 1, 1)), whole.narrow(0, 1, 1));
  }
});

Deno.test("a large mean costs no digits", () => {
  const x = batch([2, 4, 64]);
  const shifted = x.add(1e8);
  // What is left of x after the shift took its last digits.
  const kept = shifted.sub(1e8);
  for (const norm of [new nn.LayerNorm([64]), new nn.GroupNorm(2, 4), new nn.InstanceNorm1d(4)]) {
    assertClose(norm.forward(shifted), norm.forward(kept), 1e-13);
  }
});

Deno.test("LayerNorm: its parameters and how it prints", () => {
  const keys = (options: nn.LayerNormOptions) => [
    ...new nn.LayerNorm(3, options).stateDict().keys(),
  ];
  assertEquals(keys({}), ["weight", "bias"]);
  assertEquals(keys({ bias: false }), ["weight"]);
  assertEquals(keys({ elementwiseAffine: false }), []);
  assertEquals(
    new nn.LayerNorm([2, 3]).toString(),
    "LayerNorm((2, 3), eps=1e-05, elementwise_affine=True)",
  );
  assertEquals(new nn.LayerNorm(3).weight!.shape, [3]);
});

Deno.test("LayerNorm of constant rows, of single values, and of nothing", () => {
  assertEquals(new nn.LayerNorm(3).forward(ones([1, 3])).toArray(), [[0, 0, 0]]);
  assertEquals(new nn.LayerNorm(1).forward(tensor([[7]])).toArray(), [[0]]);
  assertEquals(new nn.LayerNorm([3]).forward(zeros([0, 3])).shape, [0, 3]);
  assertEquals(new nn.LayerNorm([0]).forward(zeros([2, 0])).shape, [2, 0]);
});

Deno.test("LayerNorm and RMSNorm refuse an input that does not end with their shape", () => {
  for (const norm of [new nn.LayerNorm([2, 3]), new nn.RMSNorm([2, 3])]) {
    for (const shape of [[3], [3, 2], [2, 3, 1]]) {
      assertThrows(() => norm.forward(ones(shape)), RangeError, "normalizedShape [2, 3]");
    }
  }
  for (const Norm of [nn.LayerNorm, nn.RMSNorm]) {
    assertThrows(() => new Norm([]), RangeError, "at least one axis");
    assertThrows(() => new Norm([2, -1]), RangeError, "[2, -1]");
  }
});

Deno.test("RMSNorm: eps left out is the machine's, 0 gives NaN for zeros", () => {
  assertClose(new nn.RMSNorm(3).forward(tensor([[3, 4, 0]])), [
    3 / Math.sqrt(25 / 3),
    4 / Math.sqrt(25 / 3),
    0,
  ]);
  assertEquals(new nn.RMSNorm(2).forward(zeros([1, 2])).toArray(), [[0, 0]]);
  assertEquals(new nn.RMSNorm(2, { eps: 0 }).forward(zeros([1, 2])).toArray(), [[NaN, NaN]]);
  assertEquals(new nn.RMSNorm(2).toString(), "RMSNorm((2,), eps=None, elementwise_affine=True)");
});

Deno.test("GroupNorm refuses groups that do not divide, other channels, and a single value", () => {
  assertThrows(() => new nn.GroupNorm(3, 4), RangeError, "3 groups and 4 channels");
  assertThrows(() => new nn.GroupNorm(0, 4), RangeError, "0 groups");
  assertThrows(() => new nn.GroupNorm(2, 4).forward(ones([2, 6, 3])), RangeError, "expected [6]");
  assertThrows(() => new nn.GroupNorm(4, 4).forward(ones([1, 4])), RangeError, "more than 1 value");
  assertEquals(new nn.GroupNorm(4, 4).forward(ones([2, 4])).toArray(), zeros([2, 4]).toArray());
  assertEquals(new nn.GroupNorm(2, 4).forward(zeros([0, 4, 3])).shape, [0, 4, 3]);
});

Deno.test("InstanceNorm tracks the mean of the samples' statistics, and counts no batches", () => {
  const norm = new nn.InstanceNorm1d(2, { trackRunningStats: true });
  const x = numbers(12, [2, 2, 3]);
  norm.forward(x);
  // Means 1 and 7, 4 and 10; the unbiased variance is 1 everywhere.
  assertClose(norm.runningMean!, [0.4, 0.7]);
  assertClose(norm.runningVar!, [1, 1]);
  assertEquals(norm.numBatchesTracked!.item(), 0);
  // As in PyTorch momentum null keeps what is there.
  norm.momentum = null;
  norm.forward(x);
  assertClose(norm.runningMean!, [0.4, 0.7]);
});

Deno.test("InstanceNorm that tracks evaluates with the running statistics, others with their own", () => {
  const x = batch([2, 2, 5]);
  const tracked = new nn.InstanceNorm1d(2, { trackRunningStats: true, momentum: 1 });
  tracked.forward(x);
  const { runningMean, runningVar } = tracked;
  const before = [runningMean!.toArray(), runningVar!.toArray()];
  const channel = (t: Tensor) => t.reshape([1, 2, 1]);
  const expected = x.sub(channel(runningMean!)).div(channel(runningVar!).add(1e-5).sqrt());
  assertClose(tracked.eval().forward(x), expected);
  assertEquals([runningMean!.toArray(), runningVar!.toArray()], before);
  const plain = new nn.InstanceNorm1d(2);
  assertEquals(plain.eval().forward(x).toArray(), plain.train().forward(x).toArray());
});

Deno.test("InstanceNorm under noStatsUpdate and in gradcheck leaves its buffers alone", () => {
  const norm = new nn.InstanceNorm1d(2, { trackRunningStats: true });
  nn.noStatsUpdate(() => norm.forward(batch([2, 2, 3])));
  gradcheck((x) => norm.forward(x), [batch([2, 2, 3]).requiresGrad_()]);
  assertEquals(norm.runningMean!.toArray(), [0, 0]);
});

Deno.test("InstanceNorm takes a batch or one sample and refuses other ranks and channels", () => {
  const norm = new nn.InstanceNorm1d(2, { affine: true });
  const x = batch([1, 2, 3]);
  assertEquals(norm.forward(x.squeeze(0)).toArray(), norm.forward(x).squeeze(0).toArray());
  assertThrows(() => norm.forward(ones([2])), RangeError, "expected 2D or 3D input (got 1D input)");
  assertThrows(() => new nn.InstanceNorm2d(2).forward(ones([2, 2])), RangeError, "3D or 4D");
  assertThrows(() => norm.forward(ones([2, 3, 4])), RangeError, "3 channels");
  // Without γ and β the number of channels binds nothing.
  assertEquals(new nn.InstanceNorm1d(2).forward(ones([2, 3, 4])).shape, [2, 3, 4]);
});

Deno.test("InstanceNorm needs two positions, unless it uses running statistics", () => {
  assertThrows(
    () => new nn.InstanceNorm1d(2).forward(ones([2, 2, 1])),
    RangeError,
    "Expected more than 1 spatial element when training, got input size [2, 2, 1]",
  );
  const tracked = new nn.InstanceNorm1d(2, { trackRunningStats: true }).eval();
  assertClose(tracked.forward(ones([1, 2, 1])), [1, 1].map((one) => one / Math.sqrt(1 + 1e-5)));
  assertEquals(new nn.InstanceNorm1d(2).forward(zeros([0, 2, 3])).shape, [0, 2, 3]);
});

Deno.test("norms of nothing leave weight and bias on the tape, with gradients of 0", () => {
  const empties: [nn.LayerNorm | nn.InstanceNorm1d | nn.GroupNorm, number[]][] = [
    [new nn.LayerNorm([0]), [2, 0]],
    [new nn.LayerNorm([2, 3]), [0, 2, 3]],
    [new nn.InstanceNorm1d(2, { affine: true }), [0, 2, 3]],
    [new nn.InstanceNorm1d(2, { affine: true }), [1, 2, 0]],
    [new nn.GroupNorm(1, 2), [0, 2, 3]],
  ];
  for (const [norm, shape] of empties) {
    norm.forward(zeros(shape)).sum().backward();
    assertClose(norm.weight!.grad!, zeros(norm.weight!.shape));
    assertClose(norm.bias!.grad!, zeros(norm.bias!.shape));
  }
  const rms = new nn.RMSNorm([2, 0]);
  rms.forward(zeros([3, 2, 0])).sum().backward();
  assertEquals(rms.weight!.grad!.shape, [2, 0]);
});

Deno.test("batchNorm() of nothing does not look at the running statistics", () => {
  const { batchNorm } = nn.functional;
  const weight = ones([3], { requiresGrad: true });
  batchNorm(zeros([0, 3]), ones([2]), null, weight).sum().backward();
  assertEquals(weight.grad!.toArray(), [0, 0, 0]);
  assertThrows(() => batchNorm(zeros([0, 3]), null, null, ones([2])), RangeError, "not 2");
});

Deno.test("resetParameters() brings every norm back to 1 and 0", () => {
  const norms = [
    new nn.LayerNorm(3),
    new nn.RMSNorm(3),
    new nn.GroupNorm(1, 3),
    new nn.InstanceNorm1d(3, { affine: true, trackRunningStats: true }),
  ];
  for (const norm of norms) {
    const before = norm.stateDict();
    const first = [...before.values()].map((value) => value.toArray());
    for (const value of before.values()) value.copy_(5);
    norm.resetParameters();
    assertEquals([...norm.stateDict().values()].map((value) => value.toArray()), first);
  }
});

Deno.test("LocalResponseNorm is its definition, and prints as in PyTorch", () => {
  const norm = new nn.LocalResponseNorm(2, { alpha: 1 });
  // The mean over size channels, with zeros beyond the border: 1/2, 1, 1.
  assertClose(
    norm.forward(ones([1, 3, 1])),
    [1.5, 2, 2].map((value) => value ** -0.75),
  );
  assertEquals(norm.toString(), "LocalResponseNorm(2, alpha=1.0, beta=0.75, k=1.0)");
  assertThrows(() => norm.forward(ones([1, 3])), RangeError, "3 dims");
});

class Deep extends nn.Module {
  bn = new nn.BatchNorm1d(2, { eps: 0.5, momentum: null });
  inner = new nn.Sequential(
    new nn.Linear(2, 2),
    new nn.BatchNorm1d(2, { affine: false }),
    new nn.Sequential(new nn.BatchNorm1d(2, { trackRunningStats: false })),
  );
  again = this.bn;
  override forward(x: Tensor): Tensor {
    return this.inner.forward(this.again.forward(x));
  }
}

Deno.test("convertSyncBatchnorm() converts nested modules, with their tensors, options and modes", () => {
  const model = new Deep();
  model.forward(batch([8, 2]));
  model.bn.eval();
  const { bn } = model;
  const state = model.stateDict();
  const converted = nn.SyncBatchNorm.convertSyncBatchnorm(model) as Deep;
  assertStrictEquals(converted, model);
  const syncs = model.modules().filter((module) => module instanceof nn.SyncBatchNorm);
  assertEquals(syncs.length, 3);
  assert(!model.modules().some((module) => module instanceof nn.BatchNorm1d));
  // One that is held in two places is one afterwards.
  assertInstanceOf(model.bn, nn.SyncBatchNorm);
  assertStrictEquals(model.again, model.bn);
  assertNotStrictEquals(model.bn, bn);
  assertStrictEquals(model.bn.weight, bn.weight);
  assertStrictEquals(model.bn.runningMean, bn.runningMean);
  assertEquals([model.bn.eps, model.bn.momentum, model.bn.training], [0.5, null, false]);
  assertEquals(syncs.map(({ affine, trackRunningStats }) => [affine, trackRunningStats]), [
    [true, true],
    [false, true],
    [true, false],
  ]);
  assertEquals([...model.stateDict().keys()], [...state.keys()]);
  const x = batch([8, 2], 2);
  assertEquals(model.bn.forward(x).toArray(), bn.forward(x).toArray());
});

Deno.test("convertSyncBatchnorm() of a BatchNorm itself, of one that is converted, and of none", () => {
  const bn = new nn.BatchNorm3d(2);
  const sync = nn.SyncBatchNorm.convertSyncBatchnorm(bn);
  assertInstanceOf(sync, nn.SyncBatchNorm);
  assertStrictEquals(nn.SyncBatchNorm.convertSyncBatchnorm(sync), sync);
  const linear = new nn.Linear(2, 2);
  assertStrictEquals(nn.SyncBatchNorm.convertSyncBatchnorm(linear), linear);
});

Deno.test("convertSyncBatchnorm() keeps freezing and accumulation", () => {
  const bn = new nn.BatchNorm1d(2).freeze({ affine: true }).accumulateStats(3);
  const sync = nn.SyncBatchNorm.convertSyncBatchnorm(bn) as nn.SyncBatchNorm;
  assertEquals([sync.frozen, sync.frozenParameters, sync.training], [true, true, false]);
  assertEquals(sync.statsAccumulated, 3);
  sync.unfreeze();
  assertEquals([sync.training, sync.weight!.requiresGrad], [true, true]);
});

Deno.test("SyncBatchNorm in one process is a BatchNorm of 2 to 5 axes", () => {
  for (const shape of [[6, 2], [6, 2, 3], [3, 2, 2, 2], [2, 2, 2, 1, 2]]) {
    const [sync, x] = [new nn.SyncBatchNorm(2), batch(shape)];
    const flat = new nn.BatchNorm1d(2);
    const y = flat.forward(x.reshape([shape[0], 2, -1]));
    assertClose(sync.forward(x), y.data);
    assertEquals(sync.runningVar!.toArray(), flat.runningVar!.toArray());
  }
  assertThrows(() => new nn.SyncBatchNorm(2).forward(ones([2])), RangeError, "(got 1D input)");
});
