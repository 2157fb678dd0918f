/** Step 5: the backward pass by hand. */
import type { Tensor } from "@tapegrad/tapegrad";
import { blank } from "./blank.ts";

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
export function backward(g: Tensor, _saved: Saved): Gradients {
  return blank(`the three gradients for g of shape [${g.shape}]; sums and means go over dim 0`);
}
