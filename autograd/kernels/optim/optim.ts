/** Optimizer steps in one pass, two lanes wide. */
import * as plain from "./optim_plain.ts";
import { inPool, kernelsFor } from "../../runtime/instance.ts";

/** buf ← first ? g : μ·buf + (1 − τ)·g; p ← p − lr·(nesterov ? g + μ·buf : buf); without buf p − lr·g */
export function sgdStep(
  p: Float64Array,
  g: Float64Array,
  buf: Float64Array | null,
  lr: number,
  momentum: number,
  dampening: number,
  weightDecay: number,
  nesterov: boolean,
  maximize: boolean,
  first: boolean,
): void {
  const kernels = inPool(g) && (buf === null || inPool(buf)) ? kernelsFor(p) : null;
  if (kernels === null) {
    plain.sgdStep(
      p,
      g,
      buf,
      lr,
      momentum,
      dampening,
      weightDecay,
      nesterov,
      maximize,
      first,
    );
    return;
  }
  kernels.sgdStep(
    p.byteOffset,
    g.byteOffset,
    buf === null ? 0 : buf.byteOffset,
    p.length,
    lr,
    momentum,
    1 - dampening,
    weightDecay,
    Number(nesterov),
    maximize ? -1 : 1,
    Number(first),
  );
}

/**
 * m ← m + (1 − β₁)(g − m); v ← β₂v + (1 − β₂)g²; vMax ← max(vMax, v);
 * p ← shrink·p − lr·m / (√v / rootCorrection + ε), with vMax in the place of v where there is one.
 */
export function adamStep(
  p: Float64Array,
  g: Float64Array,
  m: Float64Array,
  v: Float64Array,
  vMax: Float64Array | null,
  lr: number,
  beta1: number,
  beta2: number,
  eps: number,
  rootCorrection: number,
  weightDecay: number,
  shrink: number,
  maximize: boolean,
): void {
  const placed = inPool(g) && inPool(m) && inPool(v) && (vMax === null || inPool(vMax));
  const kernels = placed ? kernelsFor(p) : null;
  const rates = [lr, beta1, beta2, eps, rootCorrection, weightDecay, shrink] as const;
  if (kernels === null) {
    plain.adamStep(p, g, m, v, vMax, ...rates, maximize);
    return;
  }
  kernels.adamStep(
    p.byteOffset,
    g.byteOffset,
    m.byteOffset,
    v.byteOffset,
    vMax === null ? 0 : vMax.byteOffset,
    p.length,
    ...rates,
    maximize ? -1 : 1,
  );
}
