/**
 * Mean and variance of values that arrive in parts.
 */
import { noGrad, normalizeBatch, type Tensor } from "../autograd/mod.ts";
import { type BatchMoments, momentsOf } from "./functional/batch_norm.ts";

/**
 * Pooled moments by channel: after any number of parts, count, mean and the sum of squared deviations
 * are those of all values together, whatever the split.
 *
 * With δ = mean₂ − mean₁: mean = mean₁ + δ·n₂/n, M₂ = M₂₁ + M₂₂ + δ²·n₁n₂/n. Means are kept with what
 * lies below their last digit, or the split of data with a large mean would show in the variance.
 *
 * @see Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for Computing Sample
 * Variances, 1979.
 */
export class PooledMoments implements BatchMoments {
  /** Values seen in each channel. */
  count = 0;
  private readonly means: Float64Array;
  private readonly rests: Float64Array;
  private readonly squares: Float64Array;

  /** No values yet. */
  constructor(channels: number) {
    this.means = new Float64Array(channels);
    this.rests = new Float64Array(channels);
    this.squares = new Float64Array(channels);
  }

  /** Adds the statistics of a part. */
  add(part: Omit<BatchMoments, "unbiasedVariance">): void {
    const { count } = part;
    const before = this.count;
    const total = before + count;
    if (count === 0) return;
    for (let c = 0; c < this.means.length; c++) {
      // The first part is taken over as it is: an infinite mean would make 0 · ∞ of it.
      if (before === 0) {
        this.means[c] = part.mean(c);
        this.rests[c] = part.meanRest(c);
        this.squares[c] = part.variance(c) * count;
        continue;
      }
      const mean = this.means[c];
      const delta = part.mean(c) - mean + (part.meanRest(c) - this.rests[c]);
      const step = delta * (count / total) + this.rests[c];
      this.means[c] = mean + step;
      this.rests[c] = mean - this.means[c] + step;
      this.squares[c] += part.variance(c) * count + delta * delta * (before * count / total);
    }
    this.count = total;
  }

  /** Adds a batch [N, C, …]. */
  addBatch(x: Tensor): void {
    if (x.size === 0) return;
    const result = noGrad(() => normalizeBatch(x, null, null, null, 0));
    this.add(momentsOf(x.size / x.shape[1], result));
  }

  /** The mean of a channel. */
  mean(channel: number): number {
    return this.means[channel];
  }

  /** What the mean lacks below its last digit. */
  meanRest(channel: number): number {
    return this.rests[channel];
  }

  /** The biased variance of a channel. */
  variance(channel: number): number {
    return this.squares[channel] / this.count;
  }

  /** The variance of a channel with n − 1 as its divisor. */
  unbiasedVariance(channel: number): number {
    return this.squares[channel] / (this.count - 1);
  }

  /** Forgets all values. */
  clear(): void {
    this.count = 0;
    this.means.fill(0);
    this.rests.fill(0);
    this.squares.fill(0);
  }
}
