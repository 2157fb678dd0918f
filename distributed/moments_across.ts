/**
 * The moments of a batch that several processes share, by channel.
 */
import type { Tensor } from "../autograd/mod.ts";
import { valuesOf } from "../autograd/internal.ts";

/** Sums over all processes that share a batch; every one of them has to call, in the same order. */
export interface Processes {
  /** How many there are. */
  readonly size: number;
  /** Sums arrays, in place, off the tape; all get the same bits. */
  sum(values: Float64Array): void;
  /** Sums tensors, on the tape. */
  sumTensor(x: Tensor): Tensor;
}

/** Moments by channel: the exact means are mean + low, the variances biased. */
export interface ChannelMoments {
  readonly mean: Float64Array;
  readonly low: Float64Array;
  readonly variance: Float64Array;
}

/** The square of the mean's distance from the shift may be so many variances: that costs a digit. */
const FARTHEST = 16;
/** Below this part of the shift a distance is rounding. */
const ROUNDING = 2 ** -50;
const MOST_ROUNDS = 4;
/** Marks of shifts are smaller: their squares over 4096 processes sum up exactly. */
const MARKS = 2 ** 14;

/**
 * Replaces the moments of the own share by those of all shares together, and returns the number of values in
 * each channel of all. Shares may differ in size and be empty.
 *
 * With a shift K that all processes know and d = mean − K, Chan's rule for any number of shares is one sum of
 * 2C + 1 numbers, N = Σn, N·D = Σ n·d, and Σ n·(σ² + d²): the mean is K + D, the variance Σ n·(σ² + d²)/N −
 * D². That is exact enough where D is no more than a few deviations. If it is more, as in the first batch of
 * data far from 0, one more sum is taken, with K + D as the shift; all processes see the same numbers and so
 * decide alike.
 *
 * @param count Values in each channel of the own share.
 * @param own The moments of the own share; written.
 * @param shift A guess at the mean, of running statistics perhaps. Processes that guess differently notice
 * and begin again at 0.
 * @see Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for Computing Sample Variances,
 * 1979.
 */
export function mergeMoments(
  processes: Processes,
  count: number,
  own: ChannelMoments,
  shift: Float64Array | null,
): number {
  const { mean, low, variance } = own;
  const c = mean.length;
  let high = shift === null ? new Float64Array(c) : shift.map((k) => Number.isFinite(k) ? k : 0);
  let rest = new Float64Array(c);
  const message = new Float64Array(2 * c + 3);
  for (let round = 1;; round++) {
    for (let j = 0; j < c; j++) {
      const isFinite = Number.isFinite(mean[j]);
      const d = isFinite ? mean[j] - high[j] + (low[j] - rest[j]) : mean[j];
      message[j] = count === 0 ? 0 : count * d;
      message[c + j] = count === 0 ? 0 : count * (variance[j] + d * d);
    }
    const mark = round === 1 ? markOf(high) : 0;
    message.set([count, mark, mark * mark], 2 * c);
    processes.sum(message);
    const [total, marks, squares] = message.subarray(2 * c);
    // Σm² · n = (Σm)² only where all m are equal.
    if (squares * processes.size !== marks * marks) {
      high = new Float64Array(c);
      continue;
    }
    if (round < MOST_ROUNDS && isFar(message, total, high)) {
      [high, rest] = moved(high, rest, message, total);
      continue;
    }
    const moments = moved(high, rest, message, total);
    mean.set(moments[0]);
    low.set(moments[1]);
    for (let j = 0; j < c; j++) {
      const d = message[j] / total;
      variance[j] = total === 0 ? 0 : Math.max(message[c + j] / total - d * d, 0);
    }
    return total;
  }
}

/** Whether a mean is too far from the shift for its variance. */
function isFar(message: Float64Array, total: number, high: Float64Array): boolean {
  const c = high.length;
  for (let j = 0; j < c; j++) {
    const d = message[j] / total;
    const variance = message[c + j] / total - d * d;
    // A NaN is not far: no shift would help.
    if (d * d > FARTHEST * variance && Math.abs(d) > ROUNDING * Math.abs(high[j])) return true;
  }
  return false;
}

/** high + rest + D in two parts. */
function moved(
  high: Float64Array,
  rest: Float64Array,
  message: Float64Array,
  total: number,
): [high: Float64Array<ArrayBuffer>, rest: Float64Array<ArrayBuffer>] {
  const [sum, low] = [new Float64Array(high.length), new Float64Array(high.length)];
  for (let j = 0; j < sum.length; j++) {
    const step = rest[j] + (total === 0 ? 0 : message[j] / total);
    sum[j] = high[j] + step;
    low[j] = Number.isFinite(sum[j]) ? high[j] - sum[j] + step : 0;
  }
  return [sum, low];
}

/** A number of a few bits that differs where shifts do. */
function markOf(shift: Float64Array): number {
  const words = new Uint32Array(Float64Array.from(shift).buffer);
  let hash = 17;
  for (const word of words) hash = Math.imul(hash ^ word, 0x9e3779b1) ^ (hash >>> 15);
  return ((hash ^ (hash >>> 17)) >>> 0) % MARKS;
}

/** The values of an optional shift. */
export function shiftOf(running: Tensor | null): Float64Array | null {
  return running === null ? null : valuesOf(running);
}
