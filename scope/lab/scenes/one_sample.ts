/**
 * One sample of a batch is moved; the others stay where they are. What becomes of their outputs?
 */
import { Generator, nn, noGrad, tensor } from "../library.ts";
import { drawNoise } from "./noise.ts";

/** What the scene depends on. */
export interface State {
  readonly seed: number;
  /** The samples that stay. */
  readonly others: number;
  /** Where the one that moves is moved to, from 0. */
  readonly value: number;
}

/** The outputs of the samples that stay, before and after the other one was moved. */
export interface Outputs {
  readonly before: number[];
  readonly after: number[];
  /** The largest change. */
  readonly largest: number;
}

/** What the scene shows. */
export interface Numbers {
  /** The samples that stay. */
  readonly x: number[];
  readonly training: Outputs;
  readonly evaluation: Outputs;
}

/** Normalises the batch before and after, in both modes. */
export function run({ seed, others, value }: State): Numbers {
  const generator = new Generator(seed);
  const x = drawNoise([others], generator);
  const earlier = drawNoise([64, 1], generator);
  const outputs = (mode: boolean): Outputs => {
    // The statistics of one earlier batch are all that evaluation knows.
    const bn = new nn.BatchNorm1d(1, { affine: false, momentum: 1 });
    bn.forward(earlier);
    bn.train(mode);
    const normalised = (first: number) =>
      noGrad(() => {
        const batch = tensor([first, ...x.data], { shape: [others + 1, 1] });
        return Array.from(bn.forward(batch).data.subarray(1));
      });
    const before = normalised(0);
    const after = normalised(value);
    const largest = Math.max(...after.map((y, i) => Math.abs(y - before[i])));
    return { before, after, largest };
  };
  return { x: Array.from(x.data), training: outputs(true), evaluation: outputs(false) };
}
