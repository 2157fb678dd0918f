/**
 * BatchNorm over the batches of several processes.
 */
import { BatchNorm } from "./batch_norm.ts";
import type { Module } from "./module.ts";

/**
 * Batch normalisation of [N, C, …] whose statistics are those of all processes together, merged by
 * their counts. In a single process it is a BatchNorm of any number of axes.
 */
export class SyncBatchNorm extends BatchNorm {
  /** @internal */
  protected override readonly ranks = [2, 3, 4, 5];

  /**
   * Replaces every BatchNorm in a module by a SyncBatchNorm with the same tensors, options and mode.
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
    if (module instanceof BatchNorm && !(module instanceof SyncBatchNorm)) return convert(module);
    for (const [name, child] of module.namedChildren()) {
      const replacement = SyncBatchNorm.convertSyncBatchnorm(child);
      if (replacement !== child) module.replaceModule(name, replacement);
    }
    return module;
  }
}

function convert(bn: BatchNorm): SyncBatchNorm {
  const { eps, momentum, affine, trackRunningStats, virtualBatchSize, nonFinite } = bn;
  const sync = new SyncBatchNorm(bn.numFeatures, {
    eps,
    momentum,
    affine,
    trackRunningStats,
    virtualBatchSize,
    nonFinite,
  });
  sync.weight = bn.weight;
  sync.bias = bn.bias;
  sync.runningMean = bn.runningMean;
  sync.runningVar = bn.runningVar;
  sync.numBatchesTracked = bn.numBatchesTracked;
  sync.train(bn.training);
  if (bn.frozen) sync.freeze();
  return sync;
}
