/** Functions of one array, element by element. */

/** eˣ */
export function exp(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.exp(x[i]);
}
