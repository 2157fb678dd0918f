/**
 * Where each kind of interpolation looks, along one axis.
 */
import type { Taps } from "../../kernels/mod.ts";

/** An axis to be resized. */
export interface Axis {
  /** Its length before. */
  readonly from: number;
  /** Its length after. */
  readonly to: number;
  /** The factor that a user gave, where positions follow it and not the two lengths. */
  readonly factor: number | null;
  /** Whether the first and the last elements keep their places, or the edges do. */
  readonly alignCorners: boolean;
}

/** One output element's taps: pairs of an index and a weight. */
type Row = readonly (readonly [index: number, weight: number])[];

function build({ from, to }: Axis, row: (i: number) => Row): Taps {
  const rows = Array.from({ length: to }, (_, i) => row(i));
  const starts = new Int32Array(to + 1);
  rows.forEach((taps, i) => starts[i + 1] = starts[i] + taps.length);
  const taps = rows.flat();
  return {
    length: from,
    starts,
    indices: Int32Array.from(taps, ([index]) => index),
    weights: Float64Array.from(taps, ([, weight]) => weight),
  };
}

/** Input elements for each output element. */
function stepOf({ from, to, factor, alignCorners }: Axis): number {
  if (alignCorners) return to > 1 ? (from - 1) / (to - 1) : 0;
  return factor !== null && factor > 0 ? 1 / factor : from / to;
}

/** Where output element i lies among the input elements. */
function positionOf(axis: Axis, i: number): number {
  return axis.alignCorners ? stepOf(axis) * i : stepOf(axis) * (i + 0.5) - 0.5;
}

function clampTo(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** The element at or before a position, and how far the position lies beyond it. */
function below(position: number, { from }: Axis): [index: number, fraction: number] {
  const index = Math.min(Math.floor(position), from - 1);
  return [index, clampTo(position - index, 0, 1)];
}

/**
 * One element each: for `exact` the one whose middle is nearest, otherwise the one that the left edge
 * falls into.
 *
 * Places that fall between two elements are rounded as PyTorch does it: on an image in single
 * precision throughout, a factor that leaves the length or doubles it taken for 1 or 2; elsewhere in
 * double precision but for the last step.
 */
export function nearestTaps(axis: Axis, exact: boolean, image: boolean): Taps {
  const { from, to } = axis;
  const last = from - 1;
  const step = stepOf({ ...axis, alignCorners: false });
  if (!image) {
    return build(axis, (i) => {
      const place = exact ? Math.max(0, step * (i + 0.5) - 0.5) + 0.5 : step * i;
      return [[Math.min(Math.floor(Math.fround(place)), last), 1]];
    });
  }
  const whole = exact ? 0 : to === from ? 1 : to === 2 * from ? 2 : 0;
  const single = Math.fround(step);
  return build(axis, (i) => {
    if (whole > 0) return [[Math.floor(i / whole), 1]];
    const place = Math.fround((exact ? i + 0.5 : i) * single);
    return [[Math.min(Math.floor(place), last), 1]];
  });
}

/** The two neighbours, each by the nearness of the other; none where the length stays. */
export function linearTaps(axis: Axis): Taps {
  if (axis.from === axis.to) return build(axis, (i) => [[i, 1]]);
  return build(axis, (i) => {
    const [index, fraction] = below(Math.max(0, positionOf(axis, i)), axis);
    return [[index, 1 - fraction], [Math.min(index + 1, axis.from - 1), fraction]];
  });
}

/** Keys' cubic convolution kernel at distance `x`; `a` is its slope at 1. */
function cubic(x: number, a: number): number {
  const d = Math.abs(x);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return 0;
}

/** Four neighbours, those beyond the edge replaced by the one at it. */
export function cubicTaps(axis: Axis): Taps {
  return build(axis, (i) => {
    const [index, fraction] = below(positionOf(axis, i), axis);
    return [-1, 0, 1, 2].map((offset) => [
      clampTo(index + offset, 0, axis.from - 1),
      cubic(fraction - offset, -0.75),
    ]);
  });
}

/** Equal weights for all that the output element covers, in whole or in part. */
export function areaTaps(axis: Axis): Taps {
  return build(axis, (i) => {
    const start = Math.floor(i * axis.from / axis.to);
    const end = Math.ceil((i + 1) * axis.from / axis.to);
    return Array.from({ length: end - start }, (_, k) => [start + k, 1 / (end - start)]);
  });
}

/**
 * Linear or cubic interpolation with a kernel that widens where the axis shrinks, so that every input
 * element has a share. The cubic is the one of image programs, of slope −1/2.
 */
export function smoothTaps(axis: Axis, kind: "linear" | "cubic"): Taps {
  if (axis.from === axis.to) return build(axis, (i) => [[i, 1]]);
  const step = stepOf(axis);
  const width = Math.max(step, 1);
  const reach = (kind === "linear" ? 1 : 2) * width;
  const filter = kind === "linear"
    ? (x: number) => Math.max(0, 1 - Math.abs(x))
    : (x: number) => cubic(x, -0.5);
  return build(axis, (i) => {
    const center = step * (i + 0.5);
    const start = Math.max(Math.trunc(center - reach + 0.5), 0);
    const end = Math.min(Math.trunc(center + reach + 0.5), axis.from);
    const weights = Array.from(
      { length: Math.max(end - start, 0) },
      (_, k) => filter((start + k - center + 0.5) / width),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight, k) => [start + k, total === 0 ? weight : weight / total]);
  });
}
