/**
 * Images of digits, 7 × 7, drawn from a seed: ten glyphs, somewhere, more or less dark, with noise.
 */
import { type Generator, nn, noGrad, type Tensor, tensor } from "../library.ts";
import { drawNoise } from "./noise.ts";

/** A glyph is five rows of three bits. */
const GLYPHS = [
  [7, 5, 5, 5, 7],
  [2, 6, 2, 2, 7],
  [7, 1, 7, 4, 7],
  [7, 1, 3, 1, 7],
  [5, 5, 7, 1, 1],
  [7, 4, 7, 1, 7],
  [7, 4, 7, 5, 7],
  [7, 1, 2, 2, 2],
  [7, 5, 7, 5, 7],
  [7, 5, 7, 1, 7],
];
const SIDE = 7;

/** Images as rows of 49 pixels, about 0 to 1, and the digits that they show. */
export interface Digits {
  readonly images: Tensor;
  readonly labels: number[];
}

/** Draws `count` digits. */
export function drawDigits(count: number, generator: Generator): Digits {
  const noise = drawNoise([count, SIDE * SIDE + 4], generator).data;
  const pixels = new Float64Array(count * SIDE * SIDE);
  const labels: number[] = [];
  /** An even choice among `n`, from a normal number. */
  const choice = (normal: number, n: number) => Math.floor(Math.abs(normal) * 1e4) % n;
  for (let i = 0; i < count; i++) {
    const [a, b, c, d] = noise.subarray(i * (SIDE * SIDE + 4));
    const label = choice(a, 10);
    const [left, top] = [2 + choice(b, 2), 1 + choice(c, 2)];
    const ink = 0.75 + 0.25 * d / (1 + Math.abs(d));
    for (let p = 0; p < SIDE * SIDE; p++) {
      const [row, column] = [Math.floor(p / SIDE) - top, p % SIDE - left];
      const isInside = row >= 0 && row < 5 && column >= 0 && column < 3;
      const bit = isInside ? (GLYPHS[label][row] >> (2 - column)) & 1 : 0;
      pixels[i * SIDE * SIDE + p] = bit * ink + 0.12 * noise[i * (SIDE * SIDE + 4) + 4 + p];
    }
    labels.push(label);
  }
  return { images: tensor(pixels, { shape: [count, SIDE * SIDE] }), labels };
}

/** The square of the distance from the outputs to 1 for the right digit and 0 for the others. */
export function loss(outputs: Tensor, labels: readonly number[]): Tensor {
  const wanted = labels.flatMap((label) =>
    Array.from({ length: 10 }, (_, k) => Number(k === label))
  );
  return outputs.sub(tensor(wanted, { shape: [labels.length, 10] })).square().sum().div(
    labels.length,
  );
}

/** linear – norm – ReLU – linear */
export function digitNet(eps = 1e-5): nn.Sequential {
  return new nn.Sequential(
    new nn.Linear(SIDE * SIDE, 32, { bias: false }),
    new nn.BatchNorm1d(32, { eps }),
    new nn.ReLU(),
    new nn.Linear(32, 10),
  );
}

/** The share of digits that a network in evaluation mode recognises. */
export function accuracy(net: nn.Module, { images, labels }: Digits): number {
  const found = noGrad(() => net.forward(images).argmax({ dim: 1 }).data);
  return labels.filter((label, i) => found[i] === label).length / labels.length;
}
