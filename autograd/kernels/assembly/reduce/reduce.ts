// Sums in an order that depends on the length only. Rows are summed in runs of 512 with eight partial
// sums, and the runs by halves, so that the error grows with the logarithm of the length.

const RUN: i32 = 512;

/** The sum of n neighbours. */
export function sumOf(x: usize, n: i32): f64 {
  if (n > RUN) {
    // The left half is an integer of runs.
    const runs = (n + RUN - 1) / RUN;
    const left = (runs + 1) / 2 * RUN;
    return sumOf(x, left) + sumOf(x + (<usize>left << 3), n - left);
  }
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  const end = x + (<usize>n << 3);
  const endOfEights = x + (<usize>(n & ~7) << 3);
  while (x < endOfEights) {
    s0 = f64x2.add(s0, v128.load(x));
    s1 = f64x2.add(s1, v128.load(x, 16));
    s2 = f64x2.add(s2, v128.load(x, 32));
    s3 = f64x2.add(s3, v128.load(x, 48));
    x += 64;
  }
  s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  let sum = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  while (x < end) {
    sum += load<f64>(x);
    x += 8;
  }
  return sum;
}

/** out[r] = sum of row r of n elements. */
export function sumRows(x: usize, out: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    store<f64>(out + (<usize>r << 3), sumOf(x, n));
    x += <usize>n << 3;
  }
}

/**
 * out[j] = Σ over rows of x[row, j]. Rows are added in blocks of 64 to out, whose content before is
 * overwritten; `block` is scratch of n elements.
 */
export function sumColumns(x: usize, out: usize, rows: i32, n: i32, block: usize): void {
  const bytes = <usize>n << 3;
  memory.fill(out, 0, bytes);
  for (let r = 0; r < rows; r += 64) {
    const count = min(64, rows - r);
    const target = rows <= 64 ? out : block;
    memory.fill(target, 0, bytes);
    addRows(x, target, count, bytes);
    if (rows > 64) addRows(block, out, 1, bytes);
    x += bytes << 6;
  }
}

/** out += each of `rows` rows, four at a time. */
function addRows(x: usize, out: usize, rows: i32, bytes: usize): void {
  const pairs = bytes & ~15;
  let r = 0;
  for (; r + 4 <= rows; r += 4) {
    const x1 = x + bytes, x2 = x1 + bytes, x3 = x2 + bytes;
    for (let j: usize = 0; j < pairs; j += 16) {
      const s = f64x2.add(
        f64x2.add(v128.load(x + j), v128.load(x1 + j)),
        f64x2.add(v128.load(x2 + j), v128.load(x3 + j)),
      );
      v128.store(out + j, f64x2.add(v128.load(out + j), s));
    }
    if (pairs < bytes) {
      const s = (load<f64>(x + pairs) + load<f64>(x1 + pairs)) +
        (load<f64>(x2 + pairs) + load<f64>(x3 + pairs));
      store<f64>(out + pairs, load<f64>(out + pairs) + s);
    }
    x += bytes << 2;
  }
  for (; r < rows; r++) {
    for (let j: usize = 0; j < pairs; j += 16) {
      v128.store(out + j, f64x2.add(v128.load(out + j), v128.load(x + j)));
    }
    if (pairs < bytes) store<f64>(out + pairs, load<f64>(out + pairs) + load<f64>(x + pairs));
    x += bytes;
  }
}

/** out[c] = Σ over images and s of x[image, c, s]. */
export function sumChannels(x: usize, out: usize, images: i32, c: i32, s: i32): void {
  memory.fill(out, 0, <usize>c << 3);
  for (let i = 0; i < images; i++) {
    for (let j = 0; j < c; j++) {
      const at = out + (<usize>j << 3);
      store<f64>(at, load<f64>(at) + sumOf(x, s));
      x += <usize>s << 3;
    }
  }
}
