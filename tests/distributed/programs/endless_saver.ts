/** Trains and saves for ever; every number in the checkpoint says of which step it is. */
import { nn, ones, optim } from "../../../mod.ts";
import {
  allReduce,
  DistributedDataParallel,
  init,
  saveCheckpoint,
} from "../../../distributed/mod.ts";

using group = init();
const [file] = Deno.args;
Deno.writeTextFileSync(`${file}.${group.rank}`, String(Deno.pid));
const net = new nn.Linear(40, 40);
const model = new DistributedDataParallel(net);
const optimizer = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
for (let step = 1;; step++) {
  optimizer.zeroGrad();
  model.forward(ones([8, 40])).square().mean().backward();
  optimizer.step();
  allReduce(ones([100]));
  net.bias!.detach().copy_(step);
  await saveCheckpoint(file, { model: net, optimizer, step, extra: { step } });
}
