/**
 * How many samples are normalised together, with the SGD batch kept as it is.
 *
 * @module
 */
import { experiment, grid, less, main, within } from "../../experiment/mod.ts";
import { nn, optim } from "../../mod.ts";
import { alike } from "./parts/expectations.ts";
import {
  accuracy,
  batchAccuracy,
  batchesOf,
  digits,
  trainEpoch,
  trainStep,
} from "./parts/images.ts";
import { mlp } from "./parts/networks.ts";

const size = (size: number) => ({ size });

interface Setting {
  readonly size: number;
  readonly width: number;
  readonly depth: number;
  readonly lr: number;
}

/** The network and its optimizer. */
function prepare(config: Setting): { readonly net: nn.Sequential; readonly sgd: optim.SGD } {
  const net = mlp({
    ...config,
    inputs: 64,
    outputs: 10,
    norm: (width) => new nn.BatchNorm1d(width, { virtualBatchSize: config.size }),
  });
  return { net, sgd: new optim.SGD(net.parameters(), { lr: config.lr }) };
}

export default experiment({
  name: "normalisation-batch",
  claim: "The test error by batch statistics falls with the size of the normalised batch; by " +
    "running statistics it is lower, and flat from the middle on",
  source: "Wu & Johnson, arXiv:2105.07576, §3",
  configs: grid({ size: [2, 4, 8, 16, 32, 64] }),
  fixed: { width: 64, depth: 3, lr: 0.1, batch: 64, images: 600, epochs: 25 },
  seeds: 5,
  metrics: {
    batchError: { goal: "min", unit: "%" },
    runningError: { goal: "min", unit: "%", target: 0.06 },
    // How much more of the images the statistics of the batch get wrong.
    excess: { goal: "none", unit: "%" },
  },
  quick: { seeds: 2, fixed: { epochs: 10 } },
  setup: ({ fixed }) => digits({ train: Number(fixed.images) }),
  step({ config, data, generator }) {
    const { net, sgd } = prepare(config);
    const [[x, labels]] = batchesOf(data.train, config.batch, generator("order"));
    return () => void trainStep(net, sgd, x, labels);
  },
  *run({ config, data, generator, clock, record }) {
    const { net, sgd } = prepare(config);
    const recorder = record?.(net, sgd);
    for (let epoch = 1; epoch <= config.epochs; epoch++) {
      const loss = trainEpoch(net, sgd, data.train, config.batch, generator("order"));
      const metrics = clock.pausedWhile(() => {
        const batchError = 1 - batchAccuracy(net, data.test, config.batch);
        const runningError = 1 - accuracy(net, data.test);
        return { batchError, runningError, excess: batchError - runningError };
      });
      yield { step: epoch, loss, metrics };
    }
    clock.pausedWhile(() => recorder?.audit(data.train.x));
  },
  expect: [
    less("batchError", size(4), size(2), { by: 0.02 }),
    less("batchError", size(16), size(4), { by: 0.02 }),
    less("batchError", size(64), size(8)),
    less("runningError", size(8), size(2), { by: 0.02 }),
    ...[2, 4, 8].map((few) => within("excess", size(few), [0.02, 1])),
    alike("runningError", size(16), size(64), { within: 0.02 }),
    within("runningError", size(64), [0, 0.12]),
  ],
});

if (import.meta.main) await main(import.meta.url);
