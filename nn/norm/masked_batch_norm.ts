/**
 * Batch normalisation of batches in which some positions do not count, such as padding.
 */
import { normalizeBatch, valuesOf } from "../../autograd/internal.ts";
import { Tensor, tensor, where } from "../../autograd/mod.ts";
import {
  assertOperands,
  type BatchMoments,
  type BatchNormOperands,
  momentsOf,
  runningStatistics,
} from "./batch_norm_function.ts";

/**
 * Batch normalisation whose statistics come from the valid positions only; the others are 0 in the
 * output and get no gradient, whatever they hold.
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
  assertOperands(operands);
  const valid = alignMask(x, mask);
  if (!training) return normalizeBatch(x, weight, bias, runningStatistics(operands), eps, valid).y;
  const { count } = valid;
  if (count === 0) return where(valid.mask, x, 0);
  if (count === 1) {
    throw new RangeError(
      "Cannot run batchNorm: Expected more than 1 value per channel when training, got 1 valid " +
        "position in the mask",
    );
  }
  const result = normalizeBatch(x, weight, bias, null, eps, valid);
  onStatistics(momentsOf(count, result));
  return result.y;
}

/** The values at valid positions, [count, C], off the tape. */
export function validPositions(x: Tensor, mask: Tensor): Tensor {
  const valid = valuesOf(alignMask(x, mask).mask);
  const [n, channels] = x.shape;
  const positions = valid.length / Math.max(n, 1);
  const values = valuesOf(x);
  const taken: number[] = [];
  for (let at = 0; at < valid.length; at++) {
    if (valid[at] === 0) continue;
    const sample = Math.floor(at / positions);
    const start = sample * channels * positions + at % positions;
    for (let c = 0; c < channels; c++) taken.push(values[start + c * positions]);
  }
  return tensor(taken, { shape: [taken.length / channels, channels] });
}

/** The mask with as many axes as x, its channel axis 1, and how many ones it has. */
function alignMask(x: Tensor, mask: unknown): { mask: Tensor; count: number } {
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
  let count = 0;
  for (const value of valuesOf(mask)) {
    if (value !== 0 && value !== 1) {
      throw new RangeError("Cannot run batchNorm: got a mask with other values, expected 0 and 1");
    }
    count += value;
  }
  return { mask: mask.detach().reshape(wanted), count };
}
