/**
 * Statistics and affine maps by channel, for arrays of layout [n, c, s]: images, channels, positions.
 * They walk in memory order, whatever the channel. What stands at positions that are not valid, be it NaN,
 * enters no sum; outputs are 0 there.
 *
 * The mean comes in two parts, `mean` and the much smaller `low`: x − mean is exact where x lies near
 * the mean, so a large mean costs no digits.
 */
/** The layout of an array: n images of c channels of s positions. */
export interface ChannelSizes {
  /** Images. */
  readonly n: number;
  /** Channels. */
  readonly c: number;
  /** Positions in a channel of an image. */
  readonly s: number;
}

/** The positions that count. */
export interface ValidPositions {
  /** 1 for those that count and 0 for the others, [n, s]. */
  readonly values: Float64Array;
  /** How many ones there are. */
  readonly count: number;
}

/** The channels `from` to `to` − 1 of an array; all where left out. */
interface ChannelBlock extends ChannelSizes {
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
  valid: ValidPositions | null = null,
): void {
  const mask = valid === null ? null : valid.values;
  const count = valid === null ? n * s : valid.count;
  mean.fill(0, from, to);
  low.fill(0, from, to);
  variance.fill(0, from, to);
  for (let i = 0; i < n; i++) {
    for (let j = from; j < to; j++) {
      const at = (i * c + j) * s;
      let sum = 0;
      for (let k = 0; k < s; k++) if (mask === null || mask[i * s + k] !== 0) sum += x[at + k];
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
      for (let k = 0; k < s; k++) {
        if (mask !== null && mask[i * s + k] === 0) continue;
        const centered = x[at + k] - m;
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
  valid: ValidPositions | null = null,
): void {
  const mask = valid === null ? null : valid.values;
  for (let i = 0; i < n; i++) {
    for (let j = from; j < to; j++) {
      const at = (i * c + j) * s;
      const m = mean[j];
      const a = scale[j];
      const b = shift[j];
      for (let k = 0; k < s; k++) {
        y[at + k] = mask !== null && mask[i * s + k] === 0 ? 0 : (x[at + k] - m) * a + b;
      }
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
  valid: ValidPositions | null = null,
): void {
  const mask = valid === null ? null : valid.values;
  sumG.fill(0, from, to);
  sumGC.fill(0, from, to);
  for (let i = 0; i < n; i++) {
    for (let j = from; j < to; j++) {
      const at = (i * c + j) * s;
      const m = mean[j];
      let sum = 0;
      let products = 0;
      for (let k = 0; k < s; k++) {
        if (mask !== null && mask[i * s + k] === 0) continue;
        sum += g[at + k];
        products += g[at + k] * (x[at + k] - m);
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
  valid: ValidPositions | null = null,
): void {
  const mask = valid === null ? null : valid.values;
  for (let i = 0; i < n; i++) {
    for (let j = from; j < to; j++) {
      const at = (i * c + j) * s;
      const m = mean[j];
      const a = p[j];
      const b = q[j];
      const d = r[j];
      for (let k = 0; k < s; k++) {
        dx[at + k] = mask !== null && mask[i * s + k] === 0
          ? 0
          : a * g[at + k] + b * (x[at + k] - m) + d;
      }
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
    if (useBatch) batchStatistics(x, block, mean, low, variance, valid);
    for (let c = from; c < block.to; c++) {
      const below = variance[c] + eps;
      invStd[c] = useBatch && below === 0 ? 0 : 1 / Math.sqrt(below);
      scale[c] = invStd[c] * (weight === null ? 1 : weight[c]);
      shift[c] = (bias === null ? 0 : bias[c]) - low[c] * scale[c];
    }
    channelAffine(x, block, mean, scale, shift, y, valid);
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
    if (sums) cotangentSums(g, x, block, mean, sumG, sumGC, valid);
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
    if (useBatch) channelGradient(g, x, block, mean, p, q, r, dx, valid);
    else channelAffine(g, block, r, p, r, dx, valid);
  }
}
