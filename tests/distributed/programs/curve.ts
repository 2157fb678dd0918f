/**
 * Trains a small network for 100 steps, each rank on its share of the same global batches, and prints the
 * curve of the global loss and a digest of the parameters of every rank.
 */
import { cat, Generator, nn, optim, randn, split, type Tensor } from "../../../mod.ts";
import {
  allGather,
  clipGradNorm_,
  DistributedDataParallel,
  init,
  reduceMetrics,
  ZeroRedundancyOptimizer,
} from "../../../distributed/mod.ts";

using group = init({ timeout: 20000 });
const [kind, variant = ""] = Deno.args;
const { rank, size } = group;

/** Networks differ between ranks until DistributedDataParallel makes them one. */
const generator = new Generator(3 + (variant === "zero" ? 0 : rank));
const norm = (c: number): nn.Module =>
  kind === "plain" ? new nn.BatchNorm1d(c) : new nn.SyncBatchNorm(c);
const net = new nn.Sequential(
  new nn.Linear(12, 33),
  norm(33),
  new nn.ReLU(),
  new nn.Linear(33, 17),
  norm(17),
  new nn.Tanh(),
  new nn.Linear(17, 3),
);
for (const p of net.parameters()) {
  if (p.ndim === 2) p.detach().copy_(randn([...p.shape], { generator }).mul(0.3));
  else if (p.size !== 33 && p.size !== 17) p.detach().copy_(0);
}
if (rank === 0 || variant === "zero") {
  const same = new Generator(8);
  for (const p of net.parameters()) {
    p.detach().copy_(randn([...p.shape], { generator: same }).mul(0.3));
  }
}
const model = new DistributedDataParallel(net, {
  // Small buckets, so that there are several.
  bucketBytes: 2048,
  gradientAsBucketView: variant === "views",
});
const options = { lr: 0.05, momentum: 0.9 };
const optimizer = variant === "zero"
  ? new ZeroRedundancyOptimizer(model.parameters(), optim.SGD, options)
  : new optim.SGD(model.parameters(), options);
const data = new Generator(1);
const curve: number[] = [];
for (let step = 0; step < 100; step++) {
  const samples = 12;
  const x = randn([samples, 12], { generator: data });
  const y = randn([samples, 3], { generator: data });
  // Shares of unequal size: the loss is weighted so that the mean over ranks is that over samples.
  const shares = Array.from({ length: size }, (_, r) => Math.floor((samples + r) / size));
  const own = (t: Tensor): Tensor => split(t, shares)[rank];
  optimizer.zeroGrad();
  const loss = nn.functional.mseLoss(model.forward(own(x)), own(y));
  loss.mul(shares[rank] * size / samples).backward();
  clipGradNorm_(model.parameters(), 0.5);
  optimizer.step();
  curve.push(reduceMetrics({ loss: loss.item() }, shares[rank]).loss);
}
const flat = cat([...model.parameters(), ...model.buffers()].map((p) => p.detach().reshape([-1])));
const bits = allGather(flat).map(({ data }) => [...new BigUint64Array(data.slice().buffer)].join());
const same = bits.every((other) => other === bits[0]);
if (rank === 0) console.log(JSON.stringify({ curve, same }));
