/**
 * Arithmetic on pairs of arrays. An operand has as many elements as the output, or one.
 */

/** x + y */
export function add(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = x.length === 1 ? 0 : 1;
  const dy = y.length === 1 ? 0 : 1;
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = x[p] + y[q];
}

/** x − y */
export function sub(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = x.length === 1 ? 0 : 1;
  const dy = y.length === 1 ? 0 : 1;
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = x[p] - y[q];
}

/** x · y */
export function mul(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = x.length === 1 ? 0 : 1;
  const dy = y.length === 1 ? 0 : 1;
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = x[p] * y[q];
}

/** x / y */
export function div(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = x.length === 1 ? 0 : 1;
  const dy = y.length === 1 ? 0 : 1;
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = x[p] / y[q];
}

/** −x */
export function neg(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = -x[i];
}
