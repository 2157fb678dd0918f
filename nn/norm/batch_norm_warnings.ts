/**
 * What BatchNorm layers warn of.
 */
import { isGradEnabled } from "../../autograd/mod.ts";
import { type BatchMoments, kindOf, mayWarn, warnOnce } from "../../autograd/internal.ts";
import type { BatchNorm } from "./batch_norm.ts";

/** Fewer values than this make a poor estimate. */
const FEW_VALUES = 8;
const LARGE_MOMENTUM = 0.5;

/** At construction and at each update. */
export function warnOfMomentum(layer: BatchNorm): void {
  if (layer.momentum === null || typeof layer.momentum !== "number") return;
  if (layer.momentum <= LARGE_MOMENTUM) return;
  warnOnce(
    layer,
    "bn-large-momentum",
    `${
      name(layer)
    } has momentum ${layer.momentum}, the weight of the new batch. Keras's momentum is ` +
      `the weight of the old statistics: use BatchNorm.fromKeras() or momentum ` +
      `${Number((1 - layer.momentum).toPrecision(6))} if that was meant.`,
  );
}

/** At each forward, before anything is computed. */
export function warnOfMode(layer: BatchNorm, useBatch: boolean, update: boolean): void {
  if (update) {
    warnOfMomentum(layer);
    if (!isGradEnabled()) {
      warnOnce(
        layer,
        "bn-update-under-no-grad",
        `${
          name(layer)
        } is in training mode under noGrad and updates its running statistics. Call ` +
          `eval() to predict, updateBn() to recalibrate, or wrap in nn.noStatsUpdate().`,
      );
    } else if (layer.weight?.requiresGrad === false && !layer.frozenParameters) {
      warnOnce(
        layer,
        "bn-frozen-in-training",
        `${
          name(layer)
        } has frozen parameters, as in a teacher, but is in training mode and updates ` +
          `its running statistics. Call eval() or freeze().`,
      );
    }
  } else if (!layer.training && useBatch) {
    warnOnce(
      layer,
      "bn-batch-statistics-in-eval",
      `${
        name(layer)
      } tracks no running statistics: in evaluation the output of a sample depends on ` +
        `the rest of its batch.`,
    );
  } else if (!useBatch && mayWarn(layer, "bn-eval-before-training") && layer.statistics.untrained) {
    warnOnce(
      layer,
      "bn-eval-before-training",
      `${
        name(layer)
      } runs in evaluation mode before it has seen a batch: its running statistics are ` +
        `still 0 and 1. Train first, load a state, or call updateBn().`,
    );
  }
}

/** When a batch's statistics are known. */
export function warnOfMoments(layer: BatchNorm, moments: BatchMoments, update: boolean): void {
  if (moments.count < FEW_VALUES) {
    warnOnce(
      layer,
      "bn-few-values",
      `${name(layer)} takes its statistics from ${moments.count} values in a channel; fewer than ` +
        `${FEW_VALUES} make them noise. Use larger batches, accumulateStats() or another norm.`,
    );
  }
  if (!update || !mayWarn(layer, "bn-non-finite")) return;
  const { mean, variance } = moments;
  for (let c = 0; c < layer.numFeatures; c++) {
    if (Number.isFinite(mean[c]) && Number.isFinite(variance[c])) continue;
    warnOnce(
      layer,
      "bn-non-finite",
      `${name(layer)} got mean ${mean[c]} and variance ${variance[c]} in channel ` +
        `${c}${layer.nonFinite === "propagate" ? ", which enter its running statistics" : ""}. ` +
        `Look for the cause with detectAnomaly(), or set nonFinite: "skip" or "throw".`,
    );
    return;
  }
}

function name(layer: BatchNorm): string {
  return `${kindOf(layer)}(${layer.numFeatures})`;
}
