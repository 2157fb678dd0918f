/**
 * Batch normalisation: `batchNorm()`, and the form that returns the statistics of the batch. The formulas
 * stand with the records, in batch_norm_record.ts; what may follow in one pass with it is batch_norm_relu.ts.
 */
import { refuse } from "../../check/refuse.ts";
import { formatShape } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { clone } from "../shape/clone.ts";
import { where } from "../elementwise/compare.ts";
import { assertOptions } from "../../check/options.ts";
import { type BatchMoments, blend, momentsFrom } from "./batch_moments.ts";
import { batchNormPrimitive } from "./batch_norm_record.ts";
import {
  assertFollowing,
  batchNormRelu,
  type BatchNormThen,
  followed,
  isOnePass,
} from "./batch_norm_relu.ts";
import { alignMask, assertBatch, assertChannels, assertFlag, assertNumber } from "./operands.ts";

export type { BatchNormThen } from "./batch_norm_relu.ts";

const ACTION = "run batchNorm";

/** What {@linkcode batchNorm} works on. */
export interface BatchNormOperands {
  readonly x: Tensor;
  readonly runningMean: Tensor | null;
  readonly runningVar: Tensor | null;
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
}

/** How {@linkcode batchNorm} runs. */
export interface BatchNormOptions {
  /** Whether to normalise with the batch's statistics and to update the running ones. */
  readonly training?: boolean;
  /** The weight of the new statistics in the running ones (Keras: 1 − this). */
  readonly momentum?: number;
  /** Added to the variance. */
  readonly eps?: number;
  /** 1 for the values that count, 0 for those to ignore; [N, 1, …] or [N, …]. */
  readonly mask?: Tensor | null;
  /**
   * What follows, in one pass and without an output in between: `"relu"`, or `"relu-maxpool"` with the
   * largest value of each window of 2 along each axis behind the channels.
   */
  readonly then?: BatchNormThen;
  /** Added to what was normalised before relu; of the shape of x. */
  readonly residual?: Tensor | null;
}

/**
 * Normalises each channel of a batch.
 *
 * y = (x − μ)/√(σ² + eps) · weight + bias. In training μ and σ² (biased) are those of the batch, and
 * the running statistics are updated in place: running ← (1 − momentum)·running + momentum·new, the
 * variance with its unbiased value σ²·M/(M − 1). Otherwise the running statistics are used.
 *
 * Shapes: x [N, C, …]; the others [C]. Gradient: to x, weight and bias, of every order; in
 * evaluation that of an affine map. Cost: two passes over x forward and two backward.
 *
 * @param x The batch.
 * @param runningMean Read in evaluation, written in training; `null` to track none.
 * @param runningVar As `runningMean`.
 * @param weight γ, or `null` for ones.
 * @param bias β, or `null` for zeros.
 * @param options training = false, momentum = 0.1, eps = 1e-5, mask: values that it leaves out are 0 in
 * the output; then = "none" and residual: what follows.
 * @returns A tensor of the shape of x, pooled with `then: "relu-maxpool"`.
 * @throws {TypeError} if an argument is of the wrong kind.
 * @throws {RangeError} if a channel holds one value in training, a size does not fit, or evaluation
 * lacks running statistics.
 * @see Ioffe, Szegedy: Batch Normalization, 2015, Algorithm 1 and 2.
 *
 * @example
 * ```ts
 * import { nn, ones, tensor, zeros } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const mean = zeros([1]);
 * const variance = ones([1]);
 * nn.functional.batchNorm(tensor([[1], [3]]), mean, variance, null, null, { training: true });
 * assertAlmostEquals(mean.item(), 0.2); // 0.9 · 0 + 0.1 · 2
 * assertAlmostEquals(variance.item(), 1.1); // 0.9 · 1 + 0.1 · 2
 * ```
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null = null,
  runningVar: Tensor | null = null,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: BatchNormOptions = {},
): Tensor {
  assertOptions(ACTION, options, ["training", "momentum", "eps", "mask", "then", "residual"]);
  const { training = false, momentum = 0.1, eps = 1e-5, mask, then, residual } = options;
  assertFlag(ACTION, "training", training);
  assertNumber(ACTION, "momentum", momentum);
  const operands = { x, runningMean, runningVar, weight, bias };
  const { y, moments } = normalizeBatch(operands, { training, eps, mask, then, residual });
  if (training && moments !== null) blend(runningMean, runningVar, momentum, moments);
  return y;
}

/** What {@linkcode normalizeBatch} gives back. */
export interface NormalizedBatch {
  /** The normalised tensor, on the tape. */
  readonly y: Tensor;
  /** The statistics of the batch, off the tape; `null` where none were taken. */
  readonly moments: BatchMoments | null;
}

/** How {@linkcode normalizeBatch} runs. */
export interface NormalizeSettings {
  /** Whether to normalise with the batch's statistics. */
  readonly training: boolean;
  /** Added to the variance. */
  readonly eps: number;
  /** 0/1, [N, 1, …] or [N, …]. */
  readonly mask?: Tensor | null;
  /** What follows. */
  readonly then?: BatchNormThen | null;
  /** What is added before it. */
  readonly residual?: Tensor | null;
}

/**
 * {@linkcode batchNorm} that returns the batch's statistics, for a caller who tracks them.
 *
 * With a mask m and M = Σm: μ = Σ m·x/M, σ² = Σ m·(x − μ)²/M, y = m·((x − μ)/√(σ² + eps)·weight + bias).
 * Masked-out values, even NaN, are ignored; they are 0 in y and get no gradient.
 */
export function normalizeBatch(
  operands: BatchNormOperands,
  settings: NormalizeSettings,
): NormalizedBatch {
  const { x, runningMean, runningVar, weight, bias } = operands;
  const { training, eps } = settings;
  assertBatch(operands, eps);
  const following = { then: settings.then ?? "none", residual: settings.residual ?? null };
  assertFollowing(ACTION, x, following);
  if (x.ndim < 2) return { y: followed(clone(x), following), moments: null };
  const mask = settings.mask ?? null;
  const valid = mask === null ? null : alignMask(x, mask);
  const count = valid === null ? x.size / x.shape[1] : valid.count;
  if (training && count === 1) {
    const got = valid === null
      ? `input size ${formatShape(x.shape)}`
      : "1 valid position in the mask";
    refuse(
      ACTION,
      "1 value in each channel",
      `at least 2 in training (Expected more than 1 value per channel when training, got ${got})`,
    );
  }
  assertChannels(operands);
  if (valid !== null && training && count === 0) {
    return { y: followed(where(valid.mask, x, 0), following), moments: null };
  }
  const useBatch = training || x.size === 0;
  if (!useBatch && (runningMean === null || runningVar === null)) {
    const [field, key] = runningMean === null
      ? ["runningMean", "running_mean"]
      : ["runningVar", "running_var"];
    refuse(
      ACTION,
      `${field} null`,
      `a tensor of shape [${x.shape[1]}] in evaluation (${key} must be defined in evaluation mode)`,
    );
  }
  const running = useBatch ? [null, null] as const : [runningMean, runningVar] as const;
  const inputs = [x, weight, bias, ...running, valid?.mask ?? null] as const;
  const onePass = valid === null && isOnePass(x, following);
  const [normalized, mean, low, variance] = onePass
    ? batchNormRelu(inputs, following, { useBatch, eps })
    : bind(batchNormPrimitive, inputs, { useBatch, eps, count });
  const y = onePass ? normalized : followed(normalized, following);
  if (!useBatch || x.size === 0) return { y, moments: null };
  return { y, moments: momentsFrom(count, valuesOf(mean), valuesOf(low), valuesOf(variance)) };
}
