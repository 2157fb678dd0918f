/** Batch norm, and its passes over images one by one; in memory order and two lanes wide. */
import { type Door, door, inParts, kernelsOn } from "../door.ts";
import * as plain from "./batch_norm_plain.ts";
import type { ChannelSizes, ChannelStatistics, ValidPositions } from "./batch_norm_plain.ts";
import * as after from "./batch_norm_relu_plain.ts";
import {
  copyIn,
  copyOut,
  type Kernels,
  place,
  scratch,
  takeBack,
  teamFor,
} from "../../runtime/instance.ts";
import type { KernelName } from "../../runtime/module.ts";
import { ownScratch, THREAD_SCRATCH } from "../../runtime/threads.ts";

/** An array [n, c, …]: its address, 0 for one that is absent, and how many values a channel of an image has. */
interface Plane {
  readonly at: number;
  readonly size: number;
}

function planes(size: number, ...arrays: readonly (Float64Array | null)[]): Plane[] {
  return arrays.map((array) => ({ at: array === null ? 0 : array.byteOffset, size }));
}

/**
 * Runs a kernel over all channels: at once, or on threads that take some channels each. Its arguments are
 * the arrays [n, c, …], the sizes, `options`, arrays of one value per channel, 0 for those that are absent, and
 * where there is `own` scratch memory its address.
 */
function overChannels(
  kernels: Kernels,
  name: KernelName,
  { n, c, s }: ChannelSizes,
  arrays: readonly Plane[],
  options: readonly number[],
  channels: readonly number[],
  own: number | null = null,
): void {
  // Threads take negative numbers for addresses of their own, and have only so much scratch memory.
  const alone = options.some((option) => option < 0) ||
    (own !== null && 16 * s + 48 > THREAD_SCRATCH);
  const team = alone ? null : teamFor(n * c * s * arrays.length);
  // As many channels in a part as the sizes say. Of rows whole trips of the kernel, and a kibibyte or more:
  // memory is slow where only a little of a row is read.
  const grain = s === 1 ? 128 : 1;
  inParts(kernels, name, team, c, Math.ceil(c / 16 / grain) * grain, (from, count, threaded) => [
    ...arrays.map(({ at, size }) => at === 0 ? 0 : at + 8 * from * size),
    n,
    count,
    s,
    c * s,
    ...options,
    ...channels.map((at) => at === 0 ? 0 : at + 8 * from),
    ...(own === null ? [] : [threaded ? ownScratch(0) : own]),
  ]);
}

/**
 * Addresses for `count` arrays of one value per channel, from one on: those that are given are copied there, and
 * the addresses of those that are `null` become 0.
 */
function placeChannels(
  at: number,
  bytes: number,
  count: number,
  given: readonly (Float64Array | null)[],
): number[] {
  return Array.from({ length: count }, (_, i) => {
    const array = given[i];
    if (array === null) return 0;
    if (array !== undefined) copyIn(array, at + i * bytes);
    return at + i * bytes;
  });
}

/**
 * Runs a kernel over images one by one; false where it has to be the plain one. By channel it takes the arrays
 * given, those made, which are copied back, and `spare` more for its own use.
 */
function overImages(
  name: KernelName,
  sizes: ChannelSizes,
  arrays: readonly [Float64Array, ...Float64Array[]],
  given: readonly Float64Array[],
  made: readonly Float64Array[] = [],
  spare = 0,
): boolean {
  const kernels = kernelsOn(...arrays);
  if (kernels === null) return false;
  const bytes = 8 * sizes.c;
  const count = given.length + made.length + spare;
  const places = placeChannels(scratch(count * bytes), bytes, count, given);
  // Without a mask, and without a floor: an argument that is missing counts as NaN.
  overChannels(kernels, name, sizes, planes(sizes.s, ...arrays), [], places);
  made.forEach((array, i) => copyOut(places[given.length + i], array));
  return true;
}

/** Mean (mean + low) and biased variance of each channel. */
export const batchStatistics: Door<typeof plain.batchStatistics> = /* @__PURE__ */ door(
  plain.batchStatistics,
  (x, sizes, mean, low, variance) =>
    overImages("imageStatistics", sizes, [x], [], [mean, low, variance], 2),
);

/** y = (x − mean)·scale + shift, by channel. */
export const channelAffine: Door<typeof plain.channelAffine> = /* @__PURE__ */ door(
  plain.channelAffine,
  (x, sizes, mean, scale, shift, y) =>
    overImages("imageAffine", sizes, [x, y], [mean, scale, shift]),
);

/** sumG = Σ g and sumGC = Σ g·(x − mean), by channel. */
export const cotangentSums: Door<typeof plain.cotangentSums> = /* @__PURE__ */ door(
  plain.cotangentSums,
  (g, x, sizes, mean, sumG, sumGC) =>
    overImages("imageCotangentSums", sizes, [g, x], [mean], [sumG, sumGC], 2),
);

/** dx = p·g + q·(x − mean) + r, by channel. */
export const channelGradient: Door<typeof plain.channelGradient> = /* @__PURE__ */ door(
  plain.channelGradient,
  (g, x, sizes, mean, p, q, r, dx) =>
    overImages("imageInputGradient", sizes, [g, x, dx], [mean, p, q, r]),
);

/** y = (x − μ)·inv·weight + bias with inv = 1/√(σ² + eps); 0 where it is not valid. */
export const batchNormForward: Door<typeof plain.batchNormForward> = /* @__PURE__ */ door(
  plain.batchNormForward,
  (x, weight, bias, y, statistics, sizes, eps, useBatch, valid = null) =>
    forward(x, weight, bias, y, statistics, sizes, eps, useBatch, valid, null),
);

/** relu(batch norm + residual), of 2 × 2 windows the largest with a `width` other than 0. */
export const batchNormReluForward: Door<typeof after.batchNormReluForward> = /* @__PURE__ */ door(
  after.batchNormReluForward,
  (x, weight, bias, y, statistics, sizes, eps, useBatch, following) =>
    forward(x, weight, bias, y, statistics, sizes, eps, useBatch, null, following),
);

function forward(
  x: Float64Array,
  weight: Float64Array | null,
  bias: Float64Array | null,
  y: Float64Array,
  { mean, low, variance, invStd, shift }: ChannelStatistics & { readonly shift?: Float64Array },
  sizes: ChannelSizes,
  eps: number,
  useBatch: boolean,
  valid: ValidPositions | null,
  following: after.Following | null,
): boolean {
  const kernels = kernelsAround(x, y, following);
  if (kernels === null) return false;
  const given = [weight, bias, ...(useBatch ? [] : [mean, low, variance])];
  const { places, outer, mask, then, own } = layOut(sizes, 8, given, y, valid, following);
  const arrays = [...planes(sizes.s, x, following?.residual ?? null), outer];
  const together = plain.channelsTogether(sizes);
  const options = [together, ...mask, Number(useBatch), eps, ...then];
  overChannels(kernels, "batchNormForward", sizes, arrays, options, places, own);
  if (useBatch) {
    copyOut(places[2], mean);
    copyOut(places[3], low);
    copyOut(places[4], variance);
  }
  copyOut(places[5], invStd);
  if (shift !== undefined) copyOut(places[7], shift);
  takeBack(y, outer.at);
  return true;
}

/** db = Σg; dw = Σ g·x̂; dx = w·inv·(g − S(g) − x̂·S(g·x̂)), without statistics dx = w·inv·g. */
export const batchNormBackward: Door<typeof plain.batchNormBackward> = /* @__PURE__ */ door(
  plain.batchNormBackward,
  (g, x, weight, statistics, dx, dw, db, sizes, useBatch, valid = null) =>
    backward(g, x, weight, statistics, null, dx, dw, db, sizes, useBatch, valid, null),
);

/** {@linkcode batchNormBackward} from the cotangent of what follows; that of the sum goes to `routed`. */
export const batchNormReluBackward: Door<typeof after.batchNormReluBackward> = /* @__PURE__ */ door(
  after.batchNormReluBackward,
  (g, x, weight, statistics, routed, dx, dw, db, sizes, useBatch, following) =>
    backward(g, x, weight, statistics, routed, dx, dw, db, sizes, useBatch, null, following),
);

function backward(
  g: Float64Array,
  x: Float64Array,
  weight: Float64Array | null,
  { mean, low, invStd, shift }: Omit<ChannelStatistics, "variance"> & {
    readonly shift?: Float64Array;
  },
  routed: Float64Array | null,
  dx: Float64Array | null,
  dw: Float64Array | null,
  db: Float64Array | null,
  sizes: ChannelSizes,
  useBatch: boolean,
  valid: ValidPositions | null,
  following: after.Following | null,
): boolean {
  const kernels = kernelsAround(x, g, following, routed, dx);
  if (kernels === null) return false;
  const given = [weight, shift ?? null, mean, low, invStd];
  const { places, outer, mask, then, own } = layOut(sizes, 12, given, g, valid, following);
  const arrays = [outer, ...planes(sizes.s, x, following?.residual ?? null, routed, dx)];
  const together = plain.channelsTogether(sizes);
  const sums = dw !== null || db !== null || useBatch;
  const options = [together, ...mask, Number(useBatch), Number(sums), ...then];
  overChannels(kernels, "batchNormBackward", sizes, arrays, options, places, own);
  if (db !== null) copyOut(places[5], db);
  if (dw !== null) copyOut(places[6], dw);
  return true;
}

/**
 * The kernels, if all arrays of x's size are theirs.
 *
 * @param outer y or its cotangent: pooled values may be too few to lie in the pool.
 */
function kernelsAround(
  x: Float64Array,
  outer: Float64Array,
  following: after.Following | null,
  routed: Float64Array | null = null,
  dx: Float64Array | null = null,
): Kernels | null {
  if (x.length === 0) return null;
  const pooled = following !== null && following.width > 0;
  return kernelsOn(x, routed, dx, following?.residual ?? null, pooled ? null : outer);
}

/** What both kernels take besides x and its like. */
interface Layout {
  /** The addresses of arrays of one value per channel. */
  readonly places: readonly number[];
  /** y or its cotangent. */
  readonly outer: Plane;
  /** The mask's address and what it counts. */
  readonly mask: readonly number[];
  /** Whether something follows, and what is pooled. */
  readonly then: readonly number[];
  /** The address of the kernel's own scratch memory, if it needs some. */
  readonly own: number | null;
}

/** Lays out scratch memory, with `count` arrays of one value per channel. */
function layOut(
  sizes: ChannelSizes,
  count: number,
  given: readonly (Float64Array | null)[],
  outer: Float64Array,
  valid: ValidPositions | null,
  following: after.Following | null,
): Layout {
  const bytes = 8 * sizes.c;
  const ownBytes = following === null ? 0 : 16 * sizes.s + 48;
  const copied = [valid?.values ?? null, outer];
  const [maskAt, at, start] = place(copied, count * bytes + ownBytes);
  return {
    places: placeChannels(start, bytes, count, given),
    outer: { at, size: outer.length / sizes.n / sizes.c },
    mask: [maskAt, valid?.count ?? sizes.n * sizes.s],
    then: [Number(following !== null), following?.width ?? 0],
    own: following === null ? null : start + count * bytes,
  };
}
