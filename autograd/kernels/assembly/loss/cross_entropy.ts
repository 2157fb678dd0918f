// Cross entropy of logits with class indices, over blocks of positions that stay in the caches. Where the
// classes of a position are not neighbours, a block is turned so that they are.

import { exp } from "../elementwise/exp";
import { log } from "../elementwise/log";
import { sumOf } from "../reduce/reduce";
import { largestOf, shiftRow } from "../reduce/softmax";

/** rows[r, k] = x[k, r]: `count` neighbours of c rows that are `bytes` apart. */
function turn(x: usize, rows: usize, c: i32, bytes: usize, count: i32): void {
  const rowBytes = <usize>c << 3;
  for (let k = 0; k < c; k++) {
    let to = rows + (<usize>k << 3);
    for (let at = x, end = x + (<usize>count << 3); at < end; at += 8) {
      store<f64>(to, load<f64>(at));
      to += rowBytes;
    }
    x += bytes;
  }
}

/** The transpose of `turn`. */
function turnBack(rows: usize, x: usize, c: i32, bytes: usize, count: i32): void {
  const rowBytes = <usize>c << 3;
  for (let k = 0; k < c; k++) {
    let from = rows + (<usize>k << 3);
    for (let at = x, end = x + (<usize>count << 3); at < end; at += 8) {
      store<f64>(at, load<f64>(from));
      from += rowBytes;
    }
    x += bytes;
  }
}

/** e = exp(x − the largest of its row), and the largest. A row with NaN becomes NaN as a whole. */
function expRows(x: usize, e: usize, rows: i32, c: i32, largest: usize): void {
  const bytes = <usize>c << 3;
  let to = e;
  for (let r = 0; r < rows; r++) {
    const most = largestOf(x, c);
    store<f64>(largest + (<usize>r << 3), most);
    shiftRow(x, to, c, most);
    x += bytes;
    to += bytes;
  }
  exp(e, e, rows * c);
}

/** Σ w[k]·(l − x[k]), w being 1 where `weight` is 0. */
function spread(x: usize, weight: usize, c: i32, l: f64): f64 {
  const log = f64x2.splat(l);
  let sum = f64x2.splat(0);
  let k: usize = 0;
  for (const pairs = <usize>(c & ~1) << 3; k < pairs; k += 16) {
    const d = f64x2.sub(log, v128.load(x + k));
    sum = f64x2.add(sum, weight == 0 ? d : f64x2.mul(v128.load(weight + k), d));
  }
  let result = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  if (c & 1) result += (weight == 0 ? 1 : load<f64>(weight + k)) * (l - load<f64>(x + k));
  return result;
}

/**
 * The loss of each position of [n, c, s]; `weight` may be 0. `together` positions make a block; `scratch`
 * has room for two blocks and two more numbers for each position of one.
 */
export function crossEntropyLosses(
  x: usize, target: usize, weight: usize, loss: usize, n: i32, c: i32, s: i32,
  ignoreIndex: f64, smoothing: f64, together: i32, scratch: usize,
): void {
  const rowBytes = <usize>c << 3, blockBytes = rowBytes * together;
  const e = scratch + blockBytes, largest = e + blockBytes;
  const total = largest + (<usize>together << 3);
  const alike = s == 1;
  const images = alike ? 1 : n, positions = alike ? n : s;
  for (let i = 0; i < images; i++) {
    for (let j = 0; j < positions; j += together) {
      const count = min(together, positions - j);
      let row = x + <usize>j * (alike ? rowBytes : 8);
      if (!alike) {
        turn(row, scratch, c, <usize>s << 3, count);
        row = scratch;
      }
      expRows(row, e, count, c, largest);
      for (let r = 0; r < count; r++) {
        store<f64>(total + (<usize>r << 3), sumOf(e + <usize>r * rowBytes, c));
      }
      log(total, total, count);
      for (let r: usize = 0, end = <usize>count << 3; r < end; r += 8) {
        const t = load<f64>(target);
        let value: f64 = 0;
        if (t != ignoreIndex) {
          const l = load<f64>(largest + r) + load<f64>(total + r);
          const at = <usize>t << 3;
          value = (1 - smoothing) * (weight == 0 ? 1 : load<f64>(weight + at)) *
            (l - load<f64>(row + at));
          if (smoothing > 0) value += smoothing / <f64>c * spread(row, weight, c, l);
        }
        store<f64>(loss, value);
        target += 8;
        loss += 8;
        row += rowBytes;
      }
    }
    x += <usize>s * rowBytes;
  }
}

/**
 * dx = g·scale·(Q·p − q), with `all` the sum of the weights. g has a number for each position, or one
 * (`step` 0). For the rest see above.
 */
export function crossEntropyGradient(
  x: usize, target: usize, weight: usize, g: usize, step: usize, scale: f64, dx: usize,
  n: i32, c: i32, s: i32, ignoreIndex: f64, smoothing: f64, all: f64, together: i32, scratch: usize,
): void {
  const rowBytes = <usize>c << 3, pairs = rowBytes & ~15;
  const largest = scratch + rowBytes * together;
  const share = smoothing / <f64>c;
  const shares = f64x2.splat(share);
  const alike = s == 1;
  const images = alike ? 1 : n, positions = alike ? n : s;
  for (let i = 0; i < images; i++) {
    for (let j = 0; j < positions; j += together) {
      const count = min(together, positions - j);
      const from = <usize>j * (alike ? rowBytes : 8);
      let row = alike ? dx + from : scratch;
      if (!alike) turn(x + from, scratch, c, <usize>s << 3, count);
      expRows(alike ? x + from : scratch, row, count, c, largest);
      for (let r = 0; r < count; r++) {
        const t = load<f64>(target);
        if (t == ignoreIndex) memory.fill(row, 0, rowBytes);
        else {
          // Checked in the forward; what was written into it since must not lead behind the row.
          const at = <usize>min(<u32>t, <u32>c - 1) << 3;
          const own = (1 - smoothing) * (weight == 0 ? 1 : load<f64>(weight + at));
          const by = load<f64>(g) * scale;
          const p = (own + share * all) / sumOf(row, c);
          const bys = f64x2.splat(by), ps = f64x2.splat(p);
          for (let k: usize = 0; k < pairs; k += 16) {
            const q = weight == 0 ? shares : f64x2.mul(shares, v128.load(weight + k));
            const d = f64x2.sub(f64x2.mul(ps, v128.load(row + k)), q);
            v128.store(row + k, f64x2.mul(bys, d));
          }
          if (pairs < rowBytes) {
            const q = weight == 0 ? share : share * load<f64>(weight + pairs);
            store<f64>(row + pairs, by * (p * load<f64>(row + pairs) - q));
          }
          store<f64>(row + at, load<f64>(row + at) - by * own);
        }
        target += 8;
        g += step;
        row += rowBytes;
      }
      if (!alike) turnBack(scratch, dx + from, c, <usize>s << 3, count);
    }
    x += <usize>s * rowBytes;
    dx += <usize>s * rowBytes;
  }
}
