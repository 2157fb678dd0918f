import { within } from "../../assert_close.ts";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertFalse,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  Generator,
  gradcheck,
  manualSeed,
  nn,
  noGrad,
  ones,
  randn,
  silenceWarnings,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../../mod.ts";

// Batches that are small enough to compute by hand are what is warned of.
silenceWarnings();

const { BatchNorm1d, BatchNorm2d, BatchNorm3d } = nn;
const batch = (shape: number[], seed = 1) => randn(shape, { generator: new Generator(seed) });

const assertClose = within(1e-12);

Deno.test("BatchNorm starts with weight 1, bias 0, mean 0, variance 1 and no batch, in this order", () => {
  const state = new BatchNorm1d(2).stateDict();
  assertEquals([...state].map(([name, value]) => [name, value.toArray()]), [
    ["weight", [1, 1]],
    ["bias", [0, 0]],
    ["running_mean", [0, 0]],
    ["running_var", [1, 1]],
    ["num_batches_tracked", 0],
  ]);
});

Deno.test("BatchNorm without affine or tracking has no such keys", () => {
  const plain = new BatchNorm2d(3, { affine: false, trackRunningStats: false });
  assertEquals([...plain.stateDict().keys()], []);
  assertEquals([plain.weight, plain.bias, plain.runningMean, plain.numBatchesTracked], [
    null,
    null,
    null,
    null,
  ]);
});

Deno.test("BatchNorm prints as in PyTorch", () => {
  assertEquals(
    new BatchNorm1d(2).toString(),
    "BatchNorm1d(2, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)",
  );
  assertEquals(
    new BatchNorm3d(4, { eps: 0.001, momentum: null, affine: false }).toString(),
    "BatchNorm3d(4, eps=0.001, momentum=None, affine=False, track_running_stats=True)",
  );
});

Deno.test("training, tracking: normalises with the batch and updates the buffers in the forward", () => {
  const bn = new BatchNorm1d(1);
  const y = bn.forward(tensor([[1], [3]]));
  assertClose(y, [-1, 1].map((value) => value / Math.sqrt(1 + 1e-5)));
  assertClose(bn.runningMean!, [0.2]);
  assertClose(bn.runningVar!, [1.1]);
  assertEquals(bn.numBatchesTracked!.item(), 1);
});

Deno.test("training, not tracking: normalises with the batch and has no buffers", () => {
  const bn = new BatchNorm1d(1, { trackRunningStats: false });
  assertClose(bn.forward(tensor([[1], [3]])), [-1, 1].map((value) => value / Math.sqrt(1 + 1e-5)));
  assertStrictEquals(bn.runningMean, null);
});

Deno.test("evaluation, tracking: normalises with the running statistics and leaves them", () => {
  const bn = new BatchNorm1d(1).eval();
  assertClose(bn.forward(tensor([[1], [3]])), [1, 3].map((value) => value / Math.sqrt(1 + 1e-5)));
  assertEquals(bn.runningMean!.toArray(), [0]);
  assertEquals(bn.numBatchesTracked!.item(), 0);
});

Deno.test("evaluation, not tracking: normalises with the batch of the moment", () => {
  const bn = new BatchNorm1d(1, { trackRunningStats: false }).eval();
  assertClose(bn.forward(tensor([[1], [3]])), [-1, 1].map((value) => value / Math.sqrt(1 + 1e-5)));
});

Deno.test("tracking turned off later: evaluation keeps the old buffers, training updates nothing", () => {
  const bn = new BatchNorm1d(2);
  bn.forward(batch([4, 2]));
  const before = [bn.runningMean!, bn.runningVar!, bn.numBatchesTracked!].map((t) => t.toArray());
  bn.trackRunningStats = false;
  bn.forward(batch([4, 2], 2));
  assertEquals(
    [bn.runningMean!, bn.runningVar!, bn.numBatchesTracked!].map((t) => t.toArray()),
    before,
  );
  const x = batch([4, 2], 3);
  const expected = nn.functional.batchNorm(x, bn.runningMean, bn.runningVar);
  assertEquals(bn.eval().forward(x).toArray(), expected.toArray());
});

Deno.test("neither noGrad nor frozen parameters stop the update", () => {
  const bn = new BatchNorm1d(1).requiresGrad_(false);
  noGrad(() => bn.forward(tensor([[1], [3]])));
  assertClose(bn.runningMean!, [0.2]);
});

Deno.test("a module that is called twice in a forward counts twice", () => {
  const bn = new BatchNorm1d(2);
  bn.forward(bn.forward(batch([5, 2])));
  assertEquals(bn.numBatchesTracked!.item(), 2);
});

Deno.test("momentum null averages the batches", () => {
  const bn = new BatchNorm1d(1, { momentum: null });
  bn.forward(tensor([[1], [3]]));
  bn.forward(tensor([[5], [9]]));
  assertClose(bn.runningMean!, [4.5]);
  assertClose(bn.runningVar!, [5]);
});

Deno.test("momentum 0 keeps, momentum 1 replaces, and values outside compute", () => {
  const run = (momentum: number) => {
    const bn = new BatchNorm1d(1, { momentum });
    bn.forward(tensor([[1], [3]]));
    return bn.runningMean!.item();
  };
  assertEquals(run(0), 0);
  assertEquals(run(1), 2);
  assertAlmostEquals(run(-0.5), -1);
  assertAlmostEquals(run(1.5), 3);
});

Deno.test("BatchNorm refuses a wrong number of axes before anything changes", () => {
  const bn = new BatchNorm2d(3);
  assertThrows(
    () => bn.forward(zeros([2, 3, 4])),
    RangeError,
    "expected 4D input (got 3D input)",
  );
  assertEquals(bn.numBatchesTracked!.item(), 0);
  assertThrows(() => new BatchNorm1d(3).forward(zeros([3])), RangeError, "2D or 3D");
  assertThrows(() => new BatchNorm3d(3).forward(zeros([1, 3, 2, 2])), RangeError, "expected 5D");
});

Deno.test("batchNorm() throws when a channel holds one value", () => {
  const message = "Expected more than 1 value per channel when training, got input size [1, 3]";
  const bn = new BatchNorm1d(3);
  assertThrows(() => bn.forward(zeros([1, 3])), RangeError, message);
  assertEquals(bn.numBatchesTracked!.item(), 0);
  assertEquals(bn.runningMean!.toArray(), [0, 0, 0]);
  const untracked = new BatchNorm1d(3, { trackRunningStats: false }).eval();
  assertThrows(() => untracked.forward(zeros([1, 3])), RangeError, message);
  assertEquals(new BatchNorm1d(3).eval().forward(zeros([1, 3])).shape, [1, 3]);
});

Deno.test("batchNorm() of an empty batch counts it and changes nothing else", () => {
  const bn = new BatchNorm1d(3);
  const y = bn.forward(zeros([0, 3]));
  assertEquals(y.shape, [0, 3]);
  sum(y).backward();
  assertEquals(bn.weight!.grad!.toArray(), [0, 0, 0]);
  assertEquals(bn.bias!.grad!.toArray(), [0, 0, 0]);
  assertEquals(bn.numBatchesTracked!.item(), 1);
  assertEquals(bn.runningVar!.toArray(), [1, 1, 1]);
});

Deno.test("batchNorm() checks running_mean, running_var, weight and bias in this order", () => {
  const bad = ones([2]);
  const good = ones([5]);
  const x = batch([3, 5]);
  const run = (...args: (Tensor | null)[]) => () => {
    const [mean, variance, weight, bias] = args;
    nn.functional.batchNorm(x, mean, variance, weight, bias, { training: true });
  };
  const expected = (name: string) => `${name} should contain 5 elements not 2`;
  assertThrows(run(bad, bad, bad, bad), RangeError, expected("running_mean"));
  assertThrows(run(good, bad, bad, bad), RangeError, expected("running_var"));
  assertThrows(run(good, good, bad, bad), RangeError, expected("weight"));
  assertThrows(run(good, good, good, bad), RangeError, expected("bias"));
});

Deno.test("batchNorm() refuses running statistics that require grad", () => {
  const mean = zeros([2], { requiresGrad: true });
  assertThrows(
    () => nn.functional.batchNorm(batch([3, 2]), mean, ones([2]), null, null, { training: true }),
    RangeError,
    "requires grad",
  );
});

Deno.test("batchNorm() in training updates the one running tensor that is given", () => {
  const mean = zeros([1]);
  nn.functional.batchNorm(tensor([[1], [3]]), mean, null, null, null, { training: true });
  assertClose(mean, [0.2]);
});

Deno.test("one running buffer missing in evaluation is an error", () => {
  const bn = new BatchNorm1d(2).eval();
  bn.runningMean = null;
  assertThrows(
    () => bn.forward(batch([3, 2])),
    RangeError,
    "running_mean must be defined in evaluation mode",
  );
  assertFalse(bn.stateDict().has("running_mean"));
});

Deno.test("weight and bias may be null independently", () => {
  const x = batch([4, 2]);
  const [weight, bias] = [tensor([2, 3]), tensor([5, 7])];
  const options = { training: true };
  const normalized = nn.functional.batchNorm(x, null, null, null, null, options);
  const scaled = nn.functional.batchNorm(x, null, null, weight, null, options);
  const shifted = nn.functional.batchNorm(x, null, null, null, bias, options);
  assertClose(scaled, normalized.mul(weight).data);
  assertClose(shifted, normalized.add(bias).data);
});

Deno.test("a constant channel without eps gives the bias and no gradient to x and weight", () => {
  const x = tensor([[3], [3]], { requiresGrad: true });
  const weight = ones([1], { requiresGrad: true });
  const y = nn.functional.batchNorm(x, null, null, weight, tensor([5]), {
    training: true,
    eps: 0,
  });
  assertEquals(y.toArray(), [[5], [5]]);
  y.backward(tensor([[1], [2]]));
  assertEquals(x.grad!.data.map(Math.abs), new Float64Array(2));
  assertEquals(weight.grad!.toArray(), [0]);
});

Deno.test("negative eps computes, as in PyTorch", () => {
  const y = nn.functional.batchNorm(tensor([[1], [3]]), null, null, null, null, {
    training: true,
    eps: -0.75,
  });
  assertClose(y, [-2, 2]);
  const evaluated = nn.functional.batchNorm(tensor([[1]]), zeros([1]), tensor([-1]));
  assertEquals(evaluated.toArray(), [[NaN]]);
});

Deno.test("NaN poisons only its channel, an infinity gives mean Infinity and variance NaN", () => {
  const bn = new BatchNorm1d(3, { momentum: 1 });
  const y = bn.forward(tensor([[NaN, Infinity, 1], [0, 0, 3]]));
  assertEquals(y.data.map((value) => Number.isNaN(value) ? 1 : 0).join(), "1,1,0,1,1,0");
  assertEquals(bn.runningMean!.toArray(), [NaN, Infinity, 2]);
  assertEquals(bn.runningVar!.toArray(), [NaN, NaN, 2]);
});

Deno.test("eps and momentum may be any number but NaN", () => {
  assertThrows(() => new BatchNorm1d(2, { eps: NaN }), RangeError, "eps NaN");
  assertThrows(() => new BatchNorm1d(2, { momentum: NaN }), RangeError, "momentum NaN");
  assertThrows(() => new BatchNorm1d(2.5), RangeError, "numFeatures 2.5");
  assertThrows(() => new BatchNorm1d("2" as unknown as number), TypeError, "numFeatures");
});

Deno.test("in training the gradient of x has no mean and no part along x̂", () => {
  const x = batch([8, 3, 4]).requiresGrad_();
  const bn = new BatchNorm1d(3, { eps: 1e-12 });
  const y = bn.forward(x);
  y.backward(batch([8, 3, 4], 9));
  const dx = x.grad!;
  for (const value of dx.sum({ dim: [0, 2] }).data) assertAlmostEquals(value, 0, 1e-12);
  for (const value of dx.mul(y.detach()).sum({ dim: [0, 2] }).data) {
    assertAlmostEquals(value, 0, 1e-10);
  }
});

Deno.test("the fused form equals the composed one, values and gradients", () => {
  const composed = (x: Tensor, weight: Tensor, bias: Tensor) => {
    const dim = [0, 2];
    const centered = x.sub(x.mean({ dim, keepdim: true }));
    const variance = centered.square().mean({ dim, keepdim: true });
    const shape = [1, -1, 1];
    return centered.mul(variance.add(1e-5).rsqrt()).mul(weight.reshape(shape))
      .add(bias.reshape(shape));
  };
  const fused = (x: Tensor, weight: Tensor, bias: Tensor) =>
    nn.functional.batchNorm(x, null, null, weight, bias, { training: true });
  const upstream = batch([6, 3, 5], 4);
  const results = [composed, fused].map((form) => {
    const inputs = [batch([6, 3, 5]), batch([3], 2), batch([3], 3)].map((t) => t.requiresGrad_());
    const y = form(inputs[0], inputs[1], inputs[2]);
    y.backward(upstream);
    return [y, ...inputs.map((input) => input.grad!)];
  });
  results[0].forEach((expected, i) => assertClose(results[1][i], expected.data, 1e-12));
});

Deno.test("batchNorm() has gradients of the third order", () => {
  for (const training of [true, false]) {
    gradcheck(
      (x, weight, bias) =>
        nn.functional.batchNorm(x, zeros([2]), ones([2]), weight, bias, { training, eps: 0.01 }),
      [batch([3, 2]), batch([2], 2), batch([2], 3)].map((t) => t.requiresGrad_()),
      { order: 3, eps: 1e-5 },
    );
  }
});

Deno.test("gradcheck() of a module leaves its buffers alone", () => {
  const bn = new BatchNorm1d(2);
  gradcheck((x) => bn.forward(x), [batch([3, 2]).requiresGrad_()]);
  assertEquals(bn.numBatchesTracked!.item(), 0);
  assertEquals(bn.runningMean!.toArray(), [0, 0]);
});

Deno.test("noStatsUpdate() holds statistics still while a forward is run again", () => {
  const bn = new BatchNorm1d(2);
  const x = batch([4, 2]);
  const y = bn.forward(x);
  const again = nn.noStatsUpdate(() => bn.forward(x));
  assertEquals(again.toArray(), y.toArray());
  assertEquals(bn.numBatchesTracked!.item(), 1);
});

Deno.test("an eval forward, a train forward, then the first one's backward: its own statistics count", () => {
  const bn = new BatchNorm1d(1, { affine: false });
  const x = tensor([[1], [2]], { requiresGrad: true });
  bn.eval();
  const y = bn.forward(x);
  bn.train().forward(tensor([[100], [300]]));
  y.backward(ones([2, 1]));
  assertClose(x.grad!, [1, 1].map((value) => value / Math.sqrt(1 + 1e-5)));
});

Deno.test("two forwards, then both backwards: buffer edits never break a backward", () => {
  const bn = new BatchNorm1d(2);
  const [first, second] = [bn.forward(batch([4, 2])), bn.forward(batch([4, 2], 2))];
  first.add(second).square().sum().backward();
  assert(bn.weight!.grad!.data.every(Number.isFinite));
  bn.eval();
  const y = bn.forward(batch([4, 2], 3).requiresGrad_());
  bn.resetRunningStats();
  y.sum().backward();
});

Deno.test("a frozen BatchNorm stays frozen through train()", () => {
  const model = new nn.Sequential(new nn.Linear(2, 2), new BatchNorm1d(2));
  const bn = model.at(1) as nn.BatchNorm1d;
  bn.freeze({ affine: true });
  model.train();
  model.forward(batch([4, 2]));
  assertEquals([bn.training, bn.frozen, bn.numBatchesTracked!.item()], [false, true, 0]);
  assertFalse(bn.weight!.requiresGrad);
  assert(bn.toString().endsWith("track_running_stats=True, frozen)"));
  bn.unfreeze();
  assertEquals([bn.training, bn.weight!.requiresGrad], [true, true]);
  assertThrows(
    () => new BatchNorm1d(2, { trackRunningStats: false }).freeze(),
    RangeError,
    "running statistics",
  );
});

Deno.test("accumulateStats(k) gives one update with the exact pooled moments", () => {
  const whole = new BatchNorm1d(2);
  const parts = new BatchNorm1d(2).accumulateStats(3);
  const x = batch([12, 2]);
  whole.forward(x);
  for (const part of x.split([5, 4, 3])) parts.forward(part);
  assertClose(parts.runningMean!, whole.runningMean!.data, 1e-14);
  assertClose(parts.runningVar!, whole.runningVar!.data, 1e-14);
  assertEquals(parts.numBatchesTracked!.item(), 1);
});

Deno.test("a mask leaves invalid positions out of statistics, output and gradient", () => {
  const [bn, reference] = [new BatchNorm1d(2), new BatchNorm1d(2)];
  const x = batch([3, 2, 4]);
  const lengths = [4, 2, 3];
  const mask = tensor(lengths.map((n) => [0, 1, 2, 3].map((i) => i < n ? 1 : 0)));
  const valid = [0, 1].map((c) =>
    lengths.flatMap((n, b) => [0, 1, 2, 3].slice(0, n).map((i) => x.data[b * 8 + c * 4 + i]))
  );
  const packed = tensor(valid[0].map((value, i) => [value, valid[1][i]]));
  const expected = reference.forward(packed);
  const input = x.clone().requiresGrad_();
  const y = bn.forward(input, { mask });
  assertClose(bn.runningMean!, reference.runningMean!.data);
  assertClose(bn.runningVar!, reference.runningVar!.data);
  assertAlmostEquals(y.sum().item(), expected.sum().item(), 1e-12);
  assertEquals(y.data.filter((value) => value === 0).length, 6);
  y.square().sum().backward();
  assertEquals(input.grad!.data.filter((value) => value === 0).length, 6);
  const evaluated = bn.eval().forward(x, { mask });
  assertEquals(evaluated.data.filter((value) => value === 0).length, 6);
  gradcheck((t) => new BatchNorm1d(2).forward(t, { mask }), [x.clone().requiresGrad_()], {
    order: 2,
  });
  assertThrows(() => bn.forward(x, { mask: ones([4, 3]) }), RangeError, "[4, 3]");
});

Deno.test("virtual batches are normalised by themselves, one after the other", () => {
  const ghost = new BatchNorm1d(2, { virtualBatchSize: 3 });
  const plain = new BatchNorm1d(2);
  const x = batch([6, 2]);
  const y = ghost.forward(x);
  const expected = x.split(3).map((part) => plain.forward(part));
  assertEquals(y.toArray(), [...expected[0].toArray() as [], ...expected[1].toArray() as []]);
  assertEquals(ghost.runningMean!.toArray(), plain.runningMean!.toArray());
  assertEquals(ghost.eval().forward(x).toArray(), plain.eval().forward(x).toArray());
});

Deno.test("statistics that are not finite propagate, are skipped or throw, as told", () => {
  const x = tensor([[NaN], [1]]);
  const run = (nonFinite: nn.NonFinitePolicy) => {
    const bn = new BatchNorm1d(1, { nonFinite });
    bn.forward(x);
    return bn.runningMean!.item();
  };
  assertEquals(run("propagate"), NaN);
  assertEquals(run("skip"), 0);
  assertThrows(() => run("throw"), RangeError, "channel 0");
});

Deno.test("LazyBatchNorm takes its channels from the first input or a loaded state", () => {
  const lazy = new nn.LazyBatchNorm1d({ eps: 0.01 });
  const { weight } = lazy;
  lazy.forward(batch([4, 3]));
  assertStrictEquals(lazy.weight, weight);
  assertEquals(lazy.runningMean!.shape, [3]);
  assertEquals(lazy.constructor.name, "BatchNorm1d");
  assertEquals(
    lazy.toString(),
    "BatchNorm1d(3, eps=0.01, momentum=0.1, affine=True, track_running_stats=True)",
  );
  const other = new nn.LazyBatchNorm1d({ eps: 0.01 });
  other.loadStateDict(lazy.stateDict());
  const x = batch([2, 3], 5);
  assertEquals(other.eval().forward(x).toArray(), lazy.eval().forward(x).toArray());
});

Deno.test("a large mean costs no digits: 1e-14 of exact rational arithmetic", () => {
  for (const offset of [1e3, 1e6, 1e8]) {
    manualSeed(3);
    const x = randn([512, 1]).mul(0.5).add(offset);
    const y = nn.functional.batchNorm(x, null, null, null, null, { training: true, eps: 1e-5 });
    const exact = normalizeExactly(x.data, 1e-5);
    const scale = Math.max(...exact.map(Math.abs));
    y.data.forEach((value, i) => {
      const error = Math.abs(value - exact[i]) / scale;
      assert(error < 1e-14, `offset ${offset}, index ${i}: relative error ${error}`);
    });
  }
});

/** Doubles are integers over 2⁶⁰ here, so that mean and variance are exact until the last division. */
function normalizeExactly(values: Float64Array, eps: number): number[] {
  const shift = 2n ** 60n;
  const toInteger = (value: number): bigint => {
    const whole = Math.trunc(value);
    return BigInt(whole) * shift + BigInt((value - whole) * 2 ** 60);
  };
  const integers = Array.from(values, toInteger);
  const n = BigInt(integers.length);
  const total = integers.reduce((sum, value) => sum + value, 0n);
  // n·(x − μ), exact.
  const deviations = integers.map((value) => n * value - total);
  const squares = deviations.reduce((sum, value) => sum + value * value, 0n);
  // variance = squares / (n³·2¹²⁰), scaled up for an integer square root with 60 more bits.
  const scaled = squares * 2n ** 120n / (n ** 3n) + BigInt(eps * 2 ** 80) * 2n ** 160n;
  const root = squareRoot(scaled);
  // x̂ = deviation/(n·2⁶⁰) / (root/2¹²⁰)
  return deviations.map((value) => Number(value * 2n ** 120n / (n * root)) / 2 ** 60);
}

function squareRoot(value: bigint): bigint {
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
