/** A batch norm and what follows it: the sum with a residual, relu, and the pooling of 2 × 2 windows. */
import { add } from "../elementwise/arithmetic_plain.ts";
import { relu, reluBackward } from "../elementwise/activation_plain.ts";
import { type Band, maxPool, scatterPlanes } from "../pool/pool_plain.ts";
import type { Triple } from "../conv/window_plain.ts";
import {
  batchNormBackward,
  batchNormForward,
  channelAffine,
  type ChannelSizes,
  type ChannelStatistics,
} from "./batch_norm_plain.ts";

/** What follows a batch norm besides relu. */
export interface Following {
  /** Added before relu; of x's size. */
  readonly residual: Float64Array | null;
  /** That of the images whose 2 × 2 windows are pooled; 0 for none. */
  readonly width: number;
}

/** Statistics of each channel, and what the affine map adds: bias − low·inv·weight. */
export interface ShiftedStatistics extends ChannelStatistics {
  readonly shift: Float64Array;
}

function pairs(size: number): Band {
  const start = Int32Array.from({ length: size >> 1 }, (_, i) => 2 * i);
  return { start, end: start.map((i) => i + 2), count: start.map(() => 2), step: 1 };
}

/** The largest of each window of pairs, and its place in the plane. */
function poolPairs(
  x: Float64Array,
  y: Float64Array,
  places: Float64Array,
  s: number,
  width: number,
): void {
  const input: Triple = [1, s / width, width];
  maxPool(x, y, places, input, [
    { ...pairs(2), end: Int32Array.of(1) },
    pairs(s / width),
    pairs(width),
  ]);
}

/** y = relu(batch norm + residual), of windows the largest; see {@linkcode batchNormForward}. */
export function batchNormReluForward(
  x: Float64Array,
  weight: Float64Array | null,
  bias: Float64Array | null,
  y: Float64Array,
  statistics: ShiftedStatistics,
  sizes: ChannelSizes,
  eps: number,
  useBatch: boolean,
  { residual, width }: Following,
): void {
  const z = width > 0 ? new Float64Array(x.length) : y;
  batchNormForward(x, weight, bias, z, statistics, sizes, eps, useBatch);
  const { low, invStd, shift } = statistics;
  for (let c = 0; c < sizes.c; c++) {
    const scale = invStd[c] * (weight === null ? 1 : weight[c]);
    shift[c] = (bias === null ? 0 : bias[c]) - low[c] * scale;
  }
  if (residual !== null) add(z, residual, z);
  relu(z, z);
  if (width > 0) poolPairs(z, y, new Float64Array(y.length), sizes.s, width);
}

/**
 * The cotangents of x, weight and bias from that of y, as {@linkcode batchNormBackward} has them; that of the
 * sum goes to `routed`, which may be dx. What relu let through is found again from x.
 */
export function batchNormReluBackward(
  g: Float64Array,
  x: Float64Array,
  weight: Float64Array | null,
  statistics: Omit<ShiftedStatistics, "variance">,
  routed: Float64Array,
  dx: Float64Array | null,
  dw: Float64Array | null,
  db: Float64Array | null,
  sizes: ChannelSizes,
  useBatch: boolean,
  { residual, width }: Following,
): void {
  const { mean, invStd, shift } = statistics;
  const scale = weight === null ? invStd : invStd.map((inv, c) => inv * weight[c]);
  const z = new Float64Array(x.length);
  channelAffine(x, sizes, mean, scale, shift, z);
  if (residual !== null) add(z, residual, z);
  if (width > 0) {
    relu(z, z);
    const [largest, places] = [new Float64Array(g.length), new Float64Array(g.length)];
    poolPairs(z, largest, places, sizes.s, width);
    reluBackward(g, largest, largest);
    scatterPlanes(largest, places, routed, sizes.n * sizes.c);
  } else {
    reluBackward(g, z, routed);
  }
  batchNormBackward(routed, x, weight, statistics, dx, dw, db, sizes, useBatch);
}
