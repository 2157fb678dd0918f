/**
 * The networks of the experiments.
 *
 * @module
 */
import { nn } from "../../../mod.ts";

/** Layers of one width, each normalised before its ReLU, and a linear layer at the end. */
export interface MlpOptions {
  readonly inputs: number;
  readonly width: number;
  readonly depth: number;
  readonly outputs: number;
  /** Makes the normalisation of a layer; none where it returns `null`. */
  readonly norm: (width: number, layer: number) => nn.Module | null;
  /** A layer's activation; ReLU where left out. */
  readonly activation?: () => nn.Module;
}

/** A multilayer perceptron. */
export function mlp(options: MlpOptions): nn.Sequential {
  const { inputs, width, depth, outputs, norm, activation = () => new nn.ReLU() } = options;
  const layers: nn.Module[] = [];
  for (let layer = 0; layer < depth; layer++) {
    const own = norm(width, layer);
    // A bias before a normalisation would be subtracted again.
    layers.push(new nn.Linear(layer === 0 ? inputs : width, width, { bias: own === null }));
    if (own !== null) layers.push(own);
    layers.push(activation());
  }
  layers.push(new nn.Linear(depth === 0 ? inputs : width, outputs));
  return new nn.Sequential(...layers as [nn.Module]);
}
