/**
 * Training γ and β alone, with all other weights as they were drawn.
 *
 * @module
 */
import { experiment, grid, main, more } from "../../experiment/mod.ts";
import { type Generator, nn, optim, type Tensor } from "../../mod.ts";
import { accuracy, batchesOf, digits, trainEpoch, trainStep } from "./parts/images.ts";

/** What learns. */
type Trained = "all" | "bn" | "random" | "out";

/** Convolutions of one width, each with batch norm and ReLU; pooled twice on the way. */
class Net extends nn.Module {
  static override readonly kind: string = "Net";
  readonly features: nn.Sequential;
  readonly out: nn.Linear;
  readonly #side: number;

  constructor(side: number, depth: number, width: number) {
    super();
    const layers: nn.Module[] = [];
    const pooledAfter = [Math.ceil(depth / 3), Math.ceil(2 * depth / 3)];
    for (let layer = 1; layer <= depth; layer++) {
      const inputs = layer === 1 ? 1 : width;
      layers.push(new nn.Conv2d(inputs, width, 3, { padding: 1, bias: false }));
      layers.push(new nn.BatchNorm2d(width), new nn.ReLU());
      if (pooledAfter.includes(layer)) layers.push(new nn.MaxPool2d(2));
    }
    this.features = new nn.Sequential(...layers as [nn.Module]);
    this.#side = side;
    this.out = new nn.Linear(width * (side >> 2) ** 2, 10);
  }

  override forward(x: Tensor): Tensor {
    const images = x.reshape([-1, 1, this.#side, this.#side]);
    return this.out.forward((this.features.forward(images) as Tensor).flatten({ startDim: 1 }));
  }
}

/** How many numbers some parameters hold. */
function countOf(parameters: readonly Tensor[]): number {
  return parameters.reduce((sum, { size }) => sum + size, 0);
}

/** Lets only some of the weights learn: as many as γ and β are, drawn at random. */
function keepOnly(weights: readonly Tensor[], count: number, generator: Generator): void {
  const total = countOf(weights);
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(Math.floor(generator.uniform(0, total)));
  let first = 0;
  for (const weight of weights) {
    const start = first;
    weight.registerHook((g) => {
      const kept = g.detach().clone();
      const { data } = kept;
      for (let i = 0; i < data.length; i++) if (!chosen.has(start + i)) data[i] = 0;
      return kept;
    });
    first += weight.size;
  }
}

interface Setting {
  readonly depth: number;
  readonly trains: Trained;
  readonly width: number;
  readonly lr: number;
  readonly momentum: number;
}

/** A network, its optimizer, and how many of its numbers learn. */
function prepare(
  { depth, trains, width, lr, momentum }: Setting,
  side: number,
  generator: Generator,
): { readonly net: Net; readonly sgd: optim.SGD; readonly count: number } {
  const net = new Net(side, depth, width);
  const all = net.parameters();
  const affine = [...net.modules()].flatMap((layer) =>
    layer instanceof nn.BatchNorm2d ? layer.parameters() : []
  );
  const others = all.filter((parameter) => !affine.includes(parameter));
  const chosen = { all, bn: affine, random: others, out: net.out.parameters() }[trains];
  for (const parameter of all) parameter.requiresGrad_(chosen.includes(parameter));
  if (trains === "random") keepOnly(others, countOf(affine), generator);
  const count = countOf(trains === "random" ? affine : chosen);
  return { net, sgd: new optim.SGD(chosen, { lr, momentum }), count };
}

const config = (depth: number, trains: Trained) => ({ depth, trains });

export default experiment({
  name: "bn-only",
  claim: "In a deep network training γ and β alone beats training as many other weights",
  source: "Frankle, Schwab & Morcos, arXiv:2003.00152",
  configs: grid({ depth: [3, 8], trains: ["all", "bn", "random", "out"] as const }),
  fixed: { width: 16, lr: 0.1, momentum: 0.9, batch: 32, epochs: 12 },
  seeds: 5,
  metrics: {
    testAccuracy: { goal: "max", unit: "%" },
    parameters: { goal: "none" },
  },
  quick: { seeds: 1, fixed: { epochs: 4 }, where: ({ trains }) => trains !== "all" },
  setup: () => digits(),
  step({ config, data, generator }) {
    const { net, sgd } = prepare(config, data.side, generator("chosen"));
    const [[x, labels]] = batchesOf(data.train, config.batch, generator("order"));
    return () => void trainStep(net, sgd, x, labels);
  },
  *run({ config, data, generator, clock, record }) {
    const { net, sgd, count } = prepare(config, data.side, generator("chosen"));
    const recorder = record?.(net, sgd);
    for (let epoch = 1; epoch <= config.epochs; epoch++) {
      const loss = trainEpoch(net, sgd, data.train, config.batch, generator("order"));
      const testAccuracy = clock.pausedWhile(() => accuracy(net, data.test));
      yield { step: epoch, loss, metrics: { testAccuracy } };
    }
    clock.pausedWhile(() => recorder?.audit(data.train.x));
    return { parameters: count };
  },
  expect: [
    more("testAccuracy", config(8, "bn"), config(8, "random"), { by: 0.05 }),
    more("testAccuracy", config(8, "bn"), config(8, "out"), { by: 0.05 }),
    more("testAccuracy", config(3, "out"), config(3, "bn"), { by: 0.1 }),
  ],
});

if (import.meta.main) await main(import.meta.url);
