/**
 * The first figure of the batch norm paper: three layers of 100 sigmoids, with and without it.
 *
 * @module
 */
import { experiment, grid, main, more, within } from "../../experiment/mod.ts";
import { nn, noGrad, noStatsUpdate, optim, type Tensor } from "../../mod.ts";
import { accuracy, batchesOf, imagesOf, trainStep } from "./parts/images.ts";
import { mlp } from "./parts/networks.ts";

/** The values below which 15, 50 and 85 % of numbers lie. */
function percentiles(values: Float64Array): { p15: number; p50: number; p85: number } {
  const sorted = values.slice().sort();
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))];
  return { p15: at(0.15), p50: at(0.5), p85: at(0.85) };
}

export default experiment({
  name: "sigmoid-percentiles",
  claim:
    "A network of sigmoids learns sooner with batch norm, and the inputs of its last sigmoids " +
    "keep their distribution",
  source: "Ioffe & Szegedy, arXiv:1502.03167, figure 1",
  configs: grid({ norm: ["batch", "none"] as const }),
  fixed: { data: "digits", width: 100, depth: 3, lr: 0.1, batch: 60, steps: 2000, every: 100 },
  seeds: 3,
  metrics: {
    testAccuracy: { goal: "max", unit: "%", target: 0.9 },
    earlyAccuracy: { goal: "max", unit: "%" },
    p15: { goal: "none" },
    p50: { goal: "none" },
    p85: { goal: "none" },
    medianDrift: { goal: "none" },
  },
  quick: { seeds: 1, fixed: { steps: 600 } },
  setup: ({ fixed }) => imagesOf(String(fixed.data), { train: 10_000, test: 2000 }),
  *run({ config, data, generator, clock, record }) {
    const { norm, lr, batch, steps, every } = config;
    const inputs = data.train.x.shape[1];
    const net = mlp({
      ...config,
      inputs,
      outputs: data.classes,
      norm: (width) => norm === "batch" ? new nn.BatchNorm1d(width) : null,
      activation: () => new nn.Sigmoid(),
    });
    const init = generator("init");
    for (const layer of net.modules()) {
      if (layer instanceof nn.Linear) {
        nn.init.normal_(layer.weight, { std: 0.1, generator: init });
        if (layer.bias !== null) nn.init.zeros_(layer.bias);
      }
    }
    // Up to the input of the last sigmoid; its first unit is the typical one.
    const observed = [...net.children()].slice(0, -2);
    const probe = data.test.x.narrow(0, 0, 300);
    const look = (): Float64Array =>
      noGrad(() =>
        noStatsUpdate(() =>
          (observed.reduce((x, layer) => layer.forward(x) as Tensor, probe))
            .narrow(1, 0, 1).data.slice()
        )
      );
    const sgd = new optim.SGD(net.parameters(), { lr });
    const recorder = record?.(net, sgd);
    let step = 0;
    let early: number | undefined;
    const medians: number[] = [];
    let spread: number | null = null;
    const order = generator("order");
    while (step < steps) {
      for (const [x, labels] of batchesOf(data.train, batch, order)) {
        const loss = trainStep(net, sgd, x, labels);
        step++;
        if (step % every > 0) yield { step, loss };
        else {
          const metrics = clock.pausedWhile(() => ({
            ...percentiles(look()),
            testAccuracy: accuracy(net, data.test),
          }));
          medians.push(metrics.p50);
          spread ??= metrics.p85 - metrics.p15;
          if (step === 300) early = metrics.testAccuracy;
          yield { step, loss, metrics };
        }
        if (step === steps) break;
      }
    }
    clock.pausedWhile(() => recorder?.audit(data.train.x));
    // How far the median moves, in units of the spread that the inputs have at the first look.
    const range = Math.max(...medians) - Math.min(...medians);
    return { earlyAccuracy: early, medianDrift: spread === null ? undefined : range / spread };
  },
  expect: [
    more("earlyAccuracy", { norm: "batch" }, { norm: "none" }, { by: 0.3 }),
    within("earlyAccuracy", { norm: "batch" }, [0.7, 1]),
    within("p85", { norm: "batch" }, [0.6, 1.8]),
    within("p15", { norm: "batch" }, [-1.8, -0.6]),
    within("medianDrift", { norm: "batch" }, [0, 0.3]),
    more("medianDrift", { norm: "none" }, { norm: "batch" }, { by: 1 }),
    more("testAccuracy", { norm: "batch" }, { norm: "none" }),
  ],
});

if (import.meta.main) await main(import.meta.url);
