/**
 * How wide the range of learning rates is, and how soon an accuracy is reached.
 *
 * @module
 */
import { experiment, grid, main, more, within } from "../../experiment/mod.ts";
import { nn, optim } from "../../mod.ts";
import { neverReaches, reaches } from "./parts/expectations.ts";
import { accuracy, digits, trainEpoch } from "./parts/images.ts";
import { mlp } from "./parts/networks.ts";

const config = (norm: "batch" | "none", lr: number) => ({ norm, lr });

export default experiment({
  name: "learning-rates",
  claim:
    "With batch norm a deep network learns at rates two orders of magnitude apart, and reaches " +
    "95 % within a few epochs; without it no rate does",
  source: "Ioffe & Szegedy, arXiv:1502.03167, §4.2",
  configs: grid({
    norm: ["batch", "none"] as const,
    lr: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
  }),
  fixed: { width: 64, depth: 5, momentum: 0.9, batch: 32, epochs: 10 },
  seeds: 3,
  metrics: { testAccuracy: { goal: "max", unit: "%", target: 0.95 } },
  quick: { seeds: 1, where: ({ lr }) => lr === 0.001 || lr === 0.1 || lr === 0.3 },
  setup: () => digits(),
  *run({ config, data, generator, clock, record }) {
    const net = mlp({
      ...config,
      inputs: 64,
      outputs: 10,
      norm: (width) => config.norm === "batch" ? new nn.BatchNorm1d(width) : null,
    });
    const { lr, momentum } = config;
    const sgd = new optim.SGD(net.parameters(), { lr, momentum });
    const recorder = record?.(net, sgd);
    for (let epoch = 1; epoch <= config.epochs; epoch++) {
      const loss = trainEpoch(net, sgd, data.train, config.batch, generator("order"));
      const testAccuracy = clock.pausedWhile(() => accuracy(net, data.test));
      yield { step: epoch, loss, metrics: { testAccuracy } };
    }
    clock.pausedWhile(() => recorder?.audit(data.train.x));
  },
  expect: [
    reaches("testAccuracy", config("batch", 0.1), 0.95, { within: 6 }),
    reaches("testAccuracy", config("batch", 0.3), 0.95, { within: 8 }),
    neverReaches("testAccuracy", { norm: "none" }, 0.95),
    within("testAccuracy", config("batch", 0.001), [0.9, 1]),
    within("testAccuracy", config("batch", 0.1), [0.93, 1]),
    within("testAccuracy", config("batch", 0.3), [0.93, 1]),
    more("testAccuracy", config("batch", 0.001), config("none", 0.001), { by: 0.1 }),
    more("testAccuracy", config("batch", 0.3), config("none", 0.3), { by: 0.1 }),
  ],
});

if (import.meta.main) await main(import.meta.url);
