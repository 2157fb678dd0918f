/**
 * Instance normalisation: group normalisation with one channel a group, and running statistics.
 */
import { refuse } from "../../check/refuse.ts";
import { assertOptions } from "../../check/options.ts";
import { formatShape } from "../../shape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { reshape } from "../shape/shape.ts";
import { type BatchMoments, blend, momentsFrom } from "./batch_moments.ts";
import { type BatchNormOperands, normalizeBatch, type NormalizedBatch } from "./batch_norm.ts";
import { type EpsOptions, normalizeGroups } from "./group_norm.ts";
import { assertFlag, assertNumber, assertOffTape, channelsOf, scaleEmpty } from "./operands.ts";

/** Options of {@linkcode instanceNorm}. */
export interface InstanceNormOptions extends EpsOptions {
  /** [C]; written while the input's statistics are used, read otherwise. */
  readonly runningMean?: Tensor | null;
  /** [C], unbiased. */
  readonly runningVar?: Tensor | null;
  /** γ, [C]. */
  readonly weight?: Tensor | null;
  /** β, [C]. */
  readonly bias?: Tensor | null;
  /** Whether to use each image's own statistics; else the running ones. */
  readonly useInputStats?: boolean;
  /** The weight of the new statistics in the running ones. */
  readonly momentum?: number;
}

const ACTION = "run instanceNorm";

/**
 * Normalises each channel of each sample.
 *
 * The running statistics, if given, get the averages over the samples of their means and unbiased
 * variances.
 *
 * Shapes: x [N, C, …]; all options [C]. Gradient: to x, weight and bias, of every order.
 *
 * @param x The batch.
 * @param options useInputStats = true, momentum = 0.1, eps = 1e-5; the tensors are absent by default.
 * @returns A tensor of the shape of x.
 * @throws {TypeError} if an argument is of the wrong kind.
 * @throws {RangeError} if a channel of a sample holds one value, or running statistics are missing.
 * @see Ulyanov, Vedaldi, Lempitsky: Instance Normalization, 2016.
 */
export function instanceNorm(x: Tensor, options: InstanceNormOptions = {}): Tensor {
  assertOptions(ACTION, options, [
    "runningMean",
    "runningVar",
    "weight",
    "bias",
    "useInputStats",
    "momentum",
    "eps",
  ]);
  const { runningMean = null, runningVar = null, weight = null, bias = null } = options;
  const { useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
  assertNumber(ACTION, "momentum", momentum);
  assertFlag(ACTION, "useInputStats", useInputStats);
  const operands = { x, runningMean, runningVar, weight, bias };
  const { y, moments } = normalizeInstances(operands, { useInputStats, eps });
  if (moments !== null) blend(runningMean, runningVar, momentum, moments);
  return y;
}

/**
 * {@linkcode instanceNorm} that returns the statistics, averaged over the samples, for a caller who
 * tracks them; `null` where none were taken.
 */
export function normalizeInstances(
  operands: BatchNormOperands,
  { useInputStats, eps }: { readonly useInputStats: boolean; readonly eps: number },
): NormalizedBatch {
  const { x, weight, bias, runningMean, runningVar } = operands;
  const channels = channelsOf(ACTION, x, { runningMean, runningVar, weight, bias });
  assertNumber(ACTION, "eps", eps);
  assertOffTape(ACTION, { runningMean, runningVar });
  if (!useInputStats) {
    if (runningMean === null || runningVar === null) {
      refuse(
        ACTION,
        "no running statistics",
        "runningMean and runningVar where useInputStats is false",
      );
    }
    return { y: normalizeBatch(operands, { training: false, eps }).y, moments: null };
  }
  if (x.size === 0) {
    const perChannel = (t: Tensor | null) =>
      t === null ? null : reshape(t, [channels, ...x.shape.slice(2).fill(1)]);
    return { y: scaleEmpty(x, perChannel(weight), perChannel(bias)), moments: null };
  }
  const positions = x.size / (x.shape[0] * channels);
  if (positions === 1) {
    refuse(
      ACTION,
      "1 value in each channel of a sample",
      `at least 2 (Expected more than 1 spatial element when training, got input size ${
        formatShape(x.shape)
      })`,
    );
  }
  const flat = reshape(x, [x.shape[0], channels, positions]);
  const [y, mean, low, variance] = normalizeGroups(flat, weight, bias, channels, eps);
  return { y: reshape(y, x.shape), moments: averageOf(positions, mean, low, variance) };
}

/** The averages over the samples of statistics [N, C]. */
function averageOf(count: number, mean: Tensor, low: Tensor, variance: Tensor): BatchMoments {
  const [n, c] = mean.shape;
  const average = (statistic: Tensor): Float64Array => {
    const values = valuesOf(statistic);
    const sums = new Float64Array(c);
    for (let i = 0; i < values.length; i++) sums[i % c] += values[i];
    return sums.map((sum) => sum / n);
  };
  return momentsFrom(count, average(mean), average(low), average(variance));
}
