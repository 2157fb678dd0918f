/**
 * Arithmetic on pairs of arrays. An operand has as many elements as the output, or one.
 */

/** From one value of an operand to the next: 0 for a single one, which serves all. */
export function stepOf(x: Float64Array): number {
  return x.length === 1 ? 0 : 1;
}

/** x + y */
export function add(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = x[p] + y[q];
}

/** x − y */
export function sub(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = x[p] - y[q];
}

/** x · y */
export function mul(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = x[p] * y[q];
}

/** x / y */
export function div(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) out[i] = x[p] / y[q];
}

/** −x */
export function neg(x: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = -x[i];
}

/** x / y rounded towards 0 */
export function divTrunc(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    out[i] = Math.trunc(x[p] / y[q]);
  }
}

/** x / y rounded down, by the exact remainder: the quotient itself may already be rounded up */
export function divFloor(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    out[i] = floorQuotient(x[p], y[q]);
  }
}

function floorQuotient(x: number, y: number): number {
  if (y === 0) return x / y;
  const rest = x % y;
  let quotient = (x - rest) / y;
  if (rest !== 0 && (y < 0) !== (rest < 0)) quotient -= 1;
  if (quotient === 0) return x / y < 0 || Object.is(x / y, -0) ? -0 : 0;
  const below = Math.floor(quotient);
  return quotient - below > 0.5 ? below + 1 : below;
}

/** x^y, with 1 where x is 1 or where |x| is 1 and y infinite, as IEEE 754 wants and Math.pow does not */
export function pow(x: Float64Array, y: Float64Array, out: Float64Array): void {
  const dx = stepOf(x);
  const dy = stepOf(y);
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += dx, q += dy) {
    const base = x[p];
    const exponent = y[q];
    out[i] = base === 1 || (base === -1 && Math.abs(exponent) === Infinity)
      ? 1
      : Math.pow(base, exponent);
  }
}

/** x^exponent; the common exponents by multiplication, division and square root */
export function powNumber(x: Float64Array, out: Float64Array, exponent: number): void {
  switch (exponent) {
    case 2:
      for (let i = 0; i < out.length; i++) out[i] = x[i] * x[i];
      break;
    case 3:
      for (let i = 0; i < out.length; i++) out[i] = x[i] * x[i] * x[i];
      break;
    case 1:
      out.set(x);
      break;
    case 0.5:
      for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(x[i]);
      break;
    case -0.5:
      for (let i = 0; i < out.length; i++) out[i] = 1 / Math.sqrt(x[i]);
      break;
    case -1:
      for (let i = 0; i < out.length; i++) out[i] = 1 / x[i];
      break;
    case -2:
      for (let i = 0; i < out.length; i++) out[i] = 1 / (x[i] * x[i]);
      break;
    default:
      pow(x, Float64Array.of(exponent), out);
  }
}
