/** Step 2: what was repeated on the way forward is summed on the way back. */
import { sum, type Tensor } from "@tapegrad/tapegrad";

/**
 * The gradient by an input that was broadcast: `gradient` has the shape of the result, and what comes
 * back the shape of the input.
 */
export function sumTo(gradient: Tensor, shape: readonly number[]): Tensor {
  // Dims that the input did not have stand in front; those of size 1 were repeated.
  const missing = gradient.ndim - shape.length;
  const dims = gradient.shape.map((_, dim) => dim).filter((dim) =>
    dim < missing || shape[dim - missing] === 1
  );
  const summed = dims.length === 0 ? gradient : sum(gradient, { dim: dims });
  return summed.reshape([...shape]);
}
