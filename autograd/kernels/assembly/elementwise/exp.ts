// eˣ, and what is made of it, two lanes and four vectors at a time.
//
// x = k·ln 2 + r with |r| ≤ ln 2 / 2; eʳ by a polynomial; 2ᵏ by its bits. The coefficients are those of
// the interpolation of (eʳ − 1 − r)/r² at Chebyshev points, computed with 50 digits; their own error is
// below 1e-17. Constants cost at every use, so each serves four vectors in a row.

import { fma } from "../fma";

// @ts-ignore: decorator
@inline
const LOG2_E: f64 = 1.4426950408889634;
// 1.5·2⁵²: adding it rounds to an integer that then stands in the low bits.
// @ts-ignore: decorator
@inline
const ROUND: f64 = 6755399441055744;
// −ln 2 in two parts; the first ends in zeros, so that k times it is exact.
// @ts-ignore: decorator
@inline
const MINUS_LN2_HIGH: f64 = -0.6931471803691238;
// @ts-ignore: decorator
@inline
const MINUS_LN2_LOW: f64 = -1.9082149292705877e-10;

// @ts-ignore: decorator
@inline
const C2: f64 = 0.5000000000000001;
// @ts-ignore: decorator
@inline
const C3: f64 = 0.16666666666666669;
// @ts-ignore: decorator
@inline
const C4: f64 = 0.04166666666662399;
// @ts-ignore: decorator
@inline
const C5: f64 = 0.008333333333330051;
// @ts-ignore: decorator
@inline
const C6: f64 = 0.0013888888917281794;
// @ts-ignore: decorator
@inline
const C7: f64 = 0.00019841269863105968;
// @ts-ignore: decorator
@inline
const C8: f64 = 2.480152119021773e-05;
// @ts-ignore: decorator
@inline
const C9: f64 = 2.7557268378684192e-06;
// @ts-ignore: decorator
@inline
const C10: f64 = 2.7620138719733994e-07;
// @ts-ignore: decorator
@inline
const C11: f64 = 2.5100424157005067e-08;

/** Beyond this eˣ or 2ᵏ is not a normal number. */
// @ts-ignore: decorator
@inline
const ORDINARY: f64 = 708;

/** eˣ for any x: the power of two in two factors, so that it may over- or underflow. */
export function expAny(x: v128): v128 {
  // Keeps k small; NaN passes.
  x = f64x2.min(f64x2.max(x, f64x2.splat(-746)), f64x2.splat(710));
  const rounded = fma(x, f64x2.splat(LOG2_E), f64x2.splat(ROUND));
  const k = f64x2.sub(rounded, f64x2.splat(ROUND));
  const r = fma(k, f64x2.splat(MINUS_LN2_LOW), fma(k, f64x2.splat(MINUS_LN2_HIGH), x));
  let p = f64x2.splat(C11);
  p = fma(p, r, f64x2.splat(C10));
  p = fma(p, r, f64x2.splat(C9));
  p = fma(p, r, f64x2.splat(C8));
  p = fma(p, r, f64x2.splat(C7));
  p = fma(p, r, f64x2.splat(C6));
  p = fma(p, r, f64x2.splat(C5));
  p = fma(p, r, f64x2.splat(C4));
  p = fma(p, r, f64x2.splat(C3));
  p = fma(p, r, f64x2.splat(C2));
  p = f64x2.add(fma(f64x2.mul(p, r), r, r), f64x2.splat(1));
  // The integer in the low bits of `rounded`, halved towards -∞, and the rest.
  const bits = i64x2.sub(rounded, f64x2.splat(ROUND));
  const half = i64x2.shr_s(bits, 1);
  const rest = i64x2.sub(bits, half);
  const bias = i64x2.splat(1023);
  p = f64x2.mul(p, i64x2.shl(i64x2.add(half, bias), 52));
  return f64x2.mul(p, i64x2.shl(i64x2.add(rest, bias), 52));
}

// @ts-ignore: decorator
@inline
const EXP: i32 = 0;
// @ts-ignore: decorator
@inline
const SIGMOID: i32 = 1;
// @ts-ignore: decorator
@inline
const SILU: i32 = 2;

// @ts-ignore: decorator
@inline
function before(operation: i32, x: v128): v128 {
  return operation == EXP ? x : f64x2.neg(x);
}

// @ts-ignore: decorator
@inline
function after(operation: i32, x: v128, e: v128): v128 {
  if (operation == EXP) return e;
  const one = f64x2.splat(1);
  return f64x2.div(operation == SILU ? x : one, f64x2.add(one, e));
}

// @ts-ignore: decorator
@inline
function loop(operation: i32, x: usize, out: usize, n: i32): void {
  const end = x + (<usize>n << 3);
  const endOfEights = x + (<usize>(n & ~7) << 3);
  while (x < endOfEights) {
    let r0 = before(operation, v128.load(x)), r1 = before(operation, v128.load(x, 16));
    let r2 = before(operation, v128.load(x, 32)), r3 = before(operation, v128.load(x, 48));
    let c = f64x2.splat(ORDINARY);
    const ordinary = v128.and(
      v128.and(f64x2.lt(f64x2.abs(r0), c), f64x2.lt(f64x2.abs(r1), c)),
      v128.and(f64x2.lt(f64x2.abs(r2), c), f64x2.lt(f64x2.abs(r3), c)),
    );
    if (!i64x2.all_true(ordinary)) {
      // unroll(4) $
      v128.store(out, after(operation, v128.load(x, 16 * $), expAny(r$)), 16 * $);
      // end
      x += 64;
      out += 64;
      continue;
    }
    c = f64x2.splat(LOG2_E);
    let magic = f64x2.splat(ROUND);
    let t0 = fma(r0, c, magic), t1 = fma(r1, c, magic), t2 = fma(r2, c, magic), t3 = fma(r3, c, magic);
    c = f64x2.splat(MINUS_LN2_HIGH);
    let d = f64x2.splat(MINUS_LN2_LOW);
    // unroll(4) $
    const k$ = f64x2.sub(t$, magic);
    r$ = fma(k$, d, fma(k$, c, r$));
    // end
    c = f64x2.splat(C11);
    d = f64x2.splat(C10);
    let p0 = fma(c, r0, d), p1 = fma(c, r1, d), p2 = fma(c, r2, d), p3 = fma(c, r3, d);
    c = f64x2.splat(C9);
    // unroll(4) $
    p$ = fma(p$, r$, c);
    // end
    c = f64x2.splat(C8);
    // unroll(4) $
    p$ = fma(p$, r$, c);
    // end
    c = f64x2.splat(C7);
    // unroll(4) $
    p$ = fma(p$, r$, c);
    // end
    c = f64x2.splat(C6);
    // unroll(4) $
    p$ = fma(p$, r$, c);
    // end
    c = f64x2.splat(C5);
    // unroll(4) $
    p$ = fma(p$, r$, c);
    // end
    c = f64x2.splat(C4);
    // unroll(4) $
    p$ = fma(p$, r$, c);
    // end
    c = f64x2.splat(C3);
    // unroll(4) $
    p$ = fma(p$, r$, c);
    // end
    c = f64x2.splat(C2);
    // unroll(4) $
    p$ = fma(p$, r$, c);
    // end
    c = f64x2.splat(1);
    // unroll(4) $
    p$ = f64x2.add(fma(f64x2.mul(p$, r$), r$, r$), c);
    // end
    // 2ᵏ: k stands in the low bits of t; shifted to the exponent, everything above drops out.
    const bias = i64x2.splat(1023);
    // unroll(4) $
    p$ = f64x2.mul(p$, i64x2.shl(i64x2.add(t$, bias), 52));
    v128.store(out, after(operation, v128.load(x, 16 * $), p$), 16 * $);
    // end
    x += 64;
    out += 64;
  }
  while (x + 16 <= end) {
    const v = v128.load(x);
    v128.store(out, after(operation, v, expAny(before(operation, v))));
    x += 16;
    out += 16;
  }
  if (x < end) {
    const v = v128.load64_splat(x);
    store<f64>(out, f64x2.extract_lane(after(operation, v, expAny(before(operation, v))), 0));
  }
}

export function exp(x: usize, out: usize, n: i32): void {
  loop(EXP, x, out, n);
}

export function sigmoid(x: usize, out: usize, n: i32): void {
  loop(SIGMOID, x, out, n);
}

export function silu(x: usize, out: usize, n: i32): void {
  loop(SILU, x, out, n);
}
