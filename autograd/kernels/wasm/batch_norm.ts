/** Statistics and affine maps by channel, in memory order and two lanes wide. */
import * as plain from "../plain/batch_norm.ts";
import type { ChannelSizes } from "../plain/batch_norm.ts";
import { copyIn, copyOut, inPool, kernelsFor, scratch } from "./instance.ts";

/** Copies arrays of one value per channel to scratch, one behind the other. */
function placeChannels(at: number, arrays: readonly Float64Array[]): void {
  for (const array of arrays) {
    copyIn(array, at);
    at += array.byteLength;
  }
}

/** Mean (mean + low) and biased variance of each channel. */
export function batchStatistics(
  x: Float64Array,
  sizes: ChannelSizes,
  mean: Float64Array,
  low: Float64Array,
  variance: Float64Array,
): void {
  const kernels = kernelsFor(x);
  if (kernels === null) {
    plain.batchStatistics(x, sizes, mean, low, variance);
    return;
  }
  const { n, c, s } = sizes;
  const bytes = 8 * c;
  const at = scratch(7 * bytes);
  const work = at + 3 * bytes;
  if (s === 1) kernels.rowStatistics(x.byteOffset, n, c, c, at, at + bytes, at + 2 * bytes, work);
  else {
    kernels.imageStatistics(x.byteOffset, n, c, s, c * s, at, at + bytes, at + 2 * bytes, work);
  }
  copyOut(at, mean);
  copyOut(at + bytes, low);
  copyOut(at + 2 * bytes, variance);
}

/** y = (x − mean)·scale + shift, by channel. */
export function channelAffine(
  x: Float64Array,
  sizes: ChannelSizes,
  mean: Float64Array,
  scale: Float64Array,
  shift: Float64Array,
  y: Float64Array,
): void {
  const kernels = inPool(x) ? kernelsFor(y) : null;
  if (kernels === null) {
    plain.channelAffine(x, sizes, mean, scale, shift, y);
    return;
  }
  const { n, c, s } = sizes;
  const bytes = 8 * c;
  const m = scratch(3 * bytes);
  const a = m + bytes;
  const b = a + bytes;
  placeChannels(m, [mean, scale, shift]);
  if (s === 1) kernels.rowAffine(x.byteOffset, y.byteOffset, n, c, c, m, a, b);
  else kernels.imageAffine(x.byteOffset, y.byteOffset, n, c, s, c * s, m, a, b);
}

/** sumG = Σ g and sumGC = Σ g·(x − mean), by channel. */
export function cotangentSums(
  g: Float64Array,
  x: Float64Array,
  sizes: ChannelSizes,
  mean: Float64Array,
  sumG: Float64Array,
  sumGC: Float64Array,
): void {
  const kernels = inPool(g) ? kernelsFor(x) : null;
  if (kernels === null) {
    plain.cotangentSums(g, x, sizes, mean, sumG, sumGC);
    return;
  }
  const { n, c, s } = sizes;
  const bytes = 8 * c;
  const m = scratch(5 * bytes);
  const sums = m + bytes;
  const products = sums + bytes;
  copyIn(mean, m);
  if (s === 1) kernels.rowCotangentSums(g.byteOffset, x.byteOffset, n, c, c, m, sums, products);
  else {
    kernels.imageCotangentSums(
      g.byteOffset,
      x.byteOffset,
      n,
      c,
      s,
      c * s,
      m,
      sums,
      products,
      products + bytes,
    );
  }
  copyOut(sums, sumG);
  copyOut(products, sumGC);
}

/** dx = p·g + q·(x − mean) + r, by channel. */
export function channelGradient(
  g: Float64Array,
  x: Float64Array,
  sizes: ChannelSizes,
  mean: Float64Array,
  p: Float64Array,
  q: Float64Array,
  r: Float64Array,
  dx: Float64Array,
): void {
  const kernels = inPool(g) && inPool(x) ? kernelsFor(dx) : null;
  if (kernels === null) {
    plain.channelGradient(g, x, sizes, mean, p, q, r, dx);
    return;
  }
  const { n, c, s } = sizes;
  const bytes = 8 * c;
  const m = scratch(4 * bytes);
  placeChannels(m, [mean, p, q, r]);
  const rest = [m, m + bytes, m + 2 * bytes, m + 3 * bytes] as const;
  const [from, at, to] = [g.byteOffset, x.byteOffset, dx.byteOffset];
  if (s === 1) kernels.rowInputGradient(from, at, to, n, c, c, ...rest);
  else kernels.imageInputGradient(from, at, to, n, c, s, c * s, ...rest);
}
