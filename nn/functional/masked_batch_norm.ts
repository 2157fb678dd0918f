/**
 * Batch normalisation of batches in which some positions do not count, such as padding.
 */
import { noGrad, Tensor, tensor } from "../../autograd/mod.ts";
import { type BatchMoments, type BatchNormOperands, runningStatistics } from "./batch_norm.ts";

/**
 * Batch normalisation whose statistics come from the valid positions only; the others are 0 in the
 * output and get no gradient.
 *
 * With m the mask and M = Σm: μ = Σ m·x/M, σ² = Σ m·(x − μ)²/M, y = m·((x − μ)/√(σ² + eps)·w + b).
 *
 * @param mask 0/1, of the shape of x with 1 as its channel axis, or without that axis.
 * @throws {RangeError} if the mask does not fit, or one position alone is valid in training.
 */
export function normalizeMasked(
  operands: BatchNormOperands,
  mask: Tensor,
  { training, eps }: { readonly training: boolean; readonly eps: number },
  onStatistics: (moments: BatchMoments) => void,
): Tensor {
  const { x, weight, bias } = operands;
  const valid = alignMask(x, mask);
  const channel = x.shape.map((size, i) => i === 1 ? size : 1);
  const spread = (t: Tensor): Tensor => t.reshape(channel);
  const affine = (t: Tensor): Tensor => {
    const scaled = weight === null ? t : t.mul(spread(weight));
    return (bias === null ? scaled : scaled.add(spread(bias))).mul(valid);
  };
  if (!training) {
    const { mean, variance } = runningStatistics(operands);
    return affine(x.sub(spread(mean)).mul(spread(variance).add(eps).rsqrt()));
  }
  const count = valid.sum().item();
  if (count === 0) return x.mul(0);
  if (count === 1) {
    throw new RangeError(
      "Cannot run batchNorm: Expected more than 1 value per channel when training, got 1 valid " +
        "position in the mask",
    );
  }
  const dim = x.shape.map((_, i) => i).filter((i) => i !== 1);
  const average = (t: Tensor): Tensor => t.mul(valid).sum({ dim, keepdim: true }).div(count);
  // Centred twice: the first mean takes the large part off, the second is exact about the rest.
  const high = noGrad(() => average(x));
  const shifted = x.sub(high);
  const low = average(shifted);
  const centered = shifted.sub(low).mul(valid);
  const variance = average(centered.square());
  const mean = (c: number): number => high.storage.values[c] + low.storage.values[c];
  onStatistics({
    count,
    mean,
    meanRest: (c) => high.storage.values[c] - mean(c) + low.storage.values[c],
    variance: (c) => variance.storage.values[c],
    unbiasedVariance: (c) => variance.storage.values[c] * (count / (count - 1)),
  });
  return affine(centered.mul(variance.add(eps).rsqrt()));
}

/** The values at valid positions, [count, C], off the tape. */
export function validPositions(x: Tensor, mask: Tensor): Tensor {
  const valid = alignMask(x, mask).storage.values;
  const [n, channels] = x.shape;
  const positions = valid.length / Math.max(n, 1);
  const values = x.storage.values;
  const taken: number[] = [];
  for (let at = 0; at < valid.length; at++) {
    if (valid[at] === 0) continue;
    const sample = Math.floor(at / positions);
    const start = sample * channels * positions + at % positions;
    for (let c = 0; c < channels; c++) taken.push(values[start + c * positions]);
  }
  return tensor(taken, { shape: [taken.length / channels, channels] });
}

/** The mask with as many axes as x, its channel axis 1. */
function alignMask(x: Tensor, mask: unknown): Tensor {
  if (!(mask instanceof Tensor)) {
    throw new TypeError(`Cannot run batchNorm: got mask ${String(mask)}, expected a Tensor`);
  }
  const wanted = x.shape.map((size, i) => i === 1 ? 1 : size);
  const without = wanted.filter((_, i) => i !== 1);
  const fits = (shape: readonly number[]) =>
    shape.length === mask.ndim && shape.every((size, i) => size === mask.shape[i]);
  if (!fits(wanted) && !fits(without)) {
    throw new RangeError(
      `Cannot run batchNorm: got mask of shape [${mask.shape.join(", ")}] for x of shape ` +
        `[${x.shape.join(", ")}], expected [${wanted.join(", ")}] or [${without.join(", ")}]`,
    );
  }
  if (mask.storage.values.some((value) => value !== 0 && value !== 1)) {
    throw new RangeError("Cannot run batchNorm: got a mask with other values, expected 0 and 1");
  }
  return mask.detach().reshape(wanted);
}
