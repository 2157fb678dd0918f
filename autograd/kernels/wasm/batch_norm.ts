/** Statistics and affine maps by channel, in memory order and two lanes wide. */
import * as plain from "../plain/batch_norm.ts";
import type { ChannelSizes } from "../plain/batch_norm.ts";
import { copyIn, copyOut, inPool, type Kernels, kernelsFor, scratch, teamFor } from "./instance.ts";
import type { KernelName } from "./module.ts";

/** Fills the values of the channels that were worked on from an address. */
function takeChannels(
  at: number,
  { c, from = 0, to = c }: ChannelSizes,
  values: Float64Array,
): void {
  copyOut(at + 8 * from, to - from === values.length ? values : values.subarray(from, to));
}

/** Copies arrays of one value per channel to scratch, one behind the other. */
function placeChannels(at: number, arrays: readonly Float64Array[]): void {
  for (const array of arrays) {
    copyIn(array, at);
    at += array.byteLength;
  }
}

/**
 * Runs a kernel over the channels: at once, or on threads that take some channels each. Its arguments are
 * the arrays [n, c, s] as addresses, the sizes, and arrays of one value per channel as addresses; the
 * kernels of images take those of `blocks` too.
 */
function overChannels(
  kernels: Kernels,
  image: KernelName,
  row: KernelName,
  { n, c, s, from = 0, to = c }: ChannelSizes,
  arrays: readonly number[],
  channels: readonly number[],
  blocks: readonly number[] = [],
): void {
  const name = s === 1 ? row : image;
  const call = (first: number, count: number): number[] => [
    ...arrays.map((array) => array + 8 * first * s),
    n,
    count,
    ...(s === 1 ? [c] : [s, c * s]),
    ...(s === 1 ? channels : [...channels, ...blocks]).map((array) => array + 8 * first),
  ];
  const team = teamFor(n * (to - from) * s * arrays.length);
  if (team === null) {
    kernels[name](...call(from, to - from));
    return;
  }
  // Whole vectors of channels, and as many in a chunk as the sizes say: never as the threads do.
  const grain = s === 1 ? 16 : 1;
  const count = Math.ceil((to - from) / 16 / grain) * grain;
  const calls: number[][] = [];
  for (let first = from; first < to; first += count) {
    calls.push(call(first, Math.min(count, to - first)));
  }
  team.run(name, kernels[name], calls);
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
  const bytes = 8 * sizes.c;
  const at = scratch(5 * bytes);
  const results = [at, at + bytes, at + 2 * bytes];
  const blocks = [at + 3 * bytes, at + 4 * bytes];
  overChannels(
    kernels,
    "imageStatistics",
    "rowStatistics",
    sizes,
    [x.byteOffset],
    results,
    blocks,
  );
  takeChannels(at, sizes, mean);
  takeChannels(at + bytes, sizes, low);
  takeChannels(at + 2 * bytes, sizes, variance);
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
  const bytes = 8 * sizes.c;
  const m = scratch(3 * bytes);
  placeChannels(m, [mean, scale, shift]);
  const arrays = [x.byteOffset, y.byteOffset];
  overChannels(kernels, "imageAffine", "rowAffine", sizes, arrays, [m, m + bytes, m + 2 * bytes]);
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
  const bytes = 8 * sizes.c;
  const m = scratch(5 * bytes);
  copyIn(mean, m);
  const arrays = [g.byteOffset, x.byteOffset];
  const channels = [m, m + bytes, m + 2 * bytes];
  overChannels(
    kernels,
    "imageCotangentSums",
    "rowCotangentSums",
    sizes,
    arrays,
    channels,
    [m + 3 * bytes, m + 4 * bytes],
  );
  takeChannels(m + bytes, sizes, sumG);
  takeChannels(m + 2 * bytes, sizes, sumGC);
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
  const bytes = 8 * sizes.c;
  const m = scratch(4 * bytes);
  placeChannels(m, [mean, p, q, r]);
  const arrays = [g.byteOffset, x.byteOffset, dx.byteOffset];
  const channels = [m, m + bytes, m + 2 * bytes, m + 3 * bytes];
  overChannels(kernels, "imageInputGradient", "rowInputGradient", sizes, arrays, channels);
}
