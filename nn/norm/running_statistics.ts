/**
 * The tracked half of a batch norm: running mean and variance, and the count of the batches in them.
 */
import {
  assertTensor,
  type BatchMoments,
  blend,
  kindOf,
  PooledMoments,
  refuse,
  refuseKind,
  unbiasedVariance,
  valuesOf,
  write,
} from "../../autograd/internal.ts";
import { causing } from "../module/cause.ts";
import type { TrackedNorm } from "./tracked_norm.ts";

/** What becomes of a batch whose mean or variance is NaN or infinite. */
export type NonFinitePolicy = "propagate" | "skip" | "throw";

/** Batches that wait for their common update. */
interface Pending {
  /** How many share an update; 1 for none that waits. */
  readonly size: number;
  seen: number;
  pooled: PooledMoments | null;
}

/** What the initial 0 and 1 weigh in running statistics of so many batches. */
interface InitialShare {
  readonly share: number;
  readonly batches: number;
}

/** What channels have that {@linkcode RunningStatistics.brokenChannels} finds. */
export const BROKEN = "a running mean or variance that is not finite, or a negative variance";

/** The first channel whose mean or variance is not finite; −1 for none. */
export function firstNonFinite({ mean, variance }: BatchMoments): number {
  // Pooled moments compute their variance each time that they are asked: once, not for each channel.
  for (let c = 0; c < mean.length; c++) {
    if (!Number.isFinite(mean[c]) || !Number.isFinite(variance[c])) return c;
  }
  return -1;
}

/**
 * Takes in the moments of batches: running ← (1 − momentum)·running + momentum·batch, or their plain
 * average where momentum is `null`.
 *
 * The buffers are the layer's own, read from it each time: it may be given others.
 */
export class RunningStatistics {
  private readonly layer: TrackedNorm;
  /** What becomes of a batch whose mean or variance is NaN or infinite. */
  readonly nonFinite: NonFinitePolicy;
  private pending: Pending = { size: 1, seen: 0, pooled: null };
  private initial: InitialShare | null = { share: 1, batches: 0 };

  /** Those of a layer that registers the buffers. */
  constructor(layer: TrackedNorm, nonFinite: NonFinitePolicy = "propagate") {
    this.layer = layer;
    this.nonFinite = nonFinite;
  }

  /** How many batches are in the running statistics. */
  get batches(): number {
    const { numBatchesTracked } = this.layer;
    if (numBatchesTracked === null) return 0;
    assertTensor(
      `read the statistics of ${kindOf(this.layer)}`,
      numBatchesTracked,
      "numBatchesTracked",
    );
    return valuesOf(numBatchesTracked)[0];
  }

  /** Whether they are still those of a fresh layer. */
  get untrained(): boolean {
    const { runningMean, runningVar } = this.layer;
    return this.batches === 0 &&
      (runningMean !== null && valuesOf(runningMean).every((value) => value === 0)) &&
      (runningVar !== null && valuesOf(runningVar).every((value) => value === 1));
  }

  /** The channels whose mean or variance is not finite, or whose variance is negative. */
  brokenChannels(): number[] {
    const { runningMean, runningVar } = this.layer;
    if (runningMean === null || runningVar === null) return [];
    const [mean, variance] = [valuesOf(runningMean), valuesOf(runningVar)];
    const isSound = (c: number): boolean =>
      Number.isFinite(mean[c]) && Number.isFinite(variance[c]) && variance[c] >= 0;
    return [...mean.keys()].filter((c) => !isSound(c));
  }

  /**
   * Takes in the moments of a forward's batches, `null` for an empty one, which counts and adds nothing.
   *
   * @throws {RangeError} if one is not finite and `nonFinite` is "throw"; nothing is taken in then.
   */
  absorb(batches: readonly (BatchMoments | null)[]): void {
    const admitted = batches.map((moments) => moments === null || this.admits(moments));
    batches.forEach((moments, i) => {
      const { pending } = this;
      if (pending.size === 1) {
        if (admitted[i]) this.take(moments);
        return;
      }
      if (moments !== null && admitted[i]) {
        pending.pooled ??= new PooledMoments(moments.mean.length);
        pending.pooled.add(moments);
      }
      // A batch that is skipped takes its turn too, so that updates stay in step with the optimizer's.
      if (++pending.seen === pending.size) this.takePending();
    });
  }

  private admits(moments: BatchMoments): boolean {
    const c = this.nonFinite === "propagate" ? -1 : firstNonFinite(moments);
    if (c < 0) return true;
    if (this.nonFinite === "skip") return false;
    refuse(
      `update the running statistics of ${kindOf(this.layer)}`,
      `mean ${moments.mean[c]} and variance ${moments.variance[c]} in channel ${c}`,
      "finite values",
    );
  }

  /** Counts a batch and blends its moments in. */
  private take(moments: BatchMoments | null): void {
    const { runningMean, runningVar, numBatchesTracked, momentum } = this.layer;
    if (momentum !== null && typeof momentum !== "number") {
      refuseKind(
        `update the running statistics of ${kindOf(this.layer)}`,
        "momentum",
        momentum,
        "a number or null",
      );
    }
    const batches = this.batches + 1;
    if (numBatchesTracked !== null) write(numBatchesTracked, (count) => count[0] = batches);
    if (moments === null) return;
    const factor = momentum ?? (numBatchesTracked === null ? 0 : 1 / batches);
    if (this.initial !== null) {
      this.initial = { share: this.initial.share * (1 - factor), batches };
    }
    blend(runningMean, runningVar, factor, moments);
  }

  /** Makes `size` batches share one update; 1 for an update of each. Batches that wait are dropped. */
  accumulate(size: number): void {
    this.pending = { size, seen: 0, pooled: null };
  }

  /** How many batches share one update. */
  get accumulated(): number {
    return this.pending.size;
  }

  /** Takes in the batches that wait, although they are fewer than share an update. */
  flush(): void {
    causing("accumulated", () => this.takePending());
  }

  private takePending(): void {
    const { pooled } = this.pending;
    this.dropPending();
    if (pooled !== null) this.take(pooled);
  }

  private dropPending(): void {
    this.accumulate(this.accumulated);
  }

  /** Mean 0, variance 1, no batch, none that waits. */
  reset(): void {
    const { runningMean, runningVar, numBatchesTracked } = this.layer;
    causing("reset", () => {
      runningMean?.copy_(0);
      runningVar?.copy_(1);
      numBatchesTracked?.copy_(0);
    });
    this.initial = { share: 1, batches: 0 };
    this.dropPending();
  }

  /**
   * Sets them to pooled moments of `batches` batches; the variance to its unbiased value.
   *
   * @throws {RangeError} if the moments are those of one value.
   */
  set(moments: BatchMoments, batches: number): void {
    if (moments.count === 1) {
      refuse(
        `set the running statistics of ${kindOf(this.layer)}`,
        "1 value in each channel",
        "at least 2 (Expected more than 1 value per channel, got 1 in all)",
      );
    }
    if (moments.count === 0) return;
    const { runningMean, runningVar, numBatchesTracked } = this.layer;
    if (runningMean !== null) write(runningMean, (values) => values.set(moments.mean));
    if (runningVar !== null) write(runningVar, (values) => values.set(unbiasedVariance(moments)));
    numBatchesTracked?.copy_(batches);
    this.initial = { share: 0, batches };
    this.dropPending();
  }

  /**
   * What the initial 0 and 1 still weigh: `known` where these statistics took in all batches themselves,
   * otherwise estimated from momentum and counter, as after loading a state.
   */
  initialShare(): { share: number; known: boolean } {
    const { batches, initial } = this;
    const { momentum, runningVar } = this.layer;
    if (batches === 0) return { share: this.untrained ? 1 : 0, known: true };
    if (initial?.batches === batches) return { share: initial.share, known: true };
    const share = momentum === null ? 0 : (1 - momentum) ** batches;
    // Variances are not negative, so a share of the initial 1 cannot exceed what there is now.
    const disproved = runningVar === null ||
      valuesOf(runningVar).some((variance) => variance < share);
    return { share: disproved ? 0 : share, known: false };
  }

  /** Copies what another layer's statistics know beside the buffers. */
  adopt(other: RunningStatistics): void {
    this.initial = other.initial;
    this.pending = { ...other.pending };
  }

  /**
   * Prepares for values that come from elsewhere: drops what waits and what is known of the present ones.
   *
   * @returns A function that undoes it.
   */
  forget(): () => void {
    const { initial, pending } = this;
    this.initial = null;
    this.dropPending();
    return () => Object.assign(this, { initial, pending });
  }
}
