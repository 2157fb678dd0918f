// The weight's gradient by the same tiles as winograd.ts, transposed:
//
//   dw = Gᵀ [ Σ over tiles (A g Aᵀ) ⊙ (Bᵀ x B) ] G
//
// Here the sum over tiles is the matrix product: cotangents [k, tiles] by inputs [tiles, c]. The bias's
// gradient, the sum of each cotangent, falls off when they are copied.
//
// The guard. An element's window is a channel's plane without its outermost rows or columns, in all
// images. If values at the border of a channel outweigh those that all windows share, or if a value is out
// of range or not finite, `winogradWeightEnd` refuses and the gradient is computed directly.

import { fma } from "../fma";
import { multiplyBlock } from "../matmul/gemm";
import { fours, LARGEST, matrixStride, sixes, SMALLEST, SPREAD, transformTiles } from "./winograd";

/** Tiles of a block. */
function tilesOf(k: i32, c: i32): i32 {
  const products = 36 * 8 * <f64>(fours(k) * sixes(c));
  const fitting = <i32>(max<f64>(500000, 1.2 * products) / (288 * <f64>(sixes(c) + fours(k))));
  return min(max(8, fitting), 192);
}

/** Bytes of the sums of one part: 36 matrices, the largest values of channels, and the cotangents' sums. */
export function winogradSumBytes(k: i32, c: i32): i32 {
  return 36 * <i32>matrixStride(<usize>(fours(k) * sixes(c)) << 3) + ((2 * c + 2 * k) << 3) + 64 & ~63;
}

/** Bytes of scratch for one part. */
export function winogradWeightScratchBytes(k: i32, c: i32, outHeight: i32, outWidth: i32): i32 {
  const high = fours(outHeight), wide = fours(outWidth);
  const block = tilesOf(k, c);
  return 576 + 128 + (c * (high + 2) * (wide + 2) + k * high * wide << 3) +
    36 * <i32>(matrixStride(<usize>(fours(k) * block) << 3) + matrixStride(<usize>(sixes(c) * block) << 3));
}

/**
 * Copies a plane [height, width] into zeros with rows of `outRow` bytes. `most` receives the largest |x| of
 * columns `from` … `to` − 1 of rows `first` … `last` − 1, `others` that of the rest;
 * infinity where one is not finite. Returns the sum of those columns and rows, each row added up for itself,
 * which rounds less.
 */
function padPlane(
  x: usize, out: usize, outRow: usize, height: i32, width: i32,
  first: i32, last: i32, from: i32, to: i32, most: usize, others: usize,
): f64 {
  const inside = <usize>width << 3;
  const pairs = inside & ~15;
  const left = (<usize>max(from, 0) + 1 & ~1) << 3;
  const right = min((<usize>max(to, 0) & ~1) << 3, pairs);
  const zero = f64x2.splat(0);
  let shared = zero, border = zero, sum = zero, total = zero;
  for (let r = 0; r < height; r++, x += inside, out += outRow) {
    let ofRow = zero;
    const start = r >= first && r < last ? min(left, right) : pairs;
    let j: usize = 0;
    for (; j < start; j += 16) {
      const v = v128.load(x + j);
      v128.store(out + j, v);
      border = f64x2.pmax(border, f64x2.abs(v));
      sum = f64x2.add(sum, f64x2.sub(v, v));
    }
    const end = start == pairs ? pairs : right;
    for (; j < end; j += 16) {
      const v = v128.load(x + j);
      v128.store(out + j, v);
      shared = f64x2.pmax(shared, f64x2.abs(v));
      sum = f64x2.add(sum, f64x2.sub(v, v));
      ofRow = f64x2.add(ofRow, v);
    }
    for (; j < inside; j += 8) {
      const v = v128.load64_zero(x + j);
      v128.store64_lane(out + j, v, 0);
      border = f64x2.pmax(border, f64x2.abs(v));
      sum = f64x2.add(sum, f64x2.sub(v, v));
      ofRow = f64x2.add(ofRow, v);
    }
    total = f64x2.add(total, ofRow);
  }
  // x − x is 0, or NaN for what is not finite.
  const finite = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1) == 0;
  raise(most, finite ? max(f64x2.extract_lane(shared, 0), f64x2.extract_lane(shared, 1)) : Infinity);
  raise(others, max(f64x2.extract_lane(border, 0), f64x2.extract_lane(border, 1)));
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
}

// @ts-ignore: decorator
@inline
function raise(at: usize, value: f64): void {
  store<f64>(at, max(load<f64>(at), value));
}

/** A [g0 … g3], written `step` bytes apart. */
// @ts-ignore: decorator
@inline
function transformCotangent(g0: v128, g1: v128, g2: v128, g3: v128, to: usize, step: usize): void {
  const four = f64x2.splat(4);
  const even = f64x2.add(g0, g2), odd = f64x2.add(g1, g3);
  const far = fma(g2, four, g0);
  const half = fma(g3, four, g1);
  const farOdd = f64x2.add(half, half);
  v128.store(to, g0);
  to += step;
  v128.store(to, f64x2.add(even, odd));
  to += step;
  v128.store(to, f64x2.sub(even, odd));
  to += step;
  v128.store(to, f64x2.add(far, farOdd));
  to += step;
  v128.store(to, f64x2.sub(far, farOdd));
  to += step;
  v128.store(to, g3);
}

/** A g Aᵀ of tiles of two channels, in the lanes of 36 values `stride` bytes apart. */
function transformCotangents(
  first: usize, second: usize, row: usize, out: usize, stride: usize, temporary: usize,
): void {
  for (let to = temporary, end = temporary + 384; to < end; to += 96) {
    const a0 = v128.load(first), a2 = v128.load(first, 16);
    const b0 = v128.load(second), b2 = v128.load(second, 16);
    transformCotangent(
      v128.shuffle<f64>(a0, b0, 0, 2), v128.shuffle<f64>(a0, b0, 1, 3),
      v128.shuffle<f64>(a2, b2, 0, 2), v128.shuffle<f64>(a2, b2, 1, 3),
      to, 16,
    );
    first += row;
    second += row;
  }
  for (let from = temporary, end = temporary + 96; from < end; from += 16, out += stride) {
    transformCotangent(
      v128.load(from), v128.load(from, 96), v128.load(from, 192), v128.load(from, 288),
      out, 6 * stride,
    );
  }
}

/**
 * Sums over `images` images, at `sums`: x [c, height, width] and g [k, outHeight, outWidth] of each.
 */
export function winogradWeightSums(
  x: usize, xImage: usize, g: usize, gImage: usize, images: i32, k: i32, c: i32,
  height: i32, width: i32, outHeight: i32, outWidth: i32, top: i32, left: i32,
  sums: usize, scratch: usize,
): void {
  const kRows = fours(k), cColumns = sixes(c);
  const sumStride = matrixStride(<usize>(kRows * cColumns) << 3);
  const largest = sums + 36 * sumStride;
  const largestOfG = largest + (<usize>c << 4);
  const sumsOfG = largestOfG + (<usize>k << 3);
  memory.fill(largest, 0, <usize>(2 * c + 2 * k) << 3);
  const across = (outWidth + 3) >> 2;
  const ofImage = ((outHeight + 3) >> 2) * across;
  const row = <usize>(fours(outWidth) + 2) << 3;
  const plane = <usize>(fours(outHeight) + 2) * row;
  const gRow = <usize>fours(outWidth) << 3;
  const gPlane = <usize>fours(outHeight) * gRow;
  const block = tilesOf(k, c);
  const inputStride = matrixStride(<usize>(cColumns * block) << 3);
  const gStride = matrixStride(<usize>(kRows * block) << 3);
  const temporary = scratch;
  const padded = temporary + 576;
  const gPadded = padded + <usize>c * plane;
  const inputs = (gPadded + <usize>k * gPlane + 63) & ~63;
  const cotangents = inputs + 36 * inputStride;
  memory.fill(padded, 0, <usize>c * plane + <usize>k * gPlane);
  const tiles = images * ofImage;
  let ready = 0;
  for (let t0 = 0; t0 < tiles; t0 += block) {
    const count = min(block, tiles - t0);
    for (let t = 0; t < count; t++) {
      const image = (t0 + t) / ofImage;
      if (image == ready) {
        pad(
          x + <usize>image * xImage, padded + <usize>top * row + (<usize>left << 3), row, plane,
          c, height, width, 2 - top, outHeight - top, 2 - left, outWidth - left, largest, 16, 0,
        );
        pad(
          g + <usize>image * gImage, gPadded, gRow, gPlane,
          k, outHeight, outWidth, 0, outHeight, 0, outWidth, largestOfG, 8, sumsOfG,
        );
        ready++;
      }
      const inImage = t0 + t - image * ofImage;
      const i = inImage / across, j = inImage - i * across;
      const at = padded + <usize>(4 * i) * row + (<usize>j << 5);
      for (let p = 0; p < cColumns; p += 2) {
        // Columns beyond the last repeat it.
        transformTiles(
          at + <usize>min(p, c - 1) * plane, at + <usize>min(p + 1, c - 1) * plane, row,
          inputs + (<usize>(p / 6 * 6 * count + 6 * t + p % 6) << 3), inputStride, temporary,
        );
      }
      const gAt = gPadded + <usize>(4 * i) * gRow + (<usize>j << 5);
      for (let p = 0; p < kRows; p += 2) {
        transformCotangents(
          gAt + <usize>min(p, k - 1) * gPlane, gAt + <usize>min(p + 1, k - 1) * gPlane, gRow,
          cotangents + (<usize>((p >> 2) * 4 * count + 4 * t + (p & 3)) << 3), gStride, temporary,
        );
      }
    }
    for (let p: usize = 0; p < 36; p++) {
      multiplyBlock(
        cotangents + p * gStride, inputs + p * inputStride, sums + p * sumStride,
        <usize>cColumns << 3, kRows, cColumns, count, t0 > 0, temporary,
      );
    }
  }
}

/**
 * Pads all planes of an image; the largest values of each are `apart` bytes from those of the next. To `sums`,
 * unless it is 0, the sum of each is added.
 */
function pad(
  x: usize, out: usize, row: usize, plane: usize, channels: i32, height: i32, width: i32,
  first: i32, last: i32, from: i32, to: i32, largest: usize, apart: usize, sums: usize,
): void {
  for (let i = 0; i < channels; i++) {
    // Every value of a cotangent is in every window.
    const border = apart == 16 ? largest + 8 : largest;
    const sum = padPlane(x, out, row, height, width, first, last, from, to, largest, border);
    if (sums) store<f64>(sums + (<usize>i << 3), load<f64>(sums + (<usize>i << 3)) + sum);
    x += <usize>(height * width) << 3;
    out += plane;
    largest += apart;
  }
}

/** Whether a largest value is 0 or in the range where nothing overflows or underflows. */
// @ts-ignore: decorator
@inline
function inRange(largest: f64): bool {
  return largest == 0 || largest >= SMALLEST && largest <= LARGEST;
}

/**
 * weight [k, c, 3, 3] and, unless it is 0, bias [k] of the sums of so many parts, `bytes` apart; 0, and
 * nothing written, where the guard refuses. The first part's sums are overwritten.
 */
export function winogradWeightEnd(
  sums: usize, parts: i32, bytes: usize, weight: usize, bias: usize, k: i32, c: i32,
): i32 {
  const kRows = fours(k), cColumns = sixes(c);
  const stride = matrixStride(<usize>(kRows * cColumns) << 3);
  const largest = sums + 36 * stride;
  for (let i = 0; i < c; i++) {
    const at = largest + (<usize>i << 4);
    let shared: f64 = 0, border: f64 = 0;
    for (let part: usize = 0; part < <usize>parts; part++) {
      shared = max(shared, load<f64>(at + part * bytes));
      border = max(border, load<f64>(at + part * bytes + 8));
    }
    if (!inRange(max(shared, border)) || border > shared * SPREAD) return 0;
  }
  for (let i = 0; i < k; i++) {
    const at = largest + (<usize>(2 * c + i) << 3);
    let all: f64 = 0;
    for (let part: usize = 0; part < <usize>parts; part++) all = max(all, load<f64>(at + part * bytes));
    if (!inRange(all)) return 0;
  }
  if (bias) {
    const sumsOfG = largest + (<usize>(2 * c + k) << 3);
    for (let i: usize = 0; i < <usize>k << 3; i += 8) {
      let all: f64 = 0;
      for (let part: usize = 0; part < <usize>parts; part++) all += load<f64>(sumsOfG + i + part * bytes);
      store<f64>(bias + i, all);
    }
  }
  const sixth = f64x2.splat(1.0 / 6), twelfth = f64x2.splat(1.0 / 12);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < c; j += 2) {
      const at = sums + (<usize>(i * cColumns + j) << 3);
      for (let q: usize = 0; q < 6; q++) {
        // A column of six becomes three.
        let m = at + q * stride;
        // unroll(6) $
        let m$ = v128.load(m);
        for (let part = 1, more = m + bytes; part < parts; part++, more += bytes) {
          m$ = f64x2.add(m$, v128.load(more));
        }
        m += 6 * stride;
        // end
        const s1 = f64x2.mul(f64x2.add(m1, m2), sixth), s2 = f64x2.add(m3, m4);
        const d = f64x2.mul(f64x2.sub(m2, m1), sixth);
        m = at + q * stride;
        const quarter = f64x2.mul(f64x2.add(m0, f64x2.mul(s2, sixth)), f64x2.splat(0.25));
        v128.store(m, f64x2.sub(quarter, s1));
        v128.store(m + 6 * stride, fma(f64x2.sub(m3, m4), twelfth, d));
        v128.store(m + 12 * stride, f64x2.add(f64x2.sub(f64x2.mul(s2, sixth), s1), m5));
      }
      const to = weight + <usize>((i * c + j) * 72);
      for (let r: usize = 0; r < 3; r++) {
        const m = at + r * 6 * stride;
        const m0 = v128.load(m), m1 = v128.load(m + stride), m2 = v128.load(m + 2 * stride);
        const m3 = v128.load(m + 3 * stride), m4 = v128.load(m + 4 * stride), m5 = v128.load(m + 5 * stride);
        const s1 = f64x2.mul(f64x2.add(m1, m2), sixth), s2 = f64x2.mul(f64x2.add(m3, m4), sixth);
        const w0 = f64x2.sub(f64x2.mul(f64x2.add(m0, s2), f64x2.splat(0.25)), s1);
        const w1 = fma(f64x2.sub(m3, m4), twelfth, f64x2.mul(f64x2.sub(m2, m1), sixth));
        const w2 = f64x2.add(f64x2.sub(s2, s1), m5);
        const out = to + r * 24;
        v128.store64_lane(out, w0, 0);
        v128.store64_lane(out, w1, 0, 8);
        v128.store64_lane(out, w2, 0, 16);
        if (j + 1 == c) continue;
        v128.store64_lane(out, w0, 1, 72);
        v128.store64_lane(out, w1, 1, 80);
        v128.store64_lane(out, w2, 1, 88);
      }
    }
  }
  return 1;
}
