/** Step 3: the forward pass of batch norm. */
import type { Tensor } from "@tapegrad/tapegrad";
import { blank } from "./blank.ts";

/** What a batch says of each channel, each [C]. */
export interface Moments {
  readonly mean: Tensor;
  /** Σ (x − mean)² / N: divided by N, not by N − 1. */
  readonly variance: Tensor;
}

/** The moments of x [N, C]. */
export function momentsOf(x: Tensor): Moments {
  return blank(`mean and variance of [${x.shape}] over the batch, dim 0`);
}

/** y = γ·(x − mean)/√(variance + eps) + β. */
export function normalise(
  _x: Tensor,
  _moments: Moments,
  _gamma: Tensor,
  _beta: Tensor,
  eps = 1e-5,
): Tensor {
  return blank(`the formula above, with eps ${eps} under the root`);
}
