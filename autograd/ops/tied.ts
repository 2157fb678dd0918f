/**
 * The operations that are methods of Tensor too: no others come along where a bundler finds only
 * tensors in use.
 *
 * @module
 */
export { prelu, relu } from "./elementwise/activation_piecewise.ts";
export { sigmoid, tanh } from "./elementwise/activation_smooth.ts";
export { add, div, mul, neg, sub } from "./elementwise/arithmetic.ts";
export { clamp, clampMax, clampMin, maximum, minimum } from "./elementwise/bounds.ts";
export { eq, ge, gt, le, lt, ne } from "./elementwise/compare.ts";
export {
  abs,
  cos,
  erf,
  exp,
  expm1,
  log,
  log1p,
  pow,
  reciprocal,
  rsqrt,
  sign,
  sin,
  sqrt,
  square,
} from "./elementwise/math.ts";
export { maskedFill, where } from "./elementwise/where.ts";
export { matmul } from "./matmul/matmul.ts";
export { addmm, bmm, dot, mm, mv, outer } from "./matmul/products.ts";
export { amax, amin, argmax, argmin, max, min } from "./reduce/extremum.ts";
export { std, variance } from "./reduce/moments.ts";
export { norm } from "./reduce/norm.ts";
export { cumsum, logsumexp, mean, prod, sum } from "./reduce/reduce.ts";
export { logSoftmax, softmax } from "./reduce/softmax.ts";
export { broadcastTo, expand, repeat, tile } from "./shape/broadcast.ts";
export { clone } from "./shape/clone.ts";
export { gather, indexSelect, scatterAdd } from "./shape/index.ts";
export { chunk, roll, split, unbind } from "./shape/join.ts";
export { flatten, permute, reshape, squeeze, t, transpose, unsqueeze } from "./shape/shape.ts";
export { tril, triu } from "./shape/triangle.ts";
export { diagonal, flip, narrow, select, unfold } from "./shape/view.ts";
