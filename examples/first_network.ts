/**
 * A first network: the points of two half circles, told apart by a small network with BatchNorm.
 *
 *     deno run examples/first_network.ts
 */
import { batches, cat, manualSeed, nn, noGrad, optim, rand, randn } from "@tapegrad/tapegrad";
import { ones, stack, type Tensor, TensorDataset, zeros } from "@tapegrad/tapegrad";

/** `n` points on each half circle, with noise, and which of the two each belongs to. */
function moons(n: number): [points: Tensor, labels: Tensor] {
  const [a, b] = [rand([n]).mul(Math.PI), rand([n]).mul(Math.PI)];
  const upper = stack([a.cos(), a.sin()], { dim: 1 });
  const lower = stack([b.cos().neg().add(1), b.sin().neg().add(0.4)], { dim: 1 });
  return [cat([upper, lower]).add(randn([2 * n, 2]).mul(0.1)), cat([zeros([n]), ones([n])])];
}

manualSeed(0);
const data = new TensorDataset(...moons(200));
const net = new nn.Sequential(
  new nn.Linear(2, 16),
  new nn.BatchNorm1d(16),
  new nn.ReLU(),
  new nn.Linear(16, 2),
);
const adam = new optim.Adam(net.parameters(), { lr: 0.02 });

for (let epoch = 1; epoch <= 10; epoch++) {
  for (const [x, y] of batches(data, { batchSize: 40, shuffle: true })) {
    adam.zeroGrad();
    const loss = nn.functional.crossEntropy(net.forward(x), y);
    loss.backward(); // γ, β and the weights get their gradients; the running statistics none
    adam.step();
  }
}

net.eval(); // from here on BatchNorm uses its running statistics
const [points, truth] = moons(500);
const right = noGrad(() => net.forward(points)).argmax({ dim: 1 }).eq(truth).mean().item();
console.log(`${(100 * right).toFixed(1)} % of 1000 new points told apart`);
