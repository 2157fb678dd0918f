/** Optimizer steps in one pass, two lanes wide. */
import { type Door, door, kernelsOn } from "../door.ts";
import * as plain from "./optim_plain.ts";

/** buf ← first ? g : μ·buf + (1 − τ)·g; p ← p − lr·(nesterov ? g + μ·buf : buf); without buf p − lr·g */
export const sgdStep: Door<typeof plain.sgdStep> = /* @__PURE__ */ door(
  plain.sgdStep,
  (p, g, buf, lr, momentum, dampening, weightDecay, nesterov, maximize, first) => {
    const kernels = kernelsOn(p, g, buf);
    if (kernels === null) return false;
    kernels.sgdStep(
      p.byteOffset,
      g.byteOffset,
      buf?.byteOffset ?? 0,
      p.length,
      lr,
      momentum,
      1 - dampening,
      weightDecay,
      Number(nesterov),
      maximize ? -1 : 1,
      Number(first),
    );
    return true;
  },
);

/**
 * m ← m + (1 − β₁)(g − m); v ← β₂v + (1 − β₂)g²; vMax ← max(vMax, v);
 * p ← shrink·p − lr·m / (√v / rootCorrection + ε), with vMax in the place of v where there is one.
 */
export const adamStep: Door<typeof plain.adamStep> = /* @__PURE__ */ door(
  plain.adamStep,
  (p, g, m, v, vMax, lr, beta1, beta2, eps, rootCorrection, weightDecay, shrink, maximize) => {
    const kernels = kernelsOn(p, g, m, v, vMax);
    if (kernels === null) return false;
    kernels.adamStep(
      p.byteOffset,
      g.byteOffset,
      m.byteOffset,
      v.byteOffset,
      vMax?.byteOffset ?? 0,
      p.length,
      lr,
      beta1,
      beta2,
      eps,
      rootCorrection,
      weightDecay,
      shrink,
      maximize ? -1 : 1,
    );
    return true;
  },
);
