// Batch normalisation of [N, C]: neighbours belong to different channels, so lanes are channels. Four
// rows at a time share one trip through the accumulators, which stay in the first-level cache.
// The formulas are those of batch_norm.ts.
//
// With a mask (not 0), one number for each row, only the rows where it is not 0 count: the kernels go over them
// run by run, and outputs are 0 in the others.

import { fma } from "./fma";
import { finishStatistics } from "./moments";

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
    if (d * d > load<f64>(squares + j) / count - d * d) {
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
  x: usize, n: i32, bytes: usize, stride: usize, mean: usize, sum: usize, squares: usize,
): void {
  const pairs = bytes & ~15;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const r0 = x, r1 = r0 + stride, r2 = r1 + stride, r3 = r2 + stride;
    for (let j: usize = 0; j < pairs; j += 16) {
      const k = v128.load(mean + j);
      const c0 = f64x2.sub(v128.load(r0 + j), k), c1 = f64x2.sub(v128.load(r1 + j), k);
      const c2 = f64x2.sub(v128.load(r2 + j), k), c3 = f64x2.sub(v128.load(r3 + j), k);
      const s = f64x2.add(f64x2.add(c0, c1), f64x2.add(c2, c3));
      const q = f64x2.add(fma(c0, c0, f64x2.mul(c1, c1)), fma(c2, c2, f64x2.mul(c3, c3)));
      v128.store(sum + j, f64x2.add(v128.load(sum + j), s));
      v128.store(squares + j, f64x2.add(v128.load(squares + j), q));
    }
    if (pairs < bytes) {
      sumColumn(r0 + pairs, 4, stride, mean + pairs, sum + pairs, squares + pairs);
    }
    x += stride << 2;
  }
  for (; i < n; i++) {
    for (let j: usize = 0; j < pairs; j += 16) {
      const c0 = f64x2.sub(v128.load(x + j), v128.load(mean + j));
      v128.store(sum + j, f64x2.add(v128.load(sum + j), c0));
      v128.store(squares + j, fma(c0, c0, v128.load(squares + j)));
    }
    if (pairs < bytes) sumColumn(x + pairs, 1, stride, mean + pairs, sum + pairs, squares + pairs);
    x += stride;
  }
}

function sumColumn(x: usize, n: i32, stride: usize, mean: usize, sum: usize, squares: usize): void {
  let s: f64 = 0, q: f64 = 0;
  for (let i = 0; i < n; i++) {
    const c = load<f64>(x) - load<f64>(mean);
    s += c;
    q += c * c;
    x += stride;
  }
  store<f64>(sum, load<f64>(sum) + s);
  store<f64>(squares, load<f64>(squares) + q);
}

/** y = (x − mean)·scale + shift. */
export function rowAffine(
  x: usize, y: usize, n: i32, c: i32, stride: i32,
  mean: usize, scale: usize, shift: usize, mask: usize,
): void {
  const bytes = <usize>c << 3, step = <usize>stride << 3;
  for (let i = 0; i < n;) {
    const from = runStart(mask, i, n), end = runEnd(mask, from, n), offset = <usize>from * step;
    clearRows(y, i, from, bytes, step);
    affineRows(x + offset, y + offset, end - from, bytes, step, mean, scale, shift);
    i = end;
  }
}

function affineRows(
  x: usize, y: usize, n: i32, bytes: usize, step: usize, mean: usize, scale: usize, shift: usize,
): void {
  const pairs = bytes & ~15;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const x1 = x + step, x2 = x1 + step, x3 = x2 + step;
    const y1 = y + step, y2 = y1 + step, y3 = y2 + step;
    for (let j: usize = 0; j < pairs; j += 16) {
      const m = v128.load(mean + j), a = v128.load(scale + j), b = v128.load(shift + j);
      v128.store(y + j, fma(f64x2.sub(v128.load(x + j), m), a, b));
      v128.store(y1 + j, fma(f64x2.sub(v128.load(x1 + j), m), a, b));
      v128.store(y2 + j, fma(f64x2.sub(v128.load(x2 + j), m), a, b));
      v128.store(y3 + j, fma(f64x2.sub(v128.load(x3 + j), m), a, b));
    }
    if (pairs < bytes) affineColumn(x + pairs, y + pairs, 4, step, mean + pairs, scale + pairs, shift + pairs);
    x += step << 2;
    y += step << 2;
  }
  for (; i < n; i++) {
    for (let j: usize = 0; j < pairs; j += 16) {
      const m = v128.load(mean + j), a = v128.load(scale + j), b = v128.load(shift + j);
      v128.store(y + j, fma(f64x2.sub(v128.load(x + j), m), a, b));
    }
    if (pairs < bytes) affineColumn(x + pairs, y + pairs, 1, step, mean + pairs, scale + pairs, shift + pairs);
    x += step;
    y += step;
  }
}

function affineColumn(
  x: usize, y: usize, n: i32, step: usize, mean: usize, scale: usize, shift: usize,
): void {
  const m = v128.load64_splat(mean), a = v128.load64_splat(scale), b = v128.load64_splat(shift);
  for (let i = 0; i < n; i++) {
    store<f64>(y, f64x2.extract_lane(fma(f64x2.sub(v128.load64_splat(x), m), a, b), 0));
    x += step;
    y += step;
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
  const pairs = bytes & ~15;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const x1 = x + step, x2 = x1 + step, x3 = x2 + step;
    const g1 = g + step, g2 = g1 + step, g3 = g2 + step;
    for (let j: usize = 0; j < pairs; j += 16) {
      const m = v128.load(mean + j);
      const v0 = v128.load(g + j), v1 = v128.load(g1 + j), v2 = v128.load(g2 + j), v3 = v128.load(g3 + j);
      const s = f64x2.add(f64x2.add(v0, v1), f64x2.add(v2, v3));
      v128.store(sumG + j, f64x2.add(v128.load(sumG + j), s));
      const a = fma(
        v0, f64x2.sub(v128.load(x + j), m), f64x2.mul(v1, f64x2.sub(v128.load(x1 + j), m)),
      );
      const b = fma(
        v2, f64x2.sub(v128.load(x2 + j), m), f64x2.mul(v3, f64x2.sub(v128.load(x3 + j), m)),
      );
      v128.store(sumGC + j, f64x2.add(v128.load(sumGC + j), f64x2.add(a, b)));
    }
    if (pairs < bytes) {
      sumCotangentColumn(g + pairs, x + pairs, 4, step, mean + pairs, sumG + pairs, sumGC + pairs);
    }
    g += step << 2;
    x += step << 2;
  }
  for (; i < n; i++) {
    for (let j: usize = 0; j < pairs; j += 16) {
      const v = v128.load(g + j);
      v128.store(sumG + j, f64x2.add(v128.load(sumG + j), v));
      const c0 = f64x2.sub(v128.load(x + j), v128.load(mean + j));
      v128.store(sumGC + j, fma(v, c0, v128.load(sumGC + j)));
    }
    if (pairs < bytes) {
      sumCotangentColumn(g + pairs, x + pairs, 1, step, mean + pairs, sumG + pairs, sumGC + pairs);
    }
    g += step;
    x += step;
  }
}

function sumCotangentColumn(
  g: usize, x: usize, n: i32, step: usize, mean: usize, sumG: usize, sumGC: usize,
): void {
  let s: f64 = 0, q: f64 = 0;
  for (let i = 0; i < n; i++) {
    s += load<f64>(g);
    q += load<f64>(g) * (load<f64>(x) - load<f64>(mean));
    g += step;
    x += step;
  }
  store<f64>(sumG, load<f64>(sumG) + s);
  store<f64>(sumGC, load<f64>(sumGC) + q);
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
  const pairs = bytes & ~15;
  let i = 0;
  for (; i + 2 <= n; i += 2) {
    const x1 = x + step, g1 = g + step, dx1 = dx + step;
    for (let j: usize = 0; j < pairs; j += 16) {
      const m = v128.load(mean + j), pp = v128.load(p + j), qq = v128.load(q + j), rr = v128.load(r + j);
      v128.store(dx + j, fma(v128.load(g + j), pp, fma(f64x2.sub(v128.load(x + j), m), qq, rr)));
      v128.store(dx1 + j, fma(v128.load(g1 + j), pp, fma(f64x2.sub(v128.load(x1 + j), m), qq, rr)));
    }
    if (pairs < bytes) {
      inputGradientValue(g + pairs, x + pairs, dx + pairs, mean + pairs, p + pairs, q + pairs, r + pairs);
      inputGradientValue(g1 + pairs, x1 + pairs, dx1 + pairs, mean + pairs, p + pairs, q + pairs, r + pairs);
    }
    g += step << 1;
    x += step << 1;
    dx += step << 1;
  }
  if (i < n) {
    for (let j: usize = 0; j < pairs; j += 16) {
      const c0 = f64x2.sub(v128.load(x + j), v128.load(mean + j));
      v128.store(dx + j, fma(v128.load(g + j), v128.load(p + j), fma(c0, v128.load(q + j), v128.load(r + j))));
    }
    if (pairs < bytes) {
      inputGradientValue(g + pairs, x + pairs, dx + pairs, mean + pairs, p + pairs, q + pairs, r + pairs);
    }
  }
}

function inputGradientValue(
  g: usize, x: usize, dx: usize, mean: usize, p: usize, q: usize, r: usize,
): void {
  const c = f64x2.sub(v128.load64_splat(x), v128.load64_splat(mean));
  const inner = fma(c, v128.load64_splat(q), v128.load64_splat(r));
  store<f64>(dx, f64x2.extract_lane(fma(v128.load64_splat(g), v128.load64_splat(p), inner), 0));
}
