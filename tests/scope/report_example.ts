/**
 * A small training with batch norm, recorded, and an experiment of made-up numbers.
 *
 * @module
 */
import { manualSeed, nn, noGrad, optim, randn } from "../../mod.ts";
import type { ResultsView, RunResult } from "../../scope/report/mod.ts";
import { record, type RunRecord } from "../../scope/mod.ts";

/** Trains two layers on shifted noise, with an evaluation after every tenth step. */
export function exampleRun(steps = 30, name = "bn"): RunRecord {
  manualSeed(0);
  const net = new nn.Sequential([["fc", new nn.Linear(3, 4)], [name, new nn.BatchNorm1d(4)], [
    "out",
    new nn.Linear(4, 1),
  ]]);
  const sgd = new optim.SGD(net.parameters(), { lr: 0.05 });
  const recorder = record(net, sgd, { title: "an example" });
  const shift = randn([3]).mul(3);
  for (let i = 1; i <= steps; i++) {
    const x = randn([32, 3]).add(shift);
    const loss = net.forward(x).sub(1).square().mean();
    sgd.zeroGrad();
    loss.backward();
    sgd.step();
    recorder.metric("training loss", loss.item());
    recorder.metric("training accuracy", Math.exp(-loss.item()), { unit: "%" });
    if (i % 10 === 0) noGrad(() => net.eval().forward(x));
    net.train();
  }
  recorder.audit(randn([32, 3]).add(shift));
  return recorder.stop().toJSON();
}

/** Two axes, five seeds, one config that loses runs. */
export function exampleResults(name = "norm"): ResultsView {
  const configs = [0.01, 0.1, 1].flatMap((lr) =>
    ["none", "batch"].map((norm) => ({ lr, [name]: norm, width: 16 }))
  );
  const runs = configs.flatMap((config, c) =>
    [0, 1, 2, 3, 4].map((seed): RunResult => {
      const isLost = c === 4 && seed > 2;
      const value = [1, 2, 3, 4].map((t) => (0.6 + 0.05 * c + 0.01 * seed) * (1 - 0.5 ** t));
      return {
        id: `${c}-${seed}`,
        config,
        seed,
        state: isLost ? "diverged" : "completed",
        summary: isLost ? {} : { accuracy: value[3] },
        seconds: 1.5,
        error: isLost ? "the loss became Infinity" : null,
        command: `deno task experiment rates --where 'lr=${config.lr}' --seeds ${seed}`,
        curves: {
          accuracy: { step: isLost ? [1] : [1, 2, 3, 4], seconds: null, value },
        },
      };
    })
  );
  return {
    name: "rates",
    claim: "It tolerates larger learning rates",
    source: "arXiv:1502.03167",
    verdict: "With batch norm the accuracy is better at each of 3 learning rates.",
    metrics: [{ name: "accuracy", goal: "max", unit: "%", target: 0.7 }],
    configs: configs.map((config, c) => ({
      config,
      summaries: {
        accuracy: { n: 5, median: 0.58 + 0.04 * c, low: 0.56 + 0.04 * c, high: 0.6 + 0.04 * c },
      },
      batchNorm: c % 2 === 0 ? null : { gamma: [0.9, 1, 1.1, 1.2], gap: [0.1], drift: [0.2] },
    })),
    runs,
    comparisons: [{
      metric: "accuracy",
      baseline: configs[0],
      config: configs[1],
      differences: [0, 1, 2, 3, 4].map((seed) => ({ seed, value: 0.05 + 0.01 * seed })),
      mean: 0.07,
      low: 0.055,
      high: 0.085,
      probability: 1,
      p: 0.0625,
      smallestP: 0.0625,
      verdict: "better",
    }],
    expectations: [{ text: "more by 5 points", holds: true, detail: "7.0 points [5.5, 8.5]" }],
    notes: ["359 images: one is 0.28 points."],
  };
}
