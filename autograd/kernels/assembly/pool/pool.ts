// Pooling over pairs side by side, which is what most networks pool, and the way back.

/**
 * The largest of each 2 × 2 window of [planes, height, width] and its index in the plane. Of equals the
 * first counts, of NaN the last.
 */
export function maxPoolPairs(
  x: usize, y: usize, indices: usize, planes: i32, height: i32, width: i32, rows: i32, columns: i32,
): void {
  const rowBytes = <usize>width << 3;
  const below = f64x2.splat(<f64>width), beyond = f64x2.splat(<f64>(width + 1));
  for (let p = 0; p < planes; p++) {
    for (let h = 0; h < rows; h++) {
      let from = x + <usize>(2 * h) * rowBytes;
      let index = <f64>(2 * h * width);
      // Two windows at a time; the last odd one is done alone, its values twice.
      for (let c = 0; c < columns; c += 2) {
        const pair = c + 1 < columns;
        const next = from + (pair ? 16 : 0);
        let v0 = v128.load(from), v1 = v128.load(next);
        let value = v128.shuffle<f64>(v0, v1, 0, 2);
        let at = f64x2.replace_lane(f64x2.splat(index), 1, index + 2);
        const first = at;
        let other = v128.shuffle<f64>(v0, v1, 1, 3);
        let wins = v128.or(f64x2.gt(other, value), f64x2.ne(other, other));
        value = v128.bitselect(other, value, wins);
        at = f64x2.add(at, v128.and(wins, f64x2.splat(1)));
        v0 = v128.load(from + rowBytes);
        v1 = v128.load(next + rowBytes);
        other = v128.shuffle<f64>(v0, v1, 0, 2);
        wins = v128.or(f64x2.gt(other, value), f64x2.ne(other, other));
        value = v128.bitselect(other, value, wins);
        at = v128.bitselect(f64x2.add(first, below), at, wins);
        other = v128.shuffle<f64>(v0, v1, 1, 3);
        wins = v128.or(f64x2.gt(other, value), f64x2.ne(other, other));
        value = v128.bitselect(other, value, wins);
        at = v128.bitselect(f64x2.add(first, beyond), at, wins);
        if (pair) {
          v128.store(y, value);
          v128.store(indices, at);
        } else {
          store<f64>(y, f64x2.extract_lane(value, 0));
          store<f64>(indices, f64x2.extract_lane(at, 0));
        }
        from += 32;
        index += 4;
        y += 16;
        indices += 16;
      }
      if (columns & 1) {
        y -= 8;
        indices -= 8;
      }
    }
    x += <usize>height * rowBytes;
  }
}

/** out = 0, then out[plane, index] += g, for `from` values of each plane. */
export function scatterPlanes(
  g: usize, indices: usize, out: usize, planes: i32, from: i32, to: i32,
): void {
  memory.fill(out, 0, <usize>planes * <usize>to << 3);
  for (let p = 0; p < planes; p++) {
    const end = g + (<usize>from << 3);
    while (g < end) {
      const at = out + (<usize><i32>load<f64>(indices) << 3);
      store<f64>(at, load<f64>(at) + load<f64>(g));
      g += 8;
      indices += 8;
    }
    out += <usize>to << 3;
  }
}
