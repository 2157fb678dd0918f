/**
 * Batch normalisation layers.
 */
import { cat, isStatsUpdateEnabled, split, type Tensor } from "../../autograd/mod.ts";
import { assertOptions, kindOf, type Known, valuesOf, write } from "../../autograd/internal.ts";
import { layerOptions } from "../module/arguments.ts";
import {
  type BatchMoments,
  blend,
  normalizeWith,
  unbiasedVariance,
} from "./batch_norm_function.ts";
import { normalizeMasked } from "./masked_batch_norm.ts";
import { warnOfMode, warnOfMoments, warnOfMomentum } from "./batch_norm_warnings.ts";
import { PooledMoments } from "./moments.ts";
import { TRACKED_NORM, TrackedNorm, type TrackedNormOptions } from "./norm_base.ts";

/** What becomes of statistics with NaN or infinities. */
export type NonFinitePolicy = "propagate" | "skip" | "throw";

/** Options of the batch normalisation layers. */
export interface BatchNormLayerOptions extends TrackedNormOptions {
  /**
   * Ghost batch norm: in training each run of so many samples is normalised by itself. A batch that
   * does not divide is cut into runs as even as can be, none longer.
   */
  readonly virtualBatchSize?: number | null;
  /** Whether statistics that are not finite enter the running ones, are left out, or throw. */
  readonly nonFinite?: NonFinitePolicy;
}

const KNOWN: Known<BatchNormLayerOptions> = [...TRACKED_NORM, "virtualBatchSize", "nonFinite"];

/** Keras's names and conventions. */
export interface KerasBatchNormOptions {
  /** The weight of the old statistics. */
  readonly momentum?: number;
  /** Added to the variance. */
  readonly epsilon?: number;
}

/** How a single forward runs. */
export interface BatchNormForwardOptions {
  /** 0/1 for the positions that count; of the shape of x with channel axis 1 or without it. */
  readonly mask?: Tensor | null;
}

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
  /** @internal */ static override readonly kind: string = "BatchNorm";

  /** The numbers of axes that an input may have. */
  protected abstract readonly ranks: readonly number[];
  private frozenStats = false;
  private frozenAffine = false;
  private modeWhenThawed = true;

  /** The number of samples that are normalised together in training; `null` for all. */
  readonly virtualBatchSize: number | null;
  /** What becomes of statistics with NaN or infinities. */
  readonly nonFinite: NonFinitePolicy;
  private accumulation: Accumulation | null = null;
  /** What the initial 0 and 1 weigh in the running statistics, at a count of batches. */
  private initial = { share: 1, at: 0 };

  /**
   * Makes the layer.
   *
   * @param numFeatures C, the size of axis 1.
   * @param options eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true.
   */
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    const given = layerOptions(kindOf(new.target.prototype), options, KNOWN);
    super(numFeatures, {
      eps: given.eps ?? 1e-5,
      momentum: given.momentum === undefined ? 0.1 : given.momentum,
      affine: given.affine ?? true,
      trackRunningStats: given.trackRunningStats ?? true,
    });
    const { virtualBatchSize = null, nonFinite = "propagate" } = given;
    if (
      virtualBatchSize !== null && !(Number.isInteger(virtualBatchSize) && virtualBatchSize > 0)
    ) {
      throw new RangeError(
        `Cannot make ${kindOf(this)}: got virtualBatchSize ${virtualBatchSize}, expected a ` +
          `whole number of at least 1`,
      );
    }
    if (!["propagate", "skip", "throw"].includes(nonFinite)) {
      throw new RangeError(
        `Cannot make ${kindOf(this)}: got nonFinite "${nonFinite}", expected "propagate", ` +
          `"skip" or "throw"`,
      );
    }
    this.virtualBatchSize = virtualBatchSize;
    this.nonFinite = nonFinite;
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
   * Normalises a batch; in training also updates the running statistics.
   *
   * @param x The batch.
   * @param options `mask` tells the positions that count; the others are 0 in the output.
   * @throws {RangeError} if the input has another number of axes or channels, or one value in a
   * channel while the batch's statistics are used.
   */
  override forward(x: Tensor, options: BatchNormForwardOptions = {}): Tensor {
    this.checkRank(x);
    assertOptions(`run ${kindOf(this)}`, options, ["mask"]);
    const { mask = null } = options;
    const size = this.virtualBatchSize;
    if (!this.training || size === null || x.shape[0] <= size) return this.normalize(x, mask);
    // Even parts: a rest of one sample would have no variance.
    const count = Math.ceil(x.shape[0] / size);
    const sizes = Array.from({ length: count }, (_, i) => Math.floor((x.shape[0] + i) / count));
    const parts = split(x, sizes);
    const masks = mask === null ? null : split(mask, sizes);
    return cat(parts.map((part, i) => this.normalize(part, masks?.[i] ?? null)));
  }

  /** @internal */
  private normalize(x: Tensor, mask: Tensor | null): Tensor {
    const useBatch = this.training || (this.runningMean === null && this.runningVar === null);
    const update = this.training && this.trackRunningStats && isStatsUpdateEnabled();
    warnOfMode(this, useBatch, update);
    const factor = update && this.accumulation === null ? this.countBatch() : 0;
    const handOn = !useBatch || update;
    const operands = {
      x,
      runningMean: handOn ? this.runningMean : null,
      runningVar: handOn ? this.runningVar : null,
      weight: this.weight,
      bias: this.bias,
    };
    const settings = { training: useBatch, eps: this.eps };
    let moments: BatchMoments | null = null;
    const take = (batch: BatchMoments): void => {
      warnOfMoments(this, batch, update);
      moments = batch;
    };
    const y = mask === null
      ? normalizeWith(operands, settings, take)
      : normalizeMasked(operands, mask, settings, take);
    if (update) this.absorb(moments, factor);
    return y;
  }

  /** Lets the statistics of a batch, `null` for an empty one, into the running ones. */
  private absorb(moments: BatchMoments | null, factor: number): void {
    const wanted = moments !== null && this.admits(moments) ? moments : null;
    if (this.accumulation === null) {
      if (wanted !== null) this.blendIn(wanted, factor);
      else if (moments !== null) this.uncountBatch();
      return;
    }
    const { pooled, size } = this.accumulation;
    if (wanted !== null) pooled.add(wanted);
    if (++this.accumulation.seen < size) return;
    if (pooled.count > 0) this.blendIn(pooled, this.countBatch());
    pooled.clear();
    this.accumulation.seen = 0;
  }

  /** @internal */
  private blendIn(moments: BatchMoments, factor: number): void {
    this.initial = { share: this.initial.share * (1 - factor), at: this.batchCount() };
    blend(this.runningMean, factor, moments.mean);
    blend(this.runningVar, factor, unbiasedVariance(moments));
  }

  /** Whether statistics may enter the running ones, as `nonFinite` says. */
  private admits(moments: BatchMoments): boolean {
    if (this.nonFinite === "propagate") return true;
    const { mean, variance } = moments;
    for (let c = 0; c < this.numFeatures; c++) {
      if (Number.isFinite(mean[c]) && Number.isFinite(variance[c])) continue;
      if (this.nonFinite === "skip") return false;
      if (this.accumulation === null) this.uncountBatch();
      throw new RangeError(
        `Cannot update the running statistics of ${kindOf(this)}: got mean ` +
          `${mean[c]} and variance ${variance[c]} in channel ${c}, expected finite values`,
      );
    }
    return true;
  }

  /**
   * Makes the running statistics wait for `k` training forwards and then take one update with the
   * exact moments of all of them together, as if they had been one batch: for gradient accumulation.
   * Each forward is still normalised with its own statistics.
   *
   * @param k 1 goes back to an update in each forward; what has been gathered so far is dropped.
   * @throws {RangeError} if `k` is not a whole number of at least 1.
   */
  accumulateStats(k: number): this {
    if (!Number.isInteger(k) || k < 1) {
      throw new RangeError(
        `Cannot accumulate statistics: got ${k} forwards, expected a whole number of at least 1`,
      );
    }
    this.accumulation = k === 1
      ? null
      : { size: k, seen: 0, pooled: new PooledMoments(this.numFeatures) };
    return this;
  }

  /** How many training forwards share one update of the running statistics; 1 for none. */
  get statsAccumulated(): number {
    return this.accumulation?.size ?? 1;
  }

  /** @internal Lets each forward update by itself until the function that it returns is called. */
  suspendAccumulation(): () => void {
    const { accumulation } = this;
    this.accumulation = null;
    return () => void (this.accumulation = accumulation);
  }

  /** Whether the running statistics are frozen. */
  get frozen(): boolean {
    return this.frozenStats;
  }

  /** Whether γ and β were frozen by {@linkcode freeze}. */
  get frozenParameters(): boolean {
    return this.frozenAffine;
  }

  /**
   * Fixes the layer as it is; `train()` does not thaw it.
   *
   * @param options `stats`: normalise with the running statistics and leave them, in every mode;
   * `affine`: γ and β collect no gradients.
   * @throws {RangeError} if statistics are to be frozen that were never tracked.
   */
  freeze(options: { readonly stats?: boolean; readonly affine?: boolean } = {}): this {
    assertOptions(`freeze ${kindOf(this)}`, options, ["stats", "affine"]);
    const { stats = true, affine = false } = options;
    if (stats && (this.runningMean === null || this.runningVar === null)) {
      throw new RangeError(
        `Cannot freeze ${kindOf(this)}: got a layer without running statistics, expected ` +
          `trackRunningStats: true`,
      );
    }
    if (stats && !this.frozenStats) {
      this.modeWhenThawed = this.training;
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
    this.training = this.requestedMode();
    this.frozenStats = false;
    if (this.frozenAffine) this.setAffineGrad(true);
    this.frozenAffine = false;
    return this;
  }

  /** @internal */
  private setAffineGrad(on: boolean): void {
    this.weight?.requiresGrad_(on);
    this.bias?.requiresGrad_(on);
  }

  /** @internal A frozen layer keeps the mode for when it is thawed. */
  override setMode(mode: boolean): void {
    if (this.frozenStats) this.modeWhenThawed = mode;
    else this.training = mode;
  }

  /** @internal */
  override requestedMode(): boolean {
    return this.frozenStats ? this.modeWhenThawed : this.training;
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    const ghost = this.virtualBatchSize === null
      ? ""
      : `, virtual_batch_size=${this.virtualBatchSize}`;
    return super.extraRepr() + ghost + (this.frozenStats ? ", frozen" : "");
  }

  /** Counts the batch and returns its weight: momentum, or 1/counter for a plain average. */
  private countBatch(): number {
    const counter = this.numBatchesTracked;
    if (counter === null) return this.momentum ?? 0;
    counter.copy_(counter.item() + 1);
    return this.momentum ?? 1 / counter.item();
  }

  /** @internal Batches in the running statistics, as the counter has it. */
  batchCount(): number {
    return this.numBatchesTracked?.item() ?? 0;
  }

  /** @internal Running statistics that are still those of a fresh layer. */
  isUntrained(): boolean {
    return this.batchCount() === 0 &&
      (this.runningMean !== null && valuesOf(this.runningMean).every((value) => value === 0)) &&
      (this.runningVar !== null && valuesOf(this.runningVar).every((value) => value === 1));
  }

  /**
   * @internal What the initial 0 and 1 still weigh in the running statistics: known where this layer has
   * taken them itself, else what momentum and counter of a loaded state say.
   */
  initialShare(): number {
    const batches = this.batchCount();
    if (this.initial.at === batches && batches > 0) return this.initial.share;
    if (batches === 0) return this.isUntrained() ? 1 : 0;
    return this.momentum === null ? 0 : (1 - this.momentum) ** batches;
  }

  /** Running statistics as at the start: mean 0, variance 1, no batch. Only if they are tracked. */
  override resetRunningStats(): void {
    super.resetRunningStats();
    this.initial = { share: 1, at: 0 };
  }

  /** Takes back a batch that is to have no part in the statistics. */
  private uncountBatch(): void {
    const counter = this.numBatchesTracked;
    counter?.copy_(counter.item() - 1);
  }

  /** @internal Takes the running statistics from pooled moments; the variance with its unbiased value. */
  setRunningStats(moments: BatchMoments, batches: number): void {
    if (moments.count === 1) {
      throw new RangeError(
        `Cannot set the running statistics of ${kindOf(this)}: Expected more than 1 value ` +
          `per channel, got 1 in all`,
      );
    }
    if (moments.count === 0) return;
    replace(this.runningMean, moments.mean);
    replace(this.runningVar, unbiasedVariance(moments));
    this.numBatchesTracked?.copy_(batches);
    this.initial = { share: 0, at: batches };
  }

  /** Refuses an input with another number of axes before anything changes. */
  protected checkRank(x: Tensor): void {
    if (!this.ranks.includes(x.ndim)) {
      throw new RangeError(
        `Cannot run ${kindOf(this)}: expected ${
          this.ranks.map((rank) => `${rank}D`).join(" or ")
        } input (got ${x.ndim}D input)`,
      );
    }
  }
}

function replace(running: Tensor | null, values: Float64Array): void {
  if (running === null) return;
  write(running, (old) => old.set(values));
}

/** Statistics of several forwards that wait for their common update. */
interface Accumulation {
  readonly size: number;
  readonly pooled: PooledMoments;
  seen: number;
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
 * bn.forward(tensor([1, 3, 1, 3, 1, 3, 1, 3], { shape: [8, 1] }));
 * assertAlmostEquals(bn.runningMean!.item(), 0.2);
 * assertAlmostEquals(bn.eval().forward(tensor([[0.2]])).item(), 0);
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  /** @internal */ static override readonly kind: string = "BatchNorm1d";

  /** @internal */
  protected override readonly ranks = [2, 3];
}

/** Batch normalisation of [N, C, H, W]. */
export class BatchNorm2d extends BatchNorm {
  /** @internal */ static override readonly kind: string = "BatchNorm2d";

  /** @internal */
  protected override readonly ranks = [4];
}

/** Batch normalisation of [N, C, D, H, W]. */
export class BatchNorm3d extends BatchNorm {
  /** @internal */ static override readonly kind: string = "BatchNorm3d";

  /** @internal */
  protected override readonly ranks = [5];
}
