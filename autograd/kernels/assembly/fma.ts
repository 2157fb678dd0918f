// The one place where the two builds differ: a·b + c on two lanes, fused where the build and the
// machine have it (relaxed SIMD), rounded twice in the plain SIMD128 build.

// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

/** [x1, x0]. */
// @ts-ignore: decorator
@inline
export function swap(x: v128): v128 {
  return v128.shuffle<f64>(x, x, 1, 0);
}
