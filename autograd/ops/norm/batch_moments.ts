/**
 * The statistics of a batch by channel: mean and variance, pooled over parts and blended into running ones.
 */
import * as kernels from "../../kernels/mod.ts";
import { type Tensor, valuesOf, write } from "../../tensor.ts";
import { channelSizes } from "./operands.ts";

/** The statistics of one batch, one value per channel. */
export interface BatchMoments {
  /** Values in each channel. */
  readonly count: number;
  /** The means. */
  readonly mean: Float64Array;
  /** What the means lack below their last digit: the exact ones are mean + meanRest. */
  readonly meanRest: Float64Array;
  /** The biased variances. */
  readonly variance: Float64Array;
}

/** Moments from the arrays of a kernel, which gives each mean in two parts, mean + low. */
export function momentsFrom(
  count: number,
  mean: Float64Array,
  low: Float64Array,
  variance: Float64Array,
): BatchMoments {
  // A loop: `map` calls its function for each value. An infinite mean has no low part.
  const whole = new Float64Array(mean.length);
  for (let c = 0; c < mean.length; c++) {
    whole[c] = Number.isFinite(mean[c]) ? mean[c] + low[c] : mean[c];
  }
  return {
    count,
    mean: whole,
    get meanRest() {
      return whole.map((m, c) => Number.isFinite(m) ? mean[c] - m + low[c] : 0);
    },
    variance,
  };
}

/** The variances with n − 1 as their divisor. */
export function unbiasedVariance(moments: BatchMoments): Float64Array {
  const correction = besselsCorrection(moments);
  return moments.variance.map((value) => value * correction);
}

function besselsCorrection({ count }: BatchMoments): number {
  return count / (count - 1);
}

/** Fills the statistics of a forward with running ones. */
export function useRunning(
  mean: Float64Array,
  low: Float64Array,
  variance: Float64Array,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
): void {
  mean.set(valuesOf(runningMean!));
  low.fill(0);
  variance.set(valuesOf(runningVar!));
}

/**
 * running ← (1 − momentum)·running + momentum·batch for mean and unbiased variance, in place: the one place
 * where running statistics move.
 */
export function blend(
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  momentum: number,
  moments: BatchMoments,
): void {
  if (runningMean !== null) blendInto(runningMean, momentum, moments.mean);
  if (runningVar !== null) {
    blendInto(runningVar, momentum, moments.variance, besselsCorrection(moments));
  }
}

/** running ← (1 − momentum)·running + momentum·batch·factor. */
function blendInto(running: Tensor, momentum: number, batch: Float64Array, factor = 1): void {
  write(running, (values) => {
    for (let c = 0; c < values.length; c++) {
      values[c] = (1 - momentum) * values[c] + momentum * (batch[c] * factor);
    }
  });
}

/**
 * Pooled moments by channel: after any number of parts, count, mean and the sum of squared deviations
 * are those of all values together, whatever the split.
 *
 * With δ = mean₂ − mean₁: mean = mean₁ + δ·n₂/n, M₂ = M₂₁ + M₂₂ + δ²·n₁n₂/n. Means keep what lies below
 * their last digit, or the split of data with a large mean would show in the variance.
 *
 * @see Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for Computing Sample
 * Variances, 1979.
 */
export class PooledMoments implements BatchMoments {
  /** Values seen in each channel. */
  count = 0;
  /** The means. */
  readonly mean: Float64Array;
  /** What the means lack below their last digit. */
  readonly meanRest: Float64Array;
  private readonly squares: Float64Array;

  /** No values yet. */
  constructor(channels: number) {
    this.mean = new Float64Array(channels);
    this.meanRest = new Float64Array(channels);
    this.squares = new Float64Array(channels);
  }

  /** Adds the statistics of a part. */
  add({ count, mean, meanRest, variance }: BatchMoments): void {
    const before = this.count;
    const total = before + count;
    if (count === 0) return;
    for (let c = 0; c < this.mean.length; c++) {
      // The first part is copied as it is: δ of an infinite mean would give 0 · ∞.
      if (before === 0) {
        this.mean[c] = mean[c];
        this.meanRest[c] = meanRest[c];
        this.squares[c] = variance[c] * count;
        continue;
      }
      const old = this.mean[c];
      const delta = mean[c] - old + (meanRest[c] - this.meanRest[c]);
      const step = delta * (count / total) + this.meanRest[c];
      this.mean[c] = old + step;
      this.meanRest[c] = old - this.mean[c] + step;
      this.squares[c] += variance[c] * count + delta * delta * (before * count / total);
    }
    this.count = total;
  }

  /** Adds a batch [N, C, …]. */
  addBatch(x: Tensor): void {
    if (x.size === 0) return;
    const sizes = channelSizes(x.shape);
    const [mean, low, variance] = [0, 0, 0].map(() => new Float64Array(sizes.c));
    kernels.batchStatistics(valuesOf(x), sizes, mean, low, variance);
    this.add(momentsFrom(x.size / sizes.c, mean, low, variance));
  }

  /** The biased variances. */
  get variance(): Float64Array {
    return this.squares.map((sum) => sum / this.count);
  }
}
