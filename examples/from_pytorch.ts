/**
 * Ten lines of PyTorch (from_pytorch.py, beside this) and the same ten of Tapegrad: both print the same
 * numbers, from the same seed.
 *
 *     deno run examples/from_pytorch.ts
 */
import { manualSeed, nn, optim, randint, randn } from "../mod.ts";

manualSeed(0);
const bn = new nn.BatchNorm1d(8);
const net = new nn.Sequential(new nn.Linear(4, 8), bn, new nn.ReLU(), new nn.Linear(8, 3));
const optimizer = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
const [x, y] = [randn([32, 4]), randint(0, 3, [32])];
for (let step = 0; step < 5; step++) {
  optimizer.zeroGrad();
  const loss = nn.functional.crossEntropy(net.forward(x), y);
  loss.backward();
  optimizer.step();
  console.log(`step ${step}: loss ${loss.item().toFixed(12)}`);
}
console.log(`running mean of channel 0: ${bn.runningMean!.data[0].toFixed(12)}`);
