// Softmax and its logarithm along rows of neighbours, shifted by the largest element.

import { exp } from "../elementwise/exp";
import { log } from "../elementwise/log";
import { sumOf } from "./reduce";

/** The largest of n neighbours; NaN does not count, as in the plain kernel. */
export function largestOf(x: usize, n: i32): f64 {
  let m0 = f64x2.splat(-Infinity), m1 = m0, m2 = m0, m3 = m0;
  const end = x + (<usize>n << 3);
  for (const endOfEights = x + (<usize>(n & ~7) << 3); x < endOfEights; x += 64) {
    // unroll(4) $
    m$ = f64x2.pmax(m$, v128.load(x, 16 * $));
    // end
  }
  for (; x < end; x += 8) m0 = f64x2.pmax(m0, v128.load64_splat(x));
  m0 = f64x2.pmax(f64x2.pmax(m0, m1), f64x2.pmax(m2, m3));
  return max<f64>(f64x2.extract_lane(m0, 0), f64x2.extract_lane(m0, 1));
}

/** out = x − shift */
export function shiftRow(x: usize, out: usize, n: i32, shift: f64): void {
  const s = f64x2.splat(shift);
  const end = x + (<usize>n << 3);
  while (x + 16 <= end) {
    v128.store(out, f64x2.sub(v128.load(x), s));
    x += 16;
    out += 16;
  }
  if (x < end) store<f64>(out, load<f64>(x) - shift);
}

export function softmaxRows(x: usize, out: usize, rows: i32, n: i32): void {
  const bytes = <usize>n << 3;
  for (let r = 0; r < rows; r++) {
    shiftRow(x, out, n, largestOf(x, n));
    exp(out, out, n);
    const total = f64x2.splat(sumOf(out, n));
    const end = out + bytes;
    while (out + 16 <= end) {
      v128.store(out, f64x2.div(v128.load(out), total));
      out += 16;
    }
    if (out < end) {
      store<f64>(out, load<f64>(out) / f64x2.extract_lane(total, 0));
      out += 8;
    }
    x += bytes;
  }
}

/** `row` is scratch of n elements. */
export function logSoftmaxRows(x: usize, out: usize, rows: i32, n: i32, row: usize): void {
  const bytes = <usize>n << 3;
  for (let r = 0; r < rows; r++) {
    const largest = largestOf(x, n);
    shiftRow(x, out, n, largest);
    exp(out, row, n);
    store<f64>(row, sumOf(row, n));
    log(row, row, 1);
    shiftRow(out, out, n, load<f64>(row));
    x += bytes;
    out += bytes;
  }
}

// y·(g − Σ g·y)
export function softmaxBackwardRows(g: usize, y: usize, out: usize, rows: i32, n: i32): void {
  const bytes = <usize>n << 3;
  for (let r = 0; r < rows; r++) {
    for (let j: usize = 0; j < bytes; j += 8) {
      store<f64>(out + j, load<f64>(g + j) * load<f64>(y + j));
    }
    const total = sumOf(out, n);
    for (let j: usize = 0; j < bytes; j += 8) {
      store<f64>(out + j, load<f64>(y + j) * (load<f64>(g + j) - total));
    }
    g += bytes;
    y += bytes;
    out += bytes;
  }
}

// g − eʸ·Σ g
export function logSoftmaxBackwardRows(g: usize, y: usize, out: usize, rows: i32, n: i32): void {
  const bytes = <usize>n << 3;
  for (let r = 0; r < rows; r++) {
    const total = sumOf(g, n);
    exp(y, out, n);
    for (let j: usize = 0; j < bytes; j += 8) {
      store<f64>(out + j, load<f64>(g + j) - load<f64>(out + j) * total);
    }
    g += bytes;
    y += bytes;
    out += bytes;
  }
}
