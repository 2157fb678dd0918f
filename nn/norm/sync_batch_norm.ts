/**
 * BatchNorm over the batches of several processes.
 */
import {
  type BatchNormOperands,
  kindOf,
  type NormalizedBatch,
  type NormalizeSettings,
  refuse,
  withoutWarnings,
} from "../../autograd/internal.ts";
import { BatchNorm, LAYER_OPTIONS } from "./batch_norm.ts";
import { type LayerMoments, processGroup } from "./process_group.ts";
import type { Module } from "../module/module.ts";

/**
 * Batch normalisation of [N, C, …] whose statistics in training are those of the batches of all processes
 * together: the result is that of one process with the whole batch.
 *
 * The processes are those that `init()` of `@tapegrad/tapegrad/distributed` found; without it, and in a
 * group of one, it is a BatchNorm of any number of axes. Batches may differ in size, and a process without
 * samples takes part with a batch of 0 of them: all have to call `forward`, and to run backward through it.
 * The gradients of γ and β are those of the own samples, for DistributedDataParallel to average.
 * Arguments as for {@linkcode BatchNorm1d}.
 *
 * Cost: one message of 2C + 3 numbers forward, one of 2C backward.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const bn = new nn.SyncBatchNorm(1, { affine: false, eps: 0 });
 * assertEquals(bn.forward(tensor([[1], [3]])).toArray(), [[-1], [1]]);
 * ```
 */
export class SyncBatchNorm extends BatchNorm {
  /** @internal */ static override readonly kind: string = "SyncBatchNorm";

  /** @internal */
  protected override readonly ranks = [2, 3, 4, 5];

  /** @internal */
  protected override normalizeRun(
    operands: BatchNormOperands,
    settings: NormalizeSettings,
  ): NormalizedBatch {
    const processes = processGroup();
    // In evaluation the processes need not meet, so they do not, with statistics or without.
    if (processes === null || !settings.training || !this.training) {
      return super.normalizeRun(operands, settings);
    }
    if (this.virtualBatchSize !== null) {
      refuse(
        `run ${kindOf(this)}`,
        `virtualBatchSize ${this.virtualBatchSize} with ${processes.size} processes`,
        "null, or a BatchNorm",
      );
    }
    return processes.normalize({ ...operands, runningMean: this.runningMean }, settings);
  }

  /** @internal Recalibration pools the data of all processes. */
  override pool(own: LayerMoments): LayerMoments {
    return processGroup()?.pool(own) ?? own;
  }

  /**
   * Replaces every BatchNorm in a module by a SyncBatchNorm with the same tensors, options and mode.
   * One that is held in several places becomes one in all of them.
   *
   * @param module A BatchNorm, or a module that holds some.
   * @returns The replacement of a BatchNorm; any other module itself, with its children replaced.
   *
   * @example
   * ```ts
   * import { nn } from "@tapegrad/tapegrad";
   * import { assert, assertStrictEquals } from "@std/assert";
   *
   * const bn = new nn.BatchNorm2d(3);
   * const sync = nn.SyncBatchNorm.convertSyncBatchnorm(bn);
   * assert(sync instanceof nn.SyncBatchNorm);
   * assertStrictEquals(sync.weight, bn.weight);
   * ```
   */
  static convertSyncBatchnorm(module: Module): Module {
    if (isOrdinary(module)) return convert(module);
    const all = new Map(module.namedModules({ removeDuplicate: false }));
    const made = new Map<BatchNorm, SyncBatchNorm>();
    for (const [path, child] of all) {
      if (!isOrdinary(child)) continue;
      const replacement = made.get(child) ?? convert(child);
      made.set(child, replacement);
      const dot = path.lastIndexOf(".");
      all.get(path.slice(0, Math.max(dot, 0)))!.replaceModule(path.slice(dot + 1), replacement);
    }
    return module;
  }
}

function isOrdinary(module: Module): module is BatchNorm {
  return module instanceof BatchNorm && !(module instanceof SyncBatchNorm);
}

function convert(bn: BatchNorm): SyncBatchNorm {
  if (bn.then !== "none") {
    refuse(
      `convert ${kindOf(bn)}`,
      `a layer with then "${bn.then}"`,
      "a BatchNorm that nothing follows",
    );
  }
  const options = Object.fromEntries(LAYER_OPTIONS.map((name) => [name, bn[name]]));
  // What there is to warn of was said when the first one was made.
  const sync = withoutWarnings(() => new SyncBatchNorm(bn.numFeatures, options));
  sync.adoptState(bn);
  return sync;
}
