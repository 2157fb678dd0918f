/**
 * The fused multiply-add: a·b + c with one rounding.
 *
 * PyTorch's CPU kernels compute `u · (high − low) + low` and `z · std + mean` so, on every machine
 * that has the instruction. JavaScript has no such operation; two roundings would miss PyTorch's
 * last bit in half of the draws.
 */

const bits = new DataView(new ArrayBuffer(8));

/** 2²⁷ + 1 splits a double into halves of 26 bits. */
const SPLITTER = 134217729;
/** Beyond it the split overflows. */
const LARGE = 2 ** 995;

/**
 * a·b + c, rounded once. Exact for everything but products that underflow; beyond 2⁹⁹⁵ it falls back
 * to two roundings.
 *
 * @see S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms
 * using rounding to odd", IEEE Transactions on Computers 57 (2008), section 4.
 */
export function fma(a: number, b: number, c: number): number {
  const product = a * b;
  if (c === 0 || product === 0) return product + c;
  if (!(Math.abs(a) < LARGE && Math.abs(b) < LARGE && Math.abs(product) < LARGE)) {
    return product + c;
  }
  // product + low = a·b exactly (Dekker, Veltkamp).
  const aHigh = SPLITTER * a - (SPLITTER * a - a);
  const aLow = a - aHigh;
  const bHigh = SPLITTER * b - (SPLITTER * b - b);
  const bLow = b - bHigh;
  const low = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
  // sum + sumLow = c + low, then total + totalLow = product + sum, both exactly.
  const sum = c + low;
  const sumLow = rest(c, low, sum);
  const total = product + sum;
  const totalLow = rest(product, sum, total);
  return total + addRoundedToOdd(totalLow, sumLow);
}

/** What the rounding of `sum` = a + b lost (Knuth's two-sum). */
function rest(a: number, b: number, sum: number): number {
  const bVirtual = sum - a;
  return (a - (sum - bVirtual)) + (b - bVirtual);
}

/** a + b; if it is not exact, the neighbour whose last bit is 1, so that a later rounding is right. */
function addRoundedToOdd(a: number, b: number): number {
  const sum = a + b;
  const lost = rest(a, b, sum);
  if (lost === 0) return sum;
  bits.setFloat64(0, sum);
  const lower = bits.getUint32(4);
  if ((lower & 1) === 1) return sum;
  if ((lost > 0) === (sum > 0)) {
    bits.setUint32(4, lower + 1);
  } else {
    bits.setUint32(4, lower - 1);
    if (lower === 0) bits.setUint32(0, bits.getUint32(0) - 1);
  }
  return bits.getFloat64(0);
}
