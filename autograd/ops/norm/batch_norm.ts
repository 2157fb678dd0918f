/**
 * Batch normalisation: its fused forward, its fused backward, which is a primitive too and so has a
 * derivative of its own, and `batchNorm()`, with the form that returns the statistics of the batch. What may
 * follow in one pass with it is batch_norm_relu.ts.
 *
 * Notation: M values in a channel, S(t) the mean of t over a channel, x̂ = (x − μ)·inv,
 * inv = 1/√(σ² + eps), g the cotangent of y. Values that a mask leaves out, even NaN, are ignored: y and dx
 * are 0 there.
 */
import { assertOptions } from "../../check/options.ts";
import { refuse } from "../../check/refuse.ts";
import * as kernels from "../../kernels/mod.ts";
import { formatShape, type Shape, sizeOf } from "../../shape.ts";
import { described, type Input, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf, valuesOrNull } from "../../tensor.ts";
import { fromValues, full } from "../create/creation.ts";
import { uniform } from "../create/samples.ts";
import { where } from "../elementwise/compare.ts";
import { clone } from "../shape/clone.ts";
import { type BatchMoments, blend, momentsFrom, useRunning } from "./batch_moments.ts";
import {
  assertFollowing,
  batchNormRelu,
  type BatchNormThen,
  followed,
  isOnePass,
} from "./batch_norm_relu.ts";
import {
  alignMask,
  assertBatch,
  assertChannels,
  assertFlag,
  assertNumber,
  channelSizes,
} from "./operands.ts";
import { askedFor, pick, secondOrderByChannel } from "./rules.ts";

export type { BatchNormThen } from "./batch_norm_relu.ts";

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
  vjp: (cotangents, { saved, attrs, needs: needed }) => {
    const [g, x, weight, mean, low, invStd, mask] = saved;
    const operands = { g, x, weight, statistics: [mean, low, invStd] as const, mask };
    const [toG, toX, toWeight] = secondOrderByChannel(cotangents, operands, attrs, needed[2]);
    return [toG, toX, toWeight, null, null, null, null];
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

const ACTION = "run batchNorm";

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
  /**
   * What follows, in one pass and without an output in between: `"relu"`, or `"relu-maxpool"` with the
   * largest value of each window of 2 along each axis behind the channels.
   */
  readonly then?: BatchNormThen;
  /** Added to what was normalised before relu; of the shape of x. */
  readonly residual?: Tensor | null;
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
 * the output; then = "none" and residual: what follows.
 * @returns A tensor of the shape of x, pooled with `then: "relu-maxpool"`.
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
  assertOptions(ACTION, options, ["training", "momentum", "eps", "mask", "then", "residual"]);
  const { training = false, momentum = 0.1, eps = 1e-5, mask, then, residual } = options;
  assertFlag(ACTION, "training", training);
  assertNumber(ACTION, "momentum", momentum);
  const operands = { x, runningMean, runningVar, weight, bias };
  const { y, moments } = normalizeBatch(operands, { training, eps, mask, then, residual });
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

/** How {@linkcode normalizeBatch} runs. */
export interface NormalizeSettings {
  /** Whether to normalise with the batch's statistics. */
  readonly training: boolean;
  /** Added to the variance. */
  readonly eps: number;
  /** 0/1, [N, 1, …] or [N, …]. */
  readonly mask?: Tensor | null;
  /** What follows. */
  readonly then?: BatchNormThen | null;
  /** What is added before it. */
  readonly residual?: Tensor | null;
}

/**
 * {@linkcode batchNorm} that returns the batch's statistics, for a caller who tracks them.
 *
 * With a mask m and M = Σm: μ = Σ m·x/M, σ² = Σ m·(x − μ)²/M, y = m·((x − μ)/√(σ² + eps)·weight + bias).
 * Masked-out values, even NaN, are ignored; they are 0 in y and get no gradient.
 */
export function normalizeBatch(
  operands: BatchNormOperands,
  settings: NormalizeSettings,
): NormalizedBatch {
  const { x, runningMean, runningVar, weight, bias } = operands;
  const { training, eps } = settings;
  assertBatch(operands, eps);
  const following = { then: settings.then ?? "none", residual: settings.residual ?? null };
  assertFollowing(ACTION, x, following);
  if (x.ndim < 2) return { y: followed(clone(x), following), moments: null };
  const mask = settings.mask ?? null;
  const valid = mask === null ? null : alignMask(x, mask);
  const count = valid === null ? x.size / x.shape[1] : valid.count;
  if (training && count === 1) {
    const got = valid === null
      ? `input size ${formatShape(x.shape)}`
      : "1 valid position in the mask";
    refuse(
      ACTION,
      "1 value in each channel",
      `at least 2 in training (Expected more than 1 value per channel when training, got ${got})`,
    );
  }
  assertChannels(operands);
  if (valid !== null && training && count === 0) {
    return { y: followed(where(valid.mask, x, 0), following), moments: null };
  }
  const useBatch = training || x.size === 0;
  if (!useBatch && (runningMean === null || runningVar === null)) {
    const [field, key] = runningMean === null
      ? ["runningMean", "running_mean"]
      : ["runningVar", "running_var"];
    refuse(
      ACTION,
      `${field} null`,
      `a tensor of shape [${x.shape[1]}] in evaluation (${key} must be defined in evaluation mode)`,
    );
  }
  const running = useBatch ? [null, null] as const : [runningMean, runningVar] as const;
  const inputs = [x, weight, bias, ...running, valid?.mask ?? null] as const;
  const onePass = valid === null && isOnePass(x, following);
  const [normalized, mean, low, variance] = onePass
    ? batchNormRelu(inputs, following, { useBatch, eps })
    : bind(batchNormPrimitive, inputs, { useBatch, eps, count });
  const y = onePass ? normalized : followed(normalized, following);
  if (!useBatch || x.size === 0) return { y, moments: null };
  return { y, moments: momentsFrom(count, valuesOf(mean), valuesOf(low), valuesOf(variance)) };
}
