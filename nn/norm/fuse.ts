/**
 * Folding a BatchNorm in evaluation mode into the layer before it.
 */
import { Parameter } from "../module/parameter.ts";
import { noGrad, type Tensor } from "../../autograd/mod.ts";
import { refuse, refuseKind } from "../../autograd/internal.ts";
import { assertModule } from "../module/arguments.ts";
import { BatchNorm } from "./batch_norm.ts";
import type { Module } from "../module/module.ts";

/** A layer with output channels that a BatchNorm can be folded into. */
interface Affine extends Module {
  weight: Tensor;
  bias: Tensor | null;
  readonly groups?: number;
}

/**
 * One convolution that computes what a convolution and the BatchNorm after it do in evaluation.
 *
 * W′ = W·γ/√(rv + eps) along the output channel, b′ = (b − rm)·γ/√(rv + eps) + β; a missing b or β
 * counts as 0, a missing γ as 1.
 *
 * @param conv In evaluation mode.
 * @param bn In evaluation mode, with running statistics.
 * @returns A copy of `conv` with a bias; neither argument is changed. As in PyTorch a bias that was
 * not there before does not require grad.
 * @throws {RangeError} if one is in training mode, statistics are missing, or channels differ.
 */
export function fuseConvBnEval<Conv extends Affine>(conv: Conv, bn: BatchNorm): Conv {
  return fuse("run fuseConvBnEval", conv, bn);
}

/**
 * One linear layer that computes what a linear layer and the BatchNorm1d after it do in evaluation:
 * as {@linkcode fuseConvBnEval}.
 */
export function fuseLinearBnEval<Linear extends Affine>(linear: Linear, bn: BatchNorm): Linear {
  return fuse("run fuseLinearBnEval", linear, bn);
}

function fuse<T extends Affine>(action: string, layer: T, bn: BatchNorm): T {
  assertModule(action, "layer", layer);
  if (!(bn instanceof BatchNorm)) refuseKind(action, "bn", bn, "a BatchNorm");
  if (bn.then !== "none") {
    refuse(action, `a layer with then "${bn.then}"`, "a BatchNorm that nothing follows");
  }
  if (layer.training || bn.training) {
    const which = layer.training ? "a layer" : "a BatchNorm";
    refuse(action, `${which} in training mode`, "both after eval()");
  }
  const { runningMean, runningVar } = bn;
  if (runningMean === null || runningVar === null) {
    refuse(action, "a BatchNorm without running statistics", "trackRunningStats: true");
  }
  // A transposed convolution stores its output channels on axis 1, and divides them into groups there.
  const axis = "outputPadding" in layer ? 1 : 0;
  const groups = axis === 0 ? 1 : layer.groups ?? 1;
  const { shape } = layer.weight;
  if (groups * shape[axis] !== bn.numFeatures) {
    refuse(
      action,
      `${groups * shape[axis]} output channels`,
      `${bn.numFeatures} as in the BatchNorm`,
    );
  }
  const fused = layer.deepCopy();
  noGrad(() => {
    const inv = runningVar.add(bn.eps).rsqrt();
    const scale = bn.weight === null ? inv : inv.mul(bn.weight);
    const grouped = [groups, shape[0] / groups, ...shape.slice(1)];
    const channels = grouped.map((size, i) => i === axis + 1 || (i === 0 && axis > 0) ? size : 1);
    const weight = layer.weight.reshape(grouped).mul(scale.reshape(channels));
    fused.weight.copy_(weight.reshape(shape));
    const centred = layer.bias === null ? runningMean.neg() : layer.bias.sub(runningMean);
    const shift = centred.mul(scale);
    const bias = bn.bias === null ? shift : shift.add(bn.bias);
    fused.bias = new Parameter(bias, layer.bias?.requiresGrad ?? false);
    fused.weight.grad = null;
  });
  return fused;
}
