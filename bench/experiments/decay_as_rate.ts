/**
 * Weight decay before batch norm is a learning rate that grows exponentially; on γ and β it is not.
 *
 * @module
 */
import { experiment, list, main, within } from "../../experiment/mod.ts";
import { type Generator, nn, optim } from "../../mod.ts";
import { batchesOf, digits, type Images, trainStep } from "./parts/images.ts";

interface Settings {
  readonly decayed: string;
  readonly eps: number;
  readonly steps: number;
  readonly lr: number;
  readonly decay: number;
}

/**
 * The losses of a run whose weights before batch norm, or whose γ and β, decay; with `grows` they do not,
 * and their rate grows instead.
 *
 * A step with decay is w ← (1 − lr·λ)·w − lr·g(w). A loss that does not depend on the size of w has
 * g(c·w) = g(w)/c, so that v = w/(1 − lr·λ)^t moves as v ← v − lr·(1 − lr·λ)^−(2t+1) · g(v).
 */
function losses(
  { train, classes }: Images,
  { decayed, eps, steps, lr, decay }: Settings,
  grows: boolean,
  generator: Generator,
): number[] {
  const linear = new nn.Linear(train.x.shape[1], 32, { bias: false, generator });
  const bn = new nn.BatchNorm1d(32, { eps });
  const out = new nn.Linear(32, classes, { generator });
  const net = new nn.Sequential(linear, bn, new nn.ReLU(), out);
  const chosen = decayed === "weights" ? [linear.weight] : bn.parameters();
  const others = net.parameters().filter((parameter) => !chosen.includes(parameter));
  const sgd = new optim.SGD([
    { params: chosen, weightDecay: grows ? 0 : decay },
    { params: others },
  ], { lr });
  const found: number[] = [];
  while (found.length < steps) {
    for (const [x, labels] of batchesOf(train, 32, generator)) {
      const t = found.length;
      if (t === steps) break;
      if (grows) sgd.paramGroups[0].lr = lr * (1 - lr * decay) ** -(2 * t + 1);
      found.push(trainStep(net, sgd, x, labels));
    }
  }
  return found;
}

export default experiment({
  name: "decay-as-rate",
  claim: "Weight decay before batch norm gives the same losses as no decay with a learning rate " +
    "that grows exponentially; of γ and β that is not true",
  source: "Li & Arora, arXiv:1910.07454",
  configs: list([
    { decayed: "weights", eps: 0 },
    { decayed: "weights", eps: 1e-5 },
    { decayed: "affine", eps: 0 },
  ]),
  fixed: { steps: 200, lr: 0.1, decay: 0.2 },
  seeds: 3,
  metrics: { largestDifference: { goal: "none" }, rateGrowth: { goal: "none" } },
  quick: { seeds: 1 },
  setup: () => digits(),
  *run({ config, data, generator }) {
    const stream = generator("run");
    const start = stream.getState();
    const withDecay = losses(data, config, false, stream);
    // The same weights and the same batches once more.
    stream.setState(start);
    const growing = losses(data, config, true, stream);
    const differences = withDecay.map((loss, i) => Math.abs(loss - growing[i]));
    const { steps, lr, decay } = config;
    yield {
      step: steps,
      metrics: {
        largestDifference: Math.max(...differences),
        rateGrowth: (1 - lr * decay) ** -(2 * steps - 1),
      },
    };
  },
  expect: [
    within("largestDifference", { decayed: "weights", eps: 0 }, [0, 1e-9]),
    within("largestDifference", { decayed: "weights", eps: 1e-5 }, [1e-6, 1]),
    within("largestDifference", { decayed: "affine" }, [0.05, 1e6]),
  ],
});

if (import.meta.main) await main(import.meta.url);
