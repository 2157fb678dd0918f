/**
 * The operations: each a registry record and its public function.
 *
 * @module
 */
export * from "./elementwise/arithmetic.ts";
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type AvgPoolOptions,
} from "./pool/avg_pool.ts";
export type { OutputSize, PoolOptions } from "./pool/bands.ts";
export * from "./elementwise/bounds.ts";
export { broadcastTo, expand, repeat, tile } from "./shape/broadcast.ts";
export * from "./elementwise/compare.ts";
export { clone } from "./shape/clone.ts";
export { conv1d, conv2d, conv3d, type ConvOptions } from "./conv/conv.ts";
export {
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type ConvTransposeOptions,
} from "./conv/conv_transpose.ts";
export {
  arange,
  type CreationOptions,
  eye,
  full,
  linspace,
  ones,
  onesLike,
  tensor,
  type TypedArray,
  zeros,
  zerosLike,
} from "./create/creation.ts";
export { einsum } from "./matmul/einsum.ts";
export * from "./shape/embedding.ts";
export * from "./reduce/extremum.ts";
export { gather, type Index, indexSelect, scatterAdd } from "./shape/index.ts";
export { interpolate, type InterpolateMode, type InterpolateOptions } from "./pool/interpolate.ts";
export * from "./shape/join.ts";
export type { Reduction } from "./loss/loss.ts";
export { matmul } from "./matmul/matmul.ts";
export {
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  type AdaptiveMaxPoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type MaxPooled,
  type MaxPoolOptions,
  type NoOptions,
  type WithIndices,
} from "./pool/max_pool.ts";
export * from "./reduce/moments.ts";
export * from "./reduce/norm.ts";
export * from "./shape/pad.ts";
export * from "./elementwise/activation_piecewise.ts";
export * from "./elementwise/math.ts";
export {
  addmm,
  type AddmmOptions,
  bilinear,
  bmm,
  dot,
  linear,
  mm,
  mv,
  outer,
} from "./matmul/products.ts";
export * from "./create/random.ts";
export * from "./reduce/reduce.ts";
export * from "./shape/shape.ts";
export * from "./elementwise/activation_smooth.ts";
export {
  cosineSimilarity,
  type CosineSimilarityOptions,
  normalize,
  type NormalizeOptions,
} from "./matmul/similarity.ts";
export * from "./reduce/softmax.ts";
export { fold, type UnfoldOptions } from "./conv/unfold.ts";
export * from "./shape/triangle.ts";
export { diagonal, type DiagonalOptions, flip, narrow, select, unfold } from "./shape/view.ts";
export type { PerAxis } from "./conv/window.ts";
