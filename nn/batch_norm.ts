/**
 * Batch normalisation layers.
 */
import { isStatsUpdateEnabled, noGrad, type Tensor } from "../autograd/mod.ts";
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

  /** Counts the batch and returns its weight: momentum, or 1/counter for a plain average. */
  private countBatch(): number {
    const counter = this.numBatchesTracked;
    if (counter === null) return this.momentum ?? 0;
    noGrad(() => counter.copy_(counter.item() + 1));
    return this.momentum ?? 1 / counter.item();
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
