// Batch normalisation of [N, C, S] with S > 1 (images: rows of S neighbours that belong to one channel).
// Every pass streams through memory in order, channel by channel inside, four images at a time: one stream alone
// leaves the memory waiting.
//
// Statistics: with a guess k near the mean (from the first image) and c = x − k, which is exact when x and k
// are close, d = S(c), mean = k + d, var = S(c²) − d². A channel whose guess was far off (d² > var) goes
// through once more with k + d. The mean is kept in two parts, mean + low, so that a large offset costs no digits.
//
// With a mask (not 0), one number for each position of each image, only the positions where it is not 0
// count, and outputs are 0 at the others.

import { fma } from "../fma";
import {
  affineMaskedRow,
  inputGradientMaskedRow,
  maskedGuess,
  sumCotangentMaskedRow,
  sumMaskedRow,
} from "./masked_rows";
import { finishStatistics } from "../reduce/moments";

/** Rows are summed in blocks of this many before they join the total: keeps rounding errors small. */
const BLOCK: i32 = 32;
/** Longer rows are summed in runs of this many, for the same reason. Even. */
const RUN: i32 = 4096;

/**
 * mean[c], low[c], variance[c] (biased) over images and S; `stride`: elements between images. The sums of a
 * block gather in `blockSum` and `blockSquares`, one value per channel, those of all in low and variance.
 * `total`: how many values of a channel count, looked at only with a mask.
 */
export function imageStatistics(
  x: usize, n: i32, c: i32, s: i32, stride: i32,
  mean: usize, low: usize, variance: usize, blockSum: usize, blockSquares: usize,
  mask: usize, total: f64,
): void {
  const bytes = <usize>c << 3;
  for (let i = 0; i < c; i++) {
    const channel = x + (<usize>i * s << 3);
    const k = mask ? maskedGuess(channel, mask, n, s, stride) : guess(channel, s);
    store<f64>(mean + (<usize>i << 3), isFinite(k) ? k : 0);
  }
  memory.fill(low, 0, bytes);
  memory.fill(variance, 0, bytes);
  memory.fill(blockSum, 0, bytes);
  memory.fill(blockSquares, 0, bytes);
  let image = x;
  for (let i = 0; i < n;) {
    const images = !mask && i + 4 <= n ? 4 : 1;
    let row = image;
    for (let j: usize = 0; j < bytes; j += 8) {
      const k = load<f64>(mean + j);
      if (mask) sumMaskedRow(row, valid(mask, i, s), s, k, blockSum + j, blockSquares + j);
      else if (images == 4) sumRows(row, s, <usize>stride << 3, k, blockSum + j, blockSquares + j);
      else sumRow(row, s, k, blockSum + j, blockSquares + j);
      row += <usize>s << 3;
    }
    image += <usize>(images * stride) << 3;
    i += images;
    if (i % BLOCK == 0 || i == n) {
      joinBlock(low, blockSum, bytes);
      joinBlock(variance, blockSquares, bytes);
    }
  }
  const count = mask ? total : <f64>n * <f64>s;
  for (let i = 0; i < c; i++) {
    const j = <usize>i << 3;
    let sum = load<f64>(low + j), squares = load<f64>(variance + j);
    const d = sum / count;
    if (d * d > squares / count - d * d) {
      // The guess was far off: once more around a better one. The blocks are zero again.
      store<f64>(mean + j, load<f64>(mean + j) + d);
      sumChannel(
        x + (<usize>i * s << 3), mask, n, s, stride, load<f64>(mean + j),
        blockSum + j, blockSquares + j,
      );
      sum = load<f64>(blockSum + j);
      squares = load<f64>(blockSquares + j);
    }
    finishStatistics(mean + j, low + j, variance + j, sum, squares, count);
  }
}

/** The row of the mask that belongs to an image. */
// @ts-ignore: decorator
@inline
function valid(mask: usize, image: i32, s: i32): usize {
  return mask + (<usize>image * <usize>s << 3);
}

/** total += block, block = 0 */
function joinBlock(total: usize, block: usize, bytes: usize): void {
  for (let j: usize = 0; j < bytes; j += 8) {
    store<f64>(total + j, load<f64>(total + j) + load<f64>(block + j));
    store<f64>(block + j, 0);
  }
}

/** Sums one channel over all images. */
function sumChannel(
  x: usize, mask: usize, n: i32, s: i32, stride: i32, k: f64, sum: usize, squares: usize,
): void {
  for (let i = 0; i < n; i++) {
    if (mask) sumMaskedRow(x, valid(mask, i, s), s, k, sum, squares);
    else sumRow(x, s, k, sum, squares);
    x += <usize>stride << 3;
  }
}

/** The mean of a row, exact when all values are equal. */
function guess(x: usize, s: i32): f64 {
  const first = load<f64>(x);
  let sum = 0.0;
  for (let i = 1; i < s; i++) sum += load<f64>(x + (<usize>i << 3)) - first;
  return first + sum / <f64>s;
}

/** sum += Σ(x − k), squares += Σ(x − k)², over four rows that lie `gap` apart. */
function sumRows(x: usize, s: i32, gap: usize, k: f64, sum: usize, squares: usize): void {
  for (; s > RUN; s -= RUN) {
    sumRows(x, RUN, gap, k, sum, squares);
    x += <usize>RUN << 3;
  }
  const kk = f64x2.splat(k);
  const x1 = x + gap, x2 = x1 + gap, x3 = x2 + gap;
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let q0 = s0, q1 = s0, q2 = s0, q3 = s0;
  const bytes = <usize>s << 3, pairs = bytes & ~15;
  let j: usize = 0;
  for (; j < pairs; j += 16) {
    const c0 = f64x2.sub(v128.load(x + j), kk);
    s0 = f64x2.add(s0, c0);
    q0 = fma(c0, c0, q0);
    const c1 = f64x2.sub(v128.load(x1 + j), kk);
    s1 = f64x2.add(s1, c1);
    q1 = fma(c1, c1, q1);
    const c2 = f64x2.sub(v128.load(x2 + j), kk);
    s2 = f64x2.add(s2, c2);
    q2 = fma(c2, c2, q2);
    const c3 = f64x2.sub(v128.load(x3 + j), kk);
    s3 = f64x2.add(s3, c3);
    q3 = fma(c3, c3, q3);
  }
  s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  q0 = f64x2.add(f64x2.add(q0, q1), f64x2.add(q2, q3));
  store<f64>(sum, load<f64>(sum) + f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1));
  store<f64>(squares, load<f64>(squares) + f64x2.extract_lane(q0, 0) + f64x2.extract_lane(q0, 1));
  if (j < bytes) {
    for (let i = 0; i < 4; i++) {
      sumRow(x + j, 1, k, sum, squares);
      x += gap;
    }
  }
}

/** The same of one row, whose quarters are walked through together. */
function sumRow(x: usize, s: i32, k: f64, sum: usize, squares: usize): void {
  const quarter = s >> 3 << 1;
  if (quarter > 0) sumRows(x, quarter, <usize>quarter << 3, k, sum, squares);
  for (let j = <usize>quarter << 5; j < <usize>s << 3; j += 8) {
    const c = load<f64>(x + j) - k;
    store<f64>(sum, load<f64>(sum) + c);
    store<f64>(squares, load<f64>(squares) + c * c);
  }
}

/**
 * y = (x − mean)·scale + shift per channel, from the last image to the first, which is cached longest; without a
 * mask 0 where that is below or at `floor` (NaN for none).
 */
export function imageAffine(
  x: usize, y: usize, n: i32, c: i32, s: i32, stride: i32,
  mean: usize, scale: usize, shift: usize, mask: usize, floor: f64,
): void {
  const bytes = <usize>c << 3, gap = <usize>stride << 3;
  for (let i = n; i > 0;) {
    const images = !mask && i >= 4 ? 4 : 1;
    i -= images;
    let from = x + <usize>i * gap, to = y + <usize>i * gap;
    for (let j: usize = 0; j < bytes; j += 8) {
      const m = load<f64>(mean + j), a = load<f64>(scale + j), b = load<f64>(shift + j);
      if (mask) affineMaskedRow(from, to, valid(mask, i, s), s, m, a, b);
      else if (images == 4) affineRows(from, to, s, gap, m, a, b, floor);
      else affineRow(from, to, s, m, a, b, floor);
      from += <usize>s << 3;
      to += <usize>s << 3;
    }
  }
}

/** (x − mean)·scale + shift, and 0 where that is below or at `floor`. */
// @ts-ignore: decorator
@inline
export function affine(x: v128, mean: v128, scale: v128, shift: v128, floor: v128): v128 {
  const y = fma(f64x2.sub(x, mean), scale, shift);
  return v128.andnot(y, f64x2.le(y, floor));
}

function affineRows(
  x: usize, y: usize, s: i32, gap: usize, mean: f64, scale: f64, shift: f64, floor: f64,
): void {
  const m = f64x2.splat(mean), a = f64x2.splat(scale), b = f64x2.splat(shift), f = f64x2.splat(floor);
  const x1 = x + gap, x2 = x1 + gap, x3 = x2 + gap;
  const y1 = y + gap, y2 = y1 + gap, y3 = y2 + gap;
  const bytes = <usize>s << 3, fours = bytes & ~31;
  let j: usize = 0;
  for (; j < fours; j += 32) {
    // unroll(2) $
    v128.store(y + j, affine(v128.load(x + j, 16 * $), m, a, b, f), 16 * $);
    v128.store(y1 + j, affine(v128.load(x1 + j, 16 * $), m, a, b, f), 16 * $);
    v128.store(y2 + j, affine(v128.load(x2 + j, 16 * $), m, a, b, f), 16 * $);
    v128.store(y3 + j, affine(v128.load(x3 + j, 16 * $), m, a, b, f), 16 * $);
    // end
  }
  if (j < bytes) {
    for (let i = 0; i < 4; i++) {
      affineRow(x + j, y + j, s & 3, mean, scale, shift, floor);
      x += gap;
      y += gap;
    }
  }
}

/** The same of one row, whose quarters are walked through together. */
export function affineRow(
  x: usize, y: usize, s: i32, mean: f64, scale: f64, shift: f64, floor: f64,
): void {
  const quarter = s >> 4 << 2, done = <usize>quarter << 5;
  if (quarter > 0) affineRows(x, y, quarter, <usize>quarter << 3, mean, scale, shift, floor);
  const m = f64x2.splat(mean), a = f64x2.splat(scale), b = f64x2.splat(shift), f = f64x2.splat(floor);
  for (let j = done; j < <usize>s << 3; j += 8) {
    v128.store64_lane(y + j, affine(v128.load64_zero(x + j), m, a, b, f), 0);
  }
}

/** sumG[c] = Σg, sumGC[c] = Σ g·(x − mean), by way of blocks as in the statistics. */
export function imageCotangentSums(
  g: usize, x: usize, n: i32, c: i32, s: i32, stride: i32,
  mean: usize, sumG: usize, sumGC: usize, blockG: usize, blockGC: usize, mask: usize,
): void {
  const bytes = <usize>c << 3;
  memory.fill(sumG, 0, bytes);
  memory.fill(sumGC, 0, bytes);
  memory.fill(blockG, 0, bytes);
  memory.fill(blockGC, 0, bytes);
  const gap = <usize>stride << 3;
  for (let i = 0; i < n;) {
    const images = !mask && i + 4 <= n ? 4 : 1;
    let offset = <usize>i * gap;
    for (let j: usize = 0; j < bytes; j += 8) {
      const gs = g + offset, xs = x + offset, m = load<f64>(mean + j);
      if (mask) sumCotangentMaskedRow(gs, xs, valid(mask, i, s), s, m, blockG + j, blockGC + j);
      else if (images == 4) sumCotangentRows(gs, xs, s, gap, m, blockG + j, blockGC + j);
      else sumCotangentRow(gs, xs, s, m, blockG + j, blockGC + j);
      offset += <usize>s << 3;
    }
    i += images;
    if (i % BLOCK == 0 || i == n) {
      joinBlock(sumG, blockG, bytes);
      joinBlock(sumGC, blockGC, bytes);
    }
  }
}

function sumCotangentRows(
  g: usize, x: usize, s: i32, gap: usize, mean: f64, sum: usize, products: usize,
): void {
  for (; s > RUN; s -= RUN) {
    sumCotangentRows(g, x, RUN, gap, mean, sum, products);
    g += <usize>RUN << 3;
    x += <usize>RUN << 3;
  }
  const m = f64x2.splat(mean);
  const x1 = x + gap, x2 = x1 + gap, x3 = x2 + gap;
  const g1 = g + gap, g2 = g1 + gap, g3 = g2 + gap;
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let q0 = s0, q1 = s0, q2 = s0, q3 = s0;
  const bytes = <usize>s << 3, pairs = bytes & ~15;
  let j: usize = 0;
  for (; j < pairs; j += 16) {
    let v = v128.load(g + j);
    s0 = f64x2.add(s0, v);
    q0 = fma(v, f64x2.sub(v128.load(x + j), m), q0);
    v = v128.load(g1 + j);
    s1 = f64x2.add(s1, v);
    q1 = fma(v, f64x2.sub(v128.load(x1 + j), m), q1);
    v = v128.load(g2 + j);
    s2 = f64x2.add(s2, v);
    q2 = fma(v, f64x2.sub(v128.load(x2 + j), m), q2);
    v = v128.load(g3 + j);
    s3 = f64x2.add(s3, v);
    q3 = fma(v, f64x2.sub(v128.load(x3 + j), m), q3);
  }
  s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  q0 = f64x2.add(f64x2.add(q0, q1), f64x2.add(q2, q3));
  store<f64>(sum, load<f64>(sum) + f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1));
  store<f64>(products, load<f64>(products) + f64x2.extract_lane(q0, 0) + f64x2.extract_lane(q0, 1));
  if (j < bytes) {
    for (let i = 0; i < 4; i++) {
      sumCotangentRow(g + j, x + j, 1, mean, sum, products);
      g += gap;
      x += gap;
    }
  }
}

function sumCotangentRow(g: usize, x: usize, s: i32, mean: f64, sum: usize, products: usize): void {
  const quarter = s >> 3 << 1;
  if (quarter > 0) sumCotangentRows(g, x, quarter, <usize>quarter << 3, mean, sum, products);
  for (let j = <usize>quarter << 5; j < <usize>s << 3; j += 8) {
    const v = load<f64>(g + j);
    store<f64>(sum, load<f64>(sum) + v);
    store<f64>(products, load<f64>(products) + v * (load<f64>(x + j) - mean));
  }
}

/** dx = p·g + q·(x − mean) + r per channel. */
export function imageInputGradient(
  g: usize, x: usize, dx: usize, n: i32, c: i32, s: i32, stride: i32,
  mean: usize, p: usize, q: usize, r: usize, mask: usize,
): void {
  const bytes = <usize>c << 3, gap = <usize>stride << 3;
  for (let i = n; i > 0;) {
    const images = !mask && i >= 4 ? 4 : 1;
    i -= images;
    let offset = <usize>i * gap;
    for (let j: usize = 0; j < bytes; j += 8) {
      const gs = g + offset, xs = x + offset, out = dx + offset, m = load<f64>(mean + j);
      const pj = load<f64>(p + j), qj = load<f64>(q + j), rj = load<f64>(r + j);
      if (mask) inputGradientMaskedRow(gs, xs, out, valid(mask, i, s), s, m, pj, qj, rj);
      else if (images == 4) inputGradientRows(gs, xs, out, s, gap, m, pj, qj, rj);
      else inputGradientRow(gs, xs, out, s, m, pj, qj, rj);
      offset += <usize>s << 3;
    }
  }
}

function inputGradientRows(
  g: usize, x: usize, dx: usize, s: i32, gap: usize, mean: f64, p: f64, q: f64, r: f64,
): void {
  const m = f64x2.splat(mean), pp = f64x2.splat(p), qq = f64x2.splat(q), rr = f64x2.splat(r);
  const x1 = x + gap, x2 = x1 + gap, x3 = x2 + gap;
  const g1 = g + gap, g2 = g1 + gap, g3 = g2 + gap;
  const dx1 = dx + gap, dx2 = dx1 + gap, dx3 = dx2 + gap;
  const bytes = <usize>s << 3, pairs = bytes & ~15;
  let j: usize = 0;
  for (; j < pairs; j += 16) {
    v128.store(dx + j, fma(v128.load(g + j), pp, fma(f64x2.sub(v128.load(x + j), m), qq, rr)));
    v128.store(dx1 + j, fma(v128.load(g1 + j), pp, fma(f64x2.sub(v128.load(x1 + j), m), qq, rr)));
    v128.store(dx2 + j, fma(v128.load(g2 + j), pp, fma(f64x2.sub(v128.load(x2 + j), m), qq, rr)));
    v128.store(dx3 + j, fma(v128.load(g3 + j), pp, fma(f64x2.sub(v128.load(x3 + j), m), qq, rr)));
  }
  if (j < bytes) {
    for (let i = 0; i < 4; i++) {
      inputGradientRow(g + j, x + j, dx + j, 1, mean, p, q, r);
      g += gap;
      x += gap;
      dx += gap;
    }
  }
}

function inputGradientRow(
  g: usize, x: usize, dx: usize, s: i32, mean: f64, p: f64, q: f64, r: f64,
): void {
  const quarter = s >> 3 << 1;
  if (quarter > 0) {
    inputGradientRows(g, x, dx, quarter, <usize>quarter << 3, mean, p, q, r);
  }
  const m = f64x2.splat(mean), pp = f64x2.splat(p), qq = f64x2.splat(q), rr = f64x2.splat(r);
  for (let j = <usize>quarter << 5; j < <usize>s << 3; j += 8) {
    const inner = fma(f64x2.sub(v128.load64_zero(x + j), m), qq, rr);
    v128.store64_lane(dx + j, fma(v128.load64_zero(g + j), pp, inner), 0);
  }
}
