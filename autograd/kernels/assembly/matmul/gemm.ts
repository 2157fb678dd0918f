// C (+)= op(A)·op(B), row-major float64, after Goto & van de Geijn, "Anatomy of High-Performance
// Matrix Multiplication" (2008): blocks of A and B are copied into panels that the inner tile reads
// from one end to the other.
//
// Panel of A: 4 rows side by side, [k][4]. Panel of B: 6 columns side by side, [k][6]. Rows or columns
// past the edge are zero, so that the tile never asks; what it computes for them is thrown away.

import { fma, swap } from "../fma";

/** Length of a panel at most: one of A (12 KiB) and one of B (18 KiB) fit in the first-level cache. */
const KC: i32 = 384;

/** A right factor of at most so many elements (32 KiB) stays in the first-level cache as it is. */
const IN_PLACE: i32 = 4096;

/** Length of the panels that k is cut into: all of about one length, divisible by 4 if there are several. */
export function panelLength(k: i32): i32 {
  const count = (k + KC - 1) / KC;
  return count > 1 ? ((k + count - 1) / count + 3) & ~3 : k;
}

/** Rows of A packed at a time: 192 KiB, for the second-level cache. Divisible by 4. */
const MC: i32 = 96;
/** Columns of B packed at a time. Divisible by 6. */
const NC: i32 = 1536;

/** Bytes of scratch that `gemm` needs: both packed blocks and one tile. */
export function gemmScratchBytes(m: i32, n: i32, k: i32): i32 {
  const kc = panelLength(k);
  const rows = (min(m, MC) + 3) / 4 * 4;
  const columns = (min(n, NC) + 5) / 6 * 6;
  return (rows * kc + columns * kc + 24) * 8 + 128;
}

/** Element (i, p) of op(A) is at a + i·rowStride + p·columnStride, in bytes; likewise for B. */
export function gemm(
  a: usize, aRow: usize, aColumn: usize,
  b: usize, bRow: usize, bColumn: usize,
  c: usize, cRow: usize,
  m: i32, n: i32, k: i32,
  accumulate: bool,
  scratch: usize,
): void {
  const length = panelLength(k);
  // A small B with whole rows is read where it is; past its last column stands what nobody looks at.
  const inPlace = bColumn == 8 && n * k <= IN_PLACE;
  const tile = scratch;
  const packedA = scratch + 24 * 8;
  const packedB = packedA + ((<usize>((min(m, MC) + 3) / 4 * 4) * length) << 3) + 64;
  for (let j0 = 0; j0 < n; j0 += NC) {
    const nc = min(NC, n - j0);
    for (let p0 = 0; p0 < k; p0 += length) {
      const kc = min(length, k - p0);
      const from = b + <usize>p0 * bRow + <usize>j0 * bColumn;
      if (!inPlace) packColumns(from, bRow, bColumn, kc, nc, packedB);
      const add = accumulate || p0 > 0;
      for (let i0 = 0; i0 < m; i0 += MC) {
        const mc = min(MC, m - i0);
        packRows(a + <usize>i0 * aRow + <usize>p0 * aColumn, aRow, aColumn, mc, kc, packedA);
        const out = c + <usize>i0 * cRow + (<usize>j0 << 3);
        if (inPlace) multiplyPanels(packedA, from, bRow, 48, out, cRow, mc, nc, kc, add, tile);
        else multiplyBlock(packedA, packedB, out, cRow, mc, nc, kc, add, tile);
      }
    }
  }
}

/** C (+)= A·B of packed blocks. */
export function multiplyBlock(
  packedA: usize, packedB: usize, c: usize, cRow: usize,
  mc: i32, nc: i32, kc: i32, add: bool, tile: usize,
): void {
  multiplyPanels(packedA, packedB, 48, (<usize>kc) * 48, c, cRow, mc, nc, kc, add, tile);
}

/** The same with rows of B `bRow` apart, and panels of six columns `bPanel`. */
function multiplyPanels(
  packedA: usize, b: usize, bRow: usize, bPanel: usize, c: usize, cRow: usize,
  mc: i32, nc: i32, kc: i32, add: bool, tile: usize,
): void {
  const panelA = (<usize>kc) << 5;
  for (let j = 0; j < nc; j += 6) {
    let pa = packedA;
    let out = c + (<usize>j << 3);
    const whole = j + 6 <= nc;
    for (let i = 0; i < mc; i += 4) {
      if (whole && i + 4 <= mc) {
        multiplyTile(pa, b, bRow, kc, out, cRow, add);
      } else {
        multiplyTile(pa, b, bRow, kc, tile, 48, false);
        copyTile(tile, out, cRow, min(4, mc - i), min(6, nc - j), add);
      }
      pa += panelA;
      out += cRow << 2;
    }
    b += bPanel;
  }
}

function copyTile(tile: usize, out: usize, cRow: usize, rows: i32, columns: i32, add: bool): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = out + (<usize>j << 3);
      const value = load<f64>(tile + (<usize>j << 3));
      store<f64>(at, add ? load<f64>(at) + value : value);
    }
    tile += 48;
    out += cRow;
  }
}

// One step of k: for each pair of columns [b0 b1], multiply by rows [a0 a1] and [a2 a3], swap the
// pair, multiply again. Diagonal products gather in d…, crosswise ones in x…; they are sorted at
// the end. Twelve accumulators and three temporaries are all the registers there are.
function multiplyTile(a: usize, b: usize, bRow: usize, kc: i32, c: usize, cRow: usize, add: bool): void {
  let d00 = f64x2.splat(0), x00 = d00, d20 = d00, x20 = d00;
  let d02 = d00, x02 = d00, d22 = d00, x22 = d00;
  let d04 = d00, x04 = d00, d24 = d00, x24 = d00;
  const end = a + ((<usize>kc) << 5);
  const endOfFours = a + ((<usize>(kc & ~3)) << 5);
  while (a < endOfFours) {
    // unroll(4) $
    {
      const a0 = v128.load(a, 32 * $);
      const a2 = v128.load(a, 32 * $ + 16);
      let t = v128.load(b);
      d00 = fma(a0, t, d00);
      d20 = fma(a2, t, d20);
      t = swap(t);
      x00 = fma(a0, t, x00);
      x20 = fma(a2, t, x20);
      t = v128.load(b, 16);
      d02 = fma(a0, t, d02);
      d22 = fma(a2, t, d22);
      t = swap(t);
      x02 = fma(a0, t, x02);
      x22 = fma(a2, t, x22);
      t = v128.load(b, 32);
      d04 = fma(a0, t, d04);
      d24 = fma(a2, t, d24);
      t = swap(t);
      x04 = fma(a0, t, x04);
      x24 = fma(a2, t, x24);
      b += bRow;
    }
    // end
    a += 128;
  }
  while (a < end) {
    const a0 = v128.load(a);
    const a2 = v128.load(a, 16);
    let t = v128.load(b);
    d00 = fma(a0, t, d00);
    d20 = fma(a2, t, d20);
    t = swap(t);
    x00 = fma(a0, t, x00);
    x20 = fma(a2, t, x20);
    t = v128.load(b, 16);
    d02 = fma(a0, t, d02);
    d22 = fma(a2, t, d22);
    t = swap(t);
    x02 = fma(a0, t, x02);
    x22 = fma(a2, t, x22);
    t = v128.load(b, 32);
    d04 = fma(a0, t, d04);
    d24 = fma(a2, t, d24);
    t = swap(t);
    x04 = fma(a0, t, x04);
    x24 = fma(a2, t, x24);
    a += 32;
    b += bRow;
  }
  storeRows(c, cRow, d00, x00, add);
  storeRows(c + 16, cRow, d02, x02, add);
  storeRows(c + 32, cRow, d04, x04, add);
  c += cRow << 1;
  storeRows(c, cRow, d20, x20, add);
  storeRows(c + 16, cRow, d22, x22, add);
  storeRows(c + 32, cRow, d24, x24, add);
}

/** d = [c00 c11], x = [c01 c10]: writes the rows [c00 c01] and [c10 c11]. */
// @ts-ignore: decorator
@inline
function storeRows(c: usize, cRow: usize, d: v128, x: v128, add: bool): void {
  let upper = v128.shuffle<f64>(d, x, 0, 2);
  let lower = v128.shuffle<f64>(x, d, 1, 3);
  if (add) {
    upper = f64x2.add(v128.load(c), upper);
    lower = f64x2.add(v128.load(c + cRow), lower);
  }
  v128.store(c, upper);
  v128.store(c + cRow, lower);
}

/** Packs mc × kc of A into panels [k][4]. */
export function packRows(a: usize, aRow: usize, aColumn: usize, mc: i32, kc: i32, out: usize): void {
  let i = 0;
  for (; i + 4 <= mc; i += 4) {
    const base = a + <usize>i * aRow;
    if (aRow == 8) {
      let from = base;
      for (let p = 0; p < kc; p++) {
        v128.store(out, v128.load(from));
        v128.store(out, v128.load(from, 16), 16);
        from += aColumn;
        out += 32;
      }
      continue;
    }
    let r0 = base, r1 = r0 + aRow, r2 = r1 + aRow, r3 = r2 + aRow;
    let p = 0;
    if (aColumn == 8) {
      for (; p + 2 <= kc; p += 2) {
        const v0 = v128.load(r0), v1 = v128.load(r1), v2 = v128.load(r2), v3 = v128.load(r3);
        v128.store(out, v128.shuffle<f64>(v0, v1, 0, 2));
        v128.store(out, v128.shuffle<f64>(v2, v3, 0, 2), 16);
        v128.store(out, v128.shuffle<f64>(v0, v1, 1, 3), 32);
        v128.store(out, v128.shuffle<f64>(v2, v3, 1, 3), 48);
        r0 += 16; r1 += 16; r2 += 16; r3 += 16;
        out += 64;
      }
    }
    for (; p < kc; p++) {
      store<f64>(out, load<f64>(r0));
      store<f64>(out, load<f64>(r1), 8);
      store<f64>(out, load<f64>(r2), 16);
      store<f64>(out, load<f64>(r3), 24);
      r0 += aColumn; r1 += aColumn; r2 += aColumn; r3 += aColumn;
      out += 32;
    }
  }
  if (i < mc) packEdge(a + <usize>i * aRow, aColumn, aRow, kc, mc - i, 4, out);
}

/** Packs kc × nc of B into panels [k][6]. */
function packColumns(b: usize, bRow: usize, bColumn: usize, kc: i32, nc: i32, out: usize): void {
  let j = 0;
  for (; j + 6 <= nc; j += 6) {
    const base = b + <usize>j * bColumn;
    if (bColumn == 8) {
      let from = base;
      for (let p = 0; p < kc; p++) {
        v128.store(out, v128.load(from));
        v128.store(out, v128.load(from, 16), 16);
        v128.store(out, v128.load(from, 32), 32);
        from += bRow;
        out += 48;
      }
      continue;
    }
    let c0 = base, c1 = c0 + bColumn, c2 = c1 + bColumn;
    let c3 = c2 + bColumn, c4 = c3 + bColumn, c5 = c4 + bColumn;
    let p = 0;
    if (bRow == 8) {
      for (; p + 2 <= kc; p += 2) {
        let v0 = v128.load(c0), v1 = v128.load(c1);
        v128.store(out, v128.shuffle<f64>(v0, v1, 0, 2));
        v128.store(out, v128.shuffle<f64>(v0, v1, 1, 3), 48);
        v0 = v128.load(c2); v1 = v128.load(c3);
        v128.store(out, v128.shuffle<f64>(v0, v1, 0, 2), 16);
        v128.store(out, v128.shuffle<f64>(v0, v1, 1, 3), 64);
        v0 = v128.load(c4); v1 = v128.load(c5);
        v128.store(out, v128.shuffle<f64>(v0, v1, 0, 2), 32);
        v128.store(out, v128.shuffle<f64>(v0, v1, 1, 3), 80);
        c0 += 16; c1 += 16; c2 += 16; c3 += 16; c4 += 16; c5 += 16;
        out += 96;
      }
    }
    for (; p < kc; p++) {
      store<f64>(out, load<f64>(c0));
      store<f64>(out, load<f64>(c1), 8);
      store<f64>(out, load<f64>(c2), 16);
      store<f64>(out, load<f64>(c3), 24);
      store<f64>(out, load<f64>(c4), 32);
      store<f64>(out, load<f64>(c5), 40);
      c0 += bRow; c1 += bRow; c2 += bRow; c3 += bRow; c4 += bRow; c5 += bRow;
      out += 48;
    }
  }
  if (j < nc) packEdge(b + <usize>j * bColumn, bRow, bColumn, kc, nc - j, 6, out);
}

/** The last, narrower panel: `width` of `full` lanes are there, the others are zero. */
function packEdge(
  from: usize, step: usize, lane: usize, kc: i32, width: i32, full: i32, out: usize,
): void {
  for (let p = 0; p < kc; p++) {
    let at = from;
    for (let l = 0; l < full; l++) {
      store<f64>(out, l < width ? load<f64>(at) : 0);
      if (l < width) at += lane;
      out += 8;
    }
    from += step;
  }
}

/** One product per batch entry; the batch strides are in bytes (0 repeats an operand). */
export function gemmBatched(
  a: usize, aRow: usize, aColumn: usize, aBatch: usize,
  b: usize, bRow: usize, bColumn: usize, bBatch: usize,
  c: usize, cRow: usize, cBatch: usize,
  m: i32, n: i32, k: i32, batch: i32,
  accumulate: bool,
  scratch: usize,
): void {
  for (let s = 0; s < batch; s++) {
    gemm(a, aRow, aColumn, b, bRow, bColumn, c, cRow, m, n, k, accumulate, scratch);
    a += aBatch;
    b += bBatch;
    c += cBatch;
  }
}

// For threads: all of B is packed first, by panels; then rows of C are computed from it. The order in
// which an element is summed is that of gemm.

/** Packs columns j0 … j1 − 1 of B [k, n]; j0 is divisible by 6, and so is j1 unless it is n. */
export function gemmPack(
  b: usize, bRow: usize, bColumn: usize, k: i32, n: i32, j0: i32, j1: i32, packed: usize,
): void {
  const columns = <usize>((n + 5) / 6 * 6);
  const length = panelLength(k);
  for (let p0 = 0; p0 < k; p0 += length) {
    const kc = min(length, k - p0);
    packColumns(
      b + <usize>p0 * bRow + <usize>j0 * bColumn, bRow, bColumn, kc, j1 - j0,
      packed + ((<usize>p0 * columns + <usize>j0 * <usize>kc) << 3),
    );
  }
}

/** Columns j0 … j1 − 1 of C for m ≤ 96 rows of A; `scratch` holds them packed, and a tile. */
export function gemmRows(
  a: usize, aRow: usize, aColumn: usize, packed: usize, c: usize, cRow: usize,
  m: i32, n: i32, k: i32, j0: i32, j1: i32, scratch: usize,
): void {
  const columns = <usize>((n + 5) / 6 * 6);
  const packedA = scratch + 192;
  const length = panelLength(k);
  for (let p0 = 0; p0 < k; p0 += length) {
    const kc = min(length, k - p0);
    packRows(a + <usize>p0 * aColumn, aRow, aColumn, m, kc, packedA);
    multiplyBlock(
      packedA, packed + ((<usize>p0 * columns + <usize>j0 * <usize>kc) << 3),
      c + (<usize>j0 << 3), cRow, m, j1 - j0, kc, p0 > 0, scratch,
    );
  }
}
