/**
 * Why a network behaves differently in training and evaluation.
 */
import { noGrad, noStatsUpdate, type Tensor } from "../../autograd/mod.ts";
import {
  assertList,
  assertTensor,
  batchNorm,
  kindOf,
  PooledMoments,
  refuseKind,
  unbiasedVariance,
  valuesOf,
  withoutWarnings,
} from "../../autograd/internal.ts";
import { assertModule } from "../module/arguments.ts";
import { keepingModes } from "../module/keeping_modes.ts";
import type { Module } from "../module/module.ts";
import { BatchNorm } from "./batch_norm.ts";
import { BROKEN } from "./running_statistics.ts";

/** Why train and eval outputs of a BatchNorm lie apart. */
export type AuditCause =
  | "broken-statistics"
  | "never-updated"
  | "too-few-batches"
  | "tiny-batch"
  | "eps-dominated"
  | "frozen"
  | "shifted-data"
  | "non-finite-batch"
  | "untracked";

/** One cause with the numbers behind it. */
export interface AuditReason {
  /** The kind of cause. */
  readonly cause: AuditCause;
  /** What was seen. */
  readonly detail: string;
}

/** What the audit found of one layer. */
export interface AuditRow {
  /** The layer's dotted name. */
  readonly name: string;
  /** The layer. */
  readonly layer: BatchNorm;
  /** Root mean square of train − eval output, over that of the train output. */
  readonly distance: number;
  /** The likely causes, strongest first; empty where nothing stands out. */
  readonly reasons: readonly AuditReason[];
}

/** The initial 0 and 1 may keep this much weight in running statistics. */
const STALE = 0.05;
const TINY_BATCH = 32;
/** A channel is dominated by eps where its variance is below eps. */
const DOMINATED_SHARE = 0.25;
/** Means this many standard deviations apart, or variances this many times, are shifted. */
const SHIFT = 0.5;
const SPREAD = 2;

/**
 * Tells for each BatchNorm how far its outputs in training and in evaluation lie apart on a batch, and
 * why. Nothing is changed: no statistics, no mode, no gradient.
 *
 * The model runs in evaluation mode; each layer's input there is normalised once with its own
 * statistics and once with the running ones.
 *
 * @param model The module; its `forward` takes the batch.
 * @param batch A batch as in training.
 * @returns A row for each layer that ran, in the order of `namedModules()`.
 *
 * @example
 * ```ts
 * import { nn, randn } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const [row] = nn.auditTrainEval(new nn.BatchNorm1d(2), randn([64, 2]).mul(10));
 * assertEquals(row.reasons[0].cause, "never-updated");
 * ```
 */
export function auditTrainEval(model: Module, batch: Tensor): AuditRow[] {
  assertModule("audit", "model", model);
  assertTensor("audit", batch, "batch");
  const inputs = new Map<BatchNorm, Tensor>();
  const layers = model.namedModules().filter((entry): entry is [string, BatchNorm] =>
    entry[1] instanceof BatchNorm
  );
  const hooks = layers.map(([, layer]) =>
    layer.registerForwardPreHook((_, [x]: Tensor[]) => {
      if (!inputs.has(layer)) inputs.set(layer, x);
    })
  );
  try {
    const evaluate = () => noGrad(() => model.eval().forward(batch));
    keepingModes(model, () => withoutWarnings(() => noStatsUpdate(evaluate)));
  } finally {
    hooks.forEach((hook) => hook.remove());
  }
  return noGrad(() =>
    layers.flatMap(([name, layer]) => {
      const x = inputs.get(layer);
      return x === undefined || x.size === 0 ? [] : [examine(name, layer, x)];
    })
  );
}

function examine(name: string, layer: BatchNorm, x: Tensor): AuditRow {
  const { runningMean, runningVar, weight, bias, eps } = layer;
  const count = x.size / x.shape[1];
  if (runningMean === null || runningVar === null) {
    const detail = "it has no running statistics: evaluation uses the current batch";
    return { name, layer, distance: 0, reasons: [{ cause: "untracked", detail }] };
  }
  const asEval = batchNorm(x, runningMean, runningVar, weight, bias, { eps });
  const asTrain = count === 1
    ? asEval.mul(NaN)
    : batchNorm(x, null, null, weight, bias, { training: true, eps });
  const apart = rootMeanSquare(asTrain.sub(asEval));
  // Where γ and β are 0 both outputs are, and lie nowhere apart.
  const distance = apart === 0 ? 0 : apart / rootMeanSquare(asTrain);
  const moments = new PooledMoments(layer.numFeatures);
  moments.addBatch(x);
  return { name, layer, distance, reasons: reasonsFor(layer, moments) };
}

function rootMeanSquare(x: Tensor): number {
  return Math.sqrt(x.square().mean().item());
}

/** What speaks for each cause, the strongest first. */
function reasonsFor(layer: BatchNorm, moments: PooledMoments): AuditReason[] {
  const { statistics, eps } = layer;
  const { mean, variance, count } = moments;
  const channels = [...mean.keys()];
  const of = (some: { length: number }): string => `${some.length} of ${channels.length} channels`;
  const unbiased = unbiasedVariance(moments);
  const apart = new Set(channels.filter((c) => isShifted(layer, moments, unbiased, c)));
  const { share: signed, known } = statistics.initialShare();
  const share = Math.abs(signed);
  // A small share of the initial variance 1 can be most of a variance that is much smaller. A share that
  // is only estimated, as after loading a state, counts where the data contradict the statistics.
  const stale = channels.filter((c) =>
    (share > STALE || share > STALE * (valuesOf(layer.runningVar!)[c] + eps)) &&
    (known || apart.has(c))
  );
  for (const c of stale) apart.delete(c);
  const broken = statistics.brokenChannels();
  const dominated = channels.filter((c) => variance[c] < eps);
  const unusable = channels.filter((c) =>
    !Number.isFinite(mean[c]) || !Number.isFinite(variance[c])
  );
  const { untrained } = statistics;
  const causes: readonly [AuditCause, applies: boolean, detail: string][] = [
    [
      "broken-statistics",
      broken.length > 0,
      `${of(broken)} have ${BROKEN}`,
    ],
    ["never-updated", untrained, "its running statistics have seen no batch"],
    [
      "too-few-batches",
      !untrained && stale.length > 0,
      `after ${statistics.batches} batches with momentum ${layer.momentum} the initial ` +
      (share > STALE
        ? `0 and 1 still weigh ${(100 * share).toFixed(0)} %`
        : `1 is still more than ${100 * STALE} % of the running variance in ${of(stale)}`),
    ],
    ["frozen", layer.frozen, "its running statistics are frozen"],
    [
      "tiny-batch",
      count < TINY_BATCH,
      `the batch has ${count} value${count === 1 ? "" : "s"} in a channel`,
    ],
    [
      "eps-dominated",
      count > 1 && dominated.length > DOMINATED_SHARE * channels.length,
      `${of(dominated)} have a variance below eps ${eps}`,
    ],
    [
      "non-finite-batch",
      unusable.length > 0,
      `the batch's mean or variance is not finite in ${of(unusable)}`,
    ],
    [
      "shifted-data",
      apart.size > 0,
      `in ${of([...apart])} the batch's mean or variance lies far from the running one`,
    ],
  ];
  return causes.filter(([, applies]) => applies).map(([cause, , detail]) => ({ cause, detail }));
}

/** Whether a batch differs from the running statistics by more than chance and by enough to matter. */
function isShifted(
  layer: BatchNorm,
  { count, mean }: PooledMoments,
  unbiased: Float64Array,
  c: number,
): boolean {
  const variance = valuesOf(layer.runningVar!)[c] + layer.eps;
  const apart = Math.abs(mean[c] - valuesOf(layer.runningMean!)[c]);
  const byChance = 4 / Math.sqrt(count);
  const ratio = (unbiased[c] + layer.eps) / variance;
  return apart > Math.max(SHIFT, byChance) * Math.sqrt(variance) ||
    Math.abs(Math.log(ratio)) > Math.max(Math.log(SPREAD), Math.SQRT2 * byChance);
}

/** The audit as lines of text. */
export function formatAudit(rows: readonly AuditRow[]): string {
  const action = "format an audit";
  assertList(action, rows, "rows", "what auditTrainEval found");
  for (const row of rows) {
    if (row?.layer instanceof BatchNorm && Array.isArray(row.reasons)) continue;
    refuseKind(action, "a row", row, "one that auditTrainEval found");
  }
  return rows.map(({ name, layer, distance, reasons }) => {
    const why = reasons.map(({ cause, detail }) => `${cause}: ${detail}`).join("; ");
    const title = name === "" ? kindOf(layer) : name;
    return `${title}: train and eval differ by ${(100 * distance).toPrecision(3)} %` +
      (why === "" ? "" : ` (${why})`);
  }).join("\n");
}
