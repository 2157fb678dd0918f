/** Step 2: what was repeated on the way forward is summed on the way back. */
import type { Tensor } from "@tapegrad/tapegrad";
import { blank } from "./blank.ts";

/**
 * The gradient by an input that was broadcast: `gradient` has the shape of the result, and what comes
 * back the shape of the input.
 */
export function sumTo(gradient: Tensor, shape: readonly number[]): Tensor {
  return blank(
    `sum [${gradient.shape}] over the dims that [${shape}] had repeated, and reshape it`,
  );
}
