/**
 * Statistics and affine maps by channel, for arrays of layout [n, c, s]: images, channels, positions.
 * They walk in memory order, whatever the channel.
 *
 * The mean comes in two parts, `mean` and the much smaller `low`: x − mean is exact where x lies near
 * the mean, so a large mean costs no digits.
 */
import {
  maskedAffine,
  maskedCotangentSums,
  maskedGradient,
  maskedStatistics,
  type ValidPositions,
} from "./masked_batch_norm.ts";

/** The layout of an array: n images of c channels of s positions. */
export interface ChannelSizes {
  /** Images. */
  readonly n: number;
  /** Channels. */
  readonly c: number;
  /** Positions in a channel of an image. */
  readonly s: number;
}

/** The channels `from` to `to` − 1 of an array; all where left out. */
export interface ChannelBlock extends ChannelSizes {
  readonly from?: number;
  readonly to?: number;
}

/**
 * Mean (mean + low) and biased variance of each channel, by the corrected two-pass formula:
 * with m ≈ S(x), d = S(x − m): mean = m + d, variance = S((x − m)²) − d².
 */
export function batchStatistics(
  x: Float64Array,
  { n, c, s, from = 0, to = c }: ChannelBlock,
  mean: Float64Array,
  low: Float64Array,
  variance: Float64Array,
): void {
  const count = n * s;
  mean.fill(0, from, to);
  low.fill(0, from, to);
  variance.fill(0, from, to);
  for (let i = 0; i < n; i++) {
    let at = (i * c + from) * s;
    for (let j = from; j < to; j++) {
      let sum = 0;
      for (const end = at + s; at < end; at++) sum += x[at];
      mean[j] += sum;
    }
  }
  for (let j = from; j < to; j++) mean[j] /= count;
  for (let i = 0; i < n; i++) {
    let at = (i * c + from) * s;
    for (let j = from; j < to; j++) {
      const m = mean[j];
      let sum = 0;
      let squares = 0;
      for (const end = at + s; at < end; at++) {
        const centered = x[at] - m;
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
export function channelAffine(
  x: Float64Array,
  { n, c, s, from = 0, to = c }: ChannelBlock,
  mean: Float64Array,
  scale: Float64Array,
  shift: Float64Array,
  y: Float64Array,
): void {
  for (let i = 0; i < n; i++) {
    let at = (i * c + from) * s;
    for (let j = from; j < to; j++) {
      const m = mean[j];
      const a = scale[j];
      const b = shift[j];
      for (const end = at + s; at < end; at++) y[at] = (x[at] - m) * a + b;
    }
  }
}

/** sumG = Σ g and sumGC = Σ g·(x − mean), by channel. */
export function cotangentSums(
  g: Float64Array,
  x: Float64Array,
  { n, c, s, from = 0, to = c }: ChannelBlock,
  mean: Float64Array,
  sumG: Float64Array,
  sumGC: Float64Array,
): void {
  sumG.fill(0, from, to);
  sumGC.fill(0, from, to);
  for (let i = 0; i < n; i++) {
    let at = (i * c + from) * s;
    for (let j = from; j < to; j++) {
      const m = mean[j];
      let sum = 0;
      let products = 0;
      for (const end = at + s; at < end; at++) {
        sum += g[at];
        products += g[at] * (x[at] - m);
      }
      sumG[j] += sum;
      sumGC[j] += products;
    }
  }
}

/** dx = p·g + q·(x − mean) + r, by channel. */
export function channelGradient(
  g: Float64Array,
  x: Float64Array,
  { n, c, s, from = 0, to = c }: ChannelBlock,
  mean: Float64Array,
  p: Float64Array,
  q: Float64Array,
  r: Float64Array,
  dx: Float64Array,
): void {
  for (let i = 0; i < n; i++) {
    let at = (i * c + from) * s;
    for (let j = from; j < to; j++) {
      const m = mean[j];
      const a = p[j];
      const b = q[j];
      const d = r[j];
      for (const end = at + s; at < end; at++) dx[at] = a * g[at] + b * (x[at] - m) + d;
    }
  }
}

/** What a batch norm knows of each channel; all written by a forward that uses the batch. */
export interface ChannelStatistics {
  /** The mean, and what is lost of it by rounding. */
  readonly mean: Float64Array;
  readonly low: Float64Array;
  /** The biased variance; only a forward asks for it. */
  readonly variance: Float64Array;
  /** 1/√(variance + eps). */
  readonly invStd: Float64Array;
}

/** What one pass leaves in the second-level cache for the next. */
const CACHE_BYTES = 2 ** 19;

/**
 * How many channels are read from memory once: the second pass over them finds them in the cache. Rows of
 * single positions are walked as a whole.
 */
export function channelsTogether({ n, c, s }: ChannelSizes): number {
  return s === 1 ? Math.max(c, 1) : Math.max(1, Math.floor(CACHE_BYTES / (8 * n * s)));
}

/**
 * y = (x − μ)·inv·weight + bias with inv = 1/√(σ² + eps), 0 for a constant channel without eps. Unless
 * `useBatch`, mean, low and variance are given. Positions that are not valid have no part in the
 * statistics, and y is 0 there.
 */
export function batchNormForward(
  x: Float64Array,
  weight: Float64Array | null,
  bias: Float64Array | null,
  y: Float64Array,
  { mean, low, variance, invStd }: ChannelStatistics,
  sizes: ChannelSizes,
  eps: number,
  useBatch: boolean,
  valid: ValidPositions | null = null,
): void {
  const scale = new Float64Array(sizes.c);
  const shift = new Float64Array(sizes.c);
  const step = channelsTogether(sizes);
  for (let from = 0; from < sizes.c; from += step) {
    const block = { ...sizes, from, to: Math.min(from + step, sizes.c) };
    if (useBatch) {
      if (valid === null) batchStatistics(x, block, mean, low, variance);
      else maskedStatistics(x, block, valid, mean, low, variance);
    }
    for (let c = from; c < block.to; c++) {
      const below = variance[c] + eps;
      invStd[c] = useBatch && below === 0 ? 0 : 1 / Math.sqrt(below);
      scale[c] = invStd[c] * (weight === null ? 1 : weight[c]);
      shift[c] = (bias === null ? 0 : bias[c]) - low[c] * scale[c];
    }
    if (valid === null) channelAffine(x, block, mean, scale, shift, y);
    else maskedAffine(x, block, valid, mean, scale, shift, y);
  }
}

/**
 * db = Σg; dw = Σ g·x̂; dx = w·inv·(g − S(g) − x̂·S(g·x̂)), without statistics dx = w·inv·g; each only where
 * there is an array for it. Positions that are not valid have no part in the sums, and dx is 0 there.
 */
export function batchNormBackward(
  g: Float64Array,
  x: Float64Array,
  weight: Float64Array | null,
  { mean, low, invStd }: Omit<ChannelStatistics, "variance">,
  dx: Float64Array | null,
  dw: Float64Array | null,
  db: Float64Array | null,
  sizes: ChannelSizes,
  useBatch: boolean,
  valid: ValidPositions | null = null,
): void {
  const count = valid === null ? sizes.n * sizes.s : valid.count;
  const sums = dw !== null || db !== null || useBatch;
  const [sumG, sumGC, p, q, r] = Array.from({ length: 5 }, () => new Float64Array(sizes.c));
  const step = channelsTogether(sizes);
  for (let from = 0; from < sizes.c; from += step) {
    const block = { ...sizes, from, to: Math.min(from + step, sizes.c) };
    if (sums) {
      if (valid === null) cotangentSums(g, x, block, mean, sumG, sumGC);
      else maskedCotangentSums(g, x, block, valid, mean, sumG, sumGC);
    }
    for (let c = from; c < block.to; c++) {
      const sumGX = count === 0 ? 0 : invStd[c] * (sumGC[c] - low[c] * sumG[c]);
      if (dw !== null) dw[c] = sumGX;
      if (db !== null) db[c] = sumG[c];
      p[c] = invStd[c] * (weight === null ? 1 : weight[c]);
      if (useBatch && count > 0) {
        q[c] = -p[c] * invStd[c] * sumGX / count;
        r[c] = -p[c] * sumG[c] / count - q[c] * low[c];
      }
    }
    if (dx === null) continue;
    if (valid !== null) {
      if (useBatch) maskedGradient(g, x, block, valid, mean, p, q, r, dx);
      else maskedAffine(g, block, valid, r, p, r, dx);
    } else if (useBatch) channelGradient(g, x, block, mean, p, q, r, dx);
    else channelAffine(g, block, r, p, r, dx);
  }
}
