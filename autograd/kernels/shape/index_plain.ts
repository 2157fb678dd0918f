/** Values picked by index, and their transposes that add them back; triangles of matrices. Indices are integers. */
import { RowWalk } from "./strided_plain.ts";

/** An array as rows of an axis: [outer, length, inner], of which `count` rows are picked. */
export interface IndexedRows {
  /** Repetitions outside of the axis. */
  readonly outer: number;
  /** Elements of the axis. */
  readonly length: number;
  /** Values of one element of the axis. */
  readonly inner: number;
  /** Picked elements. */
  readonly count: number;
}

/** out[o, i, :] = x[o, index[i], :]; zeros for an index of −1. */
export function selectRows(
  x: Float64Array,
  index: Float64Array,
  out: Float64Array,
  { outer, length, inner, count }: IndexedRows,
): void {
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < count; i++, to += inner) {
      if (index[i] < 0) {
        out.fill(0, to, to + inner);
        continue;
      }
      const from = (o * length + index[i]) * inner;
      if (inner >= 64) out.set(x.subarray(from, from + inner), to);
      else for (let k = 0; k < inner; k++) out[to + k] = x[from + k];
    }
  }
}

/** out[o, index[i], :] += x[o, i, :], from zeros; nothing for an index of −1. */
export function addRows(
  x: Float64Array,
  index: Float64Array,
  out: Float64Array,
  { outer, length, inner, count }: IndexedRows,
): void {
  out.fill(0);
  let from = 0;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < count; i++, from += inner) {
      if (index[i] < 0) continue;
      const to = (o * length + index[i]) * inner;
      for (let k = 0; k < inner; k++) out[to + k] += x[from + k];
    }
  }
}

/** How each element of an index points into another array. */
export interface IndexWalk {
  /** The shape of the index; at least one axis. */
  readonly shape: readonly number[];
  /** The strides of the other array by axis of the index; 0 at the indexed axis. */
  readonly strides: readonly number[];
  /** The stride of the indexed axis. */
  readonly step: number;
}

/** out[i] = x[Σ iₖ·strideₖ + index[i]·step] */
export function gatherAlong(
  x: Float64Array,
  index: Float64Array,
  out: Float64Array,
  { shape, strides, step }: IndexWalk,
): void {
  const walk = new RowWalk(shape, strides, 0);
  const { length, step: across } = walk;
  for (let start = 0; start < out.length; start += length) {
    let from = walk.offset;
    for (let i = start; i < start + length; i++, from += across) {
      out[i] = x[from + index[i] * step];
    }
    walk.next();
  }
}

/** out[Σ iₖ·strideₖ + index[i]·step] += x[i], from zeros. */
export function scatterAlong(
  x: Float64Array,
  index: Float64Array,
  out: Float64Array,
  { shape, strides, step }: IndexWalk,
): void {
  out.fill(0);
  const walk = new RowWalk(shape, strides, 0);
  const { length, step: across } = walk;
  for (let start = 0; start < x.length; start += length) {
    let to = walk.offset;
    for (let i = start; i < start + length; i++, to += across) {
      out[to + index[i] * step] += x[i];
    }
    walk.next();
  }
}

/** Rows of `classes` zeros with a one at `index`. */
export function oneHot(index: Float64Array, out: Float64Array, classes: number): void {
  out.fill(0);
  for (let i = 0; i < index.length; i++) out[i * classes + index[i]] = 1;
}

/**
 * Row-major matrices with zeros on one side of the k-th diagonal: beyond it, or before it where
 * `upper` is kept.
 */
export function triangle(
  x: Float64Array,
  out: Float64Array,
  rows: number,
  columns: number,
  k: number,
  upper: boolean,
): void {
  out.fill(0);
  for (let start = 0; start < x.length; start += columns) {
    const row = (start / columns) % rows;
    const edge = Math.min(Math.max(row + k + (upper ? 0 : 1), 0), columns);
    const from = upper ? edge : 0;
    const to = upper ? columns : edge;
    for (let j = from; j < to; j++) out[start + j] = x[start + j];
  }
}
