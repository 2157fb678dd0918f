/**
 * Batch normalisation: a fused forward, a fused backward that is itself a primitive, and the second
 * order as its rule.
 *
 * Notation: M values in a channel, S(t) the mean of t over a channel, x̂ = (x − μ)·inv,
 * inv = 1/√(σ² + eps), g the cotangent of y.
 */
import * as kernels from "../kernels/mod.ts";
import { definePrimitive, type Input, type Primitive } from "../primitive.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { bind } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { sumTo } from "./broadcast.ts";
import { full } from "./creation.ts";
import {
  type LinearMap,
  project,
  renormalize,
  type SavedStatistics,
  secondOrder,
  total,
} from "./normalization_rules.ts";
import { uniform } from "./samples.ts";
import { reshape } from "./shape.ts";

interface BatchNormAttrs {
  /** Whether the batch's own statistics are used; else those given. */
  readonly useBatch: boolean;
  readonly eps: number;
}

/** The statistics that a forward used; they carry no gradient. */
type Statistics = readonly [mean: Tensor, low: Tensor, variance: Tensor, invStd: Tensor];

/** [n, c, s] of a tensor whose axis 1 is the channel. */
export function channelSizes(shape: Shape): kernels.ChannelSizes {
  return { n: shape[0], c: shape[1], s: sizeOf(shape.slice(2)) };
}

const batchNormPrimitive = definePrimitive<
  Primitive<
    readonly [
      x: Tensor,
      weight: Input,
      bias: Input,
      runningMean: Input,
      runningVar: Input,
    ],
    readonly [y: Tensor, ...Statistics],
    readonly [x: Input, weight: Input, mean: Tensor, low: Tensor, invStd: Tensor],
    BatchNormAttrs
  >
>({
  name: "batchNorm",
  summary: "(x − μ)·inv·weight + bias by channel; also μ in two parts, σ² and inv",
  differentiable: [true, false, false, false, false],
  shape: ([x]) => {
    const c = [x[1]];
    return [x, c, c, c, c];
  },
  forward([x, weight, bias, runningMean, runningVar], outputs, { useBatch, eps }) {
    const [y, mean, low, variance, invStd] = outputs.map((output) => output.storage.values);
    if (!useBatch) {
      mean.set(runningMean!.storage.values);
      low.fill(0);
      variance.set(runningVar!.storage.values);
    }
    kernels.batchNormForward(
      x.storage.values,
      weight === null ? null : weight.storage.values,
      bias === null ? null : bias.storage.values,
      y,
      { mean, low, variance, invStd },
      channelSizes(x.shape),
      eps,
      useBatch,
    );
  },
  save: ([x, weight], [, mean, low, , invStd], { useBatch }, needs) => [
    useBatch || needs[1] ? x : null,
    weight,
    mean,
    low,
    invStd,
  ],
  vjp: ([g], { saved, attrs, needs }) => {
    const cotangents = bind(batchNormBackward, [g, ...saved], {
      ...attrs,
      needs: [needs[0], needs[1], needs[2]],
    });
    const [dx, dw, db] = cotangents.map((t, i) => needs[i] ? t : null);
    return [dx, dw, db, null, null];
  },
  samples: (random) =>
    [[3, 2], [2, 3, 2], [2, 1, 2, 3]].flatMap((shape) =>
      [true, false].map((useBatch) => ({
        inputs: [
          uniform(random, shape, -2, 2),
          uniform(random, [shape[1]], 0.5, 1.5),
          shape.length === 3 ? null : uniform(random, [shape[1]], -1, 1),
          useBatch ? null : uniform(random, [shape[1]], -1, 1).requiresGrad_(false),
          useBatch ? null : uniform(random, [shape[1]], 0.5, 2).requiresGrad_(false),
        ] as const,
        attrs: { useBatch, eps: 1e-2 },
      }))
    ),
});

interface BackwardAttrs extends BatchNormAttrs {
  /** Which of dx, dw and db are asked for; the others come back empty. */
  readonly needs: readonly boolean[];
}

const batchNormBackward = definePrimitive<
  Primitive<
    readonly [g: Tensor, x: Input, weight: Input, mean: Tensor, low: Tensor, invStd: Tensor],
    readonly [dx: Tensor, dw: Tensor, db: Tensor],
    readonly [g: Tensor, x: Input, weight: Input, mean: Tensor, low: Tensor, invStd: Tensor],
    BackwardAttrs
  >
>({
  name: "batchNormBackward",
  summary: "cotangents of batchNorm's x, weight and bias; μ and inv count as functions of x",
  shape: ([g], { needs }) => [
    needs[0] ? g : [0],
    needs[1] ? [g[1]] : [0],
    needs[2] ? [g[1]] : [0],
  ],
  // db = Σg; dw = Σ g·x̂; dx = w·inv·(g − S(g) − x̂·S(g·x̂)), without statistics dx = w·inv·g
  forward([g, x, weight, mean, low, invStd], [dx, dw, db], { useBatch, needs }) {
    kernels.batchNormBackward(
      g.storage.values,
      // Without x only Σg is wanted, and any array of its size serves in its place.
      (x ?? g).storage.values,
      weight === null ? null : weight.storage.values,
      {
        mean: mean.storage.values,
        low: low.storage.values,
        invStd: invStd.storage.values,
      },
      needs[0] ? dx.storage.values : null,
      needs[1] ? dw.storage.values : null,
      needs[2] ? db.storage.values : null,
      channelSizes(g.shape),
      useBatch,
    );
  },
  save: (inputs) => inputs,
  // Statistics are taken from x again by ordinary operations, so that every further order is exact.
  vjp: ([v, vw, vb], { saved, attrs, needs: needed }) => {
    const { useBatch, needs } = attrs;
    const [g, x, weight, ...statistics] = saved;
    const channel = g.shape.map((size, i) => i === 1 ? size : 1);
    const count = g.size / g.shape[1];
    const spread = (t: Tensor): Tensor => reshape(t, channel);
    const S = (t: Tensor): Tensor => mul(sumTo(t, channel), 1 / count);
    const { xhat, inv } = useBatch
      ? renormalize(x!, statistics, attrs.eps, S, spread)
      : fromConstants(x, statistics, spread);
    const w = weight === null ? null : spread(weight);
    const scale = w === null ? inv : mul(w, inv);
    const dg: Tensor[] = [];
    const dx: Tensor[] = [];
    let dw: Tensor | null = null;
    if (needs[2]) dg.push(spread(vb));
    if (needs[1]) {
      dg.push(mul(spread(vw), xhat!));
      const projected = useBatch ? project(g, xhat!, S) : g;
      dx.push(mul(spread(vw), mul(inv, projected)));
    }
    if (needs[0] && useBatch) {
      dg.push(mul(scale, project(v, xhat!, S)));
      if (needed[2]) dw = mul(mul(inv, count), S(mul(v, project(g, xhat!, S))));
      dx.push(mul(mul(scale, inv), secondOrder(g, v, xhat!, S)));
    } else if (needs[0]) {
      dg.push(mul(scale, v));
      if (needed[2]) dw = sumTo(mul(inv, mul(v, g)), channel);
    }
    return [
      total(dg),
      x === null ? null : total(dx),
      dw === null ? null : reshape(dw, weight!.shape),
      null,
      null,
      null,
    ];
  },
  samples: (random) =>
    [true, false].flatMap((useBatch) =>
      [[true, true, true], [true, false, false], [false, true, true]].map((needs) => {
        // The statistics count as functions of x, so that x can only be varied through batchNorm.
        const x = uniform(random, [3, 2, 2], -2, 2).requiresGrad_(!useBatch);
        const statistics = statisticsOf(x, 1e-2, useBatch);
        return {
          inputs: [
            uniform(random, [3, 2, 2], -1, 1),
            x,
            uniform(random, [2], 0.5, 1.5),
            ...statistics,
          ] as const,
          attrs: { useBatch, eps: 1e-2, needs },
        };
      })
    ),
});

/** x̂ and inv from constants; x may be absent where x̂ is not needed. */
function fromConstants(
  x: Input,
  [mean, low, invStd]: SavedStatistics,
  spread: LinearMap,
): { xhat: Tensor | null; inv: Tensor } {
  const inv = spread(invStd);
  const xhat = x === null ? null : mul(sub(sub(x, spread(mean)), spread(low)), inv);
  return { xhat, inv };
}

/** Mean, low part and inv for the samples of the backward. */
function statisticsOf(x: Tensor, eps: number, useBatch: boolean): [Tensor, Tensor, Tensor] {
  const c = x.shape[1];
  if (!useBatch) return [full([c], 0.25), full([c], 0), full([c], 0.75)];
  const [, mean, low, , invStd] = bind(batchNormPrimitive, [x.detach(), null, null, null, null], {
    useBatch,
    eps,
  });
  return [mean, low, invStd];
}

/** What {@linkcode normalizeBatch} gives back. */
export interface NormalizedBatch {
  /** The normalised tensor, on the tape. */
  readonly y: Tensor;
  /** The mean of each channel that was used, off the tape. */
  readonly mean: Tensor;
  /** The part of the mean below its last digit: the exact mean is mean + low. */
  readonly low: Tensor;
  /** The biased variance of each channel that was used, off the tape. */
  readonly variance: Tensor;
  /** 1/√(variance + eps), off the tape. */
  readonly invStd: Tensor;
}

/**
 * Normalises each channel and tells the statistics that it used, so that a caller can track them.
 *
 * y = (x − μ)·inv·weight + bias with inv = 1/√(σ² + eps); μ and σ² (biased) are those of the batch, or
 * constants if `statistics` are given. Nothing is validated here.
 *
 * Shapes: x [N, C, …], weight, bias and statistics [C]. Gradient: to x, weight and bias; of every
 * order. Cost: two passes over x forward and two backward.
 */
export function normalizeBatch(
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  statistics: { readonly mean: Tensor; readonly variance: Tensor } | null,
  eps: number,
): NormalizedBatch {
  const [y, mean, low, variance, invStd] = bind(
    batchNormPrimitive,
    [x, weight, bias, statistics?.mean ?? null, statistics?.variance ?? null],
    { useBatch: statistics === null, eps },
  );
  return { y, mean, low, variance, invStd };
}
