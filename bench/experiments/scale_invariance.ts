/**
 * Weight decay before batch norm sets a learning rate: weights eight times as large, with a rate 64 times
 * as high, train alike.
 *
 * @module
 */
import { experiment, grid, main, within } from "../../experiment/mod.ts";
import { type Generator, nn, noGrad, optim, type Tensor } from "../../mod.ts";
import { batchesOf, digits, type Images } from "./parts/images.ts";

/** The losses of a run whose weights before batch norm, and their rate, are scaled. */
function losses(
  { train }: Images,
  scale: number,
  eps: number,
  steps: number,
  generator: Generator,
): number[] {
  const linear = new nn.Linear(64, 32, { bias: false, generator });
  const net = new nn.Sequential(
    linear,
    new nn.BatchNorm1d(32, { eps }),
    new nn.ReLU(),
    new nn.Linear(32, 10, { generator }),
  );
  noGrad(() => linear.weight.copy_(linear.weight.mul(scale)));
  const others = net.parameters().filter((parameter) => parameter !== linear.weight);
  const sgd = new optim.SGD([
    { params: [linear.weight], lr: 0.05 * scale ** 2 },
    { params: others, lr: 0.05 },
  ], { lr: 0.05, momentum: 0.9 });
  const found: number[] = [];
  while (found.length < steps) {
    for (const [x, labels] of batchesOf(train, 32, generator)) {
      if (found.length === steps) break;
      sgd.zeroGrad();
      const loss = nn.functional.crossEntropy(net.forward(x) as Tensor, labels);
      loss.backward();
      sgd.step();
      found.push(loss.item());
    }
  }
  return found;
}

export default experiment({
  name: "scale-invariance",
  claim:
    "Weights before batch norm that are 8 times as large, with 64 times the learning rate, give the " +
    "same losses: their size is a learning rate",
  source: "van Laarhoven, arXiv:1706.05350",
  configs: grid({ scale: [8, 10], eps: [0, 1e-5] }),
  fixed: { steps: 200 },
  seeds: 3,
  metrics: { largestDifference: { goal: "none" } },
  quick: { seeds: 1 },
  setup: () => digits(),
  *run({ config: { scale, eps, steps }, data, generator }) {
    const stream = generator("run");
    const start = stream.getState();
    const plain = losses(data, 1, eps, steps, stream);
    // The same weights and the same batches once more.
    stream.setState(start);
    const scaled = losses(data, scale, eps, steps, stream);
    const differences = plain.map((loss, i) => Math.abs(loss - scaled[i]));
    yield { step: steps, metrics: { largestDifference: Math.max(...differences) } };
  },
  expect: [
    within("largestDifference", { scale: 8, eps: 0 }, [0, 0]),
    within("largestDifference", { scale: 10, eps: 0 }, [0, 1e-9]),
    within("largestDifference", { scale: 8, eps: 1e-5 }, [1e-6, 1]),
  ],
});

if (import.meta.main) await main(import.meta.url);
