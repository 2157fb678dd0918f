/**
 * Batch normalisation: `batchNorm()`, its fused forward, and its fused backward, which is a primitive too
 * and so has a derivative of its own: the second order.
 *
 * Notation: M values in a channel, S(t) the mean of t over a channel, x̂ = (x − μ)·inv,
 * inv = 1/√(σ² + eps), g the cotangent of y. Values that a mask leaves out, even NaN, are ignored: y and dx
 * are 0 there.
 */
import * as kernels from "../../kernels/mod.ts";
import { type Input, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { formatShape, type Shape, sizeOf } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { mul, sub } from "../elementwise/arithmetic.ts";
import { broadcastTo, sumTo } from "../shape/broadcast.ts";
import { fromValues, full } from "../create/creation.ts";
import {
  type LinearMap,
  project,
  renormalize,
  type SavedStatistics,
  secondOrder,
  total,
} from "./rules.ts";
import { uniform } from "../create/samples.ts";
import { clone } from "../shape/clone.ts";
import { reshape } from "../shape/shape.ts";
import { where } from "../elementwise/where.ts";
import { assertOptions } from "../../check/options.ts";
import { type BatchMoments, blend, momentsFrom } from "./batch_moments.ts";
import {
  alignMask,
  assertBatch,
  assertChannels,
  assertFlag,
  assertNumber,
  channelSizes,
} from "./operands.ts";

interface BatchNormAttrs {
  /** Whether the batch's own statistics are used; else those given. */
  readonly useBatch: boolean;
  readonly eps: number;
  /** M, the values that the mask leaves in. */
  readonly count: number;
}

const ACTION = "run batchNorm";

/** The statistics that a forward used; they carry no gradient. */
type Statistics = readonly [mean: Tensor, low: Tensor, variance: Tensor, invStd: Tensor];

const batchNormPrimitive = /* @__PURE__ */ ownPrimitive<
  Primitive<
    readonly [
      x: Tensor,
      weight: Input,
      bias: Input,
      runningMean: Input,
      runningVar: Input,
      mask: Input,
    ],
    readonly [y: Tensor, ...Statistics],
    readonly [x: Input, weight: Input, mean: Tensor, low: Tensor, invStd: Tensor, mask: Input],
    BatchNormAttrs
  >
>({
  name: "batchNorm",
  summary: "(x − μ)·inv·weight + bias by channel, 0 where masked; also μ in two parts, σ² and inv",
  differentiable: [true, false, false, false, false],
  shape: ([x]) => {
    const c = [x[1]];
    return [x, c, c, c, c];
  },
  forward([x, weight, bias, runningMean, runningVar, mask], outputs, { useBatch, eps, count }) {
    const [y, mean, low, variance, invStd] = outputs.map(valuesOf);
    if (!useBatch) {
      mean.set(valuesOf(runningMean!));
      low.fill(0);
      variance.set(valuesOf(runningVar!));
    }
    kernels.batchNormForward(
      valuesOf(x),
      weight === null ? null : valuesOf(weight),
      bias === null ? null : valuesOf(bias),
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
      needs: [needs[0], needs[1], needs[2]],
    });
    const [dx, dw, db] = cotangents.map((t, i) => needs[i] ? t : null);
    return [dx, dw, db, null, null, null];
  },
  samples: (random) =>
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
});

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

interface BackwardAttrs extends BatchNormAttrs {
  /** Which of dx, dw and db are asked for; the others come back empty. */
  readonly needs: readonly boolean[];
}

type BackwardInputs = readonly [
  g: Tensor,
  x: Input,
  weight: Input,
  mean: Tensor,
  low: Tensor,
  invStd: Tensor,
  mask: Input,
];

const batchNormBackward = /* @__PURE__ */ ownPrimitive<
  Primitive<
    BackwardInputs,
    readonly [dx: Tensor, dw: Tensor, db: Tensor],
    BackwardInputs,
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
  forward([g, x, weight, mean, low, invStd, mask], [dx, dw, db], { useBatch, needs, count }) {
    kernels.batchNormBackward(
      valuesOf(g),
      // Without x only Σg is asked for, and any array of x's size will do.
      valuesOf(x ?? g),
      weight === null ? null : valuesOf(weight),
      {
        mean: valuesOf(mean),
        low: valuesOf(low),
        invStd: valuesOf(invStd),
      },
      needs[0] ? valuesOf(dx) : null,
      needs[1] ? valuesOf(dw) : null,
      needs[2] ? valuesOf(db) : null,
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
    const v = needs[0] ? keep(cotangent) : cotangent;
    const statistics: SavedStatistics = [mean, low, invStd];
    const channel = g.shape.map((size, i) => i === 1 ? size : 1);
    const spread = (t: Tensor): Tensor => reshape(t, channel);
    const S = (t: Tensor): Tensor => mul(sumTo(keep(t), channel), 1 / count);
    const { xhat, inv } = useBatch
      ? renormalize(x!, statistics, attrs.eps, S, spread)
      : fromConstants(x, statistics, spread);
    const w = weight === null ? null : spread(weight);
    const scale = w === null ? inv : mul(w, inv);
    const dg: Tensor[] = [];
    const dx: Tensor[] = [];
    let dw: Tensor | null = null;
    if (needs[2]) dg.push(broadcastTo(spread(vb), g.shape));
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
    const [toG, toX] = [total(dg), total(dx)].map((t) => t === null ? null : keep(t));
    return [toG, toX, dw === null ? null : reshape(dw, weight!.shape), null, null, null, null];
  },
  samples(random) {
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

/** What {@linkcode batchNorm} works on. */
export interface BatchNormOperands {
  readonly x: Tensor;
  readonly runningMean: Tensor | null;
  readonly runningVar: Tensor | null;
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
}

/** How {@linkcode batchNorm} runs. */
export interface BatchNormOptions {
  /** Whether to normalise with the batch's statistics and to update the running ones. */
  readonly training?: boolean;
  /** The weight of the new statistics in the running ones (Keras: 1 − this). */
  readonly momentum?: number;
  /** Added to the variance. */
  readonly eps?: number;
  /** 1 for the values that count, 0 for those to ignore; [N, 1, …] or [N, …]. */
  readonly mask?: Tensor | null;
}

/**
 * Normalises each channel of a batch.
 *
 * y = (x − μ)/√(σ² + eps) · weight + bias. In training μ and σ² (biased) are those of the batch, and
 * the running statistics are updated in place: running ← (1 − momentum)·running + momentum·new, the
 * variance with its unbiased value σ²·M/(M − 1). Otherwise the running statistics are used.
 *
 * Shapes: x [N, C, …]; the others [C]. Gradient: to x, weight and bias, of every order; in
 * evaluation that of an affine map. Cost: two passes over x forward and two backward.
 *
 * @param x The batch.
 * @param runningMean Read in evaluation, written in training; `null` to track none.
 * @param runningVar As `runningMean`.
 * @param weight γ, or `null` for ones.
 * @param bias β, or `null` for zeros.
 * @param options training = false, momentum = 0.1, eps = 1e-5, mask: values that it leaves out are 0 in
 * the output.
 * @returns A tensor of the shape of x.
 * @throws {TypeError} if an argument is of the wrong kind.
 * @throws {RangeError} if a channel holds one value in training, a size does not fit, or evaluation
 * lacks running statistics.
 * @see Ioffe, Szegedy: Batch Normalization, 2015, Algorithm 1 and 2.
 *
 * @example
 * ```ts
 * import { nn, ones, tensor, zeros } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const mean = zeros([1]);
 * const variance = ones([1]);
 * nn.functional.batchNorm(tensor([[1], [3]]), mean, variance, null, null, { training: true });
 * assertAlmostEquals(mean.item(), 0.2); // 0.9 · 0 + 0.1 · 2
 * assertAlmostEquals(variance.item(), 1.1); // 0.9 · 1 + 0.1 · 2
 * ```
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null = null,
  runningVar: Tensor | null = null,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: BatchNormOptions = {},
): Tensor {
  assertOptions(ACTION, options, ["training", "momentum", "eps", "mask"]);
  const { training = false, momentum = 0.1, eps = 1e-5 } = options;
  assertFlag(ACTION, "training", training);
  assertNumber(ACTION, "momentum", momentum);
  const operands = { x, runningMean, runningVar, weight, bias };
  const { y, moments } = normalizeBatch(operands, { training, eps, mask: options.mask });
  if (training && moments !== null) blend(runningMean, runningVar, momentum, moments);
  return y;
}

/** What {@linkcode normalizeBatch} gives back. */
export interface NormalizedBatch {
  /** The normalised tensor, on the tape. */
  readonly y: Tensor;
  /** The statistics of the batch, off the tape; `null` where none were taken. */
  readonly moments: BatchMoments | null;
}

/**
 * {@linkcode batchNorm} that returns the batch's statistics, for a caller who tracks them.
 *
 * With a mask m and M = Σm: μ = Σ m·x/M, σ² = Σ m·(x − μ)²/M, y = m·((x − μ)/√(σ² + eps)·weight + bias).
 * Masked-out values, even NaN, are ignored; they are 0 in y and get no gradient.
 *
 * @param settings `training`: normalise with the batch's statistics. `mask`: 0/1, [N, 1, …] or [N, …].
 */
export function normalizeBatch(
  operands: BatchNormOperands,
  settings: {
    readonly training: boolean;
    readonly eps: number;
    readonly mask?: Tensor | null;
  },
): NormalizedBatch {
  const { x, runningMean, runningVar, weight, bias } = operands;
  const { training, eps } = settings;
  assertBatch(operands, eps);
  if (x.ndim < 2) return { y: clone(x), moments: null };
  const mask = settings.mask ?? null;
  const valid = mask === null ? null : alignMask(x, mask);
  const count = valid === null ? x.size / x.shape[1] : valid.count;
  if (training && count === 1) {
    const got = valid === null
      ? `input size ${formatShape(x.shape)}`
      : "1 valid position in the mask";
    throw new RangeError(
      `Cannot ${ACTION}: got 1 value in each channel, expected at least 2 in training (Expected more ` +
        `than 1 value per channel when training, got ${got})`,
    );
  }
  assertChannels(operands);
  if (valid !== null && training && count === 0) {
    return { y: where(valid.mask, x, 0), moments: null };
  }
  const useBatch = training || x.size === 0;
  if (!useBatch && (runningMean === null || runningVar === null)) {
    const [field, key] = runningMean === null
      ? ["runningMean", "running_mean"]
      : ["runningVar", "running_var"];
    throw new RangeError(
      `Cannot ${ACTION}: got ${field} null, expected a tensor of shape [${
        x.shape[1]
      }] in evaluation ` +
        `(${key} must be defined in evaluation mode)`,
    );
  }
  const [y, mean, low, variance] = bind(
    batchNormPrimitive,
    [
      x,
      weight,
      bias,
      useBatch ? null : runningMean,
      useBatch ? null : runningVar,
      valid?.mask ?? null,
    ],
    { useBatch, eps, count },
  );
  if (!useBatch || x.size === 0) return { y, moments: null };
  const arrays = [mean, low, variance].map(valuesOf);
  return { y, moments: momentsFrom(count, arrays[0], arrays[1], arrays[2]) };
}
