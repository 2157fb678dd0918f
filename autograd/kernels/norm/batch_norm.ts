/** Batch norm, and its passes over images one by one; in memory order and two lanes wide. */
import { type Door, door } from "../door.ts";
import * as plain from "./batch_norm_plain.ts";
import type { ChannelSizes, ChannelStatistics, ValidPositions } from "./batch_norm_plain.ts";
import * as after from "./batch_norm_relu_plain.ts";
import {
  copyIn,
  copyOut,
  inPool,
  type Kernels,
  kernelsFor,
  scratch,
  teamFor,
} from "../../runtime/instance.ts";
import type { KernelName } from "../../runtime/module.ts";
import { ownScratch, THREAD_SCRATCH } from "../../runtime/threads.ts";

/** Copies arrays of one value per channel to scratch. The addresses of those that are absent become 0. */
function placeChannels(places: number[], arrays: readonly (Float64Array | null)[]): void {
  arrays.forEach((array, i) => {
    if (array === null) places[i] = 0;
    else copyIn(array, places[i]);
  });
}

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
  const call = (from: number, count: number, scratch: number | null): number[] => [
    ...arrays.map(({ at, size }) => at === 0 ? 0 : at + 8 * from * size),
    n,
    count,
    s,
    c * s,
    ...options,
    ...channels.map((at) => at === 0 ? 0 : at + 8 * from),
    ...(scratch === null ? [] : [scratch]),
  ];
  // Threads take negative numbers for addresses of their own, and have only so much scratch memory.
  const alone = options.some((option) => option < 0) ||
    (own !== null && 16 * s + 48 > THREAD_SCRATCH);
  const team = alone ? null : teamFor(n * c * s * arrays.length);
  if (team === null) {
    kernels[name](...call(0, c, own));
    return;
  }
  // As many channels in a chunk as the sizes say, never as the threads do. Of rows whole trips of the kernel,
  // and a kibibyte or more: memory is slow where only a little of a row is read.
  const grain = s === 1 ? 128 : 1;
  const count = Math.ceil(c / 16 / grain) * grain;
  const calls: number[][] = [];
  for (let from = 0; from < c; from += count) {
    calls.push(call(from, Math.min(count, c - from), own === null ? null : ownScratch(0)));
  }
  team.run(name, kernels[name], calls);
}

/** So many addresses of `bytes` each, from one on. */
function placesFrom(at: number, bytes: number, count: number): number[] {
  const places: number[] = [];
  for (let i = 0; i < count; i++) places.push(at + i * bytes);
  return places;
}

/** Mean (mean + low) and biased variance of each channel. */
export const batchStatistics: Door<typeof plain.batchStatistics> = /* @__PURE__ */ door(
  plain.batchStatistics,
  (x, sizes, mean, low, variance) => {
    const kernels = kernelsFor(x);
    if (kernels === null) return false;
    const bytes = 8 * sizes.c;
    const at = scratch(5 * bytes);
    overChannels(
      kernels,
      "imageStatistics",
      sizes,
      planes(sizes.s, x),
      [],
      placesFrom(at, bytes, 5),
    );
    copyOut(at, mean);
    copyOut(at + bytes, low);
    copyOut(at + 2 * bytes, variance);
    return true;
  },
);

/** y = (x − mean)·scale + shift, by channel. */
export const channelAffine: Door<typeof plain.channelAffine> = /* @__PURE__ */ door(
  plain.channelAffine,
  (x, sizes, mean, scale, shift, y) => {
    const kernels = inPool(x) ? kernelsFor(y) : null;
    if (kernels === null) return false;
    const bytes = 8 * sizes.c;
    const places = placesFrom(scratch(3 * bytes), bytes, 3);
    placeChannels(places, [mean, scale, shift]);
    // Without a mask, and without a floor: an argument that is missing counts as NaN.
    overChannels(kernels, "imageAffine", sizes, planes(sizes.s, x, y), [], places);
    return true;
  },
);

/** sumG = Σ g and sumGC = Σ g·(x − mean), by channel. */
export const cotangentSums: Door<typeof plain.cotangentSums> = /* @__PURE__ */ door(
  plain.cotangentSums,
  (g, x, sizes, mean, sumG, sumGC) => {
    const kernels = inPool(g) ? kernelsFor(x) : null;
    if (kernels === null) return false;
    const bytes = 8 * sizes.c;
    const m = scratch(5 * bytes);
    copyIn(mean, m);
    const arrays = planes(sizes.s, g, x);
    overChannels(kernels, "imageCotangentSums", sizes, arrays, [], placesFrom(m, bytes, 5));
    copyOut(m + bytes, sumG);
    copyOut(m + 2 * bytes, sumGC);
    return true;
  },
);

/** dx = p·g + q·(x − mean) + r, by channel. */
export const channelGradient: Door<typeof plain.channelGradient> = /* @__PURE__ */ door(
  plain.channelGradient,
  (g, x, sizes, mean, p, q, r, dx) => {
    const kernels = inPool(g) && inPool(x) ? kernelsFor(dx) : null;
    if (kernels === null) return false;
    const bytes = 8 * sizes.c;
    const places = placesFrom(scratch(4 * bytes), bytes, 4);
    placeChannels(places, [mean, p, q, r]);
    const arrays = planes(sizes.s, g, x, dx);
    overChannels(kernels, "imageInputGradient", sizes, arrays, [], places);
    return true;
  },
);

/** The address of a mask and how many it counts; one that lies elsewhere is copied to `at`. */
function placeMask(valid: ValidPositions | null, at: number, { n, s }: ChannelSizes): number[] {
  if (valid === null) return [0, n * s];
  const { values, count } = valid;
  if (inPool(values)) return [values.byteOffset, count];
  copyIn(values, at);
  return [at, count];
}

/** Bytes of scratch memory that a mask may need. */
function maskBytes(valid: ValidPositions | null): number {
  return valid === null ? 0 : valid.values.byteLength;
}

/** y = (x − μ)·inv·weight + bias with inv = 1/√(σ² + eps); 0 where it is not valid. */
export const batchNormForward: Door<typeof plain.batchNormForward> = /* @__PURE__ */ door(
  plain.batchNormForward,
  (x, weight, bias, y, statistics, sizes, eps, useBatch, valid = null) => {
    const kernels = inPool(x) && sizes.c > 0 ? kernelsFor(y) : null;
    if (kernels === null) return false;
    forward(kernels, x, weight, bias, y, statistics, sizes, eps, useBatch, valid, null);
    return true;
  },
);

/** relu(batch norm + residual), of 2 × 2 windows the largest with a `width` other than 0. */
export const batchNormReluForward: Door<typeof after.batchNormReluForward> = /* @__PURE__ */ door(
  after.batchNormReluForward,
  (x, weight, bias, y, statistics, sizes, eps, useBatch, following) => {
    const { residual, width } = following;
    const within = inPool(x) && (residual === null || inPool(residual)) &&
      // The pooled values may be too few to lie in the pool.
      (width > 0 || inPool(y));
    const kernels = within && sizes.c > 0 && sizes.s > 0 ? kernelsFor(x) : null;
    if (kernels === null) return false;
    forward(kernels, x, weight, bias, y, statistics, sizes, eps, useBatch, null, following);
    return true;
  },
);

function forward(
  kernels: Kernels,
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
): void {
  const bytes = 8 * sizes.c;
  const own = following === null ? 0 : 16 * sizes.s + 48;
  const copied = inPool(y) ? 0 : y.byteLength;
  const at = scratch(8 * bytes + maskBytes(valid) + own + copied);
  const places = placesFrom(at, bytes, 8);
  placeChannels(places, [weight, bias, ...(useBatch ? [] : [mean, low, variance])]);
  const behind = at + 8 * bytes + maskBytes(valid);
  const to = copied > 0 ? behind + own : y.byteOffset;
  const arrays = [
    ...planes(sizes.s, x, following?.residual ?? null),
    { at: to, size: y.length / sizes.n / sizes.c },
  ];
  const options = [
    plain.channelsTogether(sizes),
    ...placeMask(valid, at + 8 * bytes, sizes),
    Number(useBatch),
    eps,
    Number(following !== null),
    following?.width ?? 0,
  ];
  overChannels(
    kernels,
    "batchNormForward",
    sizes,
    arrays,
    options,
    places,
    own === 0 ? null : behind,
  );
  if (useBatch) {
    copyOut(places[2], mean);
    copyOut(places[3], low);
    copyOut(places[4], variance);
  }
  copyOut(places[5], invStd);
  if (shift !== undefined) copyOut(places[7], shift);
  if (copied > 0) copyOut(to, y);
}

/** db = Σg; dw = Σ g·x̂; dx = w·inv·(g − S(g) − x̂·S(g·x̂)), without statistics dx = w·inv·g. */
export const batchNormBackward: Door<typeof plain.batchNormBackward> = /* @__PURE__ */ door(
  plain.batchNormBackward,
  (g, x, weight, statistics, dx, dw, db, sizes, useBatch, valid = null) => {
    const kernels = inPool(x) && sizes.c > 0 && (dx === null || inPool(dx)) ? kernelsFor(g) : null;
    if (kernels === null) return false;
    backward(kernels, g, x, weight, statistics, null, dx, dw, db, sizes, useBatch, valid, null);
    return true;
  },
);

/** {@linkcode batchNormBackward} from the cotangent of what follows; that of the sum goes to `routed`. */
export const batchNormReluBackward: Door<typeof after.batchNormReluBackward> = /* @__PURE__ */ door(
  after.batchNormReluBackward,
  (g, x, weight, statistics, routed, dx, dw, db, sizes, useBatch, following) => {
    const { residual, width } = following;
    const within = inPool(x) && inPool(routed) && (dx === null || inPool(dx)) &&
      (residual === null || inPool(residual)) && (width > 0 || inPool(g));
    const kernels = within && sizes.c > 0 && sizes.s > 0 ? kernelsFor(x) : null;
    if (kernels === null) return false;
    backward(
      kernels,
      g,
      x,
      weight,
      statistics,
      routed,
      dx,
      dw,
      db,
      sizes,
      useBatch,
      null,
      following,
    );
    return true;
  },
);

function backward(
  kernels: Kernels,
  g: Float64Array,
  x: Float64Array,
  weight: Float64Array | null,
  statistics: Omit<ChannelStatistics, "variance"> & { readonly shift?: Float64Array },
  routed: Float64Array | null,
  dx: Float64Array | null,
  dw: Float64Array | null,
  db: Float64Array | null,
  sizes: ChannelSizes,
  useBatch: boolean,
  valid: ValidPositions | null,
  following: after.Following | null,
): void {
  const { mean, low, invStd, shift = null } = statistics;
  const bytes = 8 * sizes.c;
  const own = following === null ? 0 : 16 * sizes.s + 48;
  const copied = inPool(g) ? 0 : g.byteLength;
  const at = scratch(12 * bytes + maskBytes(valid) + own + copied);
  const places = placesFrom(at, bytes, 12);
  placeChannels(places, [weight, shift, mean, low, invStd]);
  const behind = at + 12 * bytes + maskBytes(valid);
  const from = copied > 0 ? behind + own : g.byteOffset;
  if (copied > 0) copyIn(g, from);
  const arrays = [
    { at: from, size: g.length / sizes.n / sizes.c },
    ...planes(sizes.s, x, following?.residual ?? null, routed, dx),
  ];
  const options = [
    plain.channelsTogether(sizes),
    ...placeMask(valid, at + 12 * bytes, sizes),
    Number(useBatch),
    Number(dw !== null || db !== null || useBatch),
    Number(following !== null),
    following?.width ?? 0,
  ];
  overChannels(
    kernels,
    "batchNormBackward",
    sizes,
    arrays,
    options,
    places,
    own === 0 ? null : behind,
  );
  if (db !== null) copyOut(places[5], db);
  if (dw !== null) copyOut(places[6], dw);
}
