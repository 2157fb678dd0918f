/**
 * Reductions of rows: `out[r]` comes from `x[r·n … r·n + n − 1]`.
 */
import { sumRange } from "../shape/strided_plain.ts";

/**
 * Σ(x − mean)² / divisor, in two passes. The mean is corrected by the mean of the deviations from it,
 * so that a large offset costs no digits.
 */
export function variance(x: Float64Array, out: Float64Array, n: number, divisor: number): void {
  for (let r = 0; r < out.length; r++) {
    const from = r * n;
    const to = from + n;
    const mean = sumRange(x, from, to) / n;
    let drift = 0;
    for (let i = from; i < to; i++) drift += x[i] - mean;
    drift /= n;
    let squares = 0;
    for (let i = from; i < to; i++) {
      const deviation = x[i] - mean - drift;
      squares += deviation * deviation;
    }
    out[r] = squares / divisor;
  }
}

/** ln Σ eˣ, shifted by the largest element; −∞ for an empty row */
export function logsumexp(x: Float64Array, out: Float64Array, n: number): void {
  for (let r = 0; r < out.length; r++) {
    const from = r * n;
    const to = from + n;
    let largest = -Infinity;
    for (let i = from; i < to; i++) largest = Math.max(largest, x[i]);
    const shift = Math.abs(largest) === Infinity ? 0 : largest;
    let total = 0;
    for (let i = from; i < to; i++) total += Math.exp(x[i] - shift);
    out[r] = Math.log(total) + shift;
  }
}

/** (Σ|x|ᵖ)^(1/p); the number of nonzeros for p = 0, the extreme |x| for p = ±∞ */
export function norm(x: Float64Array, out: Float64Array, n: number, p: number): void {
  for (let r = 0; r < out.length; r++) {
    const from = r * n;
    const to = from + n;
    let total = p === -Infinity ? Infinity : 0;
    if (p === 2) {
      for (let i = from; i < to; i++) total += x[i] * x[i];
      total = Math.sqrt(total);
    } else if (p === 1) {
      for (let i = from; i < to; i++) total += Math.abs(x[i]);
    } else if (p === 0) {
      for (let i = from; i < to; i++) total += x[i] === 0 ? 0 : 1;
    } else if (p === Infinity) {
      for (let i = from; i < to; i++) total = Math.max(total, Math.abs(x[i]));
    } else if (p === -Infinity) {
      for (let i = from; i < to; i++) total = Math.min(total, Math.abs(x[i]));
    } else {
      for (let i = from; i < to; i++) total += Math.pow(Math.abs(x[i]), p);
      total = Math.pow(total, 1 / p);
    }
    out[r] = total;
  }
}

/** The largest of sign·x in each row, or where it stands first; NaN counts as larger than any. */
function extremes(
  x: Float64Array,
  out: Float64Array,
  n: number,
  sign: number,
  place: boolean,
): void {
  for (let r = 0; r < out.length; r++) {
    const from = r * n;
    let largest = -Infinity;
    let best = from;
    for (let i = from; i < from + n; i++) {
      const value = sign * x[i];
      if (value <= largest) continue;
      largest = value;
      best = i;
      if (value !== value) break;
    }
    out[r] = place ? best - from : sign * largest;
  }
}

/** The largest element; NaN if there is one. */
export function amax(x: Float64Array, out: Float64Array, n: number): void {
  extremes(x, out, n, 1, false);
}

/** The smallest element; NaN if there is one. */
export function amin(x: Float64Array, out: Float64Array, n: number): void {
  extremes(x, out, n, -1, false);
}

/** Where the largest element stands first; NaN counts as larger than any. */
export function argmax(x: Float64Array, out: Float64Array, n: number): void {
  extremes(x, out, n, 1, true);
}

/** Where the smallest element stands first; NaN counts as smaller than any. */
export function argmin(x: Float64Array, out: Float64Array, n: number): void {
  extremes(x, out, n, -1, true);
}
