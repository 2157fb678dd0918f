/**
 * Normalisation within each sample, over groups of channels: group, instance and layer normalisation
 * are this one operation under different views.
 *
 * Notation: x [N, C, S] in G groups of C/G channels; S(t) the mean of t over a group of a sample,
 * x̂ = (x − μ)·inv, g the cotangent of y.
 */
import { refuse } from "../../check/refuse.ts";
import { describe } from "../../check/describe.ts";
import * as kernels from "../../kernels/mod.ts";
import { described, type Input, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { assertOptions } from "../../check/options.ts";
import { formatShape, type Shape, shaped, sizeOf } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf, valuesOrNull } from "../../tensor.ts";
import { mul } from "../elementwise/arithmetic.ts";
import { broadcastTo, sumTo } from "../shape/broadcast.ts";
import { askedFor, invStdOf, pick, renormalize, secondOrder } from "./rules.ts";
import { uniform } from "../create/samples.ts";
import { reshape } from "../shape/shape.ts";
import { assertNumber, channelsOf, normalizedShapeOf, scaleEmpty } from "./operands.ts";

interface GroupNormAttrs {
  readonly groups: number;
  readonly eps: number;
}

type Saved = readonly [x: Tensor, weight: Input, mean: Tensor, low: Tensor, invStd: Tensor];

const groupNormPrimitive = /* @__PURE__ */ ownPrimitive<
  Primitive<
    readonly [x: Tensor, weight: Input, bias: Input],
    readonly [y: Tensor, mean: Tensor, low: Tensor, variance: Tensor, invStd: Tensor],
    Saved,
    GroupNormAttrs
  >
>({
  name: "groupNorm",
  differentiable: [true, false, false, false, false],
  shape: ([x], { groups }) => {
    const perGroup = [x[0], groups];
    return [x, perGroup, perGroup, perGroup, perGroup];
  },
  forward([x, weight, bias], outputs, { groups, eps }) {
    const [n, c, s] = x.shape;
    const [y, mean, low, variance, invStd] = outputs.map(valuesOf);
    const size = (c / groups) * s;
    kernels.batchStatistics(
      valuesOf(x),
      { n: 1, c: n * groups, s: size },
      mean,
      low,
      variance,
    );
    for (let i = 0; i < invStd.length; i++) invStd[i] = invStdOf(variance[i], eps);
    if (s === 1) {
      const rows = { rows: n * groups, size, groups };
      const [w, b] = [weight, bias].map(valuesOrNull);
      kernels.rowAffine(valuesOf(x), rows, mean, low, invStd, w, b, y);
      return;
    }
    const [means, scale, shift] = [0, 0, 0].map(() => new Float64Array(n * c));
    eachChannel(n, c, groups, (at, channel, group) => {
      means[at] = mean[group];
      scale[at] = invStd[group] * (weight === null ? 1 : valuesOf(weight)[channel]);
      shift[at] = (bias === null ? 0 : valuesOf(bias)[channel]) - low[group] * scale[at];
    });
    kernels.channelAffine(valuesOf(x), { n: 1, c: n * c, s }, means, scale, shift, y);
  },
  save: ([x, weight], [, mean, low, , invStd]) => [x, weight, mean, low, invStd],
  vjp: ([g], { saved, attrs, needs }) => {
    const cotangents = bind(groupNormBackward, [g, ...saved], { ...attrs, needs: [...needs] });
    const [dx, dw, db] = pick(needs, cotangents);
    return [dx, dw, db];
  },
});

/* @__PURE__ */ described(
  groupNormPrimitive,
  "(x − μ)·inv·weight + bias, μ and σ² by sample and group; also those and inv",
  (random) =>
    ([[1, 3], [2, 3], [4, 3], [1, 1], [2, 1]] as const).map(([groups, s]) => ({
      inputs: [
        uniform(random, [2, 4, s], -2, 2),
        groups === 4 ? null : uniform(random, [4], 0.5, 1.5),
        groups === 2 ? null : uniform(random, [4], -1, 1),
      ] as const,
      attrs: { groups, eps: 1e-2 },
    })),
);

/** Calls `visit(position in [N, C], channel, position in [N, G])`. */
function eachChannel(
  n: number,
  c: number,
  groups: number,
  visit: (at: number, channel: number, group: number) => void,
): void {
  const perGroup = c / groups;
  for (let at = 0; at < n * c; at++) visit(at, at % c, Math.floor(at / perGroup));
}

interface BackwardAttrs extends GroupNormAttrs {
  /** Which of dx, dw and db are asked for; the others come back empty. */
  readonly needs: readonly boolean[];
}

const groupNormBackward = /* @__PURE__ */ ownPrimitive<
  Primitive<
    readonly [g: Tensor, ...Saved],
    readonly [dx: Tensor, dw: Tensor, db: Tensor],
    readonly [g: Tensor, ...Saved],
    BackwardAttrs
  >
>({
  name: "groupNormBackward",
  shape: ([g], { needs }) => askedFor(needs, [g, [g[1]], [g[1]]]),
  // db = Σg; dw = Σ g·x̂; dx = inv·(gw − S(gw) − x̂·S(gw·x̂)) with gw = g·w
  forward([g, x, weight, mean, low, invStd], outputs, { groups, needs }) {
    const [n, c, s] = g.shape;
    const sizes = { n: 1, c: n * c, s };
    const [gs, xs, m, lowPart, inv] = [g, x, mean, low, invStd].map(valuesOf);
    const w = valuesOrNull(weight);
    const [dx, dw, db] = pick(needs, outputs).map(valuesOrNull);
    if (s === 1) {
      const rows = { rows: n * groups, size: c / groups, groups };
      kernels.rowGradient(gs, xs, rows, m, lowPart, inv, w, dx, dw, db);
      return;
    }
    const arrays = Array.from({ length: 6 }, () => new Float64Array(n * c));
    const [means, sumG, sumGC, p, q, r] = arrays;
    eachChannel(n, c, groups, (at, _, group) => means[at] = m[group]);
    kernels.cotangentSums(gs, xs, sizes, means, sumG, sumGC);
    const groupG = new Float64Array(n * groups);
    const groupGX = new Float64Array(n * groups);
    dw?.fill(0);
    db?.fill(0);
    eachChannel(n, c, groups, (at, channel, group) => {
      const sumGX = inv[group] * (sumGC[at] - lowPart[group] * sumG[at]);
      const weighs = w === null ? 1 : w[channel];
      groupG[group] += weighs * sumG[at];
      groupGX[group] += weighs * sumGX;
      if (dw !== null) dw[channel] += sumGX;
      if (db !== null) db[channel] += sumG[at];
    });
    if (dx === null) return;
    const count = (c / groups) * s;
    eachChannel(n, c, groups, (at, channel, group) => {
      p[at] = inv[group] * (w === null ? 1 : w[channel]);
      q[at] = -inv[group] * inv[group] * groupGX[group] / count;
      r[at] = -inv[group] * groupG[group] / count - q[at] * lowPart[group];
    });
    kernels.channelGradient(gs, xs, sizes, means, p, q, r, dx);
  },
  save: (inputs) => inputs,
  vjp: ([v, vw, vb], { saved, attrs: { groups, eps, needs }, needs: needed }) => {
    const [gFlat, xFlat, weight, ...statistics] = saved;
    const [n, c, s] = gFlat.shape;
    const grouped = [n, groups, c / groups, s];
    const perGroup = [n, groups, 1, 1];
    const perChannel = [1, groups, c / groups, 1];
    const S = (t: Tensor): Tensor => mul(sumTo(t, perGroup), groups / (c * s));
    const spread = (t: Tensor): Tensor => reshape(t, perGroup);
    const [toG, toX, toWeight] = secondOrder(
      [
        needs[0] ? reshape(v, grouped) : null,
        needs[1] ? reshape(vw, perChannel) : null,
        needs[2] ? reshape(vb, perChannel) : null,
      ],
      reshape(gFlat, grouped),
      weight === null ? null : reshape(weight, perChannel),
      renormalize(reshape(xFlat, grouped), statistics, eps, S, spread),
      needed[2],
    );
    // Terms from bias alone do not vary with the sample: they are broadcast to the rest.
    const full = (t: Tensor | null): Tensor | null =>
      t === null ? null : reshape(broadcastTo(t, grouped), [n, c, s]);
    const dw = toWeight === null ? null : reshape(sumTo(toWeight, perChannel), [c]);
    return [full(toG), full(toX), dw, null, null, null];
  },
});

/* @__PURE__ */ described(
  groupNormBackward,
  "cotangents of groupNorm's x, weight and bias; μ and inv count as functions of x",
  (random) => {
    const [all, onlyX, noX] = [[true, true, true], [true, false, false], [false, true, true]];
    const kinds = [[all, 2, 3], [onlyX, 1, 3], [noX, 4, 3], [all, 1, 1], [noX, 2, 1]] as const;
    return kinds.map(([needs, groups, s]) => {
      const x = uniform(random, [2, 4, s], -2, 2).requiresGrad_(false);
      return {
        // The statistics count as functions of x, so that x can only be varied through groupNorm.
        inputs: [
          uniform(random, [2, 4, s], -1, 1),
          x,
          uniform(random, [4], 0.5, 1.5),
          ...statisticsOf(x, groups, 1e-2),
        ] as const,
        attrs: { groups, eps: 1e-2, needs },
      };
    });
  },
);

/** Mean, low part and inv for the samples of the backward. */
function statisticsOf(x: Tensor, groups: number, eps: number): [Tensor, Tensor, Tensor] {
  const [, mean, low, , invStd] = bind(groupNormPrimitive, [x, null, null], { groups, eps });
  return [mean, low, invStd];
}

/**
 * Normalises each sample over groups of channels. Nothing is validated here.
 *
 * Shapes: x [N, C, S], weight and bias [C] → y [N, C, S], statistics [N, G]. Gradient: to x, weight and
 * bias; of every order.
 *
 * @returns y on the tape; off it by sample and group means, their parts below the last digit, biased variances
 * and 1/√(variance + eps).
 */
export function normalizeGroups(
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  groups: number,
  eps: number,
): readonly [y: Tensor, mean: Tensor, low: Tensor, variance: Tensor, invStd: Tensor] {
  return bind(groupNormPrimitive, [x, weight, bias], { groups, eps });
}

/** Options of {@linkcode layerNorm} and {@linkcode groupNorm}. */
export interface EpsOptions {
  /** Added to the variance. */
  readonly eps?: number;
}

/**
 * Normalises over the last axes.
 *
 * y = (x − μ)/√(σ² + eps) · weight + bias with μ and σ² (biased) over the axes of `normalizedShape`.
 *
 * Shapes: x [*, …normalizedShape]; weight and bias of `normalizedShape`. Gradient: to all three, of
 * every order.
 *
 * @throws {RangeError} if the last axes of x, weight or bias are not of that shape.
 * @see Ba, Kiros, Hinton: Layer Normalization, 2016.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const y = nn.functional.layerNorm(tensor([[1, 3]]), [2], null, null, { eps: 0 });
 * assertAlmostEquals(y.data[1], 1);
 * ```
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: Shape | number,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: EpsOptions = {},
): Tensor {
  const eps = readEps("run layerNorm", options);
  const shape = normalizedShapeOf("run layerNorm", x, normalizedShape, { weight, bias });
  const size = sizeOf(shape);
  if (size === 0) return scaleEmpty(x, weight, bias);
  const rows = reshape(x, [x.size / size, size, 1]);
  const flat = (t: Tensor | null) => t === null ? null : reshape(t, [size]);
  return reshape(normalizeGroups(rows, flat(weight), flat(bias), 1, eps)[0], x.shape);
}

/**
 * Normalises each sample over groups of channels.
 *
 * Shapes: x [N, C, …]; weight and bias [C]. Gradient: to all three, of every order.
 *
 * @throws {RangeError} if x has no channel axis, the groups do not divide the channels, or a group
 * holds a single value.
 * @see Wu, He: Group Normalization, 2018.
 */
export function groupNorm(
  x: Tensor,
  numGroups: number,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: EpsOptions = {},
): Tensor {
  const eps = readEps("run groupNorm", options);
  const channels = channelsOf("run groupNorm", x, { weight, bias });
  if (!Number.isInteger(numGroups) || numGroups <= 0) {
    refuse("run groupNorm", `numGroups ${describe(numGroups)}`, "an integer of at least 1");
  }
  if (channels % numGroups !== 0) {
    refuse(
      "run groupNorm",
      `${shaped("x", x)} and ${numGroups} groups`,
      "a number of channels that the groups divide",
    );
  }
  if (x.size / numGroups === 1) {
    refuse(
      "run groupNorm",
      shaped("x", x),
      `more than 1 value in a group (Expected more than 1 value per channel when training, got input size ${
        formatShape(x.shape)
      })`,
    );
  }
  const flat = reshape(x, [x.shape[0], channels, sizeOf(x.shape.slice(2))]);
  return reshape(normalizeGroups(flat, weight, bias, numGroups, eps)[0], x.shape);
}

function readEps(action: string, options: EpsOptions): number {
  assertOptions(action, options, ["eps"]);
  const { eps = 1e-5 } = options;
  assertNumber(action, "eps", eps);
  return eps;
}
