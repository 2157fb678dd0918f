// ln x, two lanes and four vectors at a time.
//
// x = 2ᵏ·(1 + f) with 1 + f in [√½, √2); with s = f/(2 + f) and z = s²,
// ln(1 + f) = 2·artanh s = f − (f²/2 − s·(f²/2 + z·L(z))), L by interpolation at Chebyshev points with
// an error below 1e-17.

import { fma } from "../fma";

// @ts-ignore: decorator
@inline
const L1: f64 = 0.666666666666667;
// @ts-ignore: decorator
@inline
const L2: f64 = 0.3999999999989889;
// @ts-ignore: decorator
@inline
const L3: f64 = 0.28571428626253836;
// @ts-ignore: decorator
@inline
const L4: f64 = 0.22222211089379496;
// @ts-ignore: decorator
@inline
const L5: f64 = 0.1818289243253687;
// @ts-ignore: decorator
@inline
const L6: f64 = 0.15331611722055008;
// @ts-ignore: decorator
@inline
const L7: f64 = 0.14617807153417325;
// @ts-ignore: decorator
@inline
const LN2_HIGH: f64 = 0.6931471803691238;
// @ts-ignore: decorator
@inline
const LN2_LOW: f64 = 1.9082149292705877e-10;
// @ts-ignore: decorator
@inline
const SMALLEST_NORMAL: f64 = 2.2250738585072014e-308;
// What takes the bits of √½ to those of 1: adding it carries into the exponent from √½ on.
// @ts-ignore: decorator
@inline
const TO_ONE: i64 = 0x00095f6200000000;
// @ts-ignore: decorator
@inline
const ROOT_HALF: i64 = 0x3fe6a09e00000000;
// @ts-ignore: decorator
@inline
const MANTISSA: i64 = 0x000fffffffffffff;
// 2⁵² + 2⁵¹ as a number and as bits: a small integer in the low bits becomes a float64.
// @ts-ignore: decorator
@inline
const WHOLE: f64 = 6755399441055744;

/** ln x for any x: subnormals are scaled up, the values outside of the domain put in. */
function logAny(x: v128): v128 {
  const tiny = f64x2.lt(x, f64x2.splat(SMALLEST_NORMAL));
  const scaled = v128.bitselect(f64x2.mul(x, f64x2.splat(18014398509481984)), x, tiny);
  const t = i64x2.add(scaled, i64x2.splat(TO_ONE));
  let k = f64x2.sub(
    i64x2.add(i64x2.sub(i64x2.shr_s(t, 52), i64x2.splat(1023)), f64x2.splat(WHOLE)),
    f64x2.splat(WHOLE),
  );
  k = f64x2.sub(k, v128.and(tiny, f64x2.splat(54)));
  const m = i64x2.add(v128.and(t, i64x2.splat(MANTISSA)), i64x2.splat(ROOT_HALF));
  const f = f64x2.sub(m, f64x2.splat(1));
  const s = f64x2.div(f, f64x2.add(f, f64x2.splat(2)));
  const z = f64x2.mul(s, s);
  let p = f64x2.splat(L7);
  p = fma(p, z, f64x2.splat(L6));
  p = fma(p, z, f64x2.splat(L5));
  p = fma(p, z, f64x2.splat(L4));
  p = fma(p, z, f64x2.splat(L3));
  p = fma(p, z, f64x2.splat(L2));
  p = fma(p, z, f64x2.splat(L1));
  const h = f64x2.mul(f64x2.mul(f, f), f64x2.splat(0.5));
  const small = fma(k, f64x2.splat(LN2_LOW), f64x2.mul(s, fma(z, p, h)));
  let y = fma(k, f64x2.splat(LN2_HIGH), f64x2.sub(f, f64x2.sub(h, small)));
  // ln ∞ = ∞, ln 0 = -∞, NaN for NaN and below 0
  y = v128.bitselect(x, y, f64x2.eq(x, f64x2.splat(Infinity)));
  y = v128.bitselect(f64x2.splat(-Infinity), y, f64x2.eq(x, f64x2.splat(0)));
  return v128.bitselect(y, f64x2.splat(NaN), f64x2.ge(x, f64x2.splat(0)));
}

export function log(x: usize, out: usize, n: i32): void {
  const end = x + (<usize>n << 3);
  const endOfEights = x + (<usize>(n & ~7) << 3);
  while (x < endOfEights) {
    const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
    let c = f64x2.splat(SMALLEST_NORMAL);
    let d = f64x2.splat(Infinity);
    const ordinary = v128.and(
      v128.and(
        v128.and(f64x2.ge(x0, c), f64x2.lt(x0, d)),
        v128.and(f64x2.ge(x1, c), f64x2.lt(x1, d)),
      ),
      v128.and(
        v128.and(f64x2.ge(x2, c), f64x2.lt(x2, d)),
        v128.and(f64x2.ge(x3, c), f64x2.lt(x3, d)),
      ),
    );
    if (!i64x2.all_true(ordinary)) {
      // unroll(4) $
      v128.store(out, logAny(x$), 16 * $);
      // end
      x += 64;
      out += 64;
      continue;
    }
    c = i64x2.splat(TO_ONE);
    const t0 = i64x2.add(x0, c), t1 = i64x2.add(x1, c), t2 = i64x2.add(x2, c), t3 = i64x2.add(x3, c);
    c = i64x2.splat(MANTISSA);
    d = i64x2.splat(ROOT_HALF);
    let e = f64x2.splat(1);
    // unroll(4) $
    const f$ = f64x2.sub(i64x2.add(v128.and(t$, c), d), e);
    // end
    c = f64x2.splat(2);
    // unroll(4) $
    const s$ = f64x2.div(f$, f64x2.add(f$, c));
    const z$ = f64x2.mul(s$, s$);
    // end
    c = f64x2.splat(L7);
    let p0 = c, p1 = c, p2 = c, p3 = c;
    c = f64x2.splat(L6);
    // unroll(4) $
    p$ = fma(p$, z$, c);
    // end
    c = f64x2.splat(L5);
    // unroll(4) $
    p$ = fma(p$, z$, c);
    // end
    c = f64x2.splat(L4);
    // unroll(4) $
    p$ = fma(p$, z$, c);
    // end
    c = f64x2.splat(L3);
    // unroll(4) $
    p$ = fma(p$, z$, c);
    // end
    c = f64x2.splat(L2);
    // unroll(4) $
    p$ = fma(p$, z$, c);
    // end
    c = f64x2.splat(L1);
    // unroll(4) $
    p$ = fma(p$, z$, c);
    // end
    c = f64x2.splat(0.5);
    // unroll(4) $
    const h$ = f64x2.mul(f64x2.mul(f$, f$), c);
    p$ = f64x2.mul(s$, fma(z$, p$, h$));
    // end
    c = i64x2.splat(1023);
    d = f64x2.splat(WHOLE);
    // unroll(4) $
    const k$ = f64x2.sub(i64x2.add(i64x2.sub(i64x2.shr_s(t$, 52), c), d), d);
    // end
    c = f64x2.splat(LN2_LOW);
    d = f64x2.splat(LN2_HIGH);
    // unroll(4) $
    v128.store(out, fma(k$, d, f64x2.sub(f$, f64x2.sub(h$, fma(k$, c, p$)))), 16 * $);
    // end
    x += 64;
    out += 64;
  }
  while (x + 16 <= end) {
    v128.store(out, logAny(v128.load(x)));
    x += 16;
    out += 16;
  }
  if (x < end) store<f64>(out, f64x2.extract_lane(logAny(v128.load64_splat(x)), 0));
}
