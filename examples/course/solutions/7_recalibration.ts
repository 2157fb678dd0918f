/** Step 7: new running statistics for a network that has learned. */
import { nn, noGrad, type Tensor } from "@tapegrad/tapegrad";

/**
 * Replaces the running statistics of all batch norm layers by the plain average over `batches`, each
 * batch with the same weight. Nothing else changes: no parameter, no mode, no momentum.
 */
export function recalibrate(model: nn.Module, batches: Iterable<Tensor>): void {
  const layers = model.modules().filter((module) => module instanceof nn.BatchNorm1d);
  const modes = model.modules().map((module) => module.training);
  const momenta = layers.map((layer) => layer.momentum);
  for (const layer of layers) {
    layer.resetRunningStats();
    // Without a momentum all batches so far weigh the same.
    layer.momentum = null;
  }
  model.train();
  noGrad(() => {
    for (const x of batches) model.forward(x);
  });
  layers.forEach((layer, i) => layer.momentum = momenta[i]);
  model.modules().forEach((module, i) => module.training = modes[i]);
}
