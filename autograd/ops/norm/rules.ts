/**
 * What the second order of every normalisation is made of.
 *
 * A normalisation turns x into x̂ = (x − μ)·inv over some axes; S(t) is the mean of t over them. The
 * statistics count as functions of x. Everything here is made of ordinary operations, so that every
 * further order is exact.
 */
import { tensor } from "../create/creation.ts";
import { add, mul, sub } from "../elementwise/arithmetic.ts";
import { rsqrt } from "../elementwise/math.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";

/** A linear map of tensors, such as the mean over the normalised axes. */
export type LinearMap = (t: Tensor) => Tensor;

/** P(t) = t − S(t) − x̂·S(t·x̂): what is left of t without its mean and its part along x̂. */
export function project(t: Tensor, xhat: Tensor, S: LinearMap): Tensor {
  return sub(sub(t, S(t)), mul(xhat, S(mul(t, xhat))));
}

/**
 * The cotangent of x from that of inv·P(g), over inv²:
 * x̂·(S(g)S(v) − S(gv) + 3kq) + q·(S(g) − g) + k·(S(v) − v), with k = S(g·x̂), q = S(v·x̂).
 */
export function secondOrder(g: Tensor, v: Tensor, xhat: Tensor, S: LinearMap): Tensor {
  const k = S(mul(g, xhat));
  const q = S(mul(v, xhat));
  const along = add(sub(mul(S(g), S(v)), S(mul(g, v))), mul(mul(k, q), 3));
  return add(mul(xhat, along), add(mul(q, sub(S(g), g)), mul(k, sub(S(v), v))));
}

/** The statistics that a forward saved, off the tape. */
export type SavedStatistics = readonly [mean: Tensor, low: Tensor, invStd: Tensor];

/**
 * x̂ and inv as functions of x on the tape. The saved mean only centres; S takes out the rest.
 *
 * @param spread Gives a statistic the axes of x.
 */
export function renormalize(
  x: Tensor,
  [mean, low, invStd]: SavedStatistics,
  eps: number,
  S: LinearMap,
  spread: LinearMap,
): { xhat: Tensor; inv: Tensor } {
  const shifted = sub(sub(x, spread(mean)), spread(low));
  const centered = sub(shifted, S(shifted));
  const variance = S(mul(centered, centered));
  // Constant values without eps have inv = 0: they are lifted off the pole, then masked.
  const flat = Float64Array.from(valuesOf(invStd), (value) => value === 0 ? 1 : 0);
  const lift = spread(tensor(flat, { shape: invStd.shape }));
  const inv = mul(rsqrt(add(add(variance, eps), lift)), sub(1, lift));
  return { xhat: mul(centered, inv), inv };
}

/** The sum of the terms, or `null` where there is none. */
export function total(terms: readonly Tensor[]): Tensor | null {
  return terms.length === 0 ? null : terms.reduce((sum, term) => add(sum, term));
}

/** inv = 1/√(variance + eps); 0 for constant values without eps, so that y = bias there. */
export function invStdOf(variance: number, eps: number): number {
  return variance + eps === 0 ? 0 : 1 / Math.sqrt(variance + eps);
}
