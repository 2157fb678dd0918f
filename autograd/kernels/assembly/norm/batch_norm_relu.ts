// What follows a batch norm in one pass with it: + residual, relu, and the largest of each 2 × 2 window. The
// steps are those of the kernels for each of them, on rows that are still in the cache, so that results
// are the same to the last bit. `width`: that of an image whose windows are pooled, else 0.

import { add, relu } from "../elementwise/arithmetic";
import { fma } from "../fma";
import { affineRow } from "./batch_norm";

/** So many windows has a channel of an image. */
export function windowsOf(s: i32, width: i32): i32 {
  return width ? (s / width >> 1) * (width >> 1) : s;
}

/** y = relu(y + residual) for n images of `size` neighbours. */
export function addRelu(y: usize, residual: usize, n: i32, size: i32, stride: i32): void {
  for (let i = 0; i < n; i++) {
    const offset = <usize>(i * stride) << 3;
    add(y + offset, residual + offset, y + offset, size, 16, 16);
    relu(y + offset, y + offset, size);
  }
}

/**
 * Two windows side by side, or with `single` the same one twice. Of equals the first wins, of NaN the last. With
 * `back` what goes to `out` is the cotangent g at the place that won, if relu let it through, and 0 at the three
 * others; else the largest value.
 */
// @ts-ignore: decorator
@inline
function window(
  back: bool, single: bool, g: usize, x: usize, out: usize, row: usize, m: v128, a: v128, b: v128,
): void {
  const z0 = fma(f64x2.sub(v128.load(x), m), a, b);
  const z1 = single ? z0 : fma(f64x2.sub(v128.load(x, 16), m), a, b);
  const z2 = fma(f64x2.sub(v128.load(x + row), m), a, b);
  const z3 = single ? z2 : fma(f64x2.sub(v128.load(x + row, 16), m), a, b);
  let best = v128.shuffle<f64>(z0, z1, 0, 2), other = v128.shuffle<f64>(z0, z1, 1, 3);
  const second = v128.or(f64x2.gt(other, best), f64x2.ne(other, other));
  best = v128.bitselect(other, best, second);
  other = v128.shuffle<f64>(z2, z3, 0, 2);
  const third = v128.or(f64x2.gt(other, best), f64x2.ne(other, other));
  best = v128.bitselect(other, best, third);
  other = v128.shuffle<f64>(z2, z3, 1, 3);
  const fourth = v128.or(f64x2.gt(other, best), f64x2.ne(other, other));
  best = v128.bitselect(other, best, fourth);
  const shut = f64x2.le(best, f64x2.splat(0));
  if (!back) {
    best = v128.andnot(best, shut);
    if (single) v128.store64_lane(out, best, 0);
    else v128.store(out, best);
    return;
  }
  // + 0: as where cotangents are added up from zeros.
  const through = f64x2.add(
    v128.andnot(single ? v128.load64_splat(g) : v128.load(g), shut), f64x2.splat(0),
  );
  const last = v128.and(through, fourth);
  const rest = v128.andnot(through, fourth);
  const lower = v128.and(rest, third);
  const upper = v128.andnot(rest, third);
  const right = v128.and(upper, second), left = v128.andnot(upper, second);
  v128.store(out, v128.shuffle<f64>(left, right, 0, 2));
  v128.store(out + row, v128.shuffle<f64>(lower, last, 0, 2));
  if (single) return;
  v128.store(out, v128.shuffle<f64>(left, right, 1, 3), 16);
  v128.store(out + row, v128.shuffle<f64>(lower, last, 1, 3), 16);
}

/** The windows of pairs of rows and columns. */
// @ts-ignore: decorator
@inline
function windows(
  back: bool, g: usize, x: usize, out: usize, height: i32, width: i32,
  mean: f64, scale: f64, shift: f64,
): void {
  const m = f64x2.splat(mean), a = f64x2.splat(scale), b = f64x2.splat(shift);
  const row = <usize>width << 3, columns = width >> 1;
  for (let h = 0; h < height >> 1; h++) {
    for (let end = x + (<usize>(columns >> 1) << 5); x < end; x += 32) {
      window(back, false, g, x, out, row, m, a, b);
      g += 16;
      out += back ? 32 : 16;
    }
    if (columns & 1) {
      window(back, true, g, x, out, row, m, a, b);
      x += 16;
      g += 8;
      out += back ? 16 : 8;
    }
    if (width & 1) {
      if (back) {
        store<f64>(out, 0);
        store<f64>(out + row, 0);
        out += 8;
      }
      x += 8;
    }
    x += row;
    if (back) out += row;
  }
  if (back && (height & 1)) memory.fill(out, 0, row);
}

/** own = (x − mean)·scale + shift + residual */
function addResidual(
  x: usize, residual: usize, own: usize, s: i32, mean: f64, scale: f64, shift: f64,
): void {
  affineRow(x, own, s, mean, scale, shift, NaN);
  add(own, residual, own, s, 16, 16);
}

/**
 * y = the largest of each window of relu(z), z = (x − mean)·scale + shift + residual; or if g is not 0 y = the
 * cotangent of z from that of those.
 */
export function pooledAffine(
  g: usize, x: usize, residual: usize, y: usize, n: i32, c: i32, s: i32, stride: i32, width: i32,
  mean: usize, scale: usize, shift: usize, own: usize,
): void {
  const height = s / width, count = windowsOf(s, width), gap = stride / s * count;
  for (let i = n - 1; i >= 0; i--) {
    for (let j = 0; j < c; j++) {
      const full = <usize>(i * stride + j * s) << 3, few = <usize>(i * gap + j * count) << 3;
      const k = <usize>j << 3;
      let from = x + full, m = load<f64>(mean + k), a = load<f64>(scale + k), b = load<f64>(shift + k);
      if (residual) {
        addResidual(from, residual + full, own, s, m, a, b);
        from = own;
        m = 0;
        a = 1;
        b = 0;
      }
      if (g) windows(true, g + few, from, y + full, height, width, m, a, b);
      else windows(false, 0, from, y + few, height, width, m, a, b);
    }
  }
}

/** out = g where (x − mean)·scale + shift + residual is not below or at 0, else 0. */
export function reluCotangent(
  g: usize, x: usize, residual: usize, out: usize, n: i32, c: i32, s: i32, stride: i32,
  mean: usize, scale: usize, shift: usize, own: usize,
): void {
  for (let i = 0; i < n; i++) {
    let at = <usize>(i * stride) << 3;
    if (s == 1) {
      reluCotangentRow(g + at, x + at, residual ? residual + at : 0, out + at, c, mean, scale, shift, 16);
      continue;
    }
    for (let k: usize = 0; k < <usize>c << 3; k += 8) {
      v128.store(own, v128.load64_splat(mean + k));
      v128.store(own, v128.load64_splat(scale + k), 16);
      v128.store(own, v128.load64_splat(shift + k), 32);
      const beside = residual ? residual + at : 0;
      reluCotangentRow(g + at, x + at, beside, out + at, s, own, own + 16, own + 32, 0);
      at += <usize>s << 3;
    }
  }
}

// @ts-ignore: decorator
@inline
function through(g: v128, x: v128, residual: v128, mean: v128, scale: v128, shift: v128): v128 {
  const z = f64x2.add(fma(f64x2.sub(x, mean), scale, shift), residual);
  return v128.andnot(g, f64x2.le(z, f64x2.splat(0)));
}

/** The same of neighbours; a `step` of 0 stays on a pair of equal numbers. */
function reluCotangentRow(
  g: usize, x: usize, residual: usize, out: usize, size: i32,
  mean: usize, scale: usize, shift: usize, step: usize,
): void {
  const end = out + (<usize>size << 3);
  while (out + 16 <= end) {
    const r = residual ? v128.load(residual) : f64x2.splat(-0.0);
    const m = v128.load(mean), a = v128.load(scale), b = v128.load(shift);
    v128.store(out, through(v128.load(g), v128.load(x), r, m, a, b));
    g += 16;
    x += 16;
    out += 16;
    mean += step;
    scale += step;
    shift += step;
    if (residual) residual += 16;
  }
  if (out < end) {
    const r = residual ? v128.load64_zero(residual) : f64x2.splat(-0.0);
    const m = v128.load64_zero(mean), a = v128.load64_zero(scale), b = v128.load64_zero(shift);
    v128.store64_lane(out, through(v128.load64_zero(g), v128.load64_zero(x), r, m, a, b), 0);
  }
}
