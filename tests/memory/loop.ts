/**
 * Runs a loop of training or inference and prints the memory in use after each quarter, as JSON.
 * Arguments: the kind of loop, the number of steps, the batch size.
 */
import { manualSeed, nn, optim, randn, type Tensor } from "../../mod.ts";

const [kind, steps, batchSize] = [Deno.args[0], Number(Deno.args[1]), Number(Deno.args[2])];

/** Bytes in use: of the heap, after a collection; or of the process, without one. */
function inUse(): number {
  if (kind.includes("rss")) return Deno.memoryUsage().rss;
  // Present with --v8-flags=--expose-gc.
  (globalThis as unknown as { gc(): void }).gc();
  return Deno.memoryUsage().heapUsed;
}

manualSeed(0);
const net = new nn.Sequential(
  new nn.Linear(16, 32),
  new nn.BatchNorm1d(32),
  new nn.ReLU(),
  new nn.Linear(32, 4),
);
const optimizer = new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
const x = randn([batchSize, 16]);
const held: Tensor = net.forward(x);
const before = held.toArray();

function step(): void {
  if (kind.includes("inference")) {
    // With gradients recorded and never used: what is recorded must not pile up.
    net.forward(x);
  } else {
    optimizer.zeroGrad();
    net.forward(x).square().mean().backward();
    optimizer.step();
  }
}

const readings: number[] = [];
for (let i = 1; i <= steps; i++) {
  step();
  if (kind.includes("yield")) await new Promise((resolve) => setTimeout(resolve, 0));
  if (i % (steps / 4) === 0) readings.push(inUse());
}
const kept = JSON.stringify(held.toArray()) === JSON.stringify(before);
console.log(JSON.stringify({ readings, kept }));
