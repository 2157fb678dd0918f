/** What layers begin with: PyTorch's default weights, drawn in PyTorch's order. */
import type { Generator, Tensor } from "../../autograd/mod.ts";
import { fans, kaimingUniform_ } from "./fan.ts";
import { fillValues, normal_, uniform_ } from "./fill.ts";

/**
 * The default of linear and convolutional layers, transposed ones included: the weight evenly from
 * ±1/√fan_in (PyTorch arrives there by Kaiming's rule for a leaky ReLU of slope √5), then the bias
 * from the same range.
 */
export function initAffine_(
  weight: Tensor,
  bias: Tensor | null,
  generator?: Generator | null,
): void {
  kaimingUniform_(weight, { a: Math.sqrt(5), generator });
  if (bias === null) return;
  const fan = fans("initialise the bias", weight).fan_in;
  const bound = fan > 0 ? 1 / Math.sqrt(fan) : 0;
  uniform_(bias, { a: -bound, b: bound, generator });
}

/** The default of an embedding table: normal, the row of the padding index zero. */
export function initEmbedding_(
  weight: Tensor,
  paddingIdx: number | null = null,
  generator?: Generator | null,
): void {
  normal_(weight, { generator });
  if (paddingIdx === null) return;
  const [rows, width] = weight.shape;
  const row = paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
  fillValues("initialise the padding row", weight, (values) => {
    values.fill(0, row * width, (row + 1) * width);
  });
}
