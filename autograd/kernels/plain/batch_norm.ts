/**
 * Statistics and affine maps by channel, for arrays of layout [n, c, s]: images, channels, positions.
 * They walk in memory order, whatever the channel.
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
  /** The channels to work on, `from` to `to` − 1; all where left out. */
  readonly from?: number;
  readonly to?: number;
}

/**
 * Mean (mean + low) and biased variance of each channel, by the corrected two-pass formula:
 * with m ≈ S(x), d = S(x − m): mean = m + d, variance = S((x − m)²) − d².
 */
export function batchStatistics(
  x: Float64Array,
  { n, c, s, from = 0, to = c }: ChannelSizes,
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
  { n, c, s, from = 0, to = c }: ChannelSizes,
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
  { n, c, s, from = 0, to = c }: ChannelSizes,
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
  { n, c, s, from = 0, to = c }: ChannelSizes,
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
