/** Step 3: the forward pass of batch norm. */
import { mean, sqrt, square, type Tensor } from "@tapegrad/tapegrad";

/** What a batch says of each channel, each [C]. */
export interface Moments {
  readonly mean: Tensor;
  /** Σ (x − mean)² / N: divided by N, not by N − 1. */
  readonly variance: Tensor;
}

/** The moments of x [N, C]. */
export function momentsOf(x: Tensor): Moments {
  const average = mean(x, { dim: 0 });
  return { mean: average, variance: mean(square(x.sub(average)), { dim: 0 }) };
}

/** y = γ·(x − mean)/√(variance + eps) + β. */
export function normalise(
  x: Tensor,
  { mean, variance }: Moments,
  gamma: Tensor,
  beta: Tensor,
  eps = 1e-5,
): Tensor {
  return x.sub(mean).div(sqrt(variance.add(eps))).mul(gamma).add(beta);
}
