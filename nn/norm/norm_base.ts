/**
 * What the normalisations with running statistics have in common.
 */
import { kindOf } from "../../autograd/internal.ts";
import { ones, type Tensor, zeros } from "../../autograd/mod.ts";
import type { Known } from "../../autograd/internal.ts";
import { checkCount, checkFlag, checkNumber } from "../module/arguments.ts";
import { Module } from "../module/module.ts";
import { pythonBoolean, pythonFloat } from "../module/repr.ts";

/** Options of the normalisations that can track statistics. */
export interface TrackedNormOptions {
  /** Added to the variance. */
  readonly eps?: number;
  /** The weight of the new statistics in the running ones; `null` for their plain average. */
  readonly momentum?: number | null;
  /** Whether γ and β are learned. */
  readonly affine?: boolean;
  /** Whether running statistics are kept. */
  readonly trackRunningStats?: boolean;
}

/** The options that every such normalisation takes. */
export const TRACKED_NORM: Known<TrackedNormOptions> = [
  "eps",
  "momentum",
  "affine",
  "trackRunningStats",
];

/**
 * γ, β and running statistics by channel, as state: registered in PyTorch's order and under PyTorch's
 * names.
 */
export abstract class TrackedNorm extends Module {
  /** @internal */ static override readonly kind: string = "TrackedNorm";

  /** Added to the variance. */
  readonly eps: number;
  /** The weight of the new statistics in the running ones; `null` for their plain average. */
  momentum: number | null;
  /** Whether γ and β are learned. */
  readonly affine: boolean;
  /** Whether forwards in training update the running statistics. */
  trackRunningStats: boolean;
  /** γ, [C]; `null` without affine. */
  weight: Tensor | null;
  /** β, [C]; `null` without affine. */
  bias: Tensor | null;
  /** [C]; `null` if statistics were never tracked. */
  runningMean: Tensor | null;
  /** [C], unbiased; `null` if statistics were never tracked. */
  runningVar: Tensor | null;
  /** How many batches the running statistics have seen; a scalar. */
  numBatchesTracked: Tensor | null;
  /** The number of channels, C. */
  numFeatures: number;

  /**
   * Makes the layer.
   *
   * @throws {TypeError} if an argument is of the wrong kind.
   * @throws {RangeError} if `numFeatures` is not a whole number of at least 0, or eps or momentum NaN.
   */
  constructor(numFeatures: number, options: Required<TrackedNormOptions>) {
    super();
    const { eps, momentum, affine, trackRunningStats } = options;
    const layer = kindOf(this);
    this.numFeatures = checkCount(layer, "numFeatures", numFeatures, 0);
    this.eps = checkNumber(layer, "eps", eps);
    this.momentum = momentum === null ? null : checkNumber(layer, "momentum", momentum);
    this.affine = checkFlag(layer, "affine", affine);
    this.trackRunningStats = checkFlag(layer, "trackRunningStats", trackRunningStats);
    this.weight = this.registerParameter("weight", affine ? ones([numFeatures]) : null);
    this.bias = this.registerParameter("bias", affine ? zeros([numFeatures]) : null);
    const track = trackRunningStats;
    this.runningMean = this.registerBuffer("running_mean", track ? zeros([numFeatures]) : null);
    this.runningVar = this.registerBuffer("running_var", track ? ones([numFeatures]) : null);
    this.numBatchesTracked = this.registerBuffer("num_batches_tracked", track ? zeros([]) : null);
  }

  /** Running statistics as at the start: mean 0, variance 1, no batch. Only if they are tracked. */
  resetRunningStats(): void {
    if (!this.trackRunningStats) return;
    this.runningMean?.copy_(0);
    this.runningVar?.copy_(1);
    this.numBatchesTracked?.copy_(0);
  }

  /** Running statistics as at the start, γ = 1 and β = 0. */
  resetParameters(): void {
    this.resetRunningStats();
    fill(this.weight, 1);
    fill(this.bias, 0);
  }

  /** @internal */
  protected override stateVersion(): number {
    return 2;
  }

  /** Layouts before version 2 had no counter. */
  protected override optionalKeys(version: number | null): readonly string[] {
    return version === null || version < 2 ? ["num_batches_tracked"] : [];
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    const { numFeatures, eps, momentum, affine, trackRunningStats } = this;
    return `${numFeatures}, eps=${pythonFloat(eps)}, momentum=${
      momentum === null ? "None" : pythonFloat(momentum)
    }, affine=${pythonBoolean(affine)}, track_running_stats=${pythonBoolean(trackRunningStats)}`;
  }
}

function fill(parameter: Tensor | null, value: number): void {
  parameter?.detach().copy_(value);
}
