/**
 * Running averages lag behind a network that learns fast in large batches; statistics of the weights as they
 * are do not.
 *
 * @module
 */
import { experiment, grid, less, main, within } from "../../experiment/mod.ts";
import { nn, optim } from "../../mod.ts";
import { alike } from "./parts/expectations.ts";
import { accuracy, digits, trainEpoch } from "./parts/images.ts";
import { mlp } from "./parts/networks.ts";

const config = (batch: number, statistics: "average" | "precise") => ({ batch, statistics });

export default experiment({
  name: "average-or-precise",
  claim: "In early epochs of large batches the running average lags behind the weights: precise " +
    "statistics evaluate better, while small batches show no difference",
  source: "Wu & Johnson, arXiv:2105.07576, §3",
  configs: grid({ batch: [32, 512], statistics: ["average", "precise"] as const }),
  fixed: { width: 64, depth: 3, lr: 0.5, momentum: 0.1, epochs: 10 },
  seeds: 5,
  metrics: { testError: { goal: "min", unit: "%" }, meanError: { goal: "min", unit: "%" } },
  quick: { seeds: 2 },
  setup: () => digits(),
  *run({ config, data, generator, clock, record }) {
    const { batch, epochs, momentum, lr, statistics } = config;
    const net = mlp({
      ...config,
      inputs: 64,
      outputs: 10,
      norm: (width) => new nn.BatchNorm1d(width, { momentum }),
    });
    const sgd = new optim.SGD(net.parameters(), { lr });
    const recorder = record?.(net, sgd);
    let sum = 0;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const loss = trainEpoch(net, sgd, data.train, batch, generator("order"));
      const testError = clock.pausedWhile(() => {
        const scored = net.deepCopy();
        if (statistics === "precise") optim.swa.updateBn([data.train.x], scored, { exact: true });
        return 1 - accuracy(scored, data.test);
      });
      sum += testError;
      yield { step: epoch, loss, metrics: { testError } };
    }
    clock.pausedWhile(() => recorder?.audit(data.train.x));
    return { meanError: sum / epochs };
  },
  expect: [
    less("meanError", config(512, "precise"), config(512, "average"), { by: 0.02 }),
    alike("meanError", config(32, "precise"), config(32, "average"), { within: 0.015 }),
    within("meanError", config(32, "average"), [0, 0.06]),
    within("meanError", config(32, "precise"), [0, 0.06]),
  ],
});

if (import.meta.main) await main(import.meta.url);
