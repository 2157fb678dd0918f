// tanh x: 1 − 2/(e^(2|x|) + 1) with the sign of x, and x + x³·T(x²) near 0, where that would cancel. T by
// interpolation at Chebyshev points with an error below 1e-17.

import { exp } from "./exp";
import { fma } from "../fma";
import { BLOCK, BLOCK_BYTES, openBlock, polynomial } from "./polynomial";

const T: usize = memory.data<f64>([
  6.484104982405479e-06,
  -3.119892666773487e-05,
  9.256923588512033e-05,
  -0.0002375896885211701,
  0.0005896603606552671,
  -0.0014557753532096296,
  0.0035921217436959856,
  -0.008863235102653483,
  0.02186948851898143,
  -0.05396825396789636,
  0.13333333333333042,
  -0.3333333333333333,
], 16);

export function tanh(x: usize, out: usize, n: i32, scratch: usize): void {
  const e = scratch + BLOCK_BYTES, t = e + BLOCK_BYTES;
  for (let done = 0; done < n; done += BLOCK) {
    const count = min(BLOCK, n - done);
    const whole = openBlock(x, scratch, count);
    const bytes = <usize>whole << 3;
    for (let j: usize = 0; j < bytes; j += 16) {
      const v = v128.load(scratch + j);
      // From 22 on it is 1 to the last digit; NaN passes.
      const size = f64x2.min(f64x2.abs(v), f64x2.splat(22));
      v128.store(e + j, f64x2.add(size, size));
      v128.store(t + j, f64x2.mul(v, v));
    }
    exp(e, e, whole);
    for (let j: usize = 0; j < bytes; j += 16) {
      const one = f64x2.splat(1);
      const below = f64x2.add(v128.load(e + j), one);
      v128.store(e + j, f64x2.sub(one, f64x2.div(f64x2.splat(2), below)));
    }
    // Where x is large the polynomial overflows and is not looked at.
    polynomial(t, t, whole, T, 12);
    for (let j: usize = 0; j < bytes; j += 16) {
      const v = v128.load(scratch + j);
      const near = fma(f64x2.mul(v, f64x2.mul(v, v)), v128.load(t + j), v);
      const far = v128.or(v128.load(e + j), v128.and(v, f64x2.splat(-0.0)));
      const isNear = f64x2.lt(f64x2.abs(v), f64x2.splat(0.625));
      v128.store(scratch + j, v128.bitselect(near, far, isNear));
    }
    memory.copy(out, scratch, <usize>count << 3);
    x += BLOCK_BYTES;
    out += BLOCK_BYTES;
  }
}
