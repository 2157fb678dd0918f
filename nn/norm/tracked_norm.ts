/**
 * The base of the normalisations that can keep running statistics.
 */
import {
  assertOptions,
  assertTensor,
  formatShape,
  kindOf,
  type Known,
  refuse,
} from "../../autograd/internal.ts";
import { ones, type Tensor, zeros } from "../../autograd/mod.ts";
import { checkCount, checkFlag, checkNumber } from "../module/arguments.ts";
import { causing } from "../module/cause.ts";
import { Module } from "../module/module.ts";
import { pythonArguments, pythonFloat } from "../module/repr.ts";
import { resetAffine } from "./layer_norm.ts";
import { type NonFinitePolicy, RunningStatistics } from "./running_statistics.ts";

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
  /** @internal Moves the running buffers. */
  readonly statistics: RunningStatistics;

  /**
   * Makes the layer.
   *
   * @throws {TypeError} if an argument is of the wrong kind.
   * @throws {RangeError} if `numFeatures` is not an integer of at least 0, or eps or momentum is NaN.
   */
  constructor(
    numFeatures: number,
    options: Required<TrackedNormOptions>,
    nonFinite?: NonFinitePolicy,
  ) {
    super();
    const layer = kindOf(this);
    assertOptions(`make ${layer}`, options, TRACKED_NORM);
    const { eps, momentum, affine, trackRunningStats } = options;
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
    this.statistics = new RunningStatistics(this, nonFinite);
  }

  /** Sets the running statistics, if they are tracked, to mean 0, variance 1 and no batch. */
  resetRunningStats(): void {
    if (this.trackRunningStats) this.statistics.reset();
  }

  /** Resets the running statistics, and sets γ to 1 and β to 0. */
  resetParameters(): void {
    this.resetRunningStats();
    causing("reset", () => resetAffine(this));
  }

  /** @internal A loaded state replaces the statistics, so batches that wait must not be added to them. */
  protected override beforeLoad(own: ReadonlyMap<string, Tensor>): (() => void) | null {
    return own.has("running_mean") || own.has("running_var") ? this.statistics.forget() : null;
  }

  /** @internal */
  protected override stateVersion(): number {
    return 2;
  }

  /** Layouts before version 2 had no counter. */
  protected override optionalKeys(version: number | null): readonly string[] {
    return version === null || version < 2 ? ["num_batches_tracked"] : [];
  }

  /** Refuses an input with another number of axes before anything changes. */
  protected checkRank(x: Tensor, ranks: readonly number[]): void {
    const action = `run ${kindOf(this)}`;
    assertTensor(action, x, "x");
    if (ranks.includes(x.ndim)) return;
    refuse(
      action,
      `x of shape ${formatShape(x.shape)}`,
      `${ranks.map((rank) => `${rank}D`).join(" or ")} input (got ${x.ndim}D input)`,
    );
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    const { numFeatures, eps, momentum, affine, trackRunningStats } = this;
    return `${numFeatures}, ` + pythonArguments({
      eps: pythonFloat(eps),
      momentum: pythonFloat(momentum),
      affine,
      track_running_stats: trackRunningStats,
    });
  }
}
