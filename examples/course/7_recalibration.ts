/** Step 7: new running statistics for a network that has learned. */
import type { nn, Tensor } from "@tapegrad/tapegrad";
import { blank } from "./blank.ts";

/**
 * Replaces the running statistics of all batch norm layers by the plain average over `batches`, each
 * batch with the same weight. Nothing else changes: no parameter, no mode, no momentum.
 */
export function recalibrate(_model: nn.Module, _batches: Iterable<Tensor>): void {
  blank(
    "reset the statistics, set momentum to null, run the batches in training mode under noGrad(), and " +
      "put modes and momenta back",
  );
}
