/**
 * Local response normalisation of arrays of layout [n, c, s]: images, channels, positions.
 *
 * A window of channels is summed afresh for each channel: a running sum that takes a channel out again
 * would keep the rounding errors of large ones that have long left. Positions are walked in short runs,
 * so that the window's channels are still in the first-level cache for the next one.
 */
import type { ChannelSizes } from "./batch_norm_plain.ts";

/** What y = x·d^−beta with d = k + alpha · mean of x² over `size` channels is made with. */
export interface ResponseWindow {
  /** How many channels a mean divides by; size//2 of them lie before the channel itself. */
  readonly size: number;
  /** The weight of the mean square. */
  readonly alpha: number;
  /** The exponent. */
  readonly beta: number;
  /** Added to the mean square. */
  readonly k: number;
}

/** Positions that are worked on together. */
const RUN = 128;

/** d^beta; the usual exponent by square roots, four times as fast and as exact */
function power(d: number, beta: number): number {
  if (beta !== 0.75) return Math.pow(d, beta);
  const root = Math.sqrt(d);
  return root * Math.sqrt(root);
}

/** sums[p] = Σ x, or Σ x², at position p of the rows first … last, which lie `stride` elements apart */
function sumRows(
  x: Float64Array,
  at: number,
  stride: number,
  [first, last]: readonly [number, number],
  count: number,
  squared: boolean,
  sums: Float64Array,
): void {
  sums.fill(0);
  for (let row = first; row <= last; row++) {
    const start = at + row * stride;
    if (squared) {
      for (let p = 0; p < count; p++) sums[p] += x[start + p] * x[start + p];
    } else for (let p = 0; p < count; p++) sums[p] += x[start + p];
  }
}

/** y = x / (k + alpha · mean of x² over the window)^beta */
export function localResponseNorm(
  x: Float64Array,
  y: Float64Array,
  { n, c, s }: ChannelSizes,
  { size, alpha, beta, k }: ResponseWindow,
): void {
  const before = Math.floor(size / 2);
  const after = Math.floor((size - 1) / 2);
  const scale = alpha / size;
  const sums = new Float64Array(Math.min(RUN, s));
  for (let i = 0; i < n; i++) {
    for (let from = 0; from < s; from += RUN) {
      const start = i * c * s + from;
      const count = Math.min(RUN, s - from);
      for (let j = 0; j < c; j++) {
        const rows = [Math.max(j - before, 0), Math.min(j + after, c - 1)] as const;
        sumRows(x, start, s, rows, count, true, sums);
        const at = start + j * s;
        for (let p = 0; p < count; p++) y[at + p] = x[at + p] / power(k + scale * sums[p], beta);
      }
    }
  }
}

/** dx = g·d^−beta − 2·alpha·beta/size · x · Σ g·x·d^−(beta + 1) over the channels whose window holds x's. */
export function localResponseNormBackward(
  g: Float64Array,
  x: Float64Array,
  dx: Float64Array,
  { n, c, s }: ChannelSizes,
  { size, alpha, beta, k }: ResponseWindow,
): void {
  const before = Math.floor(size / 2);
  const after = Math.floor((size - 1) / 2);
  const scale = alpha / size;
  const factor = -2 * scale * beta;
  const run = Math.min(RUN, s);
  const sums = new Float64Array(run);
  // g·x·d^−(beta + 1) of a run in all channels.
  const terms = new Float64Array(c * run);
  for (let i = 0; i < n; i++) {
    for (let from = 0; from < s; from += RUN) {
      const start = i * c * s + from;
      const count = Math.min(RUN, s - from);
      for (let j = 0; j < c; j++) {
        const rows = [Math.max(j - before, 0), Math.min(j + after, c - 1)] as const;
        sumRows(x, start, s, rows, count, true, sums);
        const at = start + j * s;
        for (let p = 0; p < count; p++) {
          const d = k + scale * sums[p];
          const direct = g[at + p] / power(d, beta);
          dx[at + p] = direct;
          terms[j * run + p] = direct * x[at + p] / d;
        }
      }
      for (let j = 0; j < c; j++) {
        const rows = [Math.max(j - after, 0), Math.min(j + before, c - 1)] as const;
        sumRows(terms, 0, run, rows, count, false, sums);
        const at = start + j * s;
        for (let p = 0; p < count; p++) dx[at + p] += factor * x[at + p] * sums[p];
      }
    }
  }
}
