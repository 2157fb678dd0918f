/**
 * The same sample in many batches: how much its output depends on whom it meets there.
 */
import { Generator, nn, noGrad, tensor } from "../library.ts";
import { drawNoise } from "./noise.ts";

/** What the scene depends on. */
export interface State {
  readonly seed: number;
  /** The size of the one batch that is looked at. */
  readonly size: number;
}

/** What the sample's output was in many batches of one size. */
export interface Spread {
  readonly size: number;
  /** Sorted. */
  readonly outputs: number[];
  readonly mean: number;
  readonly deviation: number;
}

/** What the scene shows. */
export interface Numbers {
  /** The batch that is looked at; the sample comes first. */
  readonly x: number[];
  /** Its outputs; none if the layer refuses it. */
  readonly y: number[];
  /** What the layer says when it refuses. */
  readonly refusal: string;
  readonly spreads: Spread[];
  /** How far from −1 or 1 the outputs in batches of two lie at most. */
  readonly offUnit: number;
}

/** The sample's value; the others are drawn around 0 with deviation 1. */
const SAMPLE = 1;
const SIZES = [2, 4, 8, 16, 32, 64, 128];
const BATCHES = 200;

/** Draws the batches and normalises them. */
export function run({ seed, size }: State): Numbers {
  const generator = new Generator(seed);
  const bn = new nn.BatchNorm1d(1, { affine: false, eps: 0 });
  const draw = (size: number) =>
    tensor([SAMPLE, ...drawNoise([size - 1], generator).data], { shape: [size, 1] });
  const output = (batch: ReturnType<typeof draw>) =>
    noGrad(() => Array.from(bn.forward(batch).data));

  const batch = draw(size);
  let y: number[] = [];
  let refusal = "";
  try {
    y = output(batch);
  } catch (error) {
    refusal = (error as Error).message;
  }
  const spreads = SIZES.map((size): Spread => {
    const outputs = Array.from({ length: BATCHES }, () => output(draw(size))[0]);
    outputs.sort((a, b) => a - b);
    const all = tensor(outputs);
    return { size, outputs, mean: all.mean().item(), deviation: all.std().item() };
  });
  const offUnit = Math.max(...spreads[0].outputs.map((value) => Math.abs(Math.abs(value) - 1)));
  return { x: Array.from(batch.data), y, refusal, spreads, offUnit };
}
