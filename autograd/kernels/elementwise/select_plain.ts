/**
 * Comparing and choosing. An operand has as many elements as the output, or one; a mask is 0 or 1.
 *
 * Both values of a choice stand in an array that is read by the condition: one that a processor
 * cannot predict would make a branch five times as slow.
 */
import { stepOf } from "./arithmetic_plain.ts";

/** x = y */
export function eq(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    out[i] = Number(x[p] === y[q]);
  }
}

/** x ≠ y */
export function ne(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    out[i] = Number(x[p] !== y[q]);
  }
}

/** x < y */
export function lt(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    out[i] = Number(x[p] < y[q]);
  }
}

/** x ≤ y */
export function le(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    out[i] = Number(x[p] <= y[q]);
  }
}

/** The larger of x and y; NaN if either is. */
export function maximum(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  const choice = new Float64Array(2);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    choice[0] = y[q];
    choice[1] = x[p];
    out[i] = choice[Number(x[p] > y[q]) | Number(x[p] !== x[p])];
  }
}

/** The smaller of x and y; NaN if either is. */
export function minimum(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  const choice = new Float64Array(2);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    choice[0] = y[q];
    choice[1] = x[p];
    out[i] = choice[Number(x[p] < y[q]) | Number(x[p] !== x[p])];
  }
}

/** x where the mask is not 0, y elsewhere. */
export function where(
  mask: Float64Array,
  x: Float64Array,
  y: Float64Array,
  out: Float64Array,
): void {
  const dm = stepOf(mask);
  const dx = stepOf(x);
  const dy = stepOf(y);
  const choice = new Float64Array(2);
  for (let i = 0, m = 0, p = 0, q = 0; i < out.length; i++, m += dm, p += dx, q += dy) {
    choice[0] = y[q];
    choice[1] = x[p];
    out[i] = choice[Number(mask[m] !== 0)];
  }
}

/** min(max(x, low), high); NaN stays. */
export function clamp(x: Float64Array, out: Float64Array, low: number, high: number): void {
  const least = Math.min(low, high);
  const choice = Float64Array.of(least, 0, high);
  for (let i = 0; i < out.length; i++) {
    choice[1] = x[i];
    out[i] = choice[Number(!(x[i] < least)) + Number(x[i] > high)];
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
  const choice = new Float64Array(2);
  for (let i = 0; i < out.length; i++) {
    choice[1] = g[i];
    out[i] = choice[Number(x[i] >= low) & Number(x[i] <= high)];
  }
}
