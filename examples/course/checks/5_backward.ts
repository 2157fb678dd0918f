import { Generator, grad, nn, randn, rsqrt, sum, tensor } from "@tapegrad/tapegrad";
import type * as Step from "../solutions/5_backward.ts";
import { momentsOf } from "../solutions/3_forward.ts";
import { type Check, near } from "../check.ts";

const generator = new Generator(4);
const x = randn([6, 3], { generator, requiresGrad: true });
const g = randn([6, 3], { generator });
const gamma = tensor([1, 2, -0.5], { requiresGrad: true });
const beta = tensor([0, 1, 3], { requiresGrad: true });

function gradients({ backward }: typeof Step): Step.Gradients {
  const { mean, variance } = momentsOf(x.detach());
  const inverse = rsqrt(variance.add(1e-5));
  const normalised = x.detach().sub(mean).mul(inverse);
  return backward(g, { normalised, inverse, gamma: gamma.detach() });
}

const y = nn.functional.batchNorm(x, null, null, gamma, beta, { training: true });
const [dx, dGamma, dBeta] = grad(y, [x, gamma, beta], { gradOutputs: g });

/** Step 5: the backward pass. */
export const checks: readonly Check<typeof Step>[] = [
  { what: "the gradient by β", run: (step) => near(gradients(step).beta.data, dBeta!.data) },
  { what: "the gradient by γ", run: (step) => near(gradients(step).gamma.data, dGamma!.data) },
  { what: "the gradient by x", run: (step) => near(gradients(step).x.data, dx!.data) },
  {
    what: "moving the whole batch changes nothing: the gradients by x sum to 0",
    run: (step) => near(sum(gradients(step).x, { dim: 0 }).data, [0, 0, 0]),
  },
];
