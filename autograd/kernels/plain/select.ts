/**
 * Comparing and choosing. An operand has as many elements as the output, or one; a mask is 0 or 1.
 */

/** x = y */
export function eq(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = x.length === 1 ? 0 : 1;
  const dy = y.length === 1 ? 0 : 1;
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    out[i] = x[p] === y[q] ? 1 : 0;
  }
}

/** x ≠ y */
export function ne(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = x.length === 1 ? 0 : 1;
  const dy = y.length === 1 ? 0 : 1;
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    out[i] = x[p] !== y[q] ? 1 : 0;
  }
}

/** x < y */
export function lt(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = x.length === 1 ? 0 : 1;
  const dy = y.length === 1 ? 0 : 1;
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    out[i] = x[p] < y[q] ? 1 : 0;
  }
}

/** x ≤ y */
export function le(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = x.length === 1 ? 0 : 1;
  const dy = y.length === 1 ? 0 : 1;
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    out[i] = x[p] <= y[q] ? 1 : 0;
  }
}

/** The larger of x and y; NaN if either is. */
export function maximum(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = x.length === 1 ? 0 : 1;
  const dy = y.length === 1 ? 0 : 1;
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    out[i] = Math.max(x[p], y[q]);
  }
}

/** The smaller of x and y; NaN if either is. */
export function minimum(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = x.length === 1 ? 0 : 1;
  const dy = y.length === 1 ? 0 : 1;
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    out[i] = Math.min(x[p], y[q]);
  }
}

/** x where the mask is not 0, y elsewhere. */
export function where(
  mask: Float64Array,
  x: Float64Array,
  y: Float64Array,
  out: Float64Array,
): void {
  const dm = mask.length === 1 ? 0 : 1;
  const dx = x.length === 1 ? 0 : 1;
  const dy = y.length === 1 ? 0 : 1;
  for (let i = 0, m = 0, p = 0, q = 0; i < out.length; i++, m += dm, p += dx, q += dy) {
    out[i] = mask[m] !== 0 ? x[p] : y[q];
  }
}

/** min(max(x, low), high); NaN stays. */
export function clamp(x: Float64Array, out: Float64Array, low: number, high: number): void {
  for (let i = 0; i < out.length; i++) {
    const raised = x[i] < low ? low : x[i];
    out[i] = raised > high ? high : raised;
  }
}

/** g where low ≤ x ≤ high, else 0. */
export function clampBackward(
  g: Float64Array,
  x: Float64Array,
  out: Float64Array,
  low: number,
  high: number,
): void {
  for (let i = 0; i < out.length; i++) out[i] = x[i] >= low && x[i] <= high ? g[i] : 0;
}
