// Convolutions as matrix products whose second factor, the windows side by side, is never written down:
// it is packed into panels straight from a padded copy of the image. Two tables of byte offsets
// say where: entry (tap p, window j) of the matrix is at image + tapOffset[p] + windowOffset[j].
// Stride, dilation and padding are all in the tables.

import { addToRuns } from "../elementwise/arithmetic";
import { multiplyBlock, packRows } from "../matmul/gemm";

/** Windows packed at a time: their panels stay in the second-level cache. Divisible by 6. */
const WINDOWS: i32 = 96;

/** Rows of A packed at a time; divisible by 4. */
const ROWS: i32 = 128;

/** Products summed in a row, or √k if that is more: fewer roundings where one product outweighs all others. */
const IN_A_ROW: i32 = 32;

/** Length of the parts that a sum of `k` products is cut into. */
function partLength(k: i32): i32 {
  const length = max(IN_A_ROW, <i32>sqrt<f64>(<f64>k));
  const count = (k + length - 1) / length;
  return ((k + count - 1) / count + 3) & ~3;
}

/**
 * Copies [c, depth, height, width] into the middle of zeros [c, d, h, w], `d0`, `h0`, `w0` from the start.
 * The zeros are there already.
 */
function padImage(
  x: usize, out: usize, c: i32,
  depth: i32, height: i32, width: i32,
  d: i32, h: i32, w: i32, d0: i32, h0: i32, w0: i32,
): void {
  const rowBytes = <usize>width << 3;
  for (let i = 0; i < c; i++) {
    for (let z = 0; z < depth; z++) {
      for (let y = 0; y < height; y++) {
        let to = out + (<usize>(((i * d + z + d0) * h + y + h0) * w + w0) << 3);
        const end = x + rowBytes;
        while (x + 16 <= end) {
          v128.store(to, v128.load(x));
          x += 16;
          to += 16;
        }
        if (x < end) {
          store<f64>(to, load<f64>(x));
          x += 8;
        }
      }
    }
  }
}

/** Packs taps p0 … p0 + kc − 1 of `nc` windows into panels [tap][6]. */
function packWindows(
  image: usize, taps: usize, windows: usize, kc: i32, nc: i32, out: usize,
): void {
  for (let j = 0; j < nc; j += 6) {
    const w = windows + (<usize>j << 2);
    const o0 = <usize>load<u32>(w);
    if (j + 6 <= nc && <usize>load<u32>(w, 20) - o0 == 40 && <usize>load<u32>(w, 8) - o0 == 16) {
      // Six neighbours in the image.
      const base = image + o0;
      for (let p = 0; p < kc; p++) {
        const from = base + <usize>load<u32>(taps + (<usize>p << 2));
        v128.store(out, v128.load(from));
        v128.store(out, v128.load(from, 16), 16);
        v128.store(out, v128.load(from, 32), 32);
        out += 48;
      }
      continue;
    }
    const last = nc - 1 - j;
    const a0 = image + o0;
    const a1 = image + <usize>load<u32>(w + (<usize>min(1, last) << 2));
    const a2 = image + <usize>load<u32>(w + (<usize>min(2, last) << 2));
    const a3 = image + <usize>load<u32>(w + (<usize>min(3, last) << 2));
    const a4 = image + <usize>load<u32>(w + (<usize>min(4, last) << 2));
    const a5 = image + <usize>load<u32>(w + (<usize>min(5, last) << 2));
    for (let p = 0; p < kc; p++) {
      const tap = <usize>load<u32>(taps + (<usize>p << 2));
      store<f64>(out, load<f64>(a0 + tap));
      store<f64>(out, load<f64>(a1 + tap), 8);
      store<f64>(out, load<f64>(a2 + tap), 16);
      store<f64>(out, load<f64>(a3 + tap), 24);
      store<f64>(out, load<f64>(a4 + tap), 32);
      store<f64>(out, load<f64>(a5 + tap), 40);
      out += 48;
    }
  }
}

/** The transpose: panels [window][6] of `nc` taps, for the windows of which `windows` is the first. */
function packTaps(
  image: usize, taps: usize, windows: usize, kc: i32, nc: i32, out: usize,
): void {
  for (let j = 0; j < nc; j += 6) {
    const last = nc - 1 - j;
    const t = taps + (<usize>j << 2);
    const a0 = image + <usize>load<u32>(t);
    const a1 = image + <usize>load<u32>(t + (<usize>min(1, last) << 2));
    const a2 = image + <usize>load<u32>(t + (<usize>min(2, last) << 2));
    const a3 = image + <usize>load<u32>(t + (<usize>min(3, last) << 2));
    const a4 = image + <usize>load<u32>(t + (<usize>min(4, last) << 2));
    const a5 = image + <usize>load<u32>(t + (<usize>min(5, last) << 2));
    let p = 0;
    while (p < kc) {
      const at = windows + (<usize>p << 2);
      const o = <usize>load<u32>(at);
      if (p + 2 <= kc && <usize>load<u32>(at, 4) - o == 8) {
        let v0 = v128.load(a0 + o), v1 = v128.load(a1 + o);
        v128.store(out, v128.shuffle<f64>(v0, v1, 0, 2));
        v128.store(out, v128.shuffle<f64>(v0, v1, 1, 3), 48);
        v0 = v128.load(a2 + o);
        v1 = v128.load(a3 + o);
        v128.store(out, v128.shuffle<f64>(v0, v1, 0, 2), 16);
        v128.store(out, v128.shuffle<f64>(v0, v1, 1, 3), 64);
        v0 = v128.load(a4 + o);
        v1 = v128.load(a5 + o);
        v128.store(out, v128.shuffle<f64>(v0, v1, 0, 2), 32);
        v128.store(out, v128.shuffle<f64>(v0, v1, 1, 3), 80);
        out += 96;
        p += 2;
        continue;
      }
      store<f64>(out, load<f64>(a0 + o));
      store<f64>(out, load<f64>(a1 + o), 8);
      store<f64>(out, load<f64>(a2 + o), 16);
      store<f64>(out, load<f64>(a3 + o), 24);
      store<f64>(out, load<f64>(a4 + o), 32);
      store<f64>(out, load<f64>(a5 + o), 40);
      out += 48;
      p++;
    }
  }
}

/** Bytes of scratch: packed weights [m, k], packed windows and a tile. */
export function convScratchBytes(m: i32, k: i32): i32 {
  return ((m + 3) / 4 * 4 * k + WINDOWS * partLength(k) + 32) * 8;
}

/**
 * y = weight · windows + bias for `images` images: weight [m, k] with element (i, p) at
 * i·weightRow + p·weightColumn, y [m, windows] per image, k taps.
 */
export function convForward(
  x: usize, xImage: usize, weight: usize, weightRow: usize, weightColumn: usize, bias: usize,
  y: usize, yImage: usize,
  images: i32, m: i32, k: i32, windows: i32,
  c: i32, depth: i32, height: i32, width: i32,
  d: i32, h: i32, w: i32, d0: i32, h0: i32, w0: i32,
  padded: usize, tapTable: usize, windowTable: usize, scratch: usize,
): void {
  memory.fill(padded, 0, <usize>c * <usize>(d * h * w) << 3);
  const tile = scratch;
  const packedA = scratch + 192;
  const rows = (m + 3) / 4 * 4;
  const packedB = packedA + (<usize>rows * <usize>k << 3);
  const length = partLength(k);
  for (let p0 = 0; p0 < k; p0 += length) {
    packRows(
      weight + <usize>p0 * weightColumn, weightRow, weightColumn, m, min(length, k - p0),
      packedA + (<usize>rows * <usize>p0 << 3),
    );
  }
  const yRow = <usize>windows << 3;
  for (let i = 0; i < images; i++) {
    padImage(x, padded, c, depth, height, width, d, h, w, d0, h0, w0);
    for (let p0 = 0; p0 < k; p0 += length) {
      const kc = min(length, k - p0);
      const taps = tapTable + (<usize>p0 << 2);
      const panelsA = packedA + (<usize>rows * <usize>p0 << 3);
      for (let j0 = 0; j0 < windows; j0 += WINDOWS) {
        const nc = min(WINDOWS, windows - j0);
        packWindows(padded, taps, windowTable + (<usize>j0 << 2), kc, nc, packedB);
        multiplyBlock(panelsA, packedB, y + (<usize>j0 << 3), yRow, m, nc, kc, p0 > 0, tile);
      }
    }
    if (bias) addToRuns(bias, y, 1, m, windows);
    x += xImage;
    y += yImage;
  }
}

/** Bytes of scratch for the gradient of the weight. */
export function convWeightScratchBytes(m: i32, k: i32, windows: i32): i32 {
  return (((min(m, ROWS) + 3) / 4 * 4 + (k + 5) / 6 * 6) * partLength(windows) + 32) * 8;
}

/** Columns t0 … t1 − 1 (taps) of dweight [m, k] = Σ over images of g [m, windows] · windowsᵀ. */
export function convWeightGradient(
  x: usize, xImage: usize, g: usize, gImage: usize, weight: usize,
  images: i32, m: i32, k: i32, t0: i32, t1: i32, windows: i32,
  c: i32, depth: i32, height: i32, width: i32,
  d: i32, h: i32, w: i32, d0: i32, h0: i32, w0: i32,
  padded: usize, tapTable: usize, windowTable: usize, scratch: usize,
): void {
  memory.fill(padded, 0, <usize>c * <usize>(d * h * w) << 3);
  const tile = scratch;
  const packedA = scratch + 192;
  const length = partLength(windows);
  const packedB = packedA + (<usize>((min(m, ROWS) + 3) / 4 * 4) * length << 3);
  const gRow = <usize>windows << 3;
  const row = <usize>k << 3;
  for (let i = 0; i < images; i++) {
    padImage(x, padded, c, depth, height, width, d, h, w, d0, h0, w0);
    for (let p0 = 0; p0 < windows; p0 += length) {
      const kc = min(length, windows - p0);
      packTaps(
        padded, tapTable + (<usize>t0 << 2), windowTable + (<usize>p0 << 2), kc, t1 - t0, packedB,
      );
      for (let i0 = 0; i0 < m; i0 += ROWS) {
        const mc = min(ROWS, m - i0);
        packRows(g + <usize>i0 * gRow + (<usize>p0 << 3), gRow, 8, mc, kc, packedA);
        multiplyBlock(
          packedA, packedB, weight + <usize>i0 * row + (<usize>t0 << 3), row, mc, t1 - t0, kc,
          i > 0 || p0 > 0, tile,
        );
      }
    }
    x += xImage;
    g += gImage;
  }
}
