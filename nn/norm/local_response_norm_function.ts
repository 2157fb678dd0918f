/**
 * Local response normalisation.
 */
import {
  assertOptions,
  assertTensor,
  formatShape,
  normalizeResponses,
} from "../../autograd/internal.ts";
import type { Tensor } from "../../autograd/mod.ts";
import { checkNumber } from "../loss/operands.ts";

/** Options of {@linkcode localResponseNorm}. */
export interface LocalResponseNormOptions {
  /** The weight of the mean square; 1e-4 where left out. */
  readonly alpha?: number;
  /** The exponent; 0.75 where left out. */
  readonly beta?: number;
  /** Added to the mean square; 1 where left out. */
  readonly k?: number;
}

/**
 * x / (k + alpha · mean of x² over `size` neighbouring channels)^beta.
 *
 * The mean divides by `size` also at the borders, where there are fewer channels.
 *
 * Shapes: [N, C, …] → the same. Gradient: of every order. Cost: one pass over x forward and one
 * backward, with a sum of `size` values for each element.
 *
 * @param x The input.
 * @param size How many channels a mean runs over.
 * @param options alpha = 1e-4, beta = 0.75, k = 1.
 * @returns A tensor of the shape of x.
 * @throws {RangeError} if x has fewer than 3 dims or the size is not a whole number from 1 up.
 * @see Krizhevsky et al.: ImageNet Classification with Deep Convolutional Neural Networks, 2012.
 */
export function localResponseNorm(
  x: Tensor,
  size: number,
  options: LocalResponseNormOptions = {},
): Tensor {
  const action = "run localResponseNorm";
  assertOptions(action, options, ["alpha", "beta", "k"]);
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  assertTensor(action, x, "x");
  for (const [name, value] of Object.entries({ size, alpha, beta, k })) {
    checkNumber(action, name, value);
  }
  if (x.ndim < 3) {
    throw new RangeError(
      `Cannot ${action}: got x of shape ${formatShape(x.shape)}, expected 3 dims or more`,
    );
  }
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(
      `Cannot ${action}: got size ${size}, expected a whole number of at least 1`,
    );
  }
  return x.size === 0 ? x : normalizeResponses(x, { size, alpha, beta, k });
}
