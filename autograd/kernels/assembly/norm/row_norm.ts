// Normalisation of rows, each of which stays in the first-level cache: what plain/row_norm.ts does, with
// both of its gradients as one. Rows have no mean where `mean` is 0: then they are only scaled.

import { fma } from "../fma";

/** y = ((x − m)·scale − shift)·weight + bias, weight and bias where they are not 0. */
function affineRow(
  x: usize, y: usize, bytes: usize, m: f64, scale: f64, shift: f64, weight: usize, bias: usize,
): void {
  const pairs = bytes & ~15;
  const ms = f64x2.splat(m), scales = f64x2.splat(scale), shifts = f64x2.splat(-shift);
  for (let j: usize = 0; j < pairs; j += 16) {
    let v = fma(f64x2.sub(v128.load(x + j), ms), scales, shifts);
    if (weight != 0) v = f64x2.mul(v, v128.load(weight + j));
    if (bias != 0) v = f64x2.add(v, v128.load(bias + j));
    v128.store(y + j, v);
  }
  if (pairs < bytes) {
    let v = (load<f64>(x + pairs) - m) * scale - shift;
    if (weight != 0) v *= load<f64>(weight + pairs);
    if (bias != 0) v += load<f64>(bias + pairs);
    store<f64>(y + pairs, v);
  }
}

/** y = (x − mean − low)·inv·weight + bias; row i has the weights of group i mod `groups`. */
export function normRows(
  x: usize, y: usize, rows: i32, size: i32, groups: i32,
  mean: usize, low: usize, inv: usize, weight: usize, bias: usize,
): void {
  const bytes = <usize>size << 3;
  for (let r = 0; r < rows; r++) {
    const at = <usize>r << 3;
    const channel = <usize>(r % groups) * bytes;
    const scale = load<f64>(inv + at);
    affineRow(
      x, y, bytes, load<f64>(mean + at), scale, load<f64>(low + at) * scale,
      weight == 0 ? 0 : weight + channel, bias == 0 ? 0 : bias + channel,
    );
    x += bytes;
    y += bytes;
  }
}

/** inv = 1/√(S(x²) + eps) by row, y = x·inv·weight. */
export function scaleRows(
  x: usize, y: usize, rows: i32, size: i32, eps: f64, inv: usize, weight: usize,
): void {
  const bytes = <usize>size << 3, eights = bytes & ~63;
  for (let r = 0; r < rows; r++) {
    let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
    let j: usize = 0;
    for (; j < eights; j += 64) {
      // unroll(4) $
      const v$ = v128.load(x + j, 16 * $);
      s$ = fma(v$, v$, s$);
      // end
    }
    s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
    let squares = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
    for (; j < bytes; j += 8) squares += load<f64>(x + j) * load<f64>(x + j);
    const scale = 1 / sqrt(squares / <f64>size + eps);
    store<f64>(inv, scale);
    affineRow(x, y, bytes, 0, scale, 0, weight, 0);
    inv += 8;
    x += bytes;
    y += bytes;
  }
}

/**
 * db = Σ g; dw = Σ g·x̂; dx = inv·(gw − S(gw) − x̂·S(gw·x̂)), without mean inv·(gw − x̂·S(gw·x̂)), with
 * x̂ = (x − mean − low)·inv and gw = g·weight. Of dx, dw and db those that are not 0 are filled.
 */
export function normRowsGradient(
  g: usize, x: usize, rows: i32, size: i32, groups: i32,
  mean: usize, low: usize, inv: usize, weight: usize, dx: usize, dw: usize, db: usize,
): void {
  const bytes = <usize>size << 3, pairs = bytes & ~15;
  if (dw != 0) memory.fill(dw, 0, <usize>groups * bytes);
  if (db != 0) memory.fill(db, 0, <usize>groups * bytes);
  for (let i = 0; i < rows; i++) {
    const at = <usize>i << 3;
    const channel = <usize>(i % groups) * bytes;
    const w: usize = weight == 0 ? 0 : weight + channel;
    const m = mean == 0 ? 0 : load<f64>(mean + at), rest = mean == 0 ? 0 : load<f64>(low + at);
    const scale = load<f64>(inv + at);
    const ms = f64x2.splat(m), scales = f64x2.splat(scale), rests = f64x2.splat(rest);
    let sums = f64x2.splat(0), products = sums;
    for (let j: usize = 0; j < pairs; j += 16) {
      let v = v128.load(g + j);
      const c = f64x2.sub(v128.load(x + j), ms);
      if (dw != 0) {
        const to = dw + channel + j;
        v128.store(to, fma(v, f64x2.mul(f64x2.sub(c, rests), scales), v128.load(to)));
      }
      if (db != 0) v128.store(db + channel + j, f64x2.add(v, v128.load(db + channel + j)));
      if (w != 0) v = f64x2.mul(v, v128.load(w + j));
      sums = f64x2.add(sums, v);
      products = fma(v, c, products);
    }
    let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
    let product = f64x2.extract_lane(products, 0) + f64x2.extract_lane(products, 1);
    if (pairs < bytes) {
      let v = load<f64>(g + pairs);
      const c = load<f64>(x + pairs) - m;
      if (dw != 0) {
        const to = dw + channel + pairs;
        store<f64>(to, load<f64>(to) + v * ((c - rest) * scale));
      }
      if (db != 0) {
        const to = db + channel + pairs;
        store<f64>(to, load<f64>(to) + v);
      }
      if (w != 0) v *= load<f64>(w + pairs);
      sum += v;
      product += v * c;
    }
    if (dx != 0) {
      const q = scale * scale * scale * (mean == 0 ? product : product - rest * sum) / <f64>size;
      const r = mean == 0 ? 0 : scale * sum / <f64>size - q * rest;
      const qs = f64x2.splat(-q), rs = f64x2.splat(r);
      for (let j: usize = 0; j < pairs; j += 16) {
        let v = v128.load(g + j);
        if (w != 0) v = f64x2.mul(v, v128.load(w + j));
        const c = f64x2.sub(v128.load(x + j), ms);
        v128.store(dx + j, f64x2.sub(fma(qs, c, f64x2.mul(scales, v)), rs));
      }
      if (pairs < bytes) {
        let v = load<f64>(g + pairs);
        if (w != 0) v *= load<f64>(w + pairs);
        store<f64>(dx + pairs, scale * v - q * (load<f64>(x + pairs) - m) - r);
      }
      dx += bytes;
    }
    g += bytes;
    x += bytes;
  }
}
