/**
 * Trains on global batches that depend on the step alone, saves after each, and goes on from the file if it is
 * there. Arguments: the file, and how many steps to take.
 */
import { hostname } from "node:os";
import { Generator, nn, optim, randn, split, type Tensor } from "../../../mod.ts";
import {
  broadcast_,
  DistributedDataParallel,
  init,
  loadCheckpoint,
  reduceMetrics,
  saveCheckpoint,
} from "../../../distributed/mod.ts";
import { tensor } from "../../../mod.ts";

using group = init();
const { rank, size } = group;
const [file, steps] = Deno.args;
const generator = new Generator(5);
const net = new nn.Sequential(
  new nn.Linear(6, 10),
  new nn.SyncBatchNorm(10),
  new nn.Tanh(),
  new nn.Linear(10, 2),
);
for (const p of net.parameters()) p.detach().copy_(randn([...p.shape], { generator }).mul(0.4));
const model = new DistributedDataParallel(net);
const optimizer = new optim.SGD(net.parameters(), { lr: 0.02, momentum: 0.9 });
const isThere = rank === 0 && await Deno.stat(file).then(() => true, () => false);
const resumes = broadcast_(tensor(isThere ? 1 : 0)).item() === 1;
const first = resumes ? (await loadCheckpoint(file, { model: net, optimizer })).step + 1 : 1;
for (let step = first; step < first + Number(steps); step++) {
  const data = new Generator(step);
  const [x, y] = [randn([12, 6], { generator: data }), randn([12, 2], { generator: data })];
  const shares = Array.from({ length: size }, (_, r) => Math.floor((12 + r) / size));
  const own = (t: Tensor): Tensor => split(t, shares)[rank];
  optimizer.zeroGrad();
  const loss = nn.functional.mseLoss(model.forward(own(x)), own(y));
  loss.mul(shares[rank] * size / 12).backward();
  optimizer.step();
  const metrics = reduceMetrics({ loss: loss.item() }, shares[rank]);
  if (rank === 0) console.log(JSON.stringify({ step, ...metrics, host: hostname() }));
  await saveCheckpoint(file, { model: net, optimizer, step });
}
