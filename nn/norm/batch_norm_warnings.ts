/**
 * What BatchNorm layers warn of.
 */
import { isGradEnabled, type WarningCode } from "../../autograd/mod.ts";
import { type BatchMoments, kindOf, mayWarn, warnOnce } from "../../autograd/internal.ts";
import type { BatchNorm } from "./batch_norm.ts";
import { firstNonFinite } from "./running_statistics.ts";

/** Fewer values than this make a poor estimate. */
const FEW_VALUES = 8;
const LARGE_MOMENTUM = 0.5;

function warn(layer: BatchNorm, code: WarningCode, what: string): void {
  warnOnce(layer, code, `${kindOf(layer)}(${layer.numFeatures}) ${what}`);
}

/** At construction and at each update. */
export function warnOfMomentum(layer: BatchNorm): void {
  const { momentum } = layer;
  if (typeof momentum !== "number" || momentum <= LARGE_MOMENTUM) return;
  warn(
    layer,
    "bn-large-momentum",
    `has momentum ${momentum}, the weight of the new batch. Keras's momentum is the weight of the old ` +
      `statistics: use BatchNorm.fromKeras() or momentum ${
        Number((1 - momentum).toPrecision(6))
      } ` +
      `if that was meant.`,
  );
}

/** At each forward, before anything is computed. */
export function warnOfMode(layer: BatchNorm, useBatch: boolean, update: boolean): void {
  if (update) {
    warnOfMomentum(layer);
    if (!isGradEnabled()) {
      warn(
        layer,
        "bn-update-under-no-grad",
        `is in training mode under noGrad and updates its running statistics. Call eval() to predict, ` +
          `updateBn() to recalibrate, or wrap in nn.noStatsUpdate().`,
      );
    } else if (layer.weight?.requiresGrad === false && !layer.frozenParameters) {
      warn(
        layer,
        "bn-frozen-in-training",
        `has frozen parameters, as in a teacher, but is in training mode and updates its running ` +
          `statistics. Call eval() or freeze().`,
      );
    }
  } else if (!layer.training && useBatch) {
    warn(
      layer,
      "bn-batch-statistics-in-eval",
      `tracks no running statistics: in evaluation the output of a sample depends on the rest of its ` +
        `batch.`,
    );
  } else if (!useBatch && mayWarn(layer, "bn-eval-before-training") && layer.statistics.untrained) {
    warn(
      layer,
      "bn-eval-before-training",
      `runs in evaluation mode before it has seen a batch: its running statistics are still 0 and 1. ` +
        `Train first, load a state, or call updateBn().`,
    );
  }
}

/** When a batch's statistics are known. */
export function warnOfMoments(layer: BatchNorm, moments: BatchMoments, update: boolean): void {
  if (moments.count < FEW_VALUES) {
    warn(
      layer,
      "bn-few-values",
      `takes its statistics from ${moments.count} values in a channel; fewer than ${FEW_VALUES} make ` +
        `them noise. Use larger batches, accumulateStats() or another norm.`,
    );
  }
  if (!update || !mayWarn(layer, "bn-non-finite")) return;
  const c = firstNonFinite(moments);
  if (c < 0) return;
  warn(
    layer,
    "bn-non-finite",
    `got mean ${moments.mean[c]} and variance ${moments.variance[c]} in channel ${c}` +
      `${layer.nonFinite === "propagate" ? ", which enter its running statistics" : ""}. ` +
      `Look for the cause with detectAnomaly(), or set nonFinite: "skip" or "throw".`,
  );
}
