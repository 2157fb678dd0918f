/**
 * What the second order of every normalisation is made of.
 *
 * A normalisation turns x into x̂ = (x − μ)·inv over some axes; S(t) is the mean of t over them. The
 * statistics count as functions of x. Everything here is made of ordinary operations, so that every
 * further order is exact.
 */
import { tensor } from "../create/creation.ts";
import { add, mul, sub } from "../elementwise/arithmetic.ts";
import { where } from "../elementwise/compare.ts";
import { rsqrt } from "../elementwise/math.ts";
import { broadcastTo, sumTo } from "../shape/broadcast.ts";
import { reshape } from "../shape/shape.ts";
import type { Shape } from "../../shape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import type { BatchNormAttrs } from "./batch_norm.ts";

/** A linear map of tensors, such as the mean over the normalised axes. */
export type LinearMap = (t: Tensor) => Tensor;

/** What a normalisation made of x, in shapes that broadcast to its own. */
export interface Normalized {
  /** x̂; `null` where it was not asked for. */
  readonly xhat: Tensor | null;
  readonly inv: Tensor;
  /** P: what is left of t without its part along what the statistics take out of x. */
  project(t: Tensor): Tensor;
  /** The cotangent of x from that of inv·P(g), over inv²; none where the statistics are constants. */
  readonly bend: ((g: Tensor, v: Tensor) => Tensor) | null;
}

/**
 * A normalisation by mean and deviation: P(t) = t − S(t) − x̂·S(t·x̂), and with k = S(g·x̂), q = S(v·x̂) it bends by
 * x̂·(S(g)S(v) − S(gv) + 3kq) + q·(S(g) − g) + k·(S(v) − v).
 */
export function standardized(xhat: Tensor, inv: Tensor, S: LinearMap): Normalized {
  return {
    xhat,
    inv,
    project: (t) => sub(sub(t, S(t)), mul(xhat, S(mul(t, xhat)))),
    bend: (g, v) => {
      const k = S(mul(g, xhat));
      const q = S(mul(v, xhat));
      const along = add(sub(mul(S(g), S(v)), S(mul(g, v))), mul(mul(k, q), 3));
      return add(mul(xhat, along), add(mul(q, sub(S(g), g)), mul(k, sub(S(v), v))));
    },
  };
}

/**
 * The rule of every normalisation's backward, dx = inv·P(gw), dw = Σ g·x̂ and db = Σ g with gw = g·weight.
 *
 * To g: weight·inv·P(v) + vw·x̂ + vb; to x: inv·P(vw·g) + inv²·(what bends); to weight: Σ g·inv·P(v).
 *
 * @param cotangents Those of dx, dw and db, `null` for what was not computed; the latter in the weight's shape.
 * @param weight In a shape that broadcasts to that of g.
 * @returns To g and x, in shapes that broadcast to theirs; the terms to be summed to the weight's.
 */
export function secondOrder(
  [v, vw, vb]: readonly (Tensor | null)[],
  g: Tensor,
  weight: Tensor | null,
  { xhat, inv, project, bend }: Normalized,
  needsWeight: boolean,
): [toG: Tensor | null, toX: Tensor | null, toWeight: Tensor | null] {
  const weighted = (t: Tensor): Tensor => weight === null ? t : mul(t, weight);
  const [toG, toX]: [Tensor[], Tensor[]] = [vb === null ? [] : [vb], []];
  let toWeight: Tensor | null = null;
  if (vw !== null) {
    toG.push(mul(vw, xhat!));
    toX.push(mul(inv, project(mul(vw, g))));
  }
  if (v !== null) {
    const projected = mul(inv, project(v));
    toG.push(weighted(projected));
    if (needsWeight) toWeight = mul(g, projected);
    if (bend !== null) toX.push(mul(mul(inv, inv), bend(weighted(g), v)));
  }
  return [total(toG), total(toX), toWeight];
}

/** The shapes of dx, dw and db: those that nobody asks for come back empty. */
export function askedFor<Shapes extends readonly [Shape, ...Shape[]]>(
  needs: readonly boolean[],
  shapes: Shapes,
): Shapes {
  return shapes.map((shape, i) => needs[i] ? shape : [0]) as unknown as Shapes;
}

/** The tensors that somebody asks for, `null` in the place of the others. */
export function pick(needs: readonly boolean[], tensors: readonly Tensor[]): (Tensor | null)[] {
  return tensors.map((t, i) => needs[i] ? t : null);
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
): Normalized {
  const shifted = sub(sub(x, spread(mean)), spread(low));
  const centered = sub(shifted, S(shifted));
  const variance = S(mul(centered, centered));
  // Constant values without eps have inv = 0: they are lifted off the pole, then masked.
  const flat = Float64Array.from(valuesOf(invStd), (value) => value === 0 ? 1 : 0);
  const lift = spread(tensor(flat, { shape: invStd.shape }));
  const inv = mul(rsqrt(add(add(variance, eps), lift)), sub(1, lift));
  return standardized(mul(centered, inv), inv, S);
}

/** x̂ and inv from constants; x may be absent where x̂ is not needed. */
function fromConstants(
  x: Tensor | null,
  [mean, low, invStd]: SavedStatistics,
  spread: LinearMap,
): Normalized {
  const inv = spread(invStd);
  const xhat = x === null ? null : mul(sub(sub(x, spread(mean)), spread(low)), inv);
  return { xhat, inv, project: (t) => t, bend: null };
}

/**
 * The rule of batch norm's backward: the statistics are taken over all axes but that of the channels, and a
 * mask may leave values out.
 *
 * @param needs Which of dx, dw and db were computed.
 */
export function secondOrderByChannel(
  [vx, vw, vb]: readonly (Tensor | null)[],
  operands: {
    readonly g: Tensor;
    readonly x: Tensor | null;
    readonly weight: Tensor | null;
    readonly statistics: SavedStatistics;
    readonly mask: Tensor | null;
  },
  { useBatch, eps, count, needs }: BatchNormAttrs & { readonly needs: readonly boolean[] },
  needsWeight: boolean,
): [toG: Tensor | null, toX: Tensor | null, toWeight: Tensor | null] {
  const { weight, statistics, mask } = operands;
  // Masked-out values are 0 at the start, left out of the sums, and 0 at the end.
  const keep = (t: Tensor): Tensor => mask === null ? t : where(mask, t, 0);
  const g = keep(operands.g);
  const x = operands.x === null ? null : keep(operands.x);
  const channel = g.shape.map((size, i) => i === 1 ? size : 1);
  const spread = (t: Tensor): Tensor => reshape(t, channel);
  const S = (t: Tensor): Tensor => mul(sumTo(keep(t), channel), 1 / count);
  const [toG, toX, toWeight] = secondOrder(
    [
      needs[0] ? keep(vx!) : null,
      needs[1] ? spread(vw!) : null,
      needs[2] ? spread(vb!) : null,
    ],
    g,
    weight === null ? null : spread(weight),
    useBatch ? renormalize(x!, statistics, eps, S, spread) : fromConstants(x, statistics, spread),
    needsWeight,
  );
  return [
    toG === null ? null : keep(broadcastTo(toG, g.shape)),
    toX === null ? null : keep(toX),
    toWeight === null ? null : reshape(sumTo(toWeight, channel), weight!.shape),
  ];
}

/** The sum of the terms, or `null` where there is none. */
function total(terms: readonly Tensor[]): Tensor | null {
  return terms.length === 0 ? null : terms.reduce((sum, term) => add(sum, term));
}

/** inv = 1/√(variance + eps); 0 for constant values without eps, so that y = bias there. */
export function invStdOf(variance: number, eps: number): number {
  return variance + eps === 0 ? 0 : 1 / Math.sqrt(variance + eps);
}
