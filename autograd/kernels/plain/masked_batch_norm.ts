/**
 * What batch_norm.ts does, over the valid positions only. What the others hold, be it NaN, is never
 * reckoned with; outputs are 0 there.
 */
import type { ChannelBlock } from "./batch_norm.ts";

/** The positions that count. */
export interface ValidPositions {
  /** 1 for those that count and 0 for the others, [n, s]. */
  readonly values: Float64Array;
  /** How many ones there are. */
  readonly count: number;
}

/** Mean (mean + low) and biased variance of each channel, by the corrected two-pass formula. */
export function maskedStatistics(
  x: Float64Array,
  { n, c, s, from = 0, to = c }: ChannelBlock,
  { values, count }: ValidPositions,
  mean: Float64Array,
  low: Float64Array,
  variance: Float64Array,
): void {
  mean.fill(0, from, to);
  low.fill(0, from, to);
  variance.fill(0, from, to);
  for (let i = 0; i < n; i++) {
    for (let j = from; j < to; j++) {
      const at = (i * c + j) * s;
      let sum = 0;
      for (let p = 0; p < s; p++) if (values[i * s + p] !== 0) sum += x[at + p];
      mean[j] += sum;
    }
  }
  for (let j = from; j < to; j++) mean[j] /= count;
  for (let i = 0; i < n; i++) {
    for (let j = from; j < to; j++) {
      const at = (i * c + j) * s;
      const m = mean[j];
      let sum = 0;
      let squares = 0;
      for (let p = 0; p < s; p++) {
        if (values[i * s + p] === 0) continue;
        const centered = x[at + p] - m;
        sum += centered;
        squares += centered * centered;
      }
      low[j] += sum;
      variance[j] += squares;
    }
  }
  for (let j = from; j < to; j++) {
    low[j] /= count;
    variance[j] = Math.max(variance[j] / count - low[j] * low[j], 0);
  }
}

/** y = (x − mean)·scale + shift, by channel. */
export function maskedAffine(
  x: Float64Array,
  { n, c, s, from = 0, to = c }: ChannelBlock,
  { values }: ValidPositions,
  mean: Float64Array,
  scale: Float64Array,
  shift: Float64Array,
  y: Float64Array,
): void {
  for (let i = 0; i < n; i++) {
    for (let j = from; j < to; j++) {
      const at = (i * c + j) * s;
      const m = mean[j];
      const a = scale[j];
      const b = shift[j];
      for (let p = 0; p < s; p++) {
        y[at + p] = values[i * s + p] === 0 ? 0 : (x[at + p] - m) * a + b;
      }
    }
  }
}

/** sumG = Σ g and sumGC = Σ g·(x − mean), by channel. */
export function maskedCotangentSums(
  g: Float64Array,
  x: Float64Array,
  { n, c, s, from = 0, to = c }: ChannelBlock,
  { values }: ValidPositions,
  mean: Float64Array,
  sumG: Float64Array,
  sumGC: Float64Array,
): void {
  sumG.fill(0, from, to);
  sumGC.fill(0, from, to);
  for (let i = 0; i < n; i++) {
    for (let j = from; j < to; j++) {
      const at = (i * c + j) * s;
      const m = mean[j];
      let sum = 0;
      let products = 0;
      for (let p = 0; p < s; p++) {
        if (values[i * s + p] === 0) continue;
        sum += g[at + p];
        products += g[at + p] * (x[at + p] - m);
      }
      sumG[j] += sum;
      sumGC[j] += products;
    }
  }
}

/** dx = p·g + q·(x − mean) + r, by channel. */
export function maskedGradient(
  g: Float64Array,
  x: Float64Array,
  { n, c, s, from = 0, to = c }: ChannelBlock,
  { values }: ValidPositions,
  mean: Float64Array,
  p: Float64Array,
  q: Float64Array,
  r: Float64Array,
  dx: Float64Array,
): void {
  for (let i = 0; i < n; i++) {
    for (let j = from; j < to; j++) {
      const at = (i * c + j) * s;
      const [m, a, b, d] = [mean[j], p[j], q[j], r[j]];
      for (let k = 0; k < s; k++) {
        dx[at + k] = values[i * s + k] === 0 ? 0 : a * g[at + k] + b * (x[at + k] - m) + d;
      }
    }
  }
}
