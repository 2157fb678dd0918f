/**
 * Instance normalisation layers.
 */
import { isStatsUpdateEnabled, type Tensor } from "../../autograd/mod.ts";
import { blend, formatShape, kindOf, normalizeInstances, refuse } from "../../autograd/internal.ts";
import { layerOptions } from "../module/arguments.ts";
import { TRACKED_NORM, TrackedNorm, type TrackedNormOptions } from "./tracked_norm.ts";

/**
 * What InstanceNorm1d, 2d and 3d have in common: each channel of each sample is normalised with its
 * own statistics, in evaluation with the running ones if they are tracked.
 */
export abstract class InstanceNorm extends TrackedNorm {
  /** @internal */ static override readonly kind: string = "InstanceNorm";

  /** The number of axes of a batch; one sample alone has one less. */
  protected abstract readonly rank: number;

  /**
   * Makes the layer.
   *
   * @param numFeatures C.
   * @param options eps = 1e-5, momentum = 0.1, affine = false, trackRunningStats = false.
   */
  constructor(numFeatures: number, options: TrackedNormOptions = {}) {
    const given = layerOptions(kindOf(new.target.prototype), options, TRACKED_NORM);
    super(numFeatures, {
      eps: given.eps ?? 1e-5,
      momentum: given.momentum === undefined ? 0.1 : given.momentum,
      affine: given.affine ?? false,
      trackRunningStats: given.trackRunningStats ?? false,
    });
  }

  /**
   * Normalises a batch or one sample.
   *
   * @throws {RangeError} if the input has another number of axes or, with affine, of channels.
   */
  override forward(x: Tensor): Tensor {
    const { rank } = this;
    this.checkRank(x, [rank - 1, rank]);
    const channels = x.shape[x.ndim - rank + 1];
    if (this.affine && channels !== this.numFeatures) {
      refuse(
        `run ${kindOf(this)}`,
        `${channels} channels in x of shape ${formatShape(x.shape)}`,
        `${this.numFeatures}`,
      );
    }
    return x.ndim === rank ? this.normalize(x) : this.normalize(x.unsqueeze(0)).squeeze(0);
  }

  /** @internal */
  private normalize(x: Tensor): Tensor {
    const useInputStats = this.training || !this.trackRunningStats;
    const tracked = !useInputStats || isStatsUpdateEnabled();
    const runningMean = tracked ? this.runningMean : null;
    const runningVar = tracked ? this.runningVar : null;
    const operands = { x, runningMean, runningVar, weight: this.weight, bias: this.bias };
    const { y, moments } = normalizeInstances(operands, { useInputStats, eps: this.eps });
    // As in PyTorch the batches are not counted, and momentum `null` leaves the statistics as they are.
    if (moments !== null) blend(runningMean, runningVar, this.momentum ?? 0, moments);
    return y;
  }
}

/**
 * Instance normalisation of [N, C, L] or [C, L].
 *
 * `new InstanceNorm1d(numFeatures, options)`: C, and eps = 1e-5, momentum = 0.1, affine = false,
 * trackRunningStats = false.
 */
export class InstanceNorm1d extends InstanceNorm {
  /** @internal */ static override readonly kind: string = "InstanceNorm1d";

  /** @internal */
  protected override readonly rank = 3;
}

/** Instance normalisation of [N, C, H, W] or [C, H, W]. Arguments as for {@linkcode InstanceNorm1d}. */
export class InstanceNorm2d extends InstanceNorm {
  /** @internal */ static override readonly kind: string = "InstanceNorm2d";

  /** @internal */
  protected override readonly rank = 4;
}

/** Instance normalisation of [N, C, D, H, W] or [C, D, H, W]. Arguments as for {@linkcode InstanceNorm1d}. */
export class InstanceNorm3d extends InstanceNorm {
  /** @internal */ static override readonly kind: string = "InstanceNorm3d";

  /** @internal */
  protected override readonly rank = 5;
}
