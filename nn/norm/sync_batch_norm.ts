/**
 * BatchNorm over the batches of several processes.
 */
import { kindOf, withoutWarnings } from "../../autograd/internal.ts";
import { BatchNorm } from "./batch_norm.ts";
import type { Module } from "../module/module.ts";

/**
 * Batch normalisation of [N, C, …] whose statistics are those of all processes together, merged by
 * their counts. In a single process it is a BatchNorm of any number of axes.
 */
export class SyncBatchNorm extends BatchNorm {
  /** @internal */ static override readonly kind: string = "SyncBatchNorm";

  /** @internal */
  protected override readonly ranks = [2, 3, 4, 5];

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
    throw new RangeError(
      `Cannot convert ${
        kindOf(bn)
      }: got a layer with then "${bn.then}", expected a BatchNorm that ` +
        `nothing follows`,
    );
  }
  const { eps, momentum, affine, trackRunningStats, virtualBatchSize, nonFinite } = bn;
  // What there is to warn of was said when the first one was made.
  const sync = withoutWarnings(() =>
    new SyncBatchNorm(bn.numFeatures, {
      eps,
      momentum,
      affine,
      trackRunningStats,
      virtualBatchSize,
      nonFinite,
    })
  );
  sync.weight = bn.weight;
  sync.bias = bn.bias;
  sync.runningMean = bn.runningMean;
  sync.runningVar = bn.runningVar;
  sync.numBatchesTracked = bn.numBatchesTracked;
  sync.adoptState(bn);
  return sync;
}
