/**
 * Batch normalisation layers: the learned half, γ and β, and the mode. The tracked half, the running
 * statistics, is an object of its own.
 */
import { cat, isStatsUpdateEnabled, split, Tensor } from "../../autograd/mod.ts";
import {
  assertOptions,
  assertTensor,
  type BatchNormOperands,
  type BatchNormThen,
  isInspected,
  kindOf,
  type Known,
  normalizeBatch,
  type NormalizedBatch,
  type NormalizeSettings,
  refuse,
  show,
} from "../../autograd/internal.ts";
import { checkChoice, checkCount, layerOptions } from "../module/arguments.ts";
import type { BatchNormActForwardOptions } from "./batch_norm_act.ts";
import { warnOfMode, warnOfMoments, warnOfMomentum } from "./batch_norm_warnings.ts";
import { absorbableOf, type Joined, keepsNothing } from "../module/joining.ts";
import type { Module } from "../module/module.ts";
import type { LayerMoments } from "./process_group.ts";
import type { NonFinitePolicy } from "./running_statistics.ts";
import { TRACKED_NORM, TrackedNorm, type TrackedNormOptions } from "./tracked_norm.ts";
import { normWatcher } from "./watch.ts";

export type { NonFinitePolicy } from "./running_statistics.ts";

/** Options of the batch normalisation layers. */
export interface BatchNormLayerOptions extends TrackedNormOptions {
  /**
   * Ghost batch norm: in training each run of so many samples is normalised by itself. A batch that
   * does not divide is cut into runs of nearly equal size, none longer.
   */
  readonly virtualBatchSize?: number | null;
  /** Whether a mean or variance of NaN or infinity enters the running ones, is skipped, or throws. */
  readonly nonFinite?: NonFinitePolicy;
}

/** @internal */
export const LAYER_OPTIONS: Known<BatchNormLayerOptions> = [
  ...TRACKED_NORM,
  "virtualBatchSize",
  "nonFinite",
];

/** Keras's names and conventions. */
export interface KerasBatchNormOptions {
  /** The weight of the old statistics. */
  readonly momentum?: number;
  /** Added to the variance. */
  readonly epsilon?: number;
}

/** Options of a BatchNorm's `forward`. */
export interface BatchNormForwardOptions {
  /** 1 for the positions that count, 0 for those to ignore; [N, 1, …] or [N, …] for x of [N, C, …]. */
  readonly mask?: Tensor | null;
}

/** What the next forward does in the same pass; set by the row of modules that a layer stands in. */
let joined: BatchNormThen = "none";

/**
 * What BatchNorm1d, 2d and 3d have in common.
 *
 * | training | trackRunningStats | normalises with | running buffers |
 * |---|---|---|---|
 * | true | true | batch | updated in the forward |
 * | true | false | batch | none |
 * | false | true | running | untouched |
 * | false | false | the current batch | none |
 *
 * γ and β (`weight`, `bias`) learn through backward and the optimizer. The running statistics are
 * written in the forward, whether or not gradients are recorded: running ← (1 − momentum)·running +
 * momentum·batch. Keras and TensorFlow call 1 − momentum momentum.
 */
export abstract class BatchNorm extends TrackedNorm {
  /** @internal */ static override readonly kind: string = "BatchNorm";

  /** The numbers of axes that an input may have. */
  protected abstract readonly ranks: readonly number[];
  private frozenStats = false;
  private modeWhenThawed = true;
  /** Whether γ and β required grad before they were frozen; `null` while they are not. */
  private gradBeforeFreeze: readonly (boolean | undefined)[] | null = null;

  /** @internal What the layer does after normalising, in the same pass. */
  readonly then: BatchNormThen = "none";
  /** The number of samples that are normalised together in training; `null` for all. */
  readonly virtualBatchSize: number | null;

  /**
   * Makes the layer.
   *
   * @param numFeatures C, the size of axis 1.
   * @param options eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true.
   */
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    const given = layerOptions(kindOf(new.target.prototype), options, LAYER_OPTIONS);
    const { virtualBatchSize = null, nonFinite = "propagate" } = given;
    const settings = {
      eps: given.eps ?? 1e-5,
      momentum: given.momentum === undefined ? 0.1 : given.momentum,
      affine: given.affine ?? true,
      trackRunningStats: given.trackRunningStats ?? true,
    };
    super(numFeatures, settings, nonFinite);
    const layer = kindOf(this);
    checkChoice(layer, "nonFinite", nonFinite, ["propagate", "skip", "throw"]);
    this.virtualBatchSize = virtualBatchSize === null
      ? null
      : checkCount(layer, "virtualBatchSize", virtualBatchSize, 1);
    warnOfMomentum(this);
  }

  /**
   * The options that mean what Keras's mean: its momentum weighs the old statistics, ours the new.
   *
   * @example
   * ```ts
   * import { nn } from "@tapegrad/tapegrad";
   * import { assertAlmostEquals } from "@std/assert";
   *
   * const { momentum } = nn.BatchNorm.fromKeras({ momentum: 0.99, epsilon: 1e-3 });
   * assertAlmostEquals(momentum!, 0.01);
   * ```
   */
  static fromKeras(options: KerasBatchNormOptions = {}): BatchNormLayerOptions {
    assertOptions("read Keras's options", options, ["momentum", "epsilon"]);
    const { momentum = 0.99, epsilon = 1e-3 } = options;
    return { momentum: 1 - momentum, eps: epsilon };
  }

  /**
   * Normalises a batch; in training also updates the running statistics. A call that throws has changed
   * nothing.
   *
   * @param x The batch.
   * @param options `mask`: 1 for the values that count, 0 for those to ignore, which are 0 in the output.
   * @throws {RangeError} if the input has another number of axes or channels, or one value in a
   * channel while the batch's statistics are used.
   */
  override forward(x: Tensor, options: BatchNormForwardOptions = {}): Tensor {
    const then = joined;
    joined = "none";
    return this.normalize(x, options, ["mask"], then);
  }

  /** @internal What `forward` does with the options that it knows, and what follows. */
  protected normalize(
    x: Tensor,
    options: BatchNormActForwardOptions,
    known: Known<BatchNormActForwardOptions>,
    then: BatchNormThen,
  ): Tensor {
    this.checkRank(x, this.ranks);
    const action = `run ${kindOf(this)}`;
    assertOptions(action, options, known);
    const { mask = null, residual = null } = options;
    if (mask !== null) assertTensor(action, mask, "mask");
    if (residual !== null) assertTensor(action, residual, "residual");

    // Which statistics normalise, and whether those of the batch move the running ones.
    const training = this.training && !this.frozenStats;
    const useBatch = training || (this.runningMean === null && this.runningVar === null);
    const update = training && this.trackRunningStats && isStatsUpdateEnabled();
    warnOfMode(this, useBatch, update);
    normWatcher?.before(this);

    const tracked = !useBatch || update;
    const run = (x: Tensor, mask: Tensor | null, residual: Tensor | null): NormalizedBatch => {
      const operands = {
        x,
        runningMean: tracked ? this.runningMean : null,
        runningVar: tracked ? this.runningVar : null,
        weight: this.weight,
        bias: this.bias,
      };
      const settings = { training: useBatch, eps: this.eps, mask, then, residual };
      return this.normalizeRun(operands, settings);
    };
    const sizes = training ? this.ghostSizes(x.shape[0]) : null;
    const masks = sizes && mask && split(mask, sizes);
    const residuals = sizes && residual && split(residual, sizes);
    const results = sizes === null
      ? [run(x, mask, residual)]
      : split(x, sizes).map((part, i) => run(part, masks?.[i] ?? null, residuals?.[i] ?? null));

    // Beside the tape: the moments that the kernel returned enter the running statistics.
    const moments = results.map((result) => result.moments);
    for (const batch of moments) if (batch !== null) warnOfMoments(this, batch, update);
    if (update) this.statistics.absorb(moments);
    normWatcher?.after(this, moments);
    return results.length === 1 ? results[0].y : cat(results.map(({ y }) => y));
  }

  /** @internal A relu and a pooling of pairs behind it in a row are one pass with it. */
  override forwardJoined(x: unknown, next: readonly Module[]): Joined | null {
    if (!keepsNothing(this) || this.then !== "none" || absorbableOf(next[0]) !== "relu") {
      return null;
    }
    if (!(x instanceof Tensor) || isInspected()) return null;
    const room = x.ndim === 4 && x.shape[2] > 1 && x.shape[3] > 1;
    const pools = room && absorbableOf(next[1]) === "pairs";
    joined = pools ? "relu-maxpool" : "relu";
    try {
      return { output: this.forward(x), taken: pools ? 2 : 1 };
    } finally {
      joined = "none";
    }
  }

  /** @internal Normalises one run of samples. */
  protected normalizeRun(
    operands: BatchNormOperands,
    settings: NormalizeSettings,
  ): NormalizedBatch {
    return normalizeBatch(operands, settings);
  }

  /** @internal The moments that recalibration sets, from those of the data that it was given. */
  pool(own: LayerMoments): LayerMoments {
    return own;
  }

  /** The sizes of the runs that ghost batch norm cuts `n` samples into; `null` for a single one. */
  private ghostSizes(n: number): number[] | null {
    const size = this.virtualBatchSize;
    if (size === null || n <= size) return null;
    // Even parts: a remainder of one sample would have no variance.
    const count = Math.ceil(n / size);
    return Array.from({ length: count }, (_, i) => Math.floor((n + i) / count));
  }

  /** What becomes of a batch whose mean or variance is NaN or infinite. */
  get nonFinite(): NonFinitePolicy {
    return this.statistics.nonFinite;
  }

  /**
   * Lets `k` training forwards share one update of the running statistics, with the exact moments of all
   * of them together, as if they had been one batch: for gradient accumulation. Each forward is still
   * normalised with its own statistics.
   *
   * `eval()`, `freeze()` and `flushStats()` take in the forwards that wait, although they are fewer;
   * `resetRunningStats()`, `updateBn()` and loading a state drop them. A state dict holds the running
   * statistics without them: call `flushStats()` first to save in the middle.
   *
   * @param k 1 for an update in each forward. Forwards that wait are dropped.
   * @throws {RangeError} if `k` is not an integer of at least 1.
   */
  accumulateStats(k: number): this {
    if (!Number.isInteger(k) || k < 1) {
      refuse("accumulate statistics", `${show(k)} forwards`, "an integer of at least 1");
    }
    this.statistics.accumulate(k);
    return this;
  }

  /** How many training forwards share one update of the running statistics; 1 for none. */
  get statsAccumulated(): number {
    return this.statistics.accumulated;
  }

  /** Takes in the forwards that wait for their common update, although they are fewer than asked for. */
  flushStats(): this {
    this.statistics.flush();
    return this;
  }

  /** Whether the running statistics are frozen. */
  get frozen(): boolean {
    return this.frozenStats;
  }

  /** Whether γ and β were frozen by {@linkcode freeze}. */
  get frozenParameters(): boolean {
    return this.gradBeforeFreeze !== null;
  }

  /**
   * Fixes the layer as it is; `train()` and `training = true` do not thaw it.
   *
   * @param options `stats`: normalise with the running statistics and leave them as they are, in every
   * mode; `affine`: γ and β collect no gradients.
   * @throws {RangeError} if `stats` is true and the layer has no running statistics.
   */
  freeze(options: { readonly stats?: boolean; readonly affine?: boolean } = {}): this {
    assertOptions(`freeze ${kindOf(this)}`, options, ["stats", "affine"]);
    const { stats = true, affine = false } = options;
    if (stats && (this.runningMean === null || this.runningVar === null)) {
      refuse(
        `freeze ${kindOf(this)}`,
        "a layer without running statistics",
        "trackRunningStats: true",
      );
    }
    if (stats && !this.frozenStats) {
      this.statistics.flush();
      this.modeWhenThawed = this.training;
      this.frozenStats = true;
      this.training = false;
    }
    if (affine) {
      this.gradBeforeFreeze ??= this.affinePair().map((tensor) => tensor?.requiresGrad);
      for (const tensor of this.affinePair()) tensor?.requiresGrad_(false);
    }
    return this;
  }

  /**
   * Undoes {@linkcode freeze}: the mode is that of the last `train()` or `eval()`, and γ and β collect
   * gradients if they did before.
   */
  unfreeze(): this {
    this.training = this.requestedMode();
    this.frozenStats = false;
    this.gradBeforeFreeze?.forEach((on, i) => this.affinePair()[i]?.requiresGrad_(on));
    this.gradBeforeFreeze = null;
    return this;
  }

  /** @internal γ and β. */
  private affinePair(): readonly (Tensor | null)[] {
    return [this.weight, this.bias];
  }

  /** Sets the mode; evaluation takes in what waits for a common update of the statistics. */
  override train(mode = true): this {
    super.train(mode);
    if (!mode && isStatsUpdateEnabled()) this.statistics.flush();
    return this;
  }

  /** @internal A frozen layer keeps the mode for when it is thawed. */
  override setMode(mode: boolean): void {
    this.training = mode && !this.frozenStats;
    this.modeWhenThawed = mode;
  }

  /** @internal */
  override requestedMode(): boolean {
    return this.training || (this.frozenStats && this.modeWhenThawed);
  }

  /** @internal Takes over another layer's tensors, mode and freezing, and what its statistics know. */
  adoptState(other: BatchNorm): void {
    const { weight, bias, runningMean, runningVar, numBatchesTracked } = other;
    Object.assign(this, { weight, bias, runningMean, runningVar, numBatchesTracked });
    this.statistics.adopt(other.statistics);
    this.setMode(other.requestedMode());
    if (other.frozen) this.freeze();
    this.gradBeforeFreeze = other.gradBeforeFreeze;
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    const ghost = this.virtualBatchSize === null
      ? ""
      : `, virtual_batch_size=${this.virtualBatchSize}`;
    return super.extraRepr() + ghost + (this.frozenStats ? ", frozen" : "");
  }
}

/**
 * Batch normalisation of [N, C] or [N, C, L].
 *
 * `new BatchNorm1d(numFeatures, options)`: C, and eps = 1e-5, momentum = 0.1, affine = true,
 * trackRunningStats = true; for more see {@linkcode BatchNorm}.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const bn = new nn.BatchNorm1d(1);
 * bn.forward(tensor([1, 3, 1, 3, 1, 3, 1, 3], { shape: [8, 1] }));
 * assertAlmostEquals(bn.runningMean!.item(), 0.2);
 * assertAlmostEquals(bn.eval().forward(tensor([[0.2]])).item(), 0);
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  /** @internal */ static override readonly kind: string = "BatchNorm1d";
  /** @internal */ static override readonly keepsNothing = true;

  /** @internal */
  protected override readonly ranks = [2, 3];
}

/** Batch normalisation of [N, C, H, W]. Arguments as for {@linkcode BatchNorm1d}. */
export class BatchNorm2d extends BatchNorm {
  /** @internal */ static override readonly kind: string = "BatchNorm2d";
  /** @internal */ static override readonly keepsNothing = true;

  /** @internal */
  protected override readonly ranks = [4];
}

/** Batch normalisation of [N, C, D, H, W]. Arguments as for {@linkcode BatchNorm1d}. */
export class BatchNorm3d extends BatchNorm {
  /** @internal */ static override readonly kind: string = "BatchNorm3d";
  /** @internal */ static override readonly keepsNothing = true;

  /** @internal */
  protected override readonly ranks = [5];
}
