// Polynomials over blocks of numbers: functions that are made of several are computed one polynomial after
// the other, each over a block that stays in the first-level cache. That keeps eight chains of
// multiplications going at once, and the code short.

import { fma } from "../fma";

/** Numbers in a block; a multiple of 8. */
export const BLOCK: i32 = 256;
/** Bytes of a block. */
export const BLOCK_BYTES: usize = <usize>BLOCK << 3;

/** Copies n ≤ BLOCK numbers to a block and adds zeros up to the next multiple of 8, which is returned. */
export function openBlock(x: usize, block: usize, n: i32): i32 {
  const whole = (n + 7) & ~7;
  memory.copy(block, x, <usize>n << 3);
  memory.fill(block + (<usize>n << 3), 0, <usize>(whole - n) << 3);
  return whole;
}

/** out = c₀·tⁿ + … + cₙ₋₁·t + cₙ for a block of `n` numbers, `count` coefficients, the highest first. */
export function polynomial(t: usize, out: usize, n: i32, coefficients: usize, count: i32): void {
  const end = t + (<usize>n << 3);
  const lastCoefficient = coefficients + (<usize>count << 3);
  while (t < end) {
    const t0 = v128.load(t), t1 = v128.load(t, 16), t2 = v128.load(t, 32), t3 = v128.load(t, 48);
    let p0 = v128.load64_splat(coefficients), p1 = p0, p2 = p0, p3 = p0;
    for (let at = coefficients + 8; at < lastCoefficient; at += 8) {
      const c = v128.load64_splat(at);
      // unroll(4) $
      p$ = fma(p$, t$, c);
      // end
    }
    // unroll(4) $
    v128.store(out, p$, 16 * $);
    // end
    t += 64;
    out += 64;
  }
}

/** out = above/below: a block of quotients of polynomials; `below` is scratch. */
export function quotient(
  t: usize, out: usize, below: usize, n: i32,
  numerator: usize, countAbove: i32, denominator: usize, countBelow: i32,
): void {
  polynomial(t, out, n, numerator, countAbove);
  polynomial(t, below, n, denominator, countBelow);
  const end = out + (<usize>n << 3);
  while (out < end) {
    v128.store(out, f64x2.div(v128.load(out), v128.load(below)));
    out += 16;
    below += 16;
  }
}
