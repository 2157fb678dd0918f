/**
 * Batch normalisation with running statistics: where the two ways part. Gradients of weight and bias
 * travel on the tape; the running mean and variance are written beside it, in the forward.
 */
import {
  assertOptions,
  normalizeBatch,
  type NormalizedBatch,
  valuesOf,
  write,
} from "../../autograd/internal.ts";
import { Tensor } from "../../autograd/mod.ts";

/** How {@linkcode batchNorm} runs. */
export interface BatchNormOptions {
  /** Whether to normalise with the batch's statistics and to update the running ones. */
  readonly training?: boolean;
  /** The weight of the new statistics in the running ones (Keras: 1 − this). */
  readonly momentum?: number;
  /** Added to the variance. */
  readonly eps?: number;
}

/**
 * Normalises each channel of a batch.
 *
 * y = (x − μ)/√(σ² + eps) · weight + bias. In training μ and σ² (biased) are those of the batch, and
 * the running statistics are updated in place: running ← (1 − momentum)·running + momentum·new, the
 * variance with its unbiased value σ²·M/(M − 1). Else the running statistics are used.
 *
 * Shapes: x [N, C, …]; the others [C]. Gradient: to x, weight and bias, of every order; in
 * evaluation that of an affine map, with the statistics that this forward used.
 *
 * @param x The batch.
 * @param runningMean Read in evaluation, written in training; `null` to track none.
 * @param runningVar As `runningMean`.
 * @param weight γ, or `null` for ones.
 * @param bias β, or `null` for zeros.
 * @param options training = false, momentum = 0.1, eps = 1e-5.
 * @returns A tensor of the shape of x.
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
  assertOptions("run batchNorm", options, ["training", "momentum", "eps"]);
  const { training = false, momentum = 0.1, eps = 1e-5 } = options;
  assertNumber("momentum", momentum);
  const operands = { x, runningMean, runningVar, weight, bias };
  return normalizeWith(operands, { training, eps }, (moments) => {
    blend(runningMean, momentum, moments.mean);
    blend(runningVar, momentum, unbiasedVariance(moments));
  });
}

/** What {@linkcode normalizeWith} works on. */
export interface BatchNormOperands {
  readonly x: Tensor;
  readonly runningMean: Tensor | null;
  readonly runningVar: Tensor | null;
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
}

/** The statistics of one batch, one value per channel. */
export interface BatchMoments {
  /** Values in each channel. */
  readonly count: number;
  /** The means. */
  readonly mean: Float64Array;
  /** What the means lack below their last digit: the exact ones are mean + rest. */
  readonly meanRest: Float64Array;
  /** The biased variances. */
  readonly variance: Float64Array;
}

/** The variances with n − 1 as their divisor. */
export function unbiasedVariance({ count, variance }: BatchMoments): Float64Array {
  const unbiased = new Float64Array(variance.length);
  for (let c = 0; c < unbiased.length; c++) unbiased[c] = variance[c] * (count / (count - 1));
  return unbiased;
}

/**
 * Batch normalisation as {@linkcode batchNorm} does it, where the caller decides what becomes of the
 * batch's statistics.
 */
export function normalizeWith(
  operands: BatchNormOperands,
  { training, eps }: { readonly training: boolean; readonly eps: number },
  onStatistics: (moments: BatchMoments) => void,
): Tensor {
  const { x, weight, bias } = operands;
  assertTensors(operands);
  assertNumber("eps", eps);
  if (x.size === 0 && x.ndim < 2) return x.clone();
  if (x.ndim < 2) {
    throw new RangeError(
      `Cannot run batchNorm: got x of shape [${x.shape.join(", ")}], expected [N, C, …]`,
    );
  }
  const channels = x.shape[1];
  const count = x.size / channels;
  if (training && count === 1) {
    throw new RangeError(
      `Cannot run batchNorm: Expected more than 1 value per channel when training, got input size ` +
        `[${x.shape.join(", ")}]`,
    );
  }
  assertOperands(operands);
  if (training || x.size === 0) {
    const result = normalizeBatch(x, weight, bias, null, eps);
    if (x.size > 0) onStatistics(momentsOf(count, result));
    return result.y;
  }
  return normalizeBatch(x, weight, bias, runningStatistics(operands), eps).y;
}

/**
 * The running statistics for evaluation.
 *
 * @throws {RangeError} if one is missing.
 */
export function runningStatistics(
  { x, runningMean, runningVar }: BatchNormOperands,
): { mean: Tensor; variance: Tensor } {
  if (runningMean === null || runningVar === null) {
    throw new RangeError(
      `Cannot run batchNorm: running_${runningMean === null ? "mean" : "var"} must be defined in ` +
        `evaluation mode, got null, expected a tensor of shape [${x.shape[1]}]`,
    );
  }
  return { mean: runningMean, variance: runningVar };
}

/** The statistics that a forward used. */
export function momentsOf(
  count: number,
  { mean, low, variance }: Pick<NormalizedBatch, "mean" | "low" | "variance">,
): BatchMoments {
  const [high, rest] = [valuesOf(mean), valuesOf(low)];
  const whole = new Float64Array(high.length);
  // An infinite mean has no low part.
  for (let c = 0; c < whole.length; c++) {
    whole[c] = Number.isFinite(high[c]) ? high[c] + rest[c] : high[c];
  }
  return {
    count,
    mean: whole,
    get meanRest() {
      return whole.map((m, c) => Number.isFinite(m) ? high[c] - m + rest[c] : 0);
    },
    variance: valuesOf(variance),
  };
}

/** Refuses operands that do not fit the channels of x, and running statistics on the tape. */
export function assertOperands(operands: BatchNormOperands): void {
  const { x, runningMean, runningVar, weight, bias } = operands;
  const channels = x.shape[1];
  // With nothing to normalise the running statistics are not looked at, be they missing or of
  // another size.
  if (x.size > 0) {
    assertChannels("running_mean", runningMean, channels);
    assertChannels("running_var", runningVar, channels);
  }
  assertChannels("weight", weight, channels);
  assertChannels("bias", bias, channels);
  assertOffTape("running_mean", runningMean);
  assertOffTape("running_var", runningVar);
}

/** running ← (1 − momentum)·running + momentum·batch; the tape notices the edit. */
export function blend(running: Tensor | null, momentum: number, batch: Float64Array): void {
  if (running === null) return;
  write(running, (values) => {
    for (let c = 0; c < values.length; c++) {
      values[c] = (1 - momentum) * values[c] + momentum * batch[c];
    }
  });
}

function assertTensors(operands: BatchNormOperands): void {
  for (const [name, value] of Object.entries(operands)) {
    if (value instanceof Tensor || (value === null && name !== "x")) continue;
    throw new TypeError(
      `Cannot run batchNorm: got ${name} ${String(value)}, expected a Tensor` +
        (name === "x" ? "" : " or null"),
    );
  }
}

function assertNumber(name: string, value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot run batchNorm: got ${name} ${String(value)}, expected a number`);
  }
  if (Number.isNaN(value)) {
    throw new RangeError(`Cannot run batchNorm: got ${name} NaN, expected a number`);
  }
}

function assertChannels(name: string, value: Tensor | null, channels: number): void {
  if (value !== null && value.size !== channels) {
    throw new RangeError(
      `Cannot run batchNorm: ${name} should contain ${channels} elements not ${value.size}`,
    );
  }
}

function assertOffTape(name: string, value: Tensor | null): void {
  if (value?.requiresGrad) {
    throw new RangeError(
      `Cannot run batchNorm: got ${name} that requires grad, expected a buffer off the tape`,
    );
  }
}
