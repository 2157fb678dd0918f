/** What DistributedDataParallel, its neighbours and ZeroRedundancyOptimizer promise, case by case. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Generator, nn, optim, randn, type Tensor, tensor, zeros } from "../../../mod.ts";
import {
  allGather,
  clipGradNorm_,
  DistributedDataParallel,
  init,
  loadCheckpoint,
  reduceMetrics,
  saveCheckpoint,
  updateBn,
  ZeroRedundancyOptimizer,
} from "../../../distributed/mod.ts";
import { assertClose } from "../../assert_close.ts";

using group = init({ timeout: 20000 });
const { rank, size } = group;
const ranks = Array.from({ length: size }, (_, r) => r);
const mean = (of: (r: number) => number): number => ranks.map(of).reduce((a, b) => a + b, 0) / size;

/** y = w·x with w = 2 on rank 0 and something else elsewhere. */
function line(): nn.Linear {
  const layer = new nn.Linear(1, 1, { bias: false });
  layer.weight.detach().copy_(2 + rank);
  return layer;
}

// Parameters of rank 0, averaged gradients, accumulation without averages.
{
  const model = new DistributedDataParallel(line());
  const [w] = model.parameters();
  assertEquals(w.item(), 2);
  const run = (x: number): void => model.forward(tensor([[x]])).sum().backward();
  run(rank + 1);
  assertClose(w.grad!, [mean((r) => r + 1)], 1e-15, 0, "averaged");
  model.zeroGrad();
  model.noSync(() => run(rank));
  assertEquals(w.grad!.item(), rank);
  run(10 * rank);
  assertClose(w.grad!, [mean((r) => 11 * r)], 1e-15, 0, "accumulated, then averaged");
  assertThrows(() => model.noSync(() => Promise.resolve()), TypeError, "returns a Promise");
  // In evaluation and without recording nobody has to meet.
  if (rank === 0) model.eval().forward(tensor([[1]]));
  model.train();
}

// State dicts with and without the prefix.
{
  const net = new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2));
  const model = new DistributedDataParallel(net);
  const state = model.stateDict();
  assertEquals([...state.keys()].slice(0, 2), ["module.0.weight", "module.0.bias"]);
  model.loadStateDict(state);
  model.loadStateDict(net.stateDict());
  model.loadStateDict(Object.fromEntries(net.stateDict()));
  assertThrows(() => model.loadStateDict(new Map([["other", tensor([1])]])), RangeError);
}

// Unused parameters: others on each rank, and one that no rank uses.
{
  class Branches extends nn.Module {
    all = new nn.Linear(1, 1, { bias: false });
    first = new nn.Linear(1, 1, { bias: false });
    other = new nn.Linear(1, 1, { bias: false });
    never = new nn.Linear(1, 1, { bias: false });
    override forward(x: Tensor): Tensor {
      const y = this.all.forward(x);
      return y.add(rank === 0 ? this.first.forward(x) : this.other.forward(x));
    }
  }
  const net = new Branches();
  const model = new DistributedDataParallel(net, { findUnusedParameters: true });
  model.forward(tensor([[1]])).sum().backward();
  assertEquals(net.all.weight.grad!.item(), 1);
  assertClose(net.first.weight.grad!, [1 / size], 1e-15, 0, "used on rank 0");
  if (size > 1) assertClose(net.other.weight.grad!, [(size - 1) / size], 1e-15, 0, "elsewhere");
  assertEquals(net.never.weight.grad, null);
  if (size > 1) {
    class Partly extends nn.Module {
      used = new nn.Linear(1, 1, { bias: false });
      never = new nn.Linear(1, 1, { bias: false });
      override forward(x: Tensor): Tensor {
        return this.used.forward(x);
      }
    }
    const strict = new DistributedDataParallel(new Partly());
    assertThrows(
      () => strict.forward(tensor([[1]])).sum().backward(),
      Error,
      "got none for 1 of 2 parameters",
    );
  }
}

// Models that differ are refused, on all ranks.
if (size > 1) {
  assertThrows(
    () => new DistributedDataParallel(new nn.Linear(1 + Math.min(rank, 1), 1)),
    RangeError,
    "rank 0 2 parameters of 2 values and rank 1 2 parameters of 3 values",
  );
}

// Buffers of rank 0 before each forward in training.
{
  const bn = new nn.BatchNorm1d(1);
  const model = new DistributedDataParallel(new nn.Sequential(bn, new nn.Linear(1, 1)));
  const x = randn([4, 1], { generator: new Generator(rank) });
  model.forward(x);
  const own = bn.runningMean!.item();
  const [first] = allGather(bn.runningMean!);
  model.forward(x);
  const expected = 0.9 * first.item() + 0.1 * (own / 0.1);
  assertClose(bn.runningMean!, [expected], 1e-12, 1e-15, "running mean");
}

// A rank with fewer batches joins; SyncBatchNorm and convolutions take its empty ones.
for (const withStep of [true, false]) {
  const build = (): nn.Module => {
    const net = new nn.Sequential(
      new nn.Conv2d(1, 2, 3),
      new nn.SyncBatchNorm(2),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(8, 1),
    );
    const generator = new Generator(4);
    for (const p of net.parameters()) p.detach().copy_(randn([...p.shape], { generator }));
    return net;
  };
  const batches = (r: number): Tensor[] =>
    Array.from(
      { length: r === size - 1 ? 3 : 1 + r % 2 },
      (_, i) => randn([3, 1, 6, 6], { generator: new Generator(10 * r + i) }),
    );
  const model = new DistributedDataParallel(build());
  const sgd = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const step = (): void => void sgd.step();
  model.join(() => {
    for (const x of batches(rank)) {
      sgd.zeroGrad();
      model.forward(x).square().sum().backward();
      sgd.step();
    }
  }, withStep ? { step } : {});
  // One process with the whole batches.
  const alone = build();
  const reference = new optim.SGD(alone.parameters(), { lr: 0.01, momentum: 0.9 });
  for (const at of [0, 1, 2]) {
    const whole = ranks.flatMap((r) => batches(r).slice(at, at + 1));
    reference.zeroGrad();
    // A SyncBatchNorm by itself would ask the others.
    const plain = asPlain(alone);
    const x = zeros([whole.length * 3, 1, 6, 6]);
    whole.forEach((part, i) => x.data.set(part.data, i * part.size));
    plain.forward(x).square().sum().div(size).backward();
    reference.step();
  }
  model.parameters().forEach((p, i) =>
    assertClose(p, alone.parameters()[i], 1e-11, 1e-12, `joined ${withStep}, parameter ${i}`)
  );
}

/** The same tensors with BatchNorm in place of SyncBatchNorm. */
function asPlain(net: nn.Module): nn.Module {
  const children = net.children().map((child) => {
    if (!(child instanceof nn.SyncBatchNorm)) return child;
    const bn = new nn.BatchNorm2d(child.numFeatures);
    bn.weight = child.weight;
    bn.bias = child.bias;
    return bn;
  });
  return new nn.Sequential(...children);
}

// Statistics of all data, whatever the split; clipping of sharded gradients; metrics.
{
  const generator = new Generator(6);
  const all = randn([7 * size, 3], { generator }).add(1e3);
  const own = all.narrow(0, rank * 7, 7);
  const build = (): nn.Sequential =>
    new nn.Sequential(new nn.BatchNorm1d(3), new nn.ReLU(), new nn.BatchNorm1d(3));
  const [one, shared] = [build(), build()];
  optim.swa.updateBn([all], one, { exact: true });
  updateBn([own.narrow(0, 0, 2), own.narrow(0, 2, 5)], shared);
  [...shared.buffers()].forEach((buffer, i) => {
    if (buffer.ndim === 1) assertClose(buffer, one.buffers()[i], 1e-13, 1e-13, `buffer ${i}`);
  });
  const sync = nn.SyncBatchNorm.convertSyncBatchnorm(build());
  optim.swa.updateBn([own], sync, { exact: true });
  assertClose(sync.buffers()[0], one.buffers()[0], 1e-13, 1e-13, "by SyncBatchNorm");
  const w = tensor([0], { requiresGrad: true });
  w.grad = tensor([rank + 1]);
  const norm = Math.hypot(...ranks.map((r) => r + 1));
  assertClose(clipGradNorm_([w], 0.5, { sharded: true }), [norm], 1e-15, 0, "norm");
  assertClose(w.grad!, [(rank + 1) * 0.5 / (norm + 1e-6)], 1e-14, 0, "clipped");
  const metrics = reduceMetrics({ loss: rank === 0 ? NaN : rank }, rank);
  const total = ranks.reduce((a, b) => a + b, 0);
  if (size > 1) {
    assertClose(
      [metrics.loss],
      [ranks.map((r) => r * r).reduce((a, b) => a + b, 0) / total],
      1e-15,
      0,
      "loss",
    );
  }
}

// A sharded optimizer: the steps of the whole one bit for bit, a part of its state, and a state that moves.
{
  const make = (): Tensor[] => {
    const generator = new Generator(2);
    return [[5, 3], [1], [64, 50], []].map((shape) => randn(shape, { generator }).requiresGrad_());
  };
  const [a, b] = [make(), make()];
  const whole = new optim.Adam(a, { lr: 0.01 });
  const zero = new ZeroRedundancyOptimizer(b, optim.Adam, { lr: 0.01 });
  const scheduler = new optim.lrScheduler.StepLR(zero, { stepSize: 1, gamma: 0.5 });
  const reference = new optim.lrScheduler.StepLR(whole, { stepSize: 1, gamma: 0.5 });
  const step = (params: Tensor[], optimizer: optim.Optimizer): void => {
    optimizer.zeroGrad();
    params.map((p) => p.square().sum()).reduce((x, y) => x.add(y)).backward();
    optimizer.step();
  };
  for (let i = 0; i < 4; i++) {
    step(a, whole);
    step(b, zero);
    scheduler.step();
    reference.step();
  }
  b.forEach((p, i) => assertEquals(p.toArray(), a[i].toArray()));
  const all = 2 * a.map((p) => p.size).reduce((x, y) => x + y);
  assert(zero.ownStateSize <= all / size + 2 * a.length, `${zero.ownStateSize} of ${all}`);
  assertEquals(JSON.stringify(zero.stateDict()), JSON.stringify(whole.stateDict()));
  const again = new ZeroRedundancyOptimizer(b, optim.Adam, { lr: 1 });
  again.loadStateDict(whole.stateDict());
  step(a, whole);
  step(b, again);
  b.forEach((p, i) => assertEquals(p.toArray(), a[i].toArray()));
}

// A file that cannot be written or read is an error on all ranks.
await assertRejects(() => saveCheckpoint("/no/such/folder/file.pt", { step: 1 }), Error);
await assertRejects(() => loadCheckpoint("/no/such/folder/file.pt", {}), Error);
console.log(`rank ${rank} is done`);
