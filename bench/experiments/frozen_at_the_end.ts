/**
 * The last epochs with frozen statistics: training then sees what evaluation will see.
 *
 * @module
 */
import { experiment, grid, less, main, within } from "../../experiment/mod.ts";
import { nn, optim } from "../../mod.ts";
import { alike } from "./parts/expectations.ts";
import { accuracy, digits, trainEpoch } from "./parts/images.ts";
import { mlp } from "./parts/networks.ts";

const config = (size: number, frozenEpochs: number) => ({ size, frozenEpochs });

export default experiment({
  name: "frozen-at-the-end",
  claim: "Statistics that are frozen in the last epochs help where few samples are normalised " +
    "together, and change little where many are",
  source: "Wu & Johnson, arXiv:2105.07576, §3.3",
  configs: grid({ size: [2, 4, 8, 64], frozenEpochs: [0, 5] }),
  fixed: { width: 64, depth: 3, lr: 0.1, lastEpochs: 5, batch: 64, images: 600, epochs: 25 },
  seeds: 5,
  metrics: { testError: { goal: "min", unit: "%" } },
  quick: { seeds: 1, where: ({ size }) => size === 2 || size === 64 },
  setup: ({ fixed }) => digits({ train: Number(fixed.images) }),
  *run({ config, data, generator, clock, record }) {
    const net = mlp({
      ...config,
      inputs: 64,
      outputs: 10,
      norm: (width) => new nn.BatchNorm1d(width, { virtualBatchSize: config.size }),
    });
    const sgd = new optim.SGD(net.parameters(), { lr: config.lr });
    const recorder = record?.(net, sgd);
    for (let epoch = 1; epoch <= config.epochs; epoch++) {
      // Smaller steps at the end, in both cases: with frozen statistics some runs diverge at the full rate.
      if (epoch === config.epochs - config.lastEpochs + 1) sgd.paramGroups[0].lr = config.lr / 10;
      if (epoch === config.epochs - config.frozenEpochs + 1) {
        for (const layer of net.modules()) {
          if (layer instanceof nn.BatchNorm1d) layer.freeze({ stats: true, affine: false });
        }
      }
      const loss = trainEpoch(net, sgd, data.train, config.batch, generator("order"));
      const testError = clock.pausedWhile(() => 1 - accuracy(net, data.test));
      yield { step: epoch, loss, metrics: { testError } };
    }
    clock.pausedWhile(() => recorder?.audit(data.train.x));
  },
  expect: [
    less("testError", config(2, 5), config(2, 0), { by: 0.03 }),
    less("testError", config(4, 5), config(4, 0)),
    alike("testError", config(64, 5), config(64, 0), { within: 0.015 }),
    within("testError", config(64, 0), [0, 0.09]),
    within("testError", config(64, 5), [0, 0.09]),
  ],
});

if (import.meta.main) await main(import.meta.url);
