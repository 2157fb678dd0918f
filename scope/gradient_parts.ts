/**
 * The gradient of a batch norm's input in the three parts of which it is made in training.
 */
import { assertFunction, assertTensor } from "../autograd/internal.ts";
import type { Tensor } from "../autograd/mod.ts";
import { BatchNorm, type Module } from "../nn/mod.ts";
import { assertModule } from "../nn/module/arguments.ts";
import type { GradientParts } from "./report/view.ts";

/**
 * Runs a training step without its optimizer and takes the gradient of each batch norm's input in parts:
 *
 *     dx = γ/σ · (g − mean(g) − x̂ · mean(g · x̂)),  σ = √(batch variance + eps)
 *
 * The first part is all that evaluation has; the others come through the batch's mean and variance.
 *
 * The step moves running statistics and adds to gradients: hand over a copy of the model.
 *
 * @param model The model, in training mode.
 * @param loss Runs the model on a batch and returns its loss, a scalar.
 * @returns The parts by the layer's path; layers that did not run in training are left out.
 *
 * @example
 * ```ts
 * import { nn, randn } from "@tapegrad/tapegrad";
 * import { gradientPartsOf } from "@tapegrad/tapegrad/scope/report";
 * import { assert } from "@std/assert";
 *
 * const net = new nn.Sequential(new nn.BatchNorm1d(2));
 * const parts = gradientPartsOf(net, () => net.forward(randn([8, 2])).square().sum());
 * // Σ x̂² does not depend on x: what comes directly is taken away through the variance.
 * assert(parts["0"].whole[0] < 1e-4 * parts["0"].direct[0]);
 * ```
 */
export function gradientPartsOf(
  model: Module,
  loss: () => Tensor,
): Record<string, GradientParts> {
  const action = "take gradients in parts";
  assertModule(action, "model", model);
  assertFunction(action, loss, "loss");
  const seen = new Map<string, { layer: BatchNorm; x: Tensor; y: Tensor }>();
  const hooks = model.namedModules().flatMap(([path, layer]) =>
    layer instanceof BatchNorm
      ? [layer.registerForwardHook((_, [x]: Tensor[], y: Tensor) => {
        if (!layer.training || seen.has(path)) return;
        y.retainGrad();
        seen.set(path, { layer, x, y });
      })]
      : []
  );
  try {
    const value: unknown = loss();
    assertTensor(action, value, "what loss returns");
    value.backward();
  } finally {
    hooks.forEach((hook) => hook.remove());
  }
  return Object.fromEntries(
    [...seen].flatMap(([path, { layer, x, y }]) =>
      y.grad === null ? [] : [[path, partsOf(layer, x, y.grad)]]
    ),
  );
}

function partsOf(layer: BatchNorm, x: Tensor, g: Tensor): GradientParts {
  const channels = x.shape[1];
  const inner = x.size / (x.shape[0] * channels);
  const parts = {
    direct: new Array<number>(channels),
    mean: new Array<number>(channels),
    variance: new Array<number>(channels),
    whole: new Array<number>(channels),
  };
  for (let c = 0; c < channels; c++) {
    const [xs, gs]: number[][] = [[], []];
    for (let n = 0; n < x.shape[0]; n++) {
      const start = (n * channels + c) * inner;
      xs.push(...x.data.subarray(start, start + inner));
      gs.push(...g.data.subarray(start, start + inner));
    }
    const mean = meanOf(xs);
    const invStd = 1 / Math.sqrt(meanOf(xs.map((x) => (x - mean) ** 2)) + layer.eps);
    const normed = xs.map((x) => (x - mean) * invStd);
    const scale = (layer.weight?.data[c] ?? 1) * invStd;
    const meanGradient = meanOf(gs);
    const along = meanOf(gs.map((g, i) => g * normed[i]));
    parts.direct[c] = Math.abs(scale) * rootMeanSquare(gs);
    parts.mean[c] = Math.abs(scale * meanGradient);
    parts.variance[c] = Math.abs(scale * along) * rootMeanSquare(normed);
    parts.whole[c] = Math.abs(scale) *
      rootMeanSquare(gs.map((g, i) => g - meanGradient - normed[i] * along));
  }
  return parts;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rootMeanSquare(values: readonly number[]): number {
  return Math.sqrt(meanOf(values.map((value) => value * value)));
}
