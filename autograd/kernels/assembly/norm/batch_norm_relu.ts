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
 * Windows of pairs of rows and columns, two side by side at a time; a last odd one is done twice. Of equals the
 * first wins, of NaN the last. With g not 0 what goes to `out` is that cotangent at the place that won, if relu let
 * it through, and 0 at the three others; else the largest value.
 */
function windows(
  g: usize, x: usize, out: usize, height: i32, width: i32, mean: f64, scale: f64, shift: f64,
): void {
  const back = g != 0;
  const m = f64x2.splat(mean), a = f64x2.splat(scale), b = f64x2.splat(shift);
  const rowBytes = <usize>width << 3, columns = width >> 1;
  for (let h = 0; h < height >> 1; h++) {
    for (let w = 0; w < columns; w += 2) {
      const single = w + 1 == columns, next: usize = single ? 0 : 16;
      const z0 = fma(f64x2.sub(v128.load(x), m), a, b);
      const z1 = fma(f64x2.sub(v128.load(x + next), m), a, b);
      const z2 = fma(f64x2.sub(v128.load(x + rowBytes), m), a, b);
      const z3 = fma(f64x2.sub(v128.load(x + rowBytes + next), m), a, b);
      let best = v128.shuffle<f64>(z0, z1, 0, 2), other = v128.shuffle<f64>(z0, z1, 1, 3);
      let second = v128.or(f64x2.gt(other, best), f64x2.ne(other, other));
      best = v128.bitselect(other, best, second);
      other = v128.shuffle<f64>(z2, z3, 0, 2);
      let third = v128.or(f64x2.gt(other, best), f64x2.ne(other, other));
      best = v128.bitselect(other, best, third);
      other = v128.shuffle<f64>(z2, z3, 1, 3);
      const fourth = v128.or(f64x2.gt(other, best), f64x2.ne(other, other));
      best = v128.bitselect(other, best, fourth);
      const shut = f64x2.le(best, f64x2.splat(0));
      if (back) {
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
        v128.store(out + next, v128.shuffle<f64>(left, right, 1, 3));
        v128.store(out + rowBytes, v128.shuffle<f64>(lower, last, 0, 2));
        v128.store(out + rowBytes + next, v128.shuffle<f64>(lower, last, 1, 3));
        out += next + 16;
        g += single ? 8 : 16;
      } else {
        best = v128.andnot(best, shut);
        if (single) v128.store64_lane(out, best, 0);
        else v128.store(out, best);
        out += single ? 8 : 16;
      }
      x += next + 16;
    }
    if (width & 1) {
      if (back) {
        store<f64>(out, 0);
        store<f64>(out + rowBytes, 0);
        out += 8;
      }
      x += 8;
    }
    x += rowBytes;
    if (back) out += rowBytes;
  }
  if (back && (height & 1)) memory.fill(out, 0, rowBytes);
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
      windows(g ? g + few : 0, from, y + (g ? full : few), height, width, m, a, b);
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
