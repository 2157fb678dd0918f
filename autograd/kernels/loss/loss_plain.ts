/**
 * Losses element by element.
 */

/** d²/2 where |d| < delta, else delta · (|d| − delta/2). */
export function huber(d: Float64Array, out: Float64Array, delta: number): void {
  for (let i = 0; i < out.length; i++) {
    const size = Math.abs(d[i]);
    out[i] = size < delta ? 0.5 * size * size : delta * (size - 0.5 * delta);
  }
}

/** g times d, held between ±delta. */
export function huberBackward(
  g: Float64Array,
  d: Float64Array,
  out: Float64Array,
  delta: number,
): void {
  for (let i = 0; i < out.length; i++) {
    out[i] = g[i] * (d[i] > delta ? delta : d[i] < -delta ? -delta : d[i]);
  }
}

/** −(y·ln x + (1 − y)·ln(1 − x)), each logarithm at least −100. */
export function binaryCrossEntropy(x: Float64Array, y: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) {
    const log = Math.max(Math.log(x[i]), -100);
    const logRest = Math.max(Math.log1p(-x[i]), -100);
    out[i] = (y[i] - 1) * logRest - y[i] * log;
  }
}
