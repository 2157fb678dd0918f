/** Cross entropy of logits with class indices, in blocks of positions. */
import { call, type Door, door, kernelsOn } from "../door.ts";
import * as plain from "./loss_plain.ts";
import type { CrossEntropySizes } from "./loss_plain.ts";

/** Positions in a block: enough for a long loop, or a cache line of them where classes lie apart. */
function together({ c, s }: CrossEntropySizes): number {
  return Math.max(s === 1 ? 1 : 8, Math.floor(512 / c));
}

/**
 * The loss of every position:
 * −(1 − ε)·w[t]·log p[t] − ε/c · Σₖ w[k]·log p[k]; 0 where the target is ignored.
 */
export const crossEntropy: Door<typeof plain.crossEntropy> = /* @__PURE__ */ door(
  plain.crossEntropy,
  (x, target, weight, loss, sizes) => {
    const kernels = kernelsOn(x);
    if (kernels === null) return false;
    const { n, c, s, ignoreIndex, smoothing } = sizes;
    const block = together(sizes);
    const args = [x, target, weight, loss, n, c, s, ignoreIndex, smoothing, block];
    return call(kernels, "crossEntropyLosses", args, [loss], 16 * block * (c + 1));
  },
);

/**
 * The gradient of the losses, scaled by `g` (one value for each position, or a single one):
 * g·(Q·p[k] − q[k]) with q[k] = ε/c · w[k], plus (1 − ε)·w[t] at the target, and Q = Σₖ q[k].
 */
export const crossEntropyBackward: Door<typeof plain.crossEntropyBackward> = /* @__PURE__ */ door(
  plain.crossEntropyBackward,
  (x, target, weight, g, scale, dx, sizes) => {
    const kernels = kernelsOn(x, dx);
    if (kernels === null) return false;
    const { n, c, s, ignoreIndex, smoothing } = sizes;
    const block = together(sizes);
    const step = g.length === 1 ? 0 : 8;
    const all = weight === null ? c : weight.reduce((total, value) => total + value, 0);
    const args = [
      x,
      target,
      weight,
      g,
      step,
      scale,
      dx,
      n,
      c,
      s,
      ignoreIndex,
      smoothing,
      all,
      block,
    ];
    return call(kernels, "crossEntropyGradient", args, [], 8 * block * (c + 1));
  },
);
