// The row kernels of batch_norm.ts where only the positions with a mask w other than 0 count. Comparing w
// with 0 gives the bits of a lane, all or none, and cuts out what does not count whatever it is, NaN included.

import { fma } from "../fma";

/** All bits where w is not 0. */
// @ts-ignore: decorator
@inline
function lanes(w: usize): v128 {
  return f64x2.ne(v128.load(w), f64x2.splat(0));
}

/** The mean of a channel's values that count in the first image that has any; 0 if none does. */
export function maskedGuess(x: usize, mask: usize, n: i32, s: i32, stride: i32): f64 {
  for (let i = 0; i < n; i++) {
    let first = 0.0, sum = 0.0, count = 0.0;
    for (let j: usize = 0; j < <usize>s << 3; j += 8) {
      if (load<f64>(mask + j) == 0) continue;
      if (count == 0) first = load<f64>(x + j);
      sum += load<f64>(x + j) - first;
      count++;
    }
    if (count > 0) return first + sum / count;
    x += <usize>stride << 3;
    mask += <usize>s << 3;
  }
  return 0;
}

/** sum += Σ(x − k), squares += Σ(x − k)². */
export function sumMaskedRow(
  x: usize, w: usize, s: i32, k: f64, sum: usize, squares: usize,
): void {
  const kk = f64x2.splat(k);
  let s0 = f64x2.splat(0), s1 = s0, q0 = s0, q1 = s0;
  const end = x + (<usize>s << 3);
  while (x + 32 <= end) {
    const c0 = v128.and(f64x2.sub(v128.load(x), kk), lanes(w));
    s0 = f64x2.add(s0, c0);
    q0 = fma(c0, c0, q0);
    const c1 = v128.and(f64x2.sub(v128.load(x, 16), kk), lanes(w + 16));
    s1 = f64x2.add(s1, c1);
    q1 = fma(c1, c1, q1);
    x += 32;
    w += 32;
  }
  s0 = f64x2.add(s0, s1);
  q0 = f64x2.add(q0, q1);
  let rowSum = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  let rowSquares = f64x2.extract_lane(q0, 0) + f64x2.extract_lane(q0, 1);
  for (; x < end; x += 8, w += 8) {
    if (load<f64>(w) == 0) continue;
    const c = load<f64>(x) - k;
    rowSum += c;
    rowSquares += c * c;
  }
  store<f64>(sum, load<f64>(sum) + rowSum);
  store<f64>(squares, load<f64>(squares) + rowSquares);
}

/** y = (x − mean)·scale + shift. */
export function affineMaskedRow(
  x: usize, y: usize, w: usize, s: i32, mean: f64, scale: f64, shift: f64,
): void {
  const m = f64x2.splat(mean), a = f64x2.splat(scale), b = f64x2.splat(shift);
  const end = x + (<usize>s << 3);
  for (; x + 16 <= end; x += 16, y += 16, w += 16) {
    v128.store(y, v128.and(fma(f64x2.sub(v128.load(x), m), a, b), lanes(w)));
  }
  for (; x < end; x += 8, y += 8, w += 8) {
    const v = fma(f64x2.sub(v128.load64_splat(x), m), a, b);
    store<f64>(y, load<f64>(w) == 0 ? 0 : f64x2.extract_lane(v, 0));
  }
}

/** sum += Σg, products += Σ g·(x − mean). */
export function sumCotangentMaskedRow(
  g: usize, x: usize, w: usize, s: i32, mean: f64, sum: usize, products: usize,
): void {
  const m = f64x2.splat(mean);
  let s0 = f64x2.splat(0), s1 = s0, q0 = s0, q1 = s0;
  const end = x + (<usize>s << 3);
  while (x + 32 <= end) {
    let bits = lanes(w), v = v128.and(v128.load(g), bits);
    s0 = f64x2.add(s0, v);
    q0 = fma(v, v128.and(f64x2.sub(v128.load(x), m), bits), q0);
    bits = lanes(w + 16);
    v = v128.and(v128.load(g, 16), bits);
    s1 = f64x2.add(s1, v);
    q1 = fma(v, v128.and(f64x2.sub(v128.load(x, 16), m), bits), q1);
    g += 32;
    x += 32;
    w += 32;
  }
  s0 = f64x2.add(s0, s1);
  q0 = f64x2.add(q0, q1);
  let rowSum = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  let rowProducts = f64x2.extract_lane(q0, 0) + f64x2.extract_lane(q0, 1);
  for (; x < end; g += 8, x += 8, w += 8) {
    if (load<f64>(w) == 0) continue;
    rowSum += load<f64>(g);
    rowProducts += load<f64>(g) * (load<f64>(x) - mean);
  }
  store<f64>(sum, load<f64>(sum) + rowSum);
  store<f64>(products, load<f64>(products) + rowProducts);
}

/** dx = p·g + q·(x − mean) + r. */
export function inputGradientMaskedRow(
  g: usize, x: usize, dx: usize, w: usize, s: i32, mean: f64, p: f64, q: f64, r: f64,
): void {
  const m = f64x2.splat(mean), pp = f64x2.splat(p), qq = f64x2.splat(q), rr = f64x2.splat(r);
  const end = x + (<usize>s << 3);
  for (; x + 16 <= end; g += 16, x += 16, dx += 16, w += 16) {
    const v = fma(v128.load(g), pp, fma(f64x2.sub(v128.load(x), m), qq, rr));
    v128.store(dx, v128.and(v, lanes(w)));
  }
  for (; x < end; g += 8, x += 8, dx += 8, w += 8) {
    const v = fma(v128.load64_splat(g), pp, fma(f64x2.sub(v128.load64_splat(x), m), qq, rr));
    store<f64>(dx, load<f64>(w) == 0 ? 0 : f64x2.extract_lane(v, 0));
  }
}
