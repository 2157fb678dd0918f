// erfc, and what is made of it: erf, gelu and its slope. W. J. Cody's rational approximations (Mathematics of
// Computation 23, 1969), as in the plain kernel: near 0, up to 4, and beyond. All three are computed
// for a block of numbers, and the right one is chosen, lane by lane.

import { exp } from "./exp";
import { BLOCK, BLOCK_BYTES, openBlock, quotient } from "./polynomial";

const NEAR_ABOVE: usize = memory.data<f64>([
  1.85777706184603153e-1,
  3.1611237438705656,
  1.13864154151050156e2,
  3.77485237685302021e2,
  3.20937758913846947e3,
], 16);
const NEAR_BELOW: usize = memory.data<f64>([
  1.0,
  2.36012909523441209e1,
  2.44024637934444173e2,
  1.28261652607737228e3,
  2.84423683343917062e3,
], 16);
const MIDDLE_ABOVE: usize = memory.data<f64>([
  2.15311535474403846e-8,
  5.64188496988670089e-1,
  8.88314979438837594,
  6.61191906371416295e1,
  2.98635138197400131e2,
  8.81952221241769090e2,
  1.71204761263407058e3,
  2.05107837782607147e3,
  1.23033935479799725e3,
], 16);
const MIDDLE_BELOW: usize = memory.data<f64>([
  1.0,
  1.57449261107098347e1,
  1.17693950891312499e2,
  5.37181101862009858e2,
  1.62138957456669019e3,
  3.29079923573345963e3,
  4.36261909014324716e3,
  3.43936767414372164e3,
  1.23033935480374942e3,
], 16);
const FAR_ABOVE: usize = memory.data<f64>([
  1.63153871373020978e-2,
  3.05326634961232344e-1,
  3.60344899949804439e-1,
  1.25781726111229246e-1,
  1.60837851487422766e-2,
  6.58749161529837803e-4,
], 16);
const FAR_BELOW: usize = memory.data<f64>([
  1.0,
  2.56852019228982242,
  1.87295284992346047,
  5.27905102951528412e-1,
  6.05183413124413191e-2,
  2.33520497626869185e-3,
], 16);

// @ts-ignore: decorator
@inline
const NEAR: f64 = 0.46875;
// @ts-ignore: decorator
@inline
const ROOT_HALF: f64 = 0.7071067811865476;

/** Bytes of scratch for a kernel that works through blocks: nine of them, more than any other needs. */
export function blockScratchBytes(): i32 {
  return 9 * <i32>BLOCK_BYTES;
}

/**
 * near = erf(x)/x where |x| ≤ 0.46875, tail = erfc|x| elsewhere, of a block of `n` numbers; `w` is scratch of five
 * blocks.
 */
function bothParts(x: usize, near: usize, tail: usize, n: i32, w: usize): void {
  const bytes = <usize>n << 3;
  const t = w, below = t + BLOCK_BYTES, beyond = below + BLOCK_BYTES;
  const head = beyond + BLOCK_BYTES, rest = head + BLOCK_BYTES;
  for (let j: usize = 0; j < bytes; j += 16) {
    const v = v128.load(x + j);
    v128.store(t + j, f64x2.min(f64x2.mul(v, v), f64x2.splat(0.22)));
  }
  quotient(t, near, below, n, NEAR_ABOVE, 5, NEAR_BELOW, 5);
  // e^(y²)·erfc(y) up to 4
  for (let j: usize = 0; j < bytes; j += 16) {
    const y = f64x2.max(f64x2.abs(v128.load(x + j)), f64x2.splat(NEAR));
    v128.store(t + j, f64x2.min(y, f64x2.splat(4)));
  }
  quotient(t, tail, below, n, MIDDLE_ABOVE, 9, MIDDLE_BELOW, 9);
  // … and beyond, by powers of 1/y²; from 27.3 on it is 0.
  for (let j: usize = 0; j < bytes; j += 16) {
    const y = f64x2.max(f64x2.abs(v128.load(x + j)), f64x2.splat(4));
    v128.store(t + j, f64x2.div(f64x2.splat(1), f64x2.mul(y, y)));
  }
  quotient(t, beyond, below, n, FAR_ABOVE, 6, FAR_BELOW, 6);
  // e^(−y²) from y = k/16 + r: k²/256 is exact, and the rest is small.
  for (let j: usize = 0; j < bytes; j += 16) {
    const y = f64x2.min(f64x2.abs(v128.load(x + j)), f64x2.splat(27.5));
    const k = f64x2.mul(f64x2.trunc(f64x2.mul(y, f64x2.splat(16))), f64x2.splat(0.0625));
    v128.store(head + j, f64x2.neg(f64x2.mul(k, k)));
    v128.store(rest + j, f64x2.neg(f64x2.mul(f64x2.sub(y, k), f64x2.add(y, k))));
  }
  exp(head, head, n);
  exp(rest, rest, n);
  for (let j: usize = 0; j < bytes; j += 16) {
    const y = f64x2.abs(v128.load(x + j));
    // 1/√π
    const series = f64x2.sub(
      f64x2.splat(0.5641895835477563),
      f64x2.mul(v128.load(t + j), v128.load(beyond + j)),
    );
    const far = f64x2.div(series, y);
    const ratio = v128.bitselect(far, v128.load(tail + j), f64x2.gt(y, f64x2.splat(4)));
    const decay = f64x2.mul(v128.load(head + j), v128.load(rest + j));
    v128.store(tail + j, v128.andnot(f64x2.mul(decay, ratio), f64x2.ge(y, f64x2.splat(27.3))));
  }
}

export function erf(x: usize, out: usize, n: i32, scratch: usize): void {
  const near = scratch + BLOCK_BYTES, tail = near + BLOCK_BYTES;
  for (let done = 0; done < n; done += BLOCK) {
    const count = min(BLOCK, n - done);
    const whole = openBlock(x, scratch, count);
    bothParts(scratch, near, tail, whole, tail + BLOCK_BYTES);
    for (let j: usize = 0; j < <usize>whole << 3; j += 16) {
      const v = v128.load(scratch + j);
      const small = f64x2.mul(v, v128.load(near + j));
      const large = f64x2.sub(f64x2.splat(1), v128.load(tail + j));
      const isSmall = f64x2.le(f64x2.abs(v), f64x2.splat(NEAR));
      const signed = v128.or(large, v128.and(v, f64x2.splat(-0.0)));
      v128.store(scratch + j, v128.bitselect(small, signed, isSmall));
    }
    memory.copy(out, scratch, <usize>count << 3);
    x += BLOCK_BYTES;
    out += BLOCK_BYTES;
  }
}

/** out = erfc(−x/√2) = 2Φ(x) for a block, without cancellation on the left; `w` is scratch of eight blocks. */
function twicePhi(x: usize, out: usize, n: i32, w: usize): void {
  const near = w + BLOCK_BYTES, tail = near + BLOCK_BYTES;
  const bytes = <usize>n << 3;
  for (let j: usize = 0; j < bytes; j += 16) {
    v128.store(w + j, f64x2.mul(f64x2.neg(v128.load(x + j)), f64x2.splat(ROOT_HALF)));
  }
  bothParts(w, near, tail, n, tail + BLOCK_BYTES);
  for (let j: usize = 0; j < bytes; j += 16) {
    const v = v128.load(w + j);
    const right = v128.load(tail + j);
    const small = f64x2.sub(f64x2.splat(1), f64x2.mul(v, v128.load(near + j)));
    const left = f64x2.sub(f64x2.splat(2), right);
    const large = v128.bitselect(right, left, f64x2.gt(v, f64x2.splat(0)));
    const isSmall = f64x2.le(f64x2.abs(v), f64x2.splat(NEAR));
    v128.store(out + j, v128.bitselect(small, large, isSmall));
  }
}

/** x·Φ(x) */
export function gelu(x: usize, out: usize, n: i32, scratch: usize): void {
  const w = scratch + BLOCK_BYTES;
  for (let done = 0; done < n; done += BLOCK) {
    const count = min(BLOCK, n - done);
    const whole = openBlock(x, scratch, count);
    twicePhi(scratch, w, whole, w);
    for (let j: usize = 0; j < <usize>whole << 3; j += 16) {
      const half = f64x2.mul(f64x2.splat(0.5), v128.load(scratch + j));
      v128.store(scratch + j, f64x2.mul(half, v128.load(w + j)));
    }
    memory.copy(out, scratch, <usize>count << 3);
    x += BLOCK_BYTES;
    out += BLOCK_BYTES;
  }
}

/** g·(Φ(x) + x·φ(x)); `out` may be g. */
export function geluBackward(g: usize, x: usize, out: usize, n: i32, scratch: usize): void {
  const w = scratch + BLOCK_BYTES, density = w + BLOCK_BYTES;
  for (let done = 0; done < n; done += BLOCK) {
    const count = min(BLOCK, n - done);
    const whole = openBlock(x, scratch, count);
    twicePhi(scratch, w, whole, w);
    const bytes = <usize>whole << 3;
    for (let j: usize = 0; j < bytes; j += 16) {
      const v = v128.load(scratch + j);
      v128.store(density + j, f64x2.mul(f64x2.mul(f64x2.splat(-0.5), v), v));
    }
    exp(density, density, whole);
    for (let j: usize = 0; j < bytes; j += 16) {
      const phi = f64x2.mul(f64x2.splat(0.5), v128.load(w + j));
      // 1/√(2π)
      const d = f64x2.mul(f64x2.splat(0.3989422804014327), v128.load(density + j));
      v128.store(w + j, f64x2.add(phi, f64x2.mul(v128.load(scratch + j), d)));
    }
    openBlock(g, scratch, count);
    for (let j: usize = 0; j < bytes; j += 16) {
      v128.store(scratch + j, f64x2.mul(v128.load(scratch + j), v128.load(w + j)));
    }
    memory.copy(out, scratch, <usize>count << 3);
    g += BLOCK_BYTES;
    x += BLOCK_BYTES;
    out += BLOCK_BYTES;
  }
}
