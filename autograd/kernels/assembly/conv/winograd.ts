// Convolutions of 3×3 taps, stride 1, with 36 multiplications for 16 outputs instead of 144: F(4×4, 3×3)
// of Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (2016).
//
//   y = Aᵀ [ Σ over channels (G w Gᵀ) ⊙ (Bᵀ x B) ] A     for each tile of 6×6 inputs and 4×4 outputs
//
// The sum over channels is, for each of the 36 places of a tile, a matrix product: transformed weights
// [k, c] in panels of four rows, transformed tiles [c, tiles] in panels of six columns.
//
// The guard. What rounds in a tile rounds in proportion to the largest |x| of the whole tile, so a small
// window beside a large value would lose digits. The largest |x| over channels is kept for each place of
// an image while it is padded; a window all of zeros gives the bias exactly, and tiles with a window
// below 1/32 of the tile's largest, or with values out of range or not finite, are computed directly.

import { fma } from "../fma";
import { multiplyBlock, panelLength } from "../matmul/gemm";

/** A tile is computed directly if a window's largest value, times this, is below the tile's. */
export const SPREAD: f64 = 32;
/** Magnitudes beyond which intermediate values could overflow, or lose digits as subnormal numbers. */
export const LARGEST: f64 = 2.58e120;
export const SMALLEST: f64 = 3.87e-121;

/** Bytes of what is known of a tile in a block: addresses of its input and output, its flags and extent. */
const ABOUT: usize = 16;
/** The flag of a tile that was computed directly; the sixteen below are its windows that are all zero. */
const DIRECT: u32 = 1 << 16;
/** Flags and extent of a tile of four by four outputs without a flag. */
const WHOLE: u64 = <u64>(4 << 4 | 4) << 32;

/** Bytes between the 36 matrices: an odd number of cache lines, so that they fall into different sets. */
// @ts-ignore: decorator
@inline
export function matrixStride(bytes: usize): usize {
  return (((bytes + 63) >> 6) | 1) << 6;
}

// @ts-ignore: decorator
@inline
export function sixes(n: i32): i32 {
  return (n + 5) / 6 * 6;
}

// @ts-ignore: decorator
@inline
export function fours(n: i32): i32 {
  return (n + 3) & ~3;
}

/** Bytes of transformed weights. */
export function winogradWeightBytes(k: i32, c: i32): i32 {
  return <i32>matrixStride(<usize>(fours(k) * c) << 3) * 36;
}

/** Tiles of a block: its 36 pairs of matrices, and the weights, stay in the second-level cache if they can. */
export function winogradBlock(k: i32, c: i32, tiles: i32): i32 {
  const bytes = max<f64>(500000, 1.2 * <f64>winogradWeightBytes(k, c));
  const fitting = <i32>(bytes / (288 * <f64>(c + fours(k)))) / 6 * 6;
  return min(max(6, fitting), sixes(tiles));
}

/** Bytes of scratch for blocks of so many tiles. */
export function winogradScratchBytes(k: i32, c: i32, outHeight: i32, outWidth: i32, block: i32): i32 {
  const plane = (fours(outHeight) + 2) * (fours(outWidth) + 2) << 3;
  return 576 + block * <i32>ABOUT + 2 * c * plane + plane + 128 +
    36 * (<i32>matrixStride(<usize>(c * block) << 3) + <i32>matrixStride(<usize>(fours(k) * block) << 3));
}

/**
 * The transformed weights: 36 matrices in panels of four rows. Weights of row i and column j are at
 * `weight + i·row + j·column`, their taps `tap` bytes apart. Returns 0 where the weights of a row are out
 * of range or not finite.
 */
export function winogradWeights(
  weight: usize, row: usize, column: usize, tap: usize, k: i32, c: i32, out: usize,
): i32 {
  const stride = matrixStride(<usize>(fours(k) * c) << 3);
  const length = panelLength(c);
  const rows = fours(k);
  for (let i = 0; i < rows; i++) {
    let largest: f64 = 0;
    for (let j = 0; j < c; j++) {
      const p0 = j / length * length;
      const kc = min(length, c - p0);
      // Panel of rows i … in the part of columns p0 …
      let to = out + (<usize>(rows * p0 + (i >> 2) * 4 * kc + (j - p0) * 4 + (i & 3)) << 3);
      if (i >= k) {
        for (let p = 0; p < 36; p++, to += stride) store<f64>(to, 0);
        continue;
      }
      const from = weight + <usize>i * row + <usize>j * column;
      // G w first, three columns of six; then its rows.
      for (let q = 0; q < 6; q++) {
        let r0: f64 = 0, r1: f64 = 0, r2: f64 = 0;
        for (let s = 0; s < 3; s++) {
          const at = from + <usize>s * tap;
          const w0 = load<f64>(at), w1 = load<f64>(at + 3 * tap), w2 = load<f64>(at + 6 * tap);
          if (q == 0) {
            // A value that is not a number makes `largest` none either.
            largest = max(largest, max(max(abs(w0), abs(w1)), abs(w2)));
          }
          const g = along(q, w0, w1, w2);
          if (s == 0) r0 = g;
          else if (s == 1) r1 = g;
          else r2 = g;
        }
        for (let s = 0; s < 6; s++, to += stride) store<f64>(to, along(s, r0, r1, r2));
      }
    }
    if (!(largest == 0 || largest >= SMALLEST && largest <= LARGEST)) return 0;
  }
  return 1;
}

/** Row q of G times [w0 w1 w2]. */
function along(q: i32, w0: f64, w1: f64, w2: f64): f64 {
  if (q == 0) return w0 / 4;
  if (q == 1) return (w0 + w2 + w1) / -6;
  if (q == 2) return (w0 + w2 - w1) / -6;
  if (q == 3) return ((w0 + 4 * w2) + 2 * w1) / 24;
  if (q == 4) return ((w0 + 4 * w2) - 2 * w1) / 24;
  return w2;
}

/**
 * Copies an image into the middle of zeros, rows `outRow` and planes `outPlane` bytes apart, and writes
 * the largest |x| over channels of each place to `largest`, infinity where one is not finite.
 */
function padAndMeasure(
  x: usize, out: usize, largest: usize, c: i32, height: i32, width: i32,
  top: i32, left: i32, rows: i32, columns: i32,
): void {
  const outRow = <usize>columns << 3;
  const start = <usize>top * outRow + (<usize>left << 3);
  memory.fill(largest, 0, <usize>rows * outRow);
  const inside = <usize>min(width, columns - left) << 3;
  const pairs = inside & ~15;
  const count = min(height, rows - top);
  let sum = f64x2.splat(0);
  let from = x;
  for (let i = 0; i < c; i++) {
    let to = out + start;
    let most = largest + start;
    for (let r = 0; r < count; r++) {
      let j: usize = 0;
      for (; j < pairs; j += 16) {
        const v = v128.load(from + j);
        v128.store(to + j, v);
        const size = f64x2.abs(v);
        v128.store(most + j, f64x2.pmax(v128.load(most + j), size));
        sum = f64x2.add(sum, size);
      }
      if (j < inside) {
        const v = load<f64>(from + j);
        store<f64>(to + j, v);
        store<f64>(most + j, max(load<f64>(most + j), abs(v)));
        sum = f64x2.add(sum, f64x2.splat(abs(v)));
      }
      from += <usize>width << 3;
      to += outRow;
      most += outRow;
    }
    from += <usize>((height - count) * width) << 3;
    out += <usize>rows * outRow;
  }
  const total = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  if (total - total == 0) return;
  from = x;
  for (let i = 0; i < c; i++) {
    let most = largest + start;
    for (let r = 0; r < height; r++) {
      for (let j: usize = 0; r < count && j < inside; j += 8) {
        const v = load<f64>(from + j);
        if (v - v != 0) store<f64>(most + j, Infinity);
      }
      from += <usize>width << 3;
      most += outRow;
    }
  }
}

/** The largest values of columns `from` … of three rows of a plane. */
// @ts-ignore: decorator
@inline
function ofThreeRows(from: usize, row: usize): v128 {
  return f64x2.pmax(f64x2.pmax(v128.load(from), v128.load(from + row)), v128.load(from + 2 * row));
}

/** The flags of a tile whose largest values start at `most`, rows `row` bytes apart. */
function flagsOf(most: usize, row: usize): u32 {
  const zero = f64x2.splat(0);
  let all = zero;
  for (let i = 0, at = most; i < 2; i++, at += 3 * row) {
    all = f64x2.pmax(all, f64x2.pmax(ofThreeRows(at, row), ofThreeRows(at + 16, row)));
    all = f64x2.pmax(all, ofThreeRows(at + 32, row));
  }
  const largest = max(f64x2.extract_lane(all, 0), f64x2.extract_lane(all, 1));
  if (largest == 0) return 0;
  if (!(largest >= SMALLEST && largest <= LARGEST)) return DIRECT;
  const least = f64x2.splat(largest / SPREAD);
  let small = zero;
  let flags: u32 = 0;
  for (let i = 0; i < 16; i += 4, most += row) {
    const a = ofThreeRows(most, row), b = ofThreeRows(most + 16, row), c = ofThreeRows(most + 32, row);
    const first = f64x2.pmax(f64x2.pmax(a, v128.shuffle<f64>(a, b, 1, 2)), b);
    const second = f64x2.pmax(f64x2.pmax(b, v128.shuffle<f64>(b, c, 1, 2)), c);
    const empty = f64x2.eq(first, zero), void_ = f64x2.eq(second, zero);
    small = v128.or(small, v128.andnot(f64x2.lt(first, least), empty));
    small = v128.or(small, v128.andnot(f64x2.lt(second, least), void_));
    flags |= <u32>(i64x2.bitmask(empty) | i64x2.bitmask(void_) << 2) << i;
  }
  return v128.any_true(small) ? DIRECT : flags;
}

/** Adds weight · x for sixteen windows of a tile, directly, and writes those that are there. */
function directTile(
  x: usize, row: usize, plane: usize, weight: usize, weightRow: usize, weightColumn: usize, tap: usize,
  bias: usize, y: usize, yRow: usize, yPlane: usize, k: i32, c: i32, rows: i32, columns: i32,
): void {
  for (let i = 0; i < k; i++) {
    const start = f64x2.splat(bias ? load<f64>(bias + (<usize>i << 3)) : 0);
    for (let r = 0; r < rows; r++) {
      let first = f64x2.splat(0), second = first;
      let from = x + <usize>r * row;
      let w = weight + <usize>i * weightRow;
      for (let j = 0; j < c; j++) {
        for (let s: usize = 0; s < 3; s++) {
          for (let t: usize = 0; t < 3; t++) {
            const value = v128.load64_splat(w + (3 * s + t) * tap);
            const at = from + s * row + (t << 3);
            first = fma(value, v128.load(at), first);
            second = fma(value, v128.load(at, 16), second);
          }
        }
        from += plane;
        w += weightColumn;
      }
      storeRow(y + <usize>r * yRow, f64x2.add(first, start), f64x2.add(second, start), columns);
    }
    y += yPlane;
  }
}

/** Writes the first `columns` of four values. */
// @ts-ignore: decorator
@inline
function storeRow(to: usize, first: v128, second: v128, columns: i32): void {
  if (columns == 4) {
    v128.store(to, first);
    v128.store(to, second, 16);
    return;
  }
  if (columns == 1) v128.store64_lane(to, first, 0);
  else v128.store(to, first);
  if (columns == 3) v128.store64_lane(to, second, 0, 16);
}

/** Bᵀ [d0 … d5], written `step` bytes apart. */
// @ts-ignore: decorator
@inline
function transformInput(
  d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128, to: usize, step: usize,
): void {
  const four = f64x2.splat(4);
  const even = f64x2.sub(d4, d2);
  const half = f64x2.sub(d3, d1);
  const odd = f64x2.add(half, half);
  const near = f64x2.sub(d4, f64x2.mul(d2, four));
  const far = f64x2.sub(d3, f64x2.mul(d1, four));
  v128.store(to, fma(f64x2.sub(d0, d2), four, even));
  to += step;
  v128.store(to, f64x2.add(near, far));
  to += step;
  v128.store(to, f64x2.sub(near, far));
  to += step;
  v128.store(to, f64x2.add(even, odd));
  to += step;
  v128.store(to, f64x2.sub(even, odd));
  to += step;
  // 4 (d1 − d3) + d5 − d3
  v128.store(to, f64x2.sub(f64x2.sub(d5, d3), f64x2.add(odd, odd)));
}

/**
 * Bᵀ x B of two tiles that start at `first` and `second`, in the lanes of 36 values `stride` bytes apart.
 */
// @ts-ignore: decorator
@inline
export function transformTiles(
  first: usize, second: usize, row: usize, out: usize, stride: usize, temporary: usize,
): void {
  for (let to = temporary, end = temporary + 576; to < end; to += 96) {
    const a0 = v128.load(first), a2 = v128.load(first, 16), a4 = v128.load(first, 32);
    const b0 = v128.load(second), b2 = v128.load(second, 16), b4 = v128.load(second, 32);
    transformInput(
      v128.shuffle<f64>(a0, b0, 0, 2), v128.shuffle<f64>(a0, b0, 1, 3),
      v128.shuffle<f64>(a2, b2, 0, 2), v128.shuffle<f64>(a2, b2, 1, 3),
      v128.shuffle<f64>(a4, b4, 0, 2), v128.shuffle<f64>(a4, b4, 1, 3),
      to, 16,
    );
    first += row;
    second += row;
  }
  const down = 6 * stride;
  for (let from = temporary, end = temporary + 96; from < end; from += 16) {
    transformInput(
      v128.load(from), v128.load(from, 96), v128.load(from, 192),
      v128.load(from, 288), v128.load(from, 384), v128.load(from, 480),
      out, down,
    );
    out += stride;
  }
}

/** Aᵀ [m0 … m5], written `step` bytes apart. */
// @ts-ignore: decorator
@inline
function transformOutput(
  m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128, to: usize, step: usize,
): void {
  const four = f64x2.splat(4);
  const s1 = f64x2.add(m1, m2), d1 = f64x2.sub(m1, m2);
  const s2 = f64x2.add(m3, m4), half = f64x2.sub(m3, m4);
  const d2 = f64x2.add(half, half);
  v128.store(to, f64x2.add(f64x2.add(m0, s1), s2));
  to += step;
  v128.store(to, f64x2.add(d1, d2));
  to += step;
  v128.store(to, fma(s2, four, s1));
  to += step;
  v128.store(to, fma(d2, four, f64x2.add(d1, m5)));
}

/** Aᵀ [m0 … m5] + start of two whole tiles: a row of the one in lanes 0, for `first`, of the other in lanes 1. */
// @ts-ignore: decorator
@inline
function writeRows(
  m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128, start: v128, first: usize, second: usize,
): void {
  const four = f64x2.splat(4);
  const s1 = f64x2.add(m1, m2), d1 = f64x2.sub(m1, m2);
  const s2 = f64x2.add(m3, m4), half = f64x2.sub(m3, m4);
  const d2 = f64x2.add(half, half);
  const y0 = f64x2.add(f64x2.add(f64x2.add(m0, s1), s2), start);
  const y1 = f64x2.add(f64x2.add(d1, d2), start);
  const y2 = f64x2.add(fma(s2, four, s1), start);
  const y3 = f64x2.add(fma(d2, four, f64x2.add(d1, m5)), start);
  v128.store(first, v128.shuffle<f64>(y0, y1, 0, 2));
  v128.store(first, v128.shuffle<f64>(y2, y3, 0, 2), 16);
  v128.store(second, v128.shuffle<f64>(y0, y1, 1, 3));
  v128.store(second, v128.shuffle<f64>(y2, y3, 1, 3), 16);
}

/**
 * y = conv(x, weight) + bias for the images `image` … `image + images − 1`: x [c, height, width] and
 * y [k, outHeight, outWidth] of each, `weights` as `winogradWeights` leaves them, the weights themselves
 * where it found them.
 */
export function winogradForward(
  x: usize, xImage: usize, weight: usize, weightRow: usize, weightColumn: usize, tap: usize, bias: usize,
  y: usize, yImage: usize, images: i32, k: i32, c: i32,
  height: i32, width: i32, outHeight: i32, outWidth: i32, top: i32, left: i32,
  weights: usize, block: i32, scratch: usize,
): void {
  const across = (outWidth + 3) >> 2;
  const ofImage = ((outHeight + 3) >> 2) * across;
  const rows = fours(outHeight) + 2, columns = fours(outWidth) + 2;
  const row = <usize>columns << 3;
  const plane = <usize>rows * row;
  const yRow = <usize>outWidth << 3;
  const yPlane = <usize>outHeight * yRow;
  const kRows = fours(k);
  const temporary = scratch;
  const abouts = temporary + 576;
  const largest = abouts + <usize>block * ABOUT;
  const padded = largest + plane;
  const inputStride = matrixStride(<usize>(c * block) << 3);
  const productStride = matrixStride(<usize>(kRows * block) << 3);
  const inputs = (padded + 2 * <usize>c * plane + 63) & ~63;
  const products = inputs + 36 * inputStride;
  const weightStride = matrixStride(<usize>(kRows * c) << 3);
  const length = panelLength(c);
  const tiles = images * ofImage;
  // Two images at a time: a pair of tiles may belong to two.
  memory.fill(padded, 0, 2 * <usize>c * plane);
  let ready = 0;
  for (let t0 = 0; t0 < tiles; t0 += block) {
    const count = min(block, tiles - t0);
    const whole = sixes(count);
    let about = abouts;
    for (let t = 0; t < whole; t += 2) {
      // What is known of both tiles; those beyond the last repeat it.
      for (let u = t; u < t + 2; u++, about += ABOUT) {
        const tile = t0 + min(u, count - 1);
        const image = tile / ofImage;
        const place = padded + <usize>(image & 1) * <usize>c * plane;
        if (image == ready) {
          padAndMeasure(
            x + <usize>image * xImage, place, largest, c, height, width, top, left, rows, columns,
          );
          ready++;
        }
        const inImage = tile - image * ofImage;
        const i = inImage / across, j = inImage - i * across;
        const offset = <usize>(4 * i) * row + (<usize>j << 5);
        const to = y + <usize>image * yImage + <usize>(4 * i) * yRow + (<usize>j << 5);
        const high = min(4, outHeight - 4 * i), wide = min(4, outWidth - 4 * j);
        store<u32>(about, <u32>(place + offset));
        store<u32>(about, <u32>to, 4);
        store<i32>(about, high << 4 | wide, 12);
        if (u >= count) continue;
        const flags = flagsOf(largest + offset, row);
        store<u32>(about, flags, 8);
        if (flags == DIRECT) {
          directTile(
            place + offset, row, plane, weight, weightRow, weightColumn, tap, bias, to, yRow, yPlane,
            k, c, high, wide,
          );
        }
      }
      let first = <usize>load<u32>(about - 2 * ABOUT), second = <usize>load<u32>(about - ABOUT);
      for (let p0 = 0; p0 < c; p0 += length) {
        const kc = min(length, c - p0);
        let out = inputs + (<usize>(p0 * whole + t / 6 * 6 * kc + t % 6) << 3);
        for (let p = 0; p < kc; p++) {
          transformTiles(first, second, row, out, inputStride, temporary);
          first += plane;
          second += plane;
          out += 48;
        }
      }
    }
    const productRow = <usize>whole << 3;
    for (let p = 0; p < 36; p++) {
      const a = weights + <usize>p * weightStride, b = inputs + <usize>p * inputStride;
      for (let p0 = 0; p0 < c; p0 += length) {
        const kc = min(length, c - p0);
        multiplyBlock(
          a + (<usize>(kRows * p0) << 3), b + (<usize>(p0 * whole) << 3),
          products + <usize>p * productStride, productRow, kRows, whole, kc, p0 > 0, temporary,
        );
      }
    }
    writeOutputs(products, productStride, productRow, abouts, count, k, bias, yRow, yPlane, temporary);
  }
}

/** y = Aᵀ m A + bias for all rows and tiles of a block but those that were computed directly. */
function writeOutputs(
  products: usize, stride: usize, productRow: usize, abouts: usize, count: i32, k: i32, bias: usize,
  yRow: usize, yPlane: usize, temporary: usize,
): void {
  for (let i = 0; i < k; i++) {
    const value = bias ? load<f64>(bias + (<usize>i << 3)) : 0;
    const start = f64x2.splat(value);
    const plane = <usize>i * yPlane;
    let from = products + <usize>i * productRow;
    let about = abouts;
    for (let t = 0; t < count; t += 2, from += 16, about += 2 * ABOUT) {
      let at = from;
      const step = 6 * stride;
      for (let to = temporary, end = temporary + 96; to < end; to += 16, at += stride) {
        transformOutput(
          v128.load(at), v128.load(at + step), v128.load(at + 2 * step),
          v128.load(at + 3 * step), v128.load(at + 4 * step), v128.load(at + 5 * step),
          to, 96,
        );
      }
      if (
        load<u64>(about, 8) == WHOLE && load<u64>(about + ABOUT, 8) == WHOLE && t + 1 < count
      ) {
        let first = <usize>load<u32>(about, 4) + plane, second = <usize>load<u32>(about + ABOUT, 4) + plane;
        for (let m = temporary, end = temporary + 384; m < end; m += 96) {
          writeRows(
            v128.load(m), v128.load(m, 16), v128.load(m, 32), v128.load(m, 48), v128.load(m, 64),
            v128.load(m, 80), start, first, second,
          );
          first += yRow;
          second += yRow;
        }
        continue;
      }
      // Rows of both tiles, four by four.
      for (let r = 0, m = temporary; r < 4; r++, m += 96) {
        const m0 = v128.load(m), m1 = v128.load(m, 16), m2 = v128.load(m, 32);
        const m3 = v128.load(m, 48), m4 = v128.load(m, 64), m5 = v128.load(m, 80);
        transformOutput(m0, m1, m2, m3, m4, m5, m, 16);
      }
      for (let which: u32 = 0; which < 2 && t + which < count; which++) {
        const tile = about + which * ABOUT;
        const flags = load<u32>(tile, 8);
        if (flags == DIRECT) continue;
        const high = load<i32>(tile, 12) >> 4, wide = load<i32>(tile, 12) & 15;
        let to = <usize>load<u32>(tile, 4) + plane;
        for (let r = 0, m = temporary; r < high; r++, m += 96, to += yRow) {
          const m0 = v128.load(m), m1 = v128.load(m, 16), m2 = v128.load(m, 32), m3 = v128.load(m, 48);
          const a = which ? v128.shuffle<f64>(m0, m1, 1, 3) : v128.shuffle<f64>(m0, m1, 0, 2);
          const b = which ? v128.shuffle<f64>(m2, m3, 1, 3) : v128.shuffle<f64>(m2, m3, 0, 2);
          storeRow(to, f64x2.add(a, start), f64x2.add(b, start), wide);
          if (flags == 0) continue;
          for (let s = 0; s < wide; s++) {
            if (flags >> (4 * r + s) & 1) store<f64>(to + (<usize>s << 3), value);
          }
        }
      }
    }
  }
}
