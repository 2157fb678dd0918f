// Pooling over pairs side by side, which is what most networks pool, and the way back.

/**
 * The largest of each 2 × 2 window of [planes, height, width] and its index in the plane. Of equals the
 * first counts, of NaN the last.
 */
export function maxPoolPairs(
  x: usize, y: usize, indices: usize, planes: i32, height: i32, width: i32, rows: i32, columns: i32,
): void {
  const rowBytes = <usize>width << 3;
  for (let p = 0; p < planes; p++) {
    for (let h = 0; h < rows; h++) {
      let from = x + <usize>(2 * h) * rowBytes;
      let index = <f64>(2 * h * width);
      for (let c = 0; c < columns; c++) {
        let value = load<f64>(from), at = index;
        let next = load<f64>(from, 8);
        let wins = next > value || next != next;
        value = select(next, value, wins);
        at = select(index + 1, at, wins);
        next = load<f64>(from + rowBytes);
        wins = next > value || next != next;
        value = select(next, value, wins);
        at = select(index + <f64>width, at, wins);
        next = load<f64>(from + rowBytes, 8);
        wins = next > value || next != next;
        value = select(next, value, wins);
        at = select(index + <f64>width + 1, at, wins);
        store<f64>(y, value);
        store<f64>(indices, at);
        from += 16;
        index += 2;
        y += 8;
        indices += 8;
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
