/**
 * The records of batch normalisation: its fused forward, and its fused backward, which is a primitive too
 * and so has a derivative of its own: the second order.
 *
 * Notation: M values in a channel, S(t) the mean of t over a channel, x̂ = (x − μ)·inv,
 * inv = 1/√(σ² + eps), g the cotangent of y. Values that a mask leaves out, even NaN, are ignored: y and dx
 * are 0 there.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, type Input, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf, valuesOrNull } from "../../tensor.ts";
import { mul, sub } from "../elementwise/arithmetic.ts";
import { broadcastTo, sumTo } from "../shape/broadcast.ts";
import { fromValues, full } from "../create/creation.ts";
import {
  askedFor,
  type LinearMap,
  type Normalized,
  pick,
  renormalize,
  type SavedStatistics,
  secondOrder,
} from "./rules.ts";
import { uniform } from "../create/samples.ts";
import { reshape } from "../shape/shape.ts";
import { where } from "../elementwise/compare.ts";
import { channelSizes } from "./operands.ts";

/** The constants of a batch norm. */
export interface BatchNormAttrs {
  /** Whether the batch's own statistics are used; else those given. */
  readonly useBatch: boolean;
  readonly eps: number;
  /** M, the values that the mask leaves in. */
  readonly count: number;
}

/** The statistics that a forward used; they carry no gradient. */
export type Statistics = readonly [mean: Tensor, low: Tensor, variance: Tensor, invStd: Tensor];

/** What a batch norm takes, and one thing more: the mask, or the residual that follows. */
export type BatchNormInputs = readonly [
  x: Tensor,
  weight: Input,
  bias: Input,
  runningMean: Input,
  runningVar: Input,
  extra: Input,
];

type Saved = readonly [
  x: Input,
  weight: Input,
  mean: Tensor,
  low: Tensor,
  invStd: Tensor,
  mask: Input,
];

type BatchNormPrimitive = Primitive<
  BatchNormInputs,
  readonly [y: Tensor, ...Statistics],
  Saved,
  BatchNormAttrs
>;

/** The forward. */
export const batchNormPrimitive: BatchNormPrimitive = /* @__PURE__ */ ownPrimitive<
  BatchNormPrimitive
>({
  name: "batchNorm",
  differentiable: [true, false, false, false, false],
  shape: ([x]) => {
    const c = [x[1]];
    return [x, c, c, c, c];
  },
  forward([x, weight, bias, runningMean, runningVar, mask], outputs, { useBatch, eps, count }) {
    const [y, mean, low, variance, invStd] = outputs.map(valuesOf);
    if (!useBatch) useRunning(mean, low, variance, runningMean, runningVar);
    kernels.batchNormForward(
      valuesOf(x),
      valuesOrNull(weight),
      valuesOrNull(bias),
      y,
      { mean, low, variance, invStd },
      channelSizes(x.shape),
      eps,
      useBatch,
      validPositions(mask, count),
    );
  },
  save: ([x, weight, , , , mask], [, mean, low, , invStd], { useBatch }, needs) => [
    useBatch || needs[1] ? x : null,
    weight,
    mean,
    low,
    invStd,
    mask,
  ],
  vjp: ([g], { saved, attrs, needs }) => {
    const cotangents = bind(batchNormBackward, [g, ...saved], {
      ...attrs,
      needs: needs.slice(0, 3),
    });
    const [dx, dw, db] = pick(needs, cotangents);
    return [dx, dw, db, null, null, null];
  },
});

/* @__PURE__ */ described(
  batchNormPrimitive,
  "(x − μ)·inv·weight + bias by channel, 0 where masked; also μ in two parts, σ² and inv",
  (random) =>
    [[3, 2], [2, 3, 2], [2, 1, 2, 3]].flatMap((shape) =>
      ([[true, null], [false, null], [true, maskOf(shape)], [false, maskOf(shape)]] as const).map((
        [useBatch, mask],
      ) => ({
        inputs: [
          uniform(random, shape, -2, 2),
          uniform(random, [shape[1]], 0.5, 1.5),
          shape.length === 3 ? null : uniform(random, [shape[1]], -1, 1),
          useBatch ? null : uniform(random, [shape[1]], -1, 1).requiresGrad_(false),
          useBatch ? null : uniform(random, [shape[1]], 0.5, 2).requiresGrad_(false),
          mask,
        ] as const,
        attrs: { useBatch, eps: 1e-2, count: countOf(shape, mask) },
      }))
    ),
);

/** Fills the statistics of a forward with given ones. */
export function useRunning(
  mean: Float64Array,
  low: Float64Array,
  variance: Float64Array,
  runningMean: Input,
  runningVar: Input,
): void {
  mean.set(valuesOf(runningMean!));
  low.fill(0);
  variance.set(valuesOf(runningVar!));
}

/** What the kernels need of a mask; `null` for none. */
function validPositions(mask: Input, count: number): kernels.ValidPositions | null {
  return mask === null ? null : { values: valuesOf(mask), count };
}

/** M of a tensor [N, C, …]. */
function countOf(shape: Shape, mask: Input): number {
  if (mask === null) return sizeOf(shape) / shape[1];
  return valuesOf(mask).reduce((sum, value) => sum + value, 0);
}

/** A mask for the samples: every third position does not count. */
function maskOf(shape: Shape): Tensor {
  const wanted = shape.map((size, i) => i === 1 ? 1 : size);
  const values = Array.from({ length: sizeOf(wanted) }, (_, i) => i % 3 === 1 ? 0 : 1);
  return fromValues(values, wanted);
}

/** The constants of the backward. */
export interface BackwardAttrs extends BatchNormAttrs {
  /** Which of dx, dw and db are asked for; the others come back empty. */
  readonly needs: readonly boolean[];
}

type BackwardPrimitive = Primitive<
  readonly [g: Tensor, ...Saved],
  readonly [dx: Tensor, dw: Tensor, db: Tensor],
  readonly [g: Tensor, ...Saved],
  BackwardAttrs
>;

/** The backward. */
export const batchNormBackward: BackwardPrimitive = /* @__PURE__ */ ownPrimitive<
  BackwardPrimitive
>({
  name: "batchNormBackward",
  shape: ([g], { needs }) => askedFor(needs, [g, [g[1]], [g[1]]]),
  // db = Σg; dw = Σ g·x̂; dx = w·inv·(g − S(g) − x̂·S(g·x̂)), without statistics dx = w·inv·g
  forward([g, x, weight, mean, low, invStd, mask], outputs, { useBatch, needs, count }) {
    const [dx, dw, db] = pick(needs, outputs).map(valuesOrNull);
    kernels.batchNormBackward(
      valuesOf(g),
      // Without x only Σg is asked for, and any array of x's size will do.
      valuesOf(x ?? g),
      valuesOrNull(weight),
      { mean: valuesOf(mean), low: valuesOf(low), invStd: valuesOf(invStd) },
      dx,
      dw,
      db,
      channelSizes(g.shape),
      useBatch,
      validPositions(mask, count),
    );
  },
  save: (inputs) => inputs,
  // Ordinary operations take the statistics from x once more, so that every further order is exact.
  vjp: ([cotangent, vw, vb], { saved, attrs, needs: needed }) => {
    const { useBatch, needs, count } = attrs;
    const [, , weight, mean, low, invStd, mask] = saved;
    // Masked-out values are 0 at the start, left out of the sums, and 0 at the end.
    const keep = (t: Tensor): Tensor => mask === null ? t : where(mask, t, 0);
    const g = keep(saved[0]);
    const x = saved[1] === null ? null : keep(saved[1]);
    const statistics: SavedStatistics = [mean, low, invStd];
    const channel = g.shape.map((size, i) => i === 1 ? size : 1);
    const spread = (t: Tensor): Tensor => reshape(t, channel);
    const S = (t: Tensor): Tensor => mul(sumTo(keep(t), channel), 1 / count);
    const [toG, toX, toWeight] = secondOrder(
      [
        needs[0] ? keep(cotangent) : null,
        needs[1] ? spread(vw) : null,
        needs[2] ? spread(vb) : null,
      ],
      g,
      weight === null ? null : spread(weight),
      useBatch
        ? renormalize(x!, statistics, attrs.eps, S, spread)
        : fromConstants(x, statistics, spread),
      needed[2],
    );
    return [
      toG === null ? null : keep(broadcastTo(toG, g.shape)),
      toX === null ? null : keep(toX),
      toWeight === null ? null : reshape(sumTo(toWeight, channel), weight!.shape),
      null,
      null,
      null,
      null,
    ];
  },
});

/* @__PURE__ */ described(
  batchNormBackward,
  "cotangents of batchNorm's x, weight and bias; μ and inv count as functions of x",
  (random) => {
    const [all, noX] = [[true, true, true], [false, true, true]];
    const [onlyX, onlyBias] = [[true, false, false], [false, false, true]];
    const shape = [3, 2, 2];
    return [true, false].flatMap((useBatch) =>
      ([[all, 0], [onlyX, 0], [noX, 0], [onlyBias, 0], [all, 1], [noX, 1], [onlyBias, 1]] as const)
        .map(([needs, masked]) => {
          // The statistics count as functions of x, so that x can only be varied through batchNorm.
          const x = uniform(random, shape, -2, 2).requiresGrad_(!useBatch);
          const mask = masked === 1 ? maskOf(shape) : null;
          return {
            inputs: [
              uniform(random, shape, -1, 1),
              x,
              uniform(random, [2], 0.5, 1.5),
              ...statisticsOf(x, 1e-2, useBatch, mask),
              mask,
            ] as const,
            attrs: { useBatch, eps: 1e-2, needs, count: countOf(shape, mask) },
          };
        })
    );
  },
);

/** x̂ and inv from constants; x may be absent where x̂ is not needed. */
function fromConstants(
  x: Input,
  [mean, low, invStd]: SavedStatistics,
  spread: LinearMap,
): Normalized {
  const inv = spread(invStd);
  const xhat = x === null ? null : mul(sub(sub(x, spread(mean)), spread(low)), inv);
  return { xhat, inv, project: (t) => t, bend: null };
}

/** Mean, low part and inv for the samples of the backward. */
function statisticsOf(
  x: Tensor,
  eps: number,
  useBatch: boolean,
  mask: Input,
): [Tensor, Tensor, Tensor] {
  const c = x.shape[1];
  if (!useBatch) return [full([c], 0.25), full([c], 0), full([c], 0.75)];
  const attrs = { useBatch, eps, count: countOf(x.shape, mask) };
  const inputs = [x.detach(), null, null, null, null, mask] as const;
  const [, mean, low, , invStd] = bind(batchNormPrimitive, inputs, attrs);
  return [mean, low, invStd];
}
