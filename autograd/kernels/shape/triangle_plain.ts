/** Triangles of matrices. */

/**
 * Row-major matrices with zeros on one side of the k-th diagonal: beyond it, or before it where
 * `upper` is kept.
 */
export function triangle(
  x: Float64Array,
  out: Float64Array,
  rows: number,
  columns: number,
  k: number,
  upper: boolean,
): void {
  out.fill(0);
  for (let start = 0; start < x.length; start += columns) {
    const row = (start / columns) % rows;
    const edge = Math.min(Math.max(row + k + (upper ? 0 : 1), 0), columns);
    const from = upper ? edge : 0;
    const to = upper ? columns : edge;
    for (let j = from; j < to; j++) out[start + j] = x[start + j];
  }
}
