/**
 * A batch that carries information: training uses it, evaluation has it no more.
 *
 * @module
 */
import { experiment, grid, main, within } from "../../experiment/mod.ts";
import { type Generator, nn, noGrad, noStatsUpdate, optim, randn, type Tensor } from "../../mod.ts";
import { trainStep } from "./parts/images.ts";

const SAMPLES = 16;
const ODD = 4;
const FEATURES = 8;
const labels = Array.from({ length: SAMPLES }, (_, i) => i < ODD ? 1 : 0);

/** 16 samples around a common random place; 4 of them stand one unit off. */
function draw(generator: Generator): Tensor {
  const place = randn([1, FEATURES], { generator }).mul(5);
  const x = randn([SAMPLES, FEATURES], { generator }).mul(0.3).add(place);
  const { data } = x;
  for (let i = 0; i < ODD * FEATURES; i++) data[i] += 1;
  return x;
}

function score(net: nn.Module, generator: Generator): number {
  let right = 0;
  const batches = 100;
  for (let i = 0; i < batches; i++) {
    const found = noGrad(() => (net.forward(draw(generator)) as Tensor).argmax({ dim: 1 }).data);
    labels.forEach((label, sample) => right += found[sample] === label ? 1 : 0);
  }
  return right / (batches * SAMPLES);
}

export default experiment({
  name: "leakage",
  claim: "What a batch gives away is learned in training and lost in evaluation",
  source: "Wu & Johnson, arXiv:2105.07576, §6",
  configs: grid({ norm: ["batch", "none"] }),
  fixed: { steps: 600, lr: 0.1 },
  seeds: 3,
  metrics: {
    batchAccuracy: { goal: "max", unit: "%" },
    runningAccuracy: { goal: "max", unit: "%" },
  },
  quick: { seeds: 1 },
  *run({ config, generator, clock }) {
    const net = new nn.Sequential(
      config.norm === "batch" ? new nn.BatchNorm1d(FEATURES) : new nn.Identity(),
      new nn.Linear(FEATURES, 16),
      new nn.ReLU(),
      new nn.Linear(16, 2),
    );
    const sgd = new optim.SGD(net.parameters(), { lr: config.lr });
    for (let step = 1; step <= config.steps; step++) {
      yield { step, loss: trainStep(net, sgd, draw(generator("train")), labels) };
    }
    return clock.pausedWhile(() => ({
      batchAccuracy: noStatsUpdate(() => score(net.train(), generator("test"))),
      runningAccuracy: score(net.eval(), generator("test")),
    }));
  },
  expect: [
    within("batchAccuracy", { norm: "batch" }, [0.95, 1]),
    within("runningAccuracy", { norm: "batch" }, [0, 0.8]),
    within("batchAccuracy", { norm: "none" }, [0.7, 0.8]),
  ],
});

if (import.meta.main) await main(import.meta.url);
