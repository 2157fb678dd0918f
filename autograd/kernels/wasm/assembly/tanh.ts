// tanh x: 1 − 2/(e^(2|x|) + 1) with the sign of x, and x + x³·T(x²) near 0, where that would cancel. T by
// interpolation at Chebyshev points with an error below 1e-17.

import { fma } from "./fma";
import { expAny } from "./exp";

// @ts-ignore: decorator
@inline
const T0: f64 = -0.3333333333333333;
// @ts-ignore: decorator
@inline
const T1: f64 = 0.13333333333333042;
// @ts-ignore: decorator
@inline
const T2: f64 = -0.05396825396789636;
// @ts-ignore: decorator
@inline
const T3: f64 = 0.02186948851898143;
// @ts-ignore: decorator
@inline
const T4: f64 = -0.008863235102653483;
// @ts-ignore: decorator
@inline
const T5: f64 = 0.0035921217436959856;
// @ts-ignore: decorator
@inline
const T6: f64 = -0.0014557753532096296;
// @ts-ignore: decorator
@inline
const T7: f64 = 0.0005896603606552671;
// @ts-ignore: decorator
@inline
const T8: f64 = -0.0002375896885211701;
// @ts-ignore: decorator
@inline
const T9: f64 = 9.256923588512033e-05;
// @ts-ignore: decorator
@inline
const T10: f64 = -3.119892666773487e-05;
// @ts-ignore: decorator
@inline
const T11: f64 = 6.484104982405479e-06;

function tanhOf(x: v128): v128 {
  const size = f64x2.abs(x);
  const one = f64x2.splat(1);
  // From 22 on it is 1 to the last digit; NaN passes.
  const e = expAny(f64x2.mul(f64x2.min(size, f64x2.splat(22)), f64x2.splat(2)));
  const far = f64x2.sub(one, f64x2.div(f64x2.splat(2), f64x2.add(e, one)));
  const z = f64x2.mul(x, x);
  let q = f64x2.splat(T11);
  q = fma(q, z, f64x2.splat(T10));
  q = fma(q, z, f64x2.splat(T9));
  q = fma(q, z, f64x2.splat(T8));
  q = fma(q, z, f64x2.splat(T7));
  q = fma(q, z, f64x2.splat(T6));
  q = fma(q, z, f64x2.splat(T5));
  q = fma(q, z, f64x2.splat(T4));
  q = fma(q, z, f64x2.splat(T3));
  q = fma(q, z, f64x2.splat(T2));
  q = fma(q, z, f64x2.splat(T1));
  q = fma(q, z, f64x2.splat(T0));
  const near = fma(f64x2.mul(x, z), q, x);
  const sign = v128.and(x, f64x2.splat(-0.0));
  return v128.bitselect(near, v128.or(far, sign), f64x2.lt(size, f64x2.splat(0.625)));
}

export function tanh(x: usize, out: usize, n: i32): void {
  const end = x + (<usize>n << 3);
  while (x + 32 <= end) {
    v128.store(out, tanhOf(v128.load(x)));
    v128.store(out, tanhOf(v128.load(x, 16)), 16);
    x += 32;
    out += 32;
  }
  while (x + 16 <= end) {
    v128.store(out, tanhOf(v128.load(x)));
    x += 16;
    out += 16;
  }
  if (x < end) store<f64>(out, f64x2.extract_lane(tanhOf(v128.load64_splat(x)), 0));
}
