/** Pooling over planes of three axes, and weighted sums along one axis. */
import { type Triple, volume } from "../conv/window_plain.ts";

/** What the windows of one axis see. */
export interface Band {
  /** The first input of each window, inside the plane. */
  readonly start: Int32Array;
  /** One past the last input of each window, inside the plane. */
  readonly end: Int32Array;
  /** How many inputs an average counts along this axis, padding included where it counts. */
  readonly count: Int32Array;
  /** From one input of a window to the next. */
  readonly step: number;
}

/** The windows of all three axes: their product. */
export type Bands = readonly [depth: Band, height: Band, width: Band];

/** Whether the windows are pairs side by side, which is what most networks pool. */
export function arePairs({ start, end }: Band): boolean {
  for (let i = 0; i < start.length; i++) {
    if (start[i] !== 2 * i || end[i] !== 2 * i + 2) return false;
  }
  return true;
}

/**
 * {@linkcode maxPool} over windows of 2 × 2 side by side. The winner is found by adding comparisons to
 * addresses: a branch would be mispredicted half of the time and cost four times as much.
 */
function maxPoolPairs(
  x: Float64Array,
  y: Float64Array,
  indices: Float64Array,
  [, height, width]: Triple,
  rows: number,
  columns: number,
): void {
  const plane = height * width;
  let o = 0;
  for (let base = 0; base < x.length; base += plane) {
    for (let h = 0; h < rows; h++) {
      let i = base + 2 * h * width;
      for (const end = o + columns; o < end; o++, i += 2) {
        const a = x[i];
        const b = x[i + 1];
        const c = x[i + width];
        const d = x[i + width + 1];
        let at: number;
        const sum = a + b + c + d;
        if (sum === sum) {
          const above = i + Number(b > a);
          const below = i + width + Number(d > c);
          at = above + Number(x[below] > x[above]) * (below - above);
        } else {
          at = winnerAmongNaN(x, i, width);
        }
        y[o] = x[at];
        indices[o] = at - base;
      }
    }
  }
}

/** The last NaN of the 2 × 2 values from `i` on, or the first of the largest if infinities met. */
function winnerAmongNaN(x: Float64Array, i: number, width: number): number {
  let at = i;
  for (const j of [i + 1, i + width, i + width + 1]) {
    if (x[j] > x[at] || x[j] !== x[j]) at = j;
  }
  return at;
}

/**
 * The largest value of each window and where in its plane it stands. Of equals the first one counts;
 * NaN counts as largest, the last NaN of all.
 */
export function maxPool(
  x: Float64Array,
  y: Float64Array,
  indices: Float64Array,
  input: Triple,
  [deep, high, wide]: Bands,
): void {
  const [, height, width] = input;
  const plane = volume(input);
  if (y.length === 0) return;
  if (input[0] === 1 && arePairs(high) && arePairs(wide)) {
    maxPoolPairs(x, y, indices, input, high.start.length, wide.start.length);
    return;
  }
  const { start, end, step } = wide;
  const columns = start.length;
  let o = 0;
  for (let base = 0; base < x.length; base += plane) {
    for (let d = 0; d < deep.start.length; d++) {
      const z0 = deep.start[d];
      const z1 = deep.end[d];
      for (let h = 0; h < high.start.length; h++) {
        const h0 = high.start[h];
        const h1 = high.end[h];
        for (let w = 0; w < columns; w++, o++) {
          const w0 = start[w];
          const w1 = end[w];
          let best = -Infinity;
          let at = (z0 * height + h0) * width + w0;
          for (let z = z0; z < z1; z += deep.step) {
            for (let r = h0; r < h1; r += high.step) {
              const row = (z * height + r) * width;
              for (let i = row + w0; i < row + w1; i += step) {
                const value = x[base + i];
                if (value > best || value !== value) {
                  best = value;
                  at = i;
                }
              }
            }
          }
          y[o] = best;
          indices[o] = at;
        }
      }
    }
  }
}

/** Adds each value to the place in its plane that its index names, from zeros. */
export function scatterPlanes(
  g: Float64Array,
  indices: Float64Array,
  out: Float64Array,
  planes: number,
): void {
  out.fill(0);
  const from = g.length / planes;
  const to = out.length / planes;
  for (let p = 0; p < planes; p++) {
    const base = p * to;
    for (let i = p * from; i < (p + 1) * from; i++) out[base + indices[i]] += g[i];
  }
}

/** The transpose of {@linkcode scatterPlanes}: the value at the place that each index names. */
export function gatherPlanes(
  x: Float64Array,
  indices: Float64Array,
  out: Float64Array,
  planes: number,
): void {
  const from = x.length / planes;
  const to = out.length / planes;
  for (let p = 0; p < planes; p++) {
    const base = p * from;
    for (let i = p * to; i < (p + 1) * to; i++) out[i] = x[base + indices[i]];
  }
}

/**
 * The average of each window; `divisor` 0 stands for the counts of the bands. The rows of a band are
 * added into one line first, along which the windows then sum.
 */
export function avgPool(
  x: Float64Array,
  y: Float64Array,
  input: Triple,
  [deep, high, wide]: Bands,
  divisor: number,
): void {
  const [, height, width] = input;
  const plane = volume(input);
  if (y.length === 0) return;
  const line = new Float64Array(width);
  const { start, end, count } = wide;
  const columns = start.length;
  let o = 0;
  for (let base = 0; base < x.length; base += plane) {
    for (let d = 0; d < deep.start.length; d++) {
      for (let h = 0; h < high.start.length; h++) {
        line.fill(0);
        for (let z = deep.start[d]; z < deep.end[d]; z++) {
          for (let r = high.start[h]; r < high.end[h]; r++) {
            const row = base + (z * height + r) * width;
            for (let i = 0; i < width; i++) line[i] += x[row + i];
          }
        }
        const rows = deep.count[d] * high.count[h];
        for (let w = 0; w < columns; w++, o++) {
          let sum = 0;
          for (let i = start[w], stop = end[w]; i < stop; i++) sum += line[i];
          y[o] = sum / (divisor === 0 ? rows * count[w] : divisor);
        }
      }
    }
  }
}

/** The transpose of {@linkcode avgPool}: shares each value out over its window. */
export function avgPoolTranspose(
  g: Float64Array,
  out: Float64Array,
  input: Triple,
  [deep, high, wide]: Bands,
  divisor: number,
): void {
  const [, height, width] = input;
  const plane = volume(input);
  out.fill(0);
  if (g.length === 0) return;
  const line = new Float64Array(width);
  const { start, end, count } = wide;
  const columns = start.length;
  let o = 0;
  for (let base = 0; base < out.length; base += plane) {
    for (let d = 0; d < deep.start.length; d++) {
      for (let h = 0; h < high.start.length; h++) {
        const rows = deep.count[d] * high.count[h];
        line.fill(0);
        for (let w = 0; w < columns; w++, o++) {
          const share = g[o] / (divisor === 0 ? rows * count[w] : divisor);
          for (let i = start[w], stop = end[w]; i < stop; i++) line[i] += share;
        }
        for (let z = deep.start[d]; z < deep.end[d]; z++) {
          for (let r = high.start[h]; r < high.end[h]; r++) {
            const row = base + (z * height + r) * width;
            for (let i = 0; i < width; i++) out[row + i] += line[i];
          }
        }
      }
    }
  }
}

/** For each element of an output axis, which elements of the input axis it sums, and how weighted. */
export interface Taps {
  /** Elements of the input axis. */
  readonly length: number;
  /** Where the taps of output element i begin; those of i end where those of i + 1 begin. */
  readonly starts: Int32Array;
  /** The input element of each tap. */
  readonly indices: Int32Array;
  /** The weight of each tap. */
  readonly weights: Float64Array;
}

/** out[o, i, :] = Σ over the taps t of i: weight[t] · x[o, index[t], :] */
export function resample(
  x: Float64Array,
  out: Float64Array,
  { length, starts, indices, weights }: Taps,
  inner: number,
): void {
  const count = starts.length - 1;
  let to = 0;
  for (let base = 0; to < out.length; base += length * inner) {
    for (let i = 0; i < count; i++, to += inner) {
      for (let k = 0; k < inner; k++) {
        let sum = 0;
        for (let t = starts[i]; t < starts[i + 1]; t++) {
          sum += weights[t] * x[base + indices[t] * inner + k];
        }
        out[to + k] = sum;
      }
    }
  }
}

/** out[o, index[t], :] += weight[t] · x[o, i, :] over the taps t of i, from zeros. */
export function resampleTranspose(
  x: Float64Array,
  out: Float64Array,
  { length, starts, indices, weights }: Taps,
  inner: number,
): void {
  out.fill(0);
  const count = starts.length - 1;
  let from = 0;
  for (let base = 0; from < x.length; base += length * inner) {
    for (let i = 0; i < count; i++, from += inner) {
      for (let t = starts[i]; t < starts[i + 1]; t++) {
        const weight = weights[t];
        const to = base + indices[t] * inner;
        for (let k = 0; k < inner; k++) out[to + k] += weight * x[from + k];
      }
    }
  }
}
