/**
 * Mean and variance of values that arrive in parts.
 */
import { noGrad, type Tensor } from "../../autograd/mod.ts";
import { normalizeBatch } from "../../autograd/internal.ts";
import { type BatchMoments, momentsOf } from "./batch_norm_function.ts";

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
      // The first part is taken over as it is: an infinite mean would make 0 · ∞ of it.
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
    const result = noGrad(() => normalizeBatch(x, null, null, null, 0));
    this.add(momentsOf(x.size / x.shape[1], result));
  }

  /** The biased variances. */
  get variance(): Float64Array {
    return this.squares.map((sum) => sum / this.count);
  }

  /** Forgets all values. */
  clear(): void {
    this.count = 0;
    this.mean.fill(0);
    this.meanRest.fill(0);
    this.squares.fill(0);
  }
}
