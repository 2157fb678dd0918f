/**
 * Batch norm fused into two kernels against the same composed of ordinary operations, forward and
 * backward by themselves.
 *
 * @module
 */
import { grad, mean, mul, noGrad, rsqrt, square, sub, type Tensor, tensor } from "../mod.ts";
import { batchNorm } from "../nn/functional.ts";
import { draw } from "./peers/inputs.ts";
import { inputsOf } from "./peers/workloads.ts";

function fused(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  return batchNorm(x, null, null, weight, bias, { training: true });
}

function composed(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const dim = x.shape.flatMap((_, i) => i === 1 ? [] : [i]);
  const channel = x.shape.map((size, i) => i === 1 ? size : 1);
  const centred = sub(x, mean(x, { dim, keepdim: true }));
  const inv = rsqrt(mean(square(centred), { dim, keepdim: true }).add(1e-5));
  return mul(centred, mul(inv, weight.reshape(channel))).add(bias.reshape(channel));
}

for (const shape of [[64, 32, 28, 28], [256, 512]]) {
  let made: Tensor[] | null = null;
  const tensors = () =>
    made ??= Object.values(draw(inputsOf({ kind: "batchNorm", shape })))
      .map(({ shape, values }) => tensor(values, { shape }));
  for (const [name, f] of Object.entries({ fused, composed })) {
    Deno.bench({
      name: `forward [${shape}], ${name}`,
      group: `forward [${shape}]`,
      baseline: name === "fused",
      fn() {
        const [x, weight, bias] = tensors();
        noGrad(() => f(x, weight, bias));
      },
    });
    Deno.bench({
      name: `backward [${shape}], ${name}`,
      group: `backward [${shape}]`,
      baseline: name === "fused",
      fn(context) {
        const [x, weight, bias, g] = tensors();
        const leaves = [x, weight, bias].map((t) => t.detach().requiresGrad_());
        const [leafX, leafWeight, leafBias] = leaves;
        const y = f(leafX, leafWeight, leafBias);
        context.start();
        grad([y], leaves, { gradOutputs: [g] });
        context.end();
      },
    });
  }
}
