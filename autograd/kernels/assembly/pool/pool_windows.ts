// Pooling over any windows, two of a row at a time. A band is three arrays of 32-bit numbers, one
// behind the other: the first input of each window, one past the last, and how many an average counts.

/** The i-th start of a band. */
// @ts-ignore: decorator
@inline
function startOf(band: usize, i: i32): i32 {
  return load<i32>(band + (<usize>i << 2));
}

/** Neighbours in the next lanes: the numbers at p and `gap` bytes behind. */
// @ts-ignore: decorator
@inline
function loadPair(p: usize, gap: usize): v128 {
  return gap == 8 ? v128.load(p) : v128.load64_lane(p + gap, v128.load64_zero(p), 1);
}

/** The window behind window w if it is as long, else w itself: it is done twice, then. */
// @ts-ignore: decorator
@inline
function partner(w: i32, start: usize, end: usize, windows: i32): i32 {
  const next = w + 1;
  if (next == windows) return w;
  return startOf(end, next) - startOf(start, next) == startOf(end, w) - startOf(start, w) ? next : w;
}

/** Writes the lanes for windows that start `gap` bytes apart: the first only if they are the same. */
// @ts-ignore: decorator
@inline
function storePair(p: usize, pair: v128, single: bool): void {
  if (single) v128.store64_lane(p, pair, 0);
  else v128.store(p, pair);
}

/**
 * The largest of each window and its index in the plane. Of equals the first counts, of NaN the last.
 */
export function maxPoolWindows(
  x: usize, y: usize, indices: usize, planes: i32, depth: i32, height: i32, width: i32,
  deep: usize, slabs: i32, deepStep: i32, high: usize, rows: i32, highStep: i32,
  wide: usize, columns: i32, step: i32,
): void {
  const end = wide + (<usize>columns << 2);
  const planeBytes = <usize>(depth * height * width) << 3;
  const stepBytes = <usize>step << 3;
  const steps = f64x2.splat(<f64>step);
  for (let p = 0; p < planes; p++) {
    for (let d = 0; d < slabs; d++) {
      const z0 = startOf(deep, d), z1 = startOf(deep, slabs + d);
      for (let h = 0; h < rows; h++) {
        const h0 = startOf(high, h), h1 = startOf(high, rows + h);
        for (let w = 0; w < columns; w++) {
          const w0 = startOf(wide, w), w1 = startOf(end, w);
          const other = partner(w, wide, end, columns);
          const apart = startOf(wide, other) - w0;
          const gap = <usize>apart << 3;
          const offsets = f64x2.replace_lane(f64x2.splat(0), 1, <f64>apart);
          let best = f64x2.splat(-Infinity);
          let at = f64x2.add(f64x2.splat(<f64>((z0 * height + h0) * width + w0)), offsets);
          for (let z = z0; z < z1; z += deepStep) {
            for (let r = h0; r < h1; r += highStep) {
              const first = (z * height + r) * width;
              let index = f64x2.add(f64x2.splat(<f64>(first + w0)), offsets);
              let from = x + (<usize>(first + w0) << 3);
              const stop = x + (<usize>(first + w1) << 3);
              while (from < stop) {
                const v = loadPair(from, gap);
                const wins = v128.or(f64x2.gt(v, best), f64x2.ne(v, v));
                best = v128.bitselect(v, best, wins);
                at = v128.bitselect(index, at, wins);
                index = f64x2.add(index, steps);
                from += stepBytes;
              }
            }
          }
          storePair(y, best, w == other);
          storePair(indices, at, w == other);
          y += 8;
          indices += 8;
          if (w != other) {
            y += 8;
            indices += 8;
            w++;
          }
        }
      }
    }
    x += planeBytes;
  }
}

/** The average of each window; `line` is scratch of a row. */
export function avgPoolWindows(
  x: usize, y: usize, planes: i32, depth: i32, height: i32, width: i32,
  deep: usize, slabs: i32, high: usize, rows: i32, wide: usize, columns: i32,
  divisor: f64, line: usize,
): void {
  const end = wide + (<usize>columns << 2), count = end + (<usize>columns << 2);
  const bytes = <usize>width << 3, pairs = bytes & ~15;
  const slabBytes = <usize>height * bytes;
  for (let p = 0; p < planes; p++) {
    for (let d = 0; d < slabs; d++) {
      const z0 = startOf(deep, d), z1 = startOf(deep, slabs + d);
      for (let h = 0; h < rows; h++) {
        const h0 = startOf(high, h), h1 = startOf(high, rows + h);
        const corner = x + <usize>z0 * slabBytes + <usize>h0 * bytes;
        for (let j: usize = 0; j < pairs; j += 16) {
          let sum = f64x2.splat(0);
          for (let z = z0, slab = corner + j; z < z1; z++, slab += slabBytes) {
            for (let r = h0, at = slab; r < h1; r++, at += bytes) {
              sum = f64x2.add(sum, v128.load(at));
            }
          }
          v128.store(line + j, sum);
        }
        if (pairs < bytes) {
          let sum: f64 = 0;
          for (let z = z0, slab = corner + pairs; z < z1; z++, slab += slabBytes) {
            for (let r = h0, at = slab; r < h1; r++, at += bytes) sum += load<f64>(at);
          }
          store<f64>(line + pairs, sum);
        }
        const counted = startOf(deep, 2 * slabs + d) * startOf(high, 2 * rows + h);
        for (let w = 0; w < columns; w++) {
          const w0 = startOf(wide, w);
          const other = partner(w, wide, end, columns);
          const gap = <usize>(startOf(wide, other) - w0) << 3;
          let sum = f64x2.splat(0);
          const stop = line + (<usize>startOf(end, w) << 3);
          for (let at = line + (<usize>w0 << 3); at < stop; at += 8) {
            sum = f64x2.add(sum, loadPair(at, gap));
          }
          let by = f64x2.splat(divisor);
          if (divisor == 0) {
            by = f64x2.splat(<f64>(counted * startOf(count, w)));
            by = f64x2.replace_lane(by, 1, <f64>(counted * startOf(count, other)));
          }
          storePair(y, f64x2.div(sum, by), w == other);
          y += 8;
          if (w != other) {
            y += 8;
            w++;
          }
        }
      }
    }
    x += <usize>depth * slabBytes;
  }
}

/** The transpose of `avgPoolWindows`: shares each number out over its window. */
export function avgPoolWindowsBack(
  g: usize, out: usize, planes: i32, depth: i32, height: i32, width: i32,
  deep: usize, slabs: i32, high: usize, rows: i32, wide: usize, columns: i32,
  divisor: f64, line: usize,
): void {
  const end = wide + (<usize>columns << 2), count = end + (<usize>columns << 2);
  const bytes = <usize>width << 3, pairs = bytes & ~15;
  const slabBytes = <usize>height * bytes, planeBytes = <usize>depth * slabBytes;
  memory.fill(out, 0, <usize>planes * planeBytes);
  for (let p = 0; p < planes; p++) {
    for (let d = 0; d < slabs; d++) {
      const z0 = startOf(deep, d), z1 = startOf(deep, slabs + d);
      for (let h = 0; h < rows; h++) {
        const h0 = startOf(high, h), h1 = startOf(high, rows + h);
        const counted = startOf(deep, 2 * slabs + d) * startOf(high, 2 * rows + h);
        memory.fill(line, 0, bytes);
        for (let w = 0; w < columns; w++) {
          const by = divisor == 0 ? <f64>(counted * startOf(count, w)) : divisor;
          const share = load<f64>(g) / by;
          const stop = line + (<usize>startOf(end, w) << 3);
          for (let at = line + (<usize>startOf(wide, w) << 3); at < stop; at += 8) {
            store<f64>(at, load<f64>(at) + share);
          }
          g += 8;
        }
        for (let z = z0; z < z1; z++) {
          for (let r = h0; r < h1; r++) {
            const row = out + <usize>z * slabBytes + <usize>r * bytes;
            for (let j: usize = 0; j < pairs; j += 16) {
              v128.store(row + j, f64x2.add(v128.load(row + j), v128.load(line + j)));
            }
            if (pairs < bytes) store<f64>(row + pairs, load<f64>(row + pairs) + load<f64>(line + pairs));
          }
        }
      }
    }
    out += planeBytes;
  }
}
