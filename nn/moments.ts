/**
 * Mean and variance of values that arrive in parts.
 */
import { noGrad, normalizeBatch, type Tensor } from "../autograd/mod.ts";

/**
 * Pooled moments by channel: after any number of parts, count, mean and the sum of squared deviations
 * are those of all values together, whatever the split.
 *
 * With δ = mean₂ − mean₁: mean = mean₁ + δ·n₂/n, M₂ = M₂₁ + M₂₂ + δ²·n₁n₂/n.
 *
 * @see Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for Computing Sample
 * Variances, 1979.
 */
export class PooledMoments {
  /** Values seen in each channel. */
  count = 0;
  /** The mean of each channel. */
  readonly mean: Float64Array;
  readonly #squares: Float64Array;

  /** No values yet. */
  constructor(channels: number) {
    this.mean = new Float64Array(channels);
    this.#squares = new Float64Array(channels);
  }

  /** Adds a part of `count` values in each channel, with its mean and biased variance. */
  add(
    count: number,
    mean: (channel: number) => number,
    variance: (channel: number) => number,
  ): void {
    const before = this.count;
    const total = before + count;
    if (count === 0) return;
    for (let c = 0; c < this.mean.length; c++) {
      const delta = mean(c) - this.mean[c];
      // The first part is taken over as it is: an infinite mean would make 0 · ∞ of it.
      this.mean[c] = before === 0 ? mean(c) : this.mean[c] + delta * (count / total);
      this.#squares[c] += variance(c) * count +
        (before === 0 ? 0 : delta * delta * (before * count / total));
    }
    this.count = total;
  }

  /** Adds a batch [N, C, …]. */
  addBatch(x: Tensor): void {
    const { mean, low, variance } = noGrad(() => normalizeBatch(x, null, null, null, 0));
    this.add(
      x.size / x.shape[1],
      (c) => mean.storage.values[c] + low.storage.values[c],
      (c) => variance.storage.values[c],
    );
  }

  /** The biased variance of a channel. */
  variance(channel: number): number {
    return this.#squares[channel] / this.count;
  }

  /** Forgets all values. */
  clear(): void {
    this.count = 0;
    this.mean.fill(0);
    this.#squares.fill(0);
  }
}
