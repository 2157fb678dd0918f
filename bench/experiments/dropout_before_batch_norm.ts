/**
 * Dropout before batch norm: the running variance is that of training, which evaluation does not have.
 *
 * @module
 */
import { experiment, grid, main, within } from "../../experiment/mod.ts";
import { nn, noGrad, optim, type Tensor } from "../../mod.ts";
import { accuracy, digits, trainEpoch } from "./parts/images.ts";

export default experiment({
  name: "dropout-before-batch-norm",
  claim: "Dropout before batch norm makes the running variance larger than the variance of " +
    "evaluation, dropout behind it does not",
  source: "Li et al., arXiv:1801.05134",
  configs: grid({ dropout: ["before", "behind"] as const }),
  fixed: { width: 128, p: 0.5, lr: 0.1, batch: 64, epochs: 15 },
  seeds: 5,
  metrics: { varianceRatio: { goal: "none" }, testAccuracy: { goal: "max", unit: "%" } },
  quick: { seeds: 1 },
  setup: () => digits(),
  *run({ config: { dropout, width, p, lr, batch, epochs }, data, generator, clock, record }) {
    const first = new nn.Sequential(new nn.Linear(64, width), new nn.ReLU());
    const second = new nn.Linear(width, width, { bias: false });
    const norm = new nn.BatchNorm1d(width);
    const last = new nn.Linear(width, 10);
    const before = dropout === "before" ? [new nn.Dropout(p)] : [];
    const behind = dropout === "behind" ? [new nn.Dropout(p)] : [];
    const layers = [first, ...before, second, norm, new nn.ReLU(), ...behind, last];
    const net = new nn.Sequential(...layers as [nn.Module]);
    const sgd = new optim.SGD(net.parameters(), { lr });
    const recorder = record?.(net, sgd);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const loss = trainEpoch(net, sgd, data.train, batch, generator("order"));
      yield { step: epoch, loss };
    }
    clock.pausedWhile(() => recorder?.audit(data.train.x));
    return clock.pausedWhile(() => {
      const evaluated = noGrad(() => second.forward(first.forward(data.train.x)) as Tensor);
      const ratio = norm.runningVar!.div(evaluated.var({ dim: 0 })).mean().item();
      return { varianceRatio: ratio, testAccuracy: accuracy(net, data.test) };
    });
  },
  expect: [
    within("varianceRatio", { dropout: "before" }, [1.12, 1.6]),
    within("varianceRatio", { dropout: "behind" }, [0.9, 1.1]),
  ],
});

if (import.meta.main) await main(import.meta.url);
