/** Batch norm, and its passes over images one by one; in memory order and two lanes wide. */
import { type Door, door } from "../door.ts";
import * as plain from "./batch_norm_plain.ts";
import type { ChannelSizes, ValidPositions } from "./batch_norm_plain.ts";
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

/** Copies arrays of one value per channel to scratch. The addresses of those that are absent become 0. */
function placeChannels(places: number[], arrays: readonly (Float64Array | null)[]): void {
  arrays.forEach((array, i) => {
    if (array === null) places[i] = 0;
    else copyIn(array, places[i]);
  });
}

/**
 * Runs a kernel over all channels: at once, or on threads that take some channels each. Its arguments are
 * the arrays [n, c, s], the sizes, `options` and arrays of one value per channel, 0 for those that are absent.
 */
function overChannels(
  kernels: Kernels,
  name: KernelName,
  { n, c, s }: ChannelSizes,
  arrays: readonly number[],
  options: readonly number[],
  channels: readonly number[],
): void {
  const shifted = (addresses: readonly number[], bytes: number): number[] =>
    addresses.map((address) => address === 0 ? 0 : address + bytes);
  const call = (from: number, count: number): number[] => [
    ...shifted(arrays, 8 * from * s),
    n,
    count,
    s,
    c * s,
    ...options,
    ...shifted(channels, 8 * from),
  ];
  // Threads take negative numbers for addresses of their own.
  const team = options.some((option) => option < 0) ? null : teamFor(n * c * s * arrays.length);
  if (team === null) {
    kernels[name](...call(0, c));
    return;
  }
  // As many channels in a chunk as the sizes say, never as the threads do. Of rows whole trips of the kernel,
  // and a kibibyte or more: memory is slow where only a little of a row is read.
  const grain = s === 1 ? 128 : 1;
  const count = Math.ceil(c / 16 / grain) * grain;
  const calls: number[][] = [];
  for (let from = 0; from < c; from += count) calls.push(call(from, Math.min(count, c - from)));
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
    overChannels(kernels, "imageStatistics", sizes, [x.byteOffset], [], placesFrom(at, bytes, 5));
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
    overChannels(kernels, "imageAffine", sizes, [x.byteOffset, y.byteOffset], [], places);
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
    const arrays = [g.byteOffset, x.byteOffset];
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
    const arrays = [g.byteOffset, x.byteOffset, dx.byteOffset];
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
    const { mean, low, variance, invStd } = statistics;
    const bytes = 8 * sizes.c;
    const at = scratch(8 * bytes + maskBytes(valid));
    const places = placesFrom(at, bytes, 8);
    placeChannels(places, [weight, bias, ...(useBatch ? [] : [mean, low, variance])]);
    const arrays = [x.byteOffset, y.byteOffset];
    const step = plain.channelsTogether(sizes);
    const options = [step, ...placeMask(valid, at + 8 * bytes, sizes), Number(useBatch), eps];
    overChannels(kernels, "batchNormForward", sizes, arrays, options, places);
    if (useBatch) {
      copyOut(places[2], mean);
      copyOut(places[3], low);
      copyOut(places[4], variance);
    }
    copyOut(places[5], invStd);
    return true;
  },
);

/** db = Σg; dw = Σ g·x̂; dx = w·inv·(g − S(g) − x̂·S(g·x̂)), without statistics dx = w·inv·g. */
export const batchNormBackward: Door<typeof plain.batchNormBackward> = /* @__PURE__ */ door(
  plain.batchNormBackward,
  (g, x, weight, statistics, dx, dw, db, sizes, useBatch, valid = null) => {
    const kernels = inPool(x) && sizes.c > 0 && (dx === null || inPool(dx)) ? kernelsFor(g) : null;
    if (kernels === null) return false;
    const bytes = 8 * sizes.c;
    const at = scratch(11 * bytes + maskBytes(valid));
    const places = placesFrom(at, bytes, 11);
    placeChannels(places, [weight, statistics.mean, statistics.low, statistics.invStd]);
    const arrays = [g.byteOffset, x.byteOffset, dx === null ? 0 : dx.byteOffset];
    const sums = dw !== null || db !== null || useBatch;
    const mask = placeMask(valid, at + 11 * bytes, sizes);
    const options = [plain.channelsTogether(sizes), ...mask, Number(useBatch), Number(sums)];
    overChannels(kernels, "batchNormBackward", sizes, arrays, options, places);
    if (db !== null) copyOut(places[4], db);
    if (dw !== null) copyOut(places[5], dw);
    return true;
  },
);
