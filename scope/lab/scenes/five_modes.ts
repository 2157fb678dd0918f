/**
 * The same batch goes through five layers that differ in nothing but their mode.
 */
import { Generator, nn, tensor } from "../library.ts";
import { drawNoise } from "./noise.ts";

/** What the scene depends on. */
export interface State {
  readonly seed: number;
  /** The samples that ghost batch norm normalises together. */
  readonly ghost: number;
  /** The samples at the end of the batch that are padding. */
  readonly padding: number;
}

/** What a layer did. */
export interface Mode {
  readonly name: string;
  readonly y: number[];
  /** The mean and biased variance of its outputs, padding included. */
  readonly mean: number;
  readonly variance: number;
  /** How far the forward pass moved the running mean and variance. */
  readonly meanMoved: number;
  readonly varMoved: number;
  /** The gradients that reach γ and β. */
  readonly weightGrad: number;
  readonly biasGrad: number;
}

/** What the scene shows. */
export interface Numbers {
  readonly x: number[];
  readonly modes: Mode[];
}

const BATCH = 12;

/** Runs the five. */
export function run({ seed, ghost, padding }: State): Numbers {
  const generator = new Generator(seed);
  const noise = drawNoise([BATCH], generator).data;
  const earlier = drawNoise([64, 1], generator).mul(1.5).add(2);
  // Two groups, around 1 and around 4, and then padding that somebody filled with 9.
  const values = Array.from(noise, (e, i) => i >= BATCH - padding ? 9 : 0.6 * e + (i < 6 ? 1 : 4));
  const x = tensor(values, { shape: [BATCH, 1] });
  const valid = values.map((_, i) => Number(i < BATCH - padding));
  const mask = tensor(valid, { shape: [BATCH, 1] });
  // A loss in which each sample pulls differently, so that γ and β have gradients.
  const pulls = tensor(values.map((_, i) => (i % 4 - 1) * valid[i]), { shape: [BATCH, 1] });

  const modeOf = (
    name: string,
    { virtualBatchSize = null, prepare = () => {}, masked = false }: {
      virtualBatchSize?: number | null;
      prepare?: (bn: nn.BatchNorm1d) => void;
      masked?: boolean;
    },
  ): Mode => {
    const bn = new nn.BatchNorm1d(1, { virtualBatchSize });
    bn.momentum = 1;
    bn.forward(earlier);
    bn.momentum = 0.1;
    prepare(bn);
    const before = [bn.runningMean!.item(), bn.runningVar!.item()];
    const y = bn.forward(x, masked ? { mask } : {});
    y.mul(pulls).sum().backward();
    return {
      name,
      y: Array.from(y.data),
      mean: y.mean().item(),
      variance: y.var({ correction: 0 }).item(),
      meanMoved: bn.runningMean!.item() - before[0],
      varMoved: bn.runningVar!.item() - before[1],
      weightGrad: bn.weight!.grad!.item(),
      biasGrad: bn.bias!.grad!.item(),
    };
  };
  return {
    x: values,
    modes: [
      modeOf("train", {}),
      modeOf("eval", { prepare: (bn) => bn.eval() }),
      modeOf("frozen", { prepare: (bn) => bn.freeze().train() }),
      modeOf("ghost", { virtualBatchSize: ghost }),
      modeOf("masked", { masked: true }),
    ],
  };
}
