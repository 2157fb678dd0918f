/**
 * Statistics of one domain fail in another; those of some unlabelled images there repair it.
 *
 * @module
 */
import { experiment, grid, main, within } from "../../experiment/mod.ts";
import { nn, optim, type Tensor } from "../../mod.ts";
import { accuracy, digits, type Labelled, trainEpoch } from "./parts/images.ts";
import { mlp } from "./parts/networks.ts";

type Shift = "none" | "contrast" | "brightness" | "inverted";

/** How the pixels, 0 to 1, are changed. */
const shifts: Readonly<Record<Shift, (x: Tensor) => Tensor>> = {
  none: (x) => x,
  contrast: (x) => x.mul(0.3),
  brightness: (x) => x.add(0.5),
  inverted: (x) => x.mul(-1).add(1),
};

/** Images with new statistics taken from the first half, scored on the second. */
function adapted(net: nn.Sequential, { x, labels }: Labelled): number {
  const half = Math.ceil(labels.length / 2);
  const copy = net.deepCopy();
  optim.swa.updateBn([x.narrow(0, 0, half)], copy, { exact: true });
  const rest = { x: x.narrow(0, half, labels.length - half), labels: labels.slice(half) };
  return accuracy(copy, rest);
}

export default experiment({
  name: "domain-shift",
  claim:
    "Statistics of the training images fail where contrast or brightness differ; those of 180 " +
    "unlabelled images from there repair it, but not an inverted image",
  source: "Wu & Johnson, arXiv:2105.07576, §5; Li et al., arXiv:1603.04779",
  configs: grid({ shift: ["none", "contrast", "brightness", "inverted"] as const }),
  fixed: { width: 64, depth: 3, lr: 0.1, batch: 64, epochs: 10 },
  seeds: 3,
  metrics: {
    sourceAccuracy: { goal: "max", unit: "%" },
    adaptedAccuracy: { goal: "max", unit: "%" },
    behindUnshifted: { goal: "min", unit: "%" },
  },
  quick: { seeds: 1 },
  setup: () => digits(),
  *run({ config, data, generator, clock, record }) {
    const net = mlp({
      ...config,
      inputs: 64,
      outputs: 10,
      norm: (width) => new nn.BatchNorm1d(width),
    });
    const sgd = new optim.SGD(net.parameters(), { lr: config.lr });
    const recorder = record?.(net, sgd);
    for (let epoch = 1; epoch <= config.epochs; epoch++) {
      const loss = trainEpoch(net, sgd, data.train, config.batch, generator("order"));
      yield { step: epoch, loss };
    }
    clock.pausedWhile(() => recorder?.audit(data.train.x));
    return clock.pausedWhile(() => {
      const { x, labels } = data.test;
      const shifted = { x: shifts[config.shift](x), labels };
      const adaptedAccuracy = adapted(net, shifted);
      return {
        sourceAccuracy: accuracy(net, shifted),
        adaptedAccuracy,
        behindUnshifted: adapted(net, data.test) - adaptedAccuracy,
      };
    });
  },
  expect: [
    within("sourceAccuracy", { shift: "none" }, [0.93, 1]),
    within("sourceAccuracy", { shift: "contrast" }, [0, 0.9]),
    within("sourceAccuracy", { shift: "brightness" }, [0, 0.95]),
    within("adaptedAccuracy", { shift: "none" }, [0.92, 1]),
    within("behindUnshifted", { shift: "contrast" }, [-0.006, 0.006]),
    within("behindUnshifted", { shift: "brightness" }, [-0.006, 0.006]),
    within("adaptedAccuracy", { shift: "inverted" }, [0, 0.5]),
  ],
});

if (import.meta.main) await main(import.meta.url);
