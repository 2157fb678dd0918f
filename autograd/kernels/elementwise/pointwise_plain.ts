/** Functions of one array, element by element. */

/** eˣ */
export function exp(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.exp(x[i]);
}

/** eˣ − 1, exact to the last digits near 0 */
export function expm1(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.expm1(x[i]);
}

/** ln x */
export function log(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.log(x[i]);
}

/** ln(1 + x), exact to the last digits near 0 */
export function log1p(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.log1p(x[i]);
}

/** √x */
export function sqrt(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(x[i]);
}

/** 1 / √x */
export function rsqrt(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = 1 / Math.sqrt(x[i]);
}

/** sin x */
export function sin(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.sin(x[i]);
}

/** cos x */
export function cos(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.cos(x[i]);
}

/** |x| */
export function abs(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.abs(x[i]);
}

/** −1, 0 or 1; 0 for NaN */
export function sign(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = x[i] > 0 ? 1 : x[i] < 0 ? -1 : 0;
}
