/**
 * Mean and variance of values that arrive in parts.
 */
import { noGrad, normalizeBatch, type Tensor } from "../autograd/mod.ts";
import { type BatchMoments, momentsOf } from "./functional/batch_norm.ts";

/**
 * Pooled moments by channel: after any number of parts, count, mean and the sum of squared deviations
 * are those of all values together, whatever the split.
 *
 * With δ = mean₂ − mean₁: mean = mean₁ + δ·n₂/n, M₂ = M₂₁ + M₂₂ + δ²·n₁n₂/n.
 *
 * @see Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for Computing Sample
 * Variances, 1979.
 */
export class PooledMoments implements BatchMoments {
  /** Values seen in each channel. */
  count = 0;
  private readonly means: Float64Array;
  private readonly squares: Float64Array;

  /** No values yet. */
  constructor(channels: number) {
    this.means = new Float64Array(channels);
    this.squares = new Float64Array(channels);
  }

  /** Adds the statistics of a part. */
  add(part: Pick<BatchMoments, "count" | "mean" | "variance">): void {
    const { count } = part;
    const before = this.count;
    const total = before + count;
    if (count === 0) return;
    for (let c = 0; c < this.means.length; c++) {
      const delta = part.mean(c) - this.means[c];
      // The first part is taken over as it is: an infinite mean would make 0 · ∞ of it.
      this.means[c] = before === 0 ? part.mean(c) : this.means[c] + delta * (count / total);
      this.squares[c] += part.variance(c) * count +
        (before === 0 ? 0 : delta * delta * (before * count / total));
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
    this.squares.fill(0);
  }
}
