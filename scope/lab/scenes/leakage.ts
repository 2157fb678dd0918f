/**
 * Sixteen points around an offset that changes from batch to batch; some of them are odd ones out. A
 * point alone does not tell, its batch does.
 */
import { Generator, manualSeed, nn, noGrad, optim, type Tensor, tensor } from "../library.ts";
import { drawNoise } from "./noise.ts";

/** What the scene depends on. */
export interface State {
  readonly seed: number;
  /** How far the offsets of batches spread. */
  readonly offset: number;
  /** The odd ones among 16. */
  readonly odd: number;
  readonly steps: number;
}

/** What the scene shows. */
export interface Numbers {
  /** The share of the larger class: what one gets by always saying the same. */
  readonly majority: number;
  /** With batch norm, each test batch normalised by itself. */
  readonly batch: number;
  /** With batch norm in evaluation. */
  readonly running: number;
  /** Without batch norm. */
  readonly without: number;
  /** Three test batches, to look at: the points and which are odd. */
  readonly examples: { readonly points: [number, number][]; readonly odd: number }[];
}

const BATCH = 16;

/** Trains with and without batch norm and tests both. */
export function run({ seed, offset, odd, steps }: State): Numbers {
  const labels = Array.from({ length: BATCH }, (_, i) => Number(i < odd));
  const wanted = tensor(labels, { shape: [BATCH, 1] });
  const draw = (generator: Generator): Tensor => {
    const noise = drawNoise([BATCH + 1, 2], generator).data;
    const values = labels.flatMap((label, i) =>
      [0, 1].map((d) =>
        offset * noise[d] + 0.3 * noise[2 * (i + 1) + d] + (d === 0 ? 2 * label : 0)
      )
    );
    return tensor(values, { shape: [BATCH, 2] });
  };
  const train = (norm: nn.BatchNorm1d | null) => {
    manualSeed(seed);
    const rest = new nn.Sequential(new nn.Linear(2, 16), new nn.ReLU(), new nn.Linear(16, 1));
    const net = norm === null ? rest : new nn.Sequential(norm, rest);
    const sgd = new optim.SGD(net.parameters(), { lr: 0.02, momentum: 0.9 });
    const generator = new Generator(seed);
    for (let step = 0; step < steps; step++) {
      sgd.zeroGrad();
      net.forward(draw(generator)).sub(wanted).square().mean().backward();
      sgd.step();
    }
    return net;
  };
  const generator = new Generator(seed + 1);
  const tests = Array.from({ length: 60 }, () => draw(generator));
  const score = (net: nn.Module) => {
    const right = tests.map((batch) => {
      const found = noGrad(() => net.forward(batch).data);
      return labels.filter((label, i) => (found[i] > 0.5) === (label === 1)).length / BATCH;
    });
    return right.reduce((sum, share) => sum + share, 0) / right.length;
  };
  const norm = new nn.BatchNorm1d(2);
  const net = train(norm);
  // Nothing is tracked while the test batches are normalised by themselves.
  norm.momentum = 0;
  const batch = score(net);
  const running = score(net.eval());
  return {
    majority: Math.max(odd, BATCH - odd) / BATCH,
    batch,
    running,
    without: score(train(null)),
    examples: tests.slice(0, 3).map(({ data }) => ({
      points: labels.map((_, i): [number, number] => [data[2 * i], data[2 * i + 1]]),
      odd,
    })),
  };
}
