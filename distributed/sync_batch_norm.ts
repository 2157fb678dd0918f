/**
 * Batch normalisation of a batch that several processes share: statistics, and the means in the backward,
 * are those of all shares together. Its backward is a primitive too, and so has a derivative.
 *
 * Notation as in batch_norm.ts, with S(t) the mean over the shares of all processes. γ is each process's
 * own; with the cotangent g of its y that of x̂ is c = γ·g.
 */
import {
  bind,
  broadcastTo,
  clone,
  definePrimitive,
  type Input,
  mul,
  type Primitive,
  reshape,
  sum,
  type Tensor,
  where,
} from "../autograd/mod.ts";
import {
  alignMask,
  assertBatch,
  assertChannels,
  batchNormBackward,
  batchNormForward,
  type BatchNormOperands,
  batchStatistics,
  channelGradient,
  type ChannelSizes,
  channelSizes,
  type ChannelStatistics,
  formatShape,
  momentsFrom,
  type NormalizedBatch,
  renormalize,
  secondOrder,
  type ValidPositions,
  valuesOf,
} from "../autograd/internal.ts";
import { mergeMoments, type Processes, shiftOf } from "./moments_across.ts";

interface Attrs {
  readonly processes: Processes;
  readonly eps: number;
}

/** What a forward leaves for the backward; it carries no gradient. `count` is that of all shares. */
type Statistics = readonly [
  mean: Tensor,
  low: Tensor,
  variance: Tensor,
  invStd: Tensor,
  count: Tensor,
];

const syncBatchNormPrimitive = /* @__PURE__ */ definePrimitive<
  Primitive<
    readonly [x: Tensor, weight: Input, bias: Input, shift: Input, mask: Input],
    readonly [y: Tensor, ...Statistics],
    readonly [
      x: Tensor,
      weight: Input,
      mean: Tensor,
      low: Tensor,
      invStd: Tensor,
      count: Tensor,
      mask: Input,
    ],
    Attrs
  >
>({
  name: "distributed.syncBatchNorm",
  summary: "batchNorm with the statistics of the shares of all processes",
  differentiable: [true, false, false, false, false, false],
  shape: ([x]) => {
    const c = [x[1]];
    return [x, c, c, c, c, []];
  },
  forward([x, weight, bias, shift, mask], outputs, { processes, eps }) {
    const [y, mean, low, variance, invStd, count] = outputs.map(valuesOf);
    const statistics = { mean, low, variance, invStd };
    const sizes = channelSizes(x.shape);
    const valid = validPositions(x, mask);
    const own = valid === null ? sizes.n * sizes.s : valid.count;
    for (const values of [mean, low, variance]) values.fill(0);
    if (own > 0) ownStatistics(valuesOf(x), y, statistics, sizes, valid);
    count[0] = mergeMoments(processes, own, { mean, low, variance }, shiftOf(shift));
    if (count[0] === 1) {
      throw new RangeError(
        `Cannot run batchNorm: got 1 value in each channel of the batches of ${processes.size} processes ` +
          `together, expected at least 2 in training (Expected more than 1 value per channel when ` +
          `training, got input size ${formatShape(x.shape)})`,
      );
    }
    // Constant values without eps: inv is 0 there, and y the bias.
    const spread = variance.map((value) => value + eps === 0 ? Infinity : value);
    batchNormForward(
      valuesOf(x),
      weight === null ? null : valuesOf(weight),
      bias === null ? null : valuesOf(bias),
      y,
      { mean, low, variance: spread, invStd },
      sizes,
      eps,
      false,
      valid,
    );
  },
  save: ([x, weight, , , mask], [, mean, low, , invStd, count]) => [
    x,
    weight,
    mean,
    low,
    invStd,
    count,
    mask,
  ],
  vjp: ([g], { saved, attrs, needs }) => {
    const [x, weight, mean, low, invStd, count, mask] = saved;
    const cotangents = bind(syncBatchNormBackward, [g, x, weight, mean, low, invStd, mask], {
      ...attrs,
      count: valuesOf(count)[0],
      needs: [needs[0], needs[1], needs[2]],
    });
    const [dx, dw, db] = cotangents.map((t, i) => needs[i] ? t : null);
    return [dx, dw, db, null, null];
  },
});

function validPositions(x: Tensor, mask: Input): ValidPositions | null {
  if (mask === null) return null;
  const values = valuesOf(mask);
  return x.size === 0 ? null : { values, count: values.reduce((sum, value) => sum + value, 0) };
}

/** The statistics of the own share; y is written over where there is a mask. */
function ownStatistics(
  x: Float64Array,
  y: Float64Array,
  statistics: ChannelStatistics,
  sizes: ChannelSizes,
  valid: ValidPositions | null,
): void {
  const { mean, low, variance } = statistics;
  if (valid === null) batchStatistics(x, sizes, mean, low, variance);
  else batchNormForward(x, null, null, y, statistics, sizes, 1, true, valid);
}

interface BackwardAttrs extends Attrs {
  /** Values in each channel of all shares. */
  readonly count: number;
  /** Which of dx, dw and db are asked for; the others come back empty. */
  readonly needs: readonly boolean[];
}

type BackwardInputs = readonly [
  g: Tensor,
  x: Tensor,
  weight: Input,
  mean: Tensor,
  low: Tensor,
  invStd: Tensor,
  mask: Input,
];

const syncBatchNormBackward = /* @__PURE__ */ definePrimitive<
  Primitive<
    BackwardInputs,
    readonly [dx: Tensor, dw: Tensor, db: Tensor],
    BackwardInputs,
    BackwardAttrs
  >
>({
  name: "distributed.syncBatchNormBackward",
  summary: "cotangents of syncBatchNorm's x, weight and bias",
  shape: ([g], { needs }) => [
    needs[0] ? g : [0],
    needs[1] ? [g[1]] : [0],
    needs[2] ? [g[1]] : [0],
  ],
  // db = Σg and dw = Σ g·x̂ of the own share; dx = inv·(c − S(c) − x̂·S(c·x̂))
  forward([g, x, weight, mean, low, invStd, mask], [dx, dw, db], { processes, needs, count }) {
    const sizes = channelSizes(g.shape);
    const { c } = sizes;
    const valid = validPositions(x, mask);
    const statistics = { mean: valuesOf(mean), low: valuesOf(low), invStd: valuesOf(invStd) };
    const [sumGX, sumG] = [new Float64Array(c), new Float64Array(c)];
    const [gs, xs] = [valuesOf(g), valuesOf(x)];
    const own = { ...statistics, variance: sumG };
    batchNormBackward(gs, xs, null, own, null, sumGX, sumG, sizes, false, valid);
    if (needs[1]) valuesOf(dw).set(sumGX);
    if (needs[2]) valuesOf(db).set(sumG);
    if (!needs[0]) return;
    const w = weight === null ? null : valuesOf(weight);
    const message = new Float64Array(2 * c);
    for (let j = 0; j < c; j++) {
      message[j] = (w === null ? 1 : w[j]) * sumG[j];
      message[c + j] = (w === null ? 1 : w[j]) * sumGX[j];
    }
    processes.sum(message);
    const [p, q, r] = [0, 0, 0].map(() => new Float64Array(c));
    for (let j = 0; j < c; j++) {
      const inv = statistics.invStd[j];
      p[j] = inv * (w === null ? 1 : w[j]);
      q[j] = count === 0 ? 0 : -inv * inv * message[c + j] / count;
      r[j] = count === 0 ? 0 : -inv * message[j] / count - q[j] * statistics.low[j];
    }
    const into = valuesOf(dx);
    channelGradient(gs, xs, sizes, statistics.mean, p, q, r, into);
    if (valid !== null) clearInvalid(into, sizes, valid.values);
  },
  save: (inputs) => inputs,
  // Ordinary operations take the statistics from x once more, so that every further order is exact.
  vjp: ([cotangent, vw, vb], { saved, attrs, needs: needed }) => {
    const { processes, needs, count, eps } = attrs;
    const [, , weight, mean, low, invStd, mask] = saved;
    const keep = (t: Tensor): Tensor => mask === null ? t : where(mask, t, 0);
    const [g, x] = [keep(saved[0]), keep(saved[1])];
    const channel = g.shape.map((size, i) => i === 1 ? size : 1);
    const spread = (t: Tensor): Tensor => reshape(t, channel);
    const others = channel.flatMap((_, i) => i === 1 ? [] : [i]);
    const own = (t: Tensor): Tensor => sum(keep(t), { dim: others, keepdim: true });
    const S = (t: Tensor): Tensor => mul(processes.sumTensor(own(t)), 1 / count);
    const [toG, toX, toWeight] = secondOrder(
      [
        needs[0] ? keep(cotangent) : null,
        needs[1] ? spread(vw) : null,
        needs[2] ? spread(vb) : null,
      ],
      g,
      weight === null ? null : spread(weight),
      renormalize(x, [mean, low, invStd], eps, S, spread),
      needed[2],
    );
    return [
      toG === null ? null : keep(broadcastTo(toG, g.shape)),
      toX === null ? null : keep(toX),
      toWeight === null ? null : reshape(own(toWeight), weight!.shape),
      null,
      null,
      null,
      null,
    ];
  },
});

/** 0 where a mask [n, s] has 0. */
function clearInvalid(
  values: Float64Array,
  { n, c, s }: ChannelSizes,
  mask: Float64Array,
): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < c; j++) {
      const at = (i * c + j) * s;
      for (let k = 0; k < s; k++) if (mask[i * s + k] === 0) values[at + k] = 0;
    }
  }
}

/**
 * `normalizeBatch` in training, with the statistics of the batches of all processes together. All of them
 * have to call it, one without samples too, with a batch of 0 of them.
 *
 * @param operands `runningMean` is a guess at the mean that spares a message; it is not written.
 */
export function normalizeAcross(
  operands: BatchNormOperands,
  settings: {
    readonly eps: number;
    readonly mask?: Tensor | null;
    readonly processes: Processes;
  },
): NormalizedBatch {
  const { x, runningMean, weight, bias } = operands;
  const { eps, processes } = settings;
  assertBatch(operands, eps);
  if (x.ndim < 2) return { y: clone(x), moments: null };
  assertChannels(operands);
  const mask = settings.mask ?? null;
  const valid = mask === null ? null : alignMask(x, mask).mask;
  const [y, mean, low, variance, , count] = bind(
    syncBatchNormPrimitive,
    [x, weight, bias, runningMean, valid],
    { eps, processes },
  );
  const [total] = valuesOf(count);
  if (total === 0) return { y, moments: null };
  const arrays = [mean, low, variance].map(valuesOf);
  return { y, moments: momentsFrom(total, arrays[0], arrays[1], arrays[2]) };
}
