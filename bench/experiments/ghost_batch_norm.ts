/**
 * Ghost batch norm: a full batch that is normalised in small groups generalises a little better.
 *
 * @module
 */
import { experiment, grid, main, within } from "../../experiment/mod.ts";
import { nn, optim } from "../../mod.ts";
import { exceedsShown } from "./parts/expectations.ts";
import { accuracy, digits, trainEpoch } from "./parts/images.ts";
import { mlp } from "./parts/networks.ts";

export default experiment({
  name: "ghost-batch-norm",
  claim:
    "Ghost batches of 20 regularise training on a full batch of 300, by so little that 16 seeds show " +
    "it and fewer may not",
  source: "Hoffer et al., arXiv:1705.08741; Summers & Dinneen, arXiv:1906.03548",
  configs: grid({ ghost: [20, 300] }),
  fixed: { width: 128, depth: 3, lr: 0.5, images: 300, epochs: 50 },
  seeds: 16,
  metrics: { testAccuracy: { goal: "max", unit: "%" }, trainAccuracy: { goal: "none", unit: "%" } },
  setup: ({ fixed }) => digits({ train: Number(fixed.images) }),
  *run({ config, data, generator, clock, record }) {
    const { ghost, lr, images, epochs } = config;
    const net = mlp({
      ...config,
      inputs: 64,
      outputs: 10,
      norm: (width) =>
        new nn.BatchNorm1d(width, { virtualBatchSize: ghost === images ? undefined : ghost }),
    });
    const sgd = new optim.SGD(net.parameters(), { lr });
    const recorder = record?.(net, sgd);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const loss = trainEpoch(net, sgd, data.train, images, generator("order"));
      if (epoch % 10 > 0) yield { step: epoch, loss };
      else {
        const metrics = clock.pausedWhile(() => ({
          testAccuracy: accuracy(net, data.test),
          trainAccuracy: accuracy(net, data.train),
        }));
        yield { step: epoch, loss, metrics };
      }
    }
    clock.pausedWhile(() => recorder?.audit(data.train.x));
  },
  expect: [
    exceedsShown("testAccuracy", { ghost: 20 }, { ghost: 300 }, { pairs: 16 }),
    within("trainAccuracy", {}, [0.99, 1]),
    within("testAccuracy", {}, [0.9, 1]),
  ],
});

if (import.meta.main) await main(import.meta.url);
