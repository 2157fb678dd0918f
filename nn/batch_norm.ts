/**
 * Batch normalisation layers.
 */
import { isStatsUpdateEnabled, noGrad, type Tensor } from "../autograd/mod.ts";
import type { PooledMoments } from "./moments.ts";
import { batchNorm } from "./functional/batch_norm.ts";
import { TrackedNorm, type TrackedNormOptions } from "./norm_base.ts";

/** Options of the batch normalisation layers. */
export type BatchNormLayerOptions = TrackedNormOptions;

/**
 * What BatchNorm1d, 2d and 3d have in common.
 *
 * | training | trackRunningStats | normalises with | running buffers |
 * |---|---|---|---|
 * | true | true | batch | updated in the forward |
 * | true | false | batch | none |
 * | false | true | running | untouched |
 * | false | false | batch of the moment | none |
 *
 * γ and β (`weight`, `bias`) learn through backward and the optimizer. The running statistics are
 * written in the forward, whether or not gradients are recorded: running ← (1 − momentum)·running +
 * momentum·batch. Keras and TensorFlow call 1 − momentum momentum.
 */
export abstract class BatchNorm extends TrackedNorm {
  /** The numbers of axes that an input may have. */
  protected abstract readonly ranks: readonly number[];
  private frozenStats = false;
  private frozenAffine = false;
  private requestedMode = true;

  /**
   * @param numFeatures C, the size of axis 1.
   * @param options eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true.
   */
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super(numFeatures, {
      eps: options.eps ?? 1e-5,
      momentum: options.momentum === undefined ? 0.1 : options.momentum,
      affine: options.affine ?? true,
      trackRunningStats: options.trackRunningStats ?? true,
    });
  }

  /**
   * Normalises a batch; in training also updates the running statistics.
   *
   * @throws {RangeError} if the input has another number of axes or channels, or one value in a
   * channel while the batch's statistics are used.
   */
  override forward(x: Tensor): Tensor {
    this.checkRank(x);
    const useBatch = this.training || (this.runningMean === null && this.runningVar === null);
    const update = this.training && this.trackRunningStats && isStatsUpdateEnabled();
    const factor = update ? this.countBatch() : 0;
    const handOn = useBatch ? update : true;
    return batchNorm(
      x,
      handOn ? this.runningMean : null,
      handOn ? this.runningVar : null,
      this.weight,
      this.bias,
      { training: useBatch, momentum: factor, eps: this.eps },
    );
  }

  /** Whether the running statistics are frozen. */
  get frozen(): boolean {
    return this.frozenStats;
  }

  /**
   * Fixes the layer as it is; `train()` does not thaw it.
   *
   * @param options `stats`: normalise with the running statistics and leave them, in every mode;
   * `affine`: γ and β collect no gradients.
   * @throws {RangeError} if statistics are to be frozen that were never tracked.
   */
  freeze(options: { readonly stats?: boolean; readonly affine?: boolean } = {}): this {
    const { stats = true, affine = false } = options;
    if (stats && (this.runningMean === null || this.runningVar === null)) {
      throw new RangeError(
        `Cannot freeze ${this.constructor.name}: got a layer without running statistics, expected ` +
          `trackRunningStats: true`,
      );
    }
    if (stats) {
      this.frozenStats = true;
      this.training = false;
    }
    if (affine) {
      this.frozenAffine = true;
      this.setAffineGrad(false);
    }
    return this;
  }

  /** Undoes {@linkcode freeze}: the mode is again that of the last `train()` or `eval()`. */
  unfreeze(): this {
    this.frozenStats = false;
    this.training = this.requestedMode;
    if (this.frozenAffine) this.setAffineGrad(true);
    this.frozenAffine = false;
    return this;
  }

  private setAffineGrad(on: boolean): void {
    this.weight?.requiresGrad_(on);
    this.bias?.requiresGrad_(on);
  }

  override train(mode = true): this {
    super.train(mode);
    this.requestedMode = mode;
    if (this.frozenStats) this.training = false;
    return this;
  }

  override extraRepr(): string {
    return super.extraRepr() + (this.frozenStats ? ", frozen" : "");
  }

  /** Counts the batch and returns its weight: momentum, or 1/counter for a plain average. */
  private countBatch(): number {
    const counter = this.numBatchesTracked;
    if (counter === null) return this.momentum ?? 0;
    noGrad(() => counter.copy_(counter.item() + 1));
    return this.momentum ?? 1 / counter.item();
  }

  /** Takes the running statistics from pooled moments; the variance with its unbiased value. */
  setRunningStats(moments: PooledMoments, batches: number): void {
    const { count } = moments;
    if (count === 0 || this.runningMean === null || this.runningVar === null) return;
    const correction = count / (count - 1);
    for (let c = 0; c < this.numFeatures; c++) {
      this.runningMean.storage.values[c] = moments.mean[c];
      this.runningVar.storage.values[c] = moments.variance(c) * correction;
    }
    this.runningMean.storage.version++;
    this.runningVar.storage.version++;
    this.numBatchesTracked?.copy_(batches);
  }

  private checkRank(x: Tensor): void {
    if (!this.ranks.includes(x.ndim)) {
      throw new RangeError(
        `Cannot run ${this.constructor.name}: expected ${
          this.ranks.map((rank) => `${rank}D`).join(" or ")
        } input (got ${x.ndim}D input)`,
      );
    }
  }
}

/**
 * Batch normalisation of [N, C] or [N, C, L].
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const bn = new nn.BatchNorm1d(1);
 * bn.forward(tensor([[1], [3]]));
 * assertAlmostEquals(bn.runningMean!.item(), 0.2);
 * assertAlmostEquals(bn.eval().forward(tensor([[0.2]])).item(), 0);
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  protected override readonly ranks = [2, 3];
}

/** Batch normalisation of [N, C, H, W]. */
export class BatchNorm2d extends BatchNorm {
  protected override readonly ranks = [4];
}

/** Batch normalisation of [N, C, D, H, W]. */
export class BatchNorm3d extends BatchNorm {
  protected override readonly ranks = [5];
}
