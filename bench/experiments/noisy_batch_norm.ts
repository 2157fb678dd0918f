/**
 * Batch norm with noise behind it: the inputs of layers shift more than without batch norm, and training
 * goes as well as with it.
 *
 * @module
 */
import { experiment, grid, main, more, within } from "../../experiment/mod.ts";
import {
  type Generator,
  nn,
  noGrad,
  noStatsUpdate,
  optim,
  rand,
  randn,
  type Tensor,
} from "../../mod.ts";
import { alike } from "./parts/expectations.ts";
import { batchAccuracy, batchesOf, digits, trainStep } from "./parts/images.ts";
import { mlp } from "./parts/networks.ts";

/**
 * Scales and shifts each value at random. Every forward pass draws for each channel around which scale and
 * which shift.
 */
class Noise extends nn.Module {
  static override readonly kind: string = "Noise";
  readonly #generator: Generator;

  constructor(generator: Generator) {
    super();
    this.#generator = generator;
  }

  override forward(x: Tensor): Tensor {
    const generator = this.#generator;
    const channels = [1, x.shape[1]];
    const uniform = (shape: readonly number[], low: number, high: number): Tensor =>
      rand([...shape], { generator }).mul(high - low).add(low);
    const mean = uniform(channels, -0.5, 0.5).add(uniform(x.shape, -0.1, 0.1));
    const scale = uniform(channels, 1, 1.25).add(randn([...x.shape], { generator }).mul(0.1));
    return x.mul(scale).add(mean);
  }
}

const config = (norm: "none" | "batch" | "noisy", lr: number) => ({ norm, lr });

export default experiment({
  name: "noisy-batch-norm",
  claim: "With noise behind batch norm the inputs of a layer shift more from step to step than " +
    "without batch norm, and training is as good as with it",
  source: "Santurkar et al., arXiv:1805.11604, §2.2",
  configs: grid({ norm: ["none", "batch", "noisy"] as const, lr: [0.01, 0.1, 0.3] }),
  fixed: { width: 64, depth: 5, momentum: 0.9, batch: 64, epochs: 15 },
  seeds: 3,
  metrics: { testAccuracy: { goal: "max", unit: "%" }, shift: { goal: "none" } },
  quick: { seeds: 1, where: ({ lr }) => lr === 0.1 },
  setup: () => digits(),
  *run({ config, data, generator, clock, record }) {
    const { norm, lr, momentum, batch, epochs } = config;
    const noise = generator("noise");
    const net = mlp({
      ...config,
      inputs: 64,
      outputs: 10,
      norm(width) {
        if (norm === "none") return null;
        const bn = new nn.BatchNorm1d(width);
        return norm === "batch" ? bn : new nn.Sequential(bn, new Noise(noise));
      },
    });
    // What the last hidden layer is given: before its ReLU, of the same images after every step.
    const observed = [...net.children()].slice(0, norm === "none" ? -3 : -2);
    const probe = data.train.x.narrow(0, 0, 256);
    const look = (): Tensor =>
      noGrad(() =>
        noStatsUpdate(() => observed.reduce((x, layer) => layer.forward(x) as Tensor, probe))
      );
    const sgd = new optim.SGD(net.parameters(), { lr, momentum });
    const recorder = record?.(net, sgd);
    let [sum, steps] = [0, 0];
    let before = clock.pausedWhile(look);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      let loss = 0;
      for (const [x, labels] of batchesOf(data.train, batch, generator("order"))) {
        loss = trainStep(net, sgd, x, labels);
        clock.pausedWhile(() => {
          const now = look();
          // In standard deviations, over all units together: those that are dead have none.
          const moved = now.mean({ dim: 0 }).sub(before.mean({ dim: 0 })).abs().sum().item();
          sum += moved / before.std({ dim: 0 }).sum().item();
          steps++;
          before = now;
        });
      }
      // Running statistics would be scored without the noise: batches are normalised as in training.
      const testAccuracy = clock.pausedWhile(() => batchAccuracy(net, data.test, 64));
      yield { step: epoch, loss, metrics: { testAccuracy } };
    }
    clock.pausedWhile(() => recorder?.audit(data.train.x));
    return { shift: sum / steps };
  },
  expect: [
    within("testAccuracy", config("batch", 0.1), [0.94, 1]),
    within("testAccuracy", config("noisy", 0.1), [0.9, 1]),
    within("shift", config("batch", 0.1), [0, 0.1]),
    more("shift", config("noisy", 0.1), config("none", 0.1), { by: 0.1 }),
    more("shift", config("noisy", 0.1), config("batch", 0.1), { by: 0.2 }),
    alike("testAccuracy", config("noisy", 0.1), config("batch", 0.1), { within: 0.03 }),
    more("testAccuracy", config("noisy", 0.1), config("none", 0.1), { by: 0.02 }),
  ],
});

if (import.meta.main) await main(import.meta.url);
