// Batch normalisation of [N, C]: neighbours belong to different channels, so lanes are channels. Four
// rows at a time share one trip through the accumulators, which stay in the first-level cache, and a trip takes
// eight channels where there are as many: fewer addresses to compute and check. A second pass begins with the last
// rows, which are cached longest.
// The formulas are those of batch_norm.ts.
//
// With a mask (not 0), one number for each row, only the rows where it is not 0 count: the kernels go over them
// run by run, and outputs are 0 in the others.

import { fma } from "../fma";
import { affine } from "./batch_norm";
import { finishStatistics } from "../reduce/moments";

/** The first row from `i` on that counts; n if none does. */
function runStart(mask: usize, i: i32, n: i32): i32 {
  if (mask) while (i < n && load<f64>(mask + (<usize>i << 3)) == 0) i++;
  return i;
}

/** The first row from `i` on that does not count; n if all do. */
function runEnd(mask: usize, i: i32, n: i32): i32 {
  if (!mask) return n;
  while (i < n && load<f64>(mask + (<usize>i << 3)) != 0) i++;
  return i;
}

/** Rows i … end − 1 = 0. */
function clearRows(y: usize, i: i32, end: i32, bytes: usize, step: usize): void {
  for (; i < end; i++) memory.fill(y + <usize>i * step, 0, bytes);
}

/**
 * mean[c], low[c], variance[c] (biased) over the rows; `stride`: elements between rows, `total`: how many
 * count, looked at only with a mask.
 */
export function rowStatistics(
  x: usize, n: i32, c: i32, stride: i32,
  mean: usize, low: usize, variance: usize, mask: usize, total: f64,
): void {
  const bytes = <usize>c << 3, step = <usize>stride << 3;
  const count = mask ? total : <f64>n;
  // The sums gather where the results will stand.
  const sum = low, squares = variance;
  const first = runStart(mask, 0, n);
  guessRows(x + <usize>first * step, min(runEnd(mask, first, n) - first, 8), bytes, step, mean);
  memory.fill(sum, 0, bytes);
  memory.fill(squares, 0, bytes);
  sumRuns(x, mask, n, bytes, step, mean, sum, squares);
  let again = false;
  for (let j: usize = 0; j < bytes; j += 8) {
    const d = load<f64>(sum + j) / count;
    // Eight rows guess better than that unless the others are of another kind; it costs less than a digit.
    if (d * d > 4 * (load<f64>(squares + j) / count - d * d)) {
      store<f64>(mean + j, load<f64>(mean + j) + d);
      again = true;
    }
  }
  if (again) {
    memory.fill(sum, 0, bytes);
    memory.fill(squares, 0, bytes);
    sumRuns(x, mask, n, bytes, step, mean, sum, squares);
  }
  for (let j: usize = 0; j < bytes; j += 8) {
    finishStatistics(
      mean + j, low + j, variance + j, load<f64>(sum + j), load<f64>(squares + j), count,
    );
  }
}

/** The mean of the first rows, exact when they are equal; 0 where that is not finite. */
function guessRows(x: usize, n: i32, bytes: usize, stride: usize, mean: usize): void {
  for (let j: usize = 0; j < bytes; j += 8) {
    const first = load<f64>(x + j);
    let sum = 0.0;
    for (let i = 1; i < n; i++) sum += load<f64>(x + <usize>i * stride + j) - first;
    const k = first + sum / <f64>n;
    store<f64>(mean + j, isFinite(k) ? k : 0);
  }
}

function sumRuns(
  x: usize, mask: usize, n: i32, bytes: usize, step: usize,
  mean: usize, sum: usize, squares: usize,
): void {
  for (let i = runStart(mask, 0, n); i < n;) {
    const end = runEnd(mask, i, n);
    sumRows(x + <usize>i * step, end - i, bytes, step, mean, sum, squares);
    i = runStart(mask, end, n);
  }
}

function sumRows(
  x: usize, n: i32, bytes: usize, step: usize, mean: usize, sum: usize, squares: usize,
): void {
  const eights = bytes & ~63, fours = n & ~3;
  for (let i = 0; i < fours; i += 4) {
    const x0 = x + <usize>i * step, x1 = x0 + step, x2 = x1 + step, x3 = x2 + step;
    for (let j: usize = 0; j < eights; j += 64) {
      // unroll(4) $
      {
        const k = v128.load(mean + j, 16 * $);
        const c0 = f64x2.sub(v128.load(x0 + j, 16 * $), k), c1 = f64x2.sub(v128.load(x1 + j, 16 * $), k);
        const c2 = f64x2.sub(v128.load(x2 + j, 16 * $), k), c3 = f64x2.sub(v128.load(x3 + j, 16 * $), k);
        const s = f64x2.add(f64x2.add(c0, c1), f64x2.add(c2, c3));
        const q = f64x2.add(fma(c0, c0, f64x2.mul(c1, c1)), fma(c2, c2, f64x2.mul(c3, c3)));
        v128.store(sum + j, f64x2.add(v128.load(sum + j, 16 * $), s), 16 * $);
        v128.store(squares + j, f64x2.add(v128.load(squares + j, 16 * $), q), 16 * $);
      }
      // end
    }
  }
  for (let i = 0; i < n; i++) {
    sumRow(x, i < fours ? eights : 0, bytes, mean, sum, squares);
    x += step;
  }
}

// @ts-ignore: decorator
@inline
function sumRow(
  x: usize, from: usize, bytes: usize, mean: usize, sum: usize, squares: usize,
): void {
  let j = from;
  for (; j + 16 <= bytes; j += 16) {
    const c = f64x2.sub(v128.load(x + j), v128.load(mean + j));
    v128.store(sum + j, f64x2.add(v128.load(sum + j), c));
    v128.store(squares + j, fma(c, c, v128.load(squares + j)));
  }
  if (j < bytes) {
    const c = load<f64>(x + j) - load<f64>(mean + j);
    store<f64>(sum + j, load<f64>(sum + j) + c);
    store<f64>(squares + j, load<f64>(squares + j) + c * c);
  }
}

/** y = (x − mean)·scale + shift, 0 where that is below or at `floor` (NaN for none). */
export function rowAffine(
  x: usize, y: usize, n: i32, c: i32, stride: i32,
  mean: usize, scale: usize, shift: usize, mask: usize, floor: f64,
): void {
  const bytes = <usize>c << 3, step = <usize>stride << 3;
  for (let i = 0; i < n;) {
    const from = runStart(mask, i, n), end = runEnd(mask, from, n), offset = <usize>from * step;
    clearRows(y, i, from, bytes, step);
    affineRows(x + offset, y + offset, end - from, bytes, step, mean, scale, shift, floor);
    i = end;
  }
}

function affineRows(
  x: usize, y: usize, n: i32, bytes: usize, step: usize, mean: usize, scale: usize, shift: usize,
  floor: f64,
): void {
  const f = f64x2.splat(floor), eights = bytes & ~63, fours = n & ~3;
  for (let i = fours - 4; i >= 0; i -= 4) {
    const x0 = x + <usize>i * step, x1 = x0 + step, x2 = x1 + step, x3 = x2 + step;
    const y0 = y + <usize>i * step, y1 = y0 + step, y2 = y1 + step, y3 = y2 + step;
    for (let j: usize = 0; j < eights; j += 64) {
      // unroll(4) $
      {
        const m = v128.load(mean + j, 16 * $);
        const a = v128.load(scale + j, 16 * $), b = v128.load(shift + j, 16 * $);
        v128.store(y0 + j, affine(v128.load(x0 + j, 16 * $), m, a, b, f), 16 * $);
        v128.store(y1 + j, affine(v128.load(x1 + j, 16 * $), m, a, b, f), 16 * $);
        v128.store(y2 + j, affine(v128.load(x2 + j, 16 * $), m, a, b, f), 16 * $);
        v128.store(y3 + j, affine(v128.load(x3 + j, 16 * $), m, a, b, f), 16 * $);
      }
      // end
    }
  }
  for (let i = 0; i < n; i++) {
    affineRow(x, y, i < fours ? eights : 0, bytes, mean, scale, shift, f);
    x += step;
    y += step;
  }
}

// @ts-ignore: decorator
@inline
function affineRow(
  x: usize, y: usize, from: usize, bytes: usize, mean: usize, scale: usize, shift: usize,
  floor: v128,
): void {
  let j = from;
  for (; j + 16 <= bytes; j += 16) {
    const m = v128.load(mean + j), a = v128.load(scale + j), b = v128.load(shift + j);
    v128.store(y + j, affine(v128.load(x + j), m, a, b, floor));
  }
  if (j < bytes) {
    const m = v128.load64_zero(mean + j), a = v128.load64_zero(scale + j);
    const b = v128.load64_zero(shift + j);
    v128.store64_lane(y + j, affine(v128.load64_zero(x + j), m, a, b, floor), 0);
  }
}

/** sumG[c] = Σg, sumGC[c] = Σ g·(x − mean). */
export function rowCotangentSums(
  g: usize, x: usize, n: i32, c: i32, stride: i32,
  mean: usize, sumG: usize, sumGC: usize, mask: usize,
): void {
  const bytes = <usize>c << 3, step = <usize>stride << 3;
  memory.fill(sumG, 0, bytes);
  memory.fill(sumGC, 0, bytes);
  for (let i = runStart(mask, 0, n); i < n;) {
    const end = runEnd(mask, i, n), offset = <usize>i * step;
    sumCotangentRows(g + offset, x + offset, end - i, bytes, step, mean, sumG, sumGC);
    i = runStart(mask, end, n);
  }
}

function sumCotangentRows(
  g: usize, x: usize, n: i32, bytes: usize, step: usize, mean: usize, sumG: usize, sumGC: usize,
): void {
  const eights = bytes & ~63, fours = n & ~3;
  for (let i = 0; i < fours; i += 4) {
    const x0 = x + <usize>i * step, x1 = x0 + step, x2 = x1 + step, x3 = x2 + step;
    const g0 = g + <usize>i * step, g1 = g0 + step, g2 = g1 + step, g3 = g2 + step;
    for (let j: usize = 0; j < eights; j += 64) {
      // unroll(4) $
      {
        const m = v128.load(mean + j, 16 * $);
        const v0 = v128.load(g0 + j, 16 * $), v1 = v128.load(g1 + j, 16 * $);
        const v2 = v128.load(g2 + j, 16 * $), v3 = v128.load(g3 + j, 16 * $);
        const s = f64x2.add(f64x2.add(v0, v1), f64x2.add(v2, v3));
        v128.store(sumG + j, f64x2.add(v128.load(sumG + j, 16 * $), s), 16 * $);
        const c0 = f64x2.sub(v128.load(x0 + j, 16 * $), m), c1 = f64x2.sub(v128.load(x1 + j, 16 * $), m);
        const c2 = f64x2.sub(v128.load(x2 + j, 16 * $), m), c3 = f64x2.sub(v128.load(x3 + j, 16 * $), m);
        const q = f64x2.add(fma(v0, c0, f64x2.mul(v1, c1)), fma(v2, c2, f64x2.mul(v3, c3)));
        v128.store(sumGC + j, f64x2.add(v128.load(sumGC + j, 16 * $), q), 16 * $);
      }
      // end
    }
  }
  for (let i = 0; i < n; i++) {
    sumCotangentRow(g, x, i < fours ? eights : 0, bytes, mean, sumG, sumGC);
    g += step;
    x += step;
  }
}

// @ts-ignore: decorator
@inline
function sumCotangentRow(
  g: usize, x: usize, from: usize, bytes: usize, mean: usize, sumG: usize, sumGC: usize,
): void {
  let j = from;
  for (; j + 16 <= bytes; j += 16) {
    const v = v128.load(g + j), c = f64x2.sub(v128.load(x + j), v128.load(mean + j));
    v128.store(sumG + j, f64x2.add(v128.load(sumG + j), v));
    v128.store(sumGC + j, fma(v, c, v128.load(sumGC + j)));
  }
  if (j < bytes) {
    const v = load<f64>(g + j);
    store<f64>(sumG + j, load<f64>(sumG + j) + v);
    store<f64>(sumGC + j, load<f64>(sumGC + j) + v * (load<f64>(x + j) - load<f64>(mean + j)));
  }
}

/** dx = p·g + q·(x − mean) + r. */
export function rowInputGradient(
  g: usize, x: usize, dx: usize, n: i32, c: i32, stride: i32,
  mean: usize, p: usize, q: usize, r: usize, mask: usize,
): void {
  const bytes = <usize>c << 3, step = <usize>stride << 3;
  for (let i = 0; i < n;) {
    const from = runStart(mask, i, n), end = runEnd(mask, from, n), offset = <usize>from * step;
    clearRows(dx, i, from, bytes, step);
    inputGradientRows(g + offset, x + offset, dx + offset, end - from, bytes, step, mean, p, q, r);
    i = end;
  }
}

function inputGradientRows(
  g: usize, x: usize, dx: usize, n: i32, bytes: usize, step: usize,
  mean: usize, p: usize, q: usize, r: usize,
): void {
  const eights = bytes & ~63, twos = n & ~1;
  for (let i = twos - 2; i >= 0; i -= 2) {
    const row = <usize>i * step;
    const x0 = x + row, g0 = g + row, dx0 = dx + row, x1 = x0 + step, g1 = g0 + step, dx1 = dx0 + step;
    for (let j: usize = 0; j < eights; j += 64) {
      // unroll(4) $
      {
        const m = v128.load(mean + j, 16 * $), pp = v128.load(p + j, 16 * $);
        const qq = v128.load(q + j, 16 * $), rr = v128.load(r + j, 16 * $);
        const c0 = f64x2.sub(v128.load(x0 + j, 16 * $), m), c1 = f64x2.sub(v128.load(x1 + j, 16 * $), m);
        v128.store(dx0 + j, fma(v128.load(g0 + j, 16 * $), pp, fma(c0, qq, rr)), 16 * $);
        v128.store(dx1 + j, fma(v128.load(g1 + j, 16 * $), pp, fma(c1, qq, rr)), 16 * $);
      }
      // end
    }
  }
  for (let i = 0; i < n; i++) {
    inputGradientRow(g, x, dx, i < twos ? eights : 0, bytes, mean, p, q, r);
    g += step;
    x += step;
    dx += step;
  }
}

// @ts-ignore: decorator
@inline
function inputGradientRow(
  g: usize, x: usize, dx: usize, from: usize, bytes: usize,
  mean: usize, p: usize, q: usize, r: usize,
): void {
  let j = from;
  for (; j + 16 <= bytes; j += 16) {
    const c = f64x2.sub(v128.load(x + j), v128.load(mean + j));
    v128.store(dx + j, fma(v128.load(g + j), v128.load(p + j), fma(c, v128.load(q + j), v128.load(r + j))));
  }
  if (j < bytes) {
    const c = f64x2.sub(v128.load64_zero(x + j), v128.load64_zero(mean + j));
    const inner = fma(c, v128.load64_zero(q + j), v128.load64_zero(r + j));
    v128.store64_lane(dx + j, fma(v128.load64_zero(g + j), v128.load64_zero(p + j), inner), 0);
  }
}
