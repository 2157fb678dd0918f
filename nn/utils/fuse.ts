/**
 * Folding a BatchNorm in evaluation mode into the layer before it.
 */
import { noGrad, type Tensor } from "../../autograd/mod.ts";
import type { BatchNorm } from "../batch_norm.ts";
import type { Module } from "../module.ts";

/** A layer with output channels that a BatchNorm can be folded into. */
interface Affine extends Module {
  weight: Tensor;
  bias: Tensor | null;
  readonly training: boolean;
}

/**
 * One convolution that computes what a convolution and the BatchNorm after it do in evaluation.
 *
 * W′ = W·γ/√(rv + eps) along the output channel, b′ = (b − rm)·γ/√(rv + eps) + β; a missing b or β
 * counts as 0, a missing γ as 1.
 *
 * @param conv In evaluation mode.
 * @param bn In evaluation mode, with running statistics.
 * @returns A copy of `conv` with a bias; neither argument is changed.
 * @throws {RangeError} if one is in training mode, statistics are missing, or channels differ.
 */
export function fuseConvBnEval<Conv extends Affine>(conv: Conv, bn: BatchNorm): Conv {
  // A transposed convolution stores its output channels on axis 1.
  return fuse("fuseConvBnEval", conv, bn, "outputPadding" in conv ? 1 : 0);
}

/**
 * One linear layer that computes what a linear layer and the BatchNorm1d after it do in evaluation:
 * as {@linkcode fuseConvBnEval}.
 */
export function fuseLinearBnEval<Linear extends Affine>(linear: Linear, bn: BatchNorm): Linear {
  return fuse("fuseLinearBnEval", linear, bn, 0);
}

function fuse<T extends Affine>(action: string, layer: T, bn: BatchNorm, axis: number): T {
  if (layer.training || bn.training) {
    throw new RangeError(
      `Cannot run ${action}: got ${layer.training ? "a layer" : "a BatchNorm"} in training mode, ` +
        `expected both after eval()`,
    );
  }
  const { runningMean, runningVar } = bn;
  if (runningMean === null || runningVar === null) {
    throw new RangeError(
      `Cannot run ${action}: got a BatchNorm without running statistics, expected ` +
        `trackRunningStats: true`,
    );
  }
  if (layer.weight.shape[axis] !== bn.numFeatures) {
    throw new RangeError(
      `Cannot run ${action}: got ${layer.weight.shape[axis]} output channels, expected ` +
        `${bn.numFeatures} as in the BatchNorm`,
    );
  }
  const fused = layer.deepCopy();
  noGrad(() => {
    const inv = runningVar.add(bn.eps).rsqrt();
    const scale = bn.weight === null ? inv : inv.mul(bn.weight);
    const channel = layer.weight.shape.map((size, i) => i === axis ? size : 1);
    fused.weight.copy_(layer.weight.mul(scale.reshape(channel)));
    const shift = (layer.bias === null ? runningMean.neg() : layer.bias.sub(runningMean)).mul(
      scale,
    );
    const bias = bn.bias === null ? shift : shift.add(bn.bias);
    fused.bias = bias.requiresGrad_();
  });
  return fused;
}
