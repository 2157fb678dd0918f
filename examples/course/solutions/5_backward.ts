/** Step 5: the backward pass by hand. */
import { mean, sum, type Tensor } from "@tapegrad/tapegrad";

/** What the forward pass has saved: x̂ [N, C], and 1/√(variance + eps) and γ, each [C]. */
export interface Saved {
  readonly normalised: Tensor;
  readonly inverse: Tensor;
  readonly gamma: Tensor;
}

/** The gradients by x, γ and β. */
export interface Gradients {
  readonly x: Tensor;
  readonly gamma: Tensor;
  readonly beta: Tensor;
}

/**
 * From g, the gradient by y [N, C]: that by β is Σ g, that by γ is Σ g·x̂, and that by x has three parts.
 * The whole batch moves when one sample does, so that its mean and its spread are taken out:
 * γ·inverse·(g − mean(g) − x̂·mean(g·x̂)).
 */
export function backward(g: Tensor, { normalised, inverse, gamma }: Saved): Gradients {
  const along = g.mul(normalised);
  return {
    x: g.sub(mean(g, { dim: 0 })).sub(normalised.mul(mean(along, { dim: 0 })))
      .mul(gamma.mul(inverse)),
    gamma: sum(along, { dim: 0 }),
    beta: sum(g, { dim: 0 }),
  };
}
