/**
 * The operations: each a registry record and its public function.
 *
 * @module
 */
export * from "./arithmetic.ts";
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type AvgPoolOptions,
} from "./avg_pool.ts";
export type { OutputSize, PoolOptions } from "./bands.ts";
export { normalizeBatch, type NormalizedBatch } from "./batch_norm.ts";
export { type NormalizedGroups, normalizeGroups } from "./group_norm.ts";
export { normalizeResponses, type ResponseWindow } from "./local_response_norm.ts";
export { scaleRows } from "./rms_norm.ts";
export * from "./bounds.ts";
export { broadcastTo, sumTo } from "./broadcast.ts";
export * from "./compare.ts";
export * from "./composed_activations.ts";
export { clone, copyInto } from "./copy.ts";
export { conv1d, conv2d, conv3d, type ConvOptions } from "./conv.ts";
export {
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type ConvTransposeOptions,
} from "./conv_transpose.ts";
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
} from "./creation.ts";
export { einsum } from "./einsum.ts";
export { embedding, type EmbeddingOptions, oneHot } from "./embedding.ts";
export * from "./extremum.ts";
export { gather, type Index, indexSelect, scatterAdd } from "./index.ts";
export { interpolate, type InterpolateMode, type InterpolateOptions } from "./interpolate.ts";
export { cat, chunk, type DimOptions, roll, split, stack, unbind } from "./join.ts";
export { type CrossEntropyAttrs, indexCrossEntropy, type Reduction } from "./cross_entropy.ts";
export { elementwiseBinaryCrossEntropy, huber } from "./loss.ts";
export { matmul } from "./matmul.ts";
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
} from "./max_pool.ts";
export * from "./moments.ts";
export * from "./norm.ts";
export { pad, type PadMode, type PadOptions } from "./pad.ts";
export * from "./piecewise.ts";
export * from "./pointwise.ts";
export * from "./power.ts";
export { addmm, type AddmmOptions, bilinear, bmm, dot, linear, mm, mv, outer } from "./products.ts";
export {
  rand,
  randint,
  randLike,
  randn,
  randnLike,
  type RandomOptions,
  randperm,
} from "./random.ts";
export * from "./reduce.ts";
export * from "./repeat.ts";
export * from "./scan.ts";
export * from "./shape.ts";
export * from "./sigmoid.ts";
export {
  cosineSimilarity,
  type CosineSimilarityOptions,
  normalize,
  type NormalizeOptions,
} from "./similarity.ts";
export { logSoftmax, softmax, softmin } from "./softmax.ts";
export { fold, unfold as unfoldWindows, type UnfoldOptions } from "./unfold.ts";
export { tril, triu } from "./triangle.ts";
export { diagonal, type DiagonalOptions, flip, narrow, select, unfold } from "./view.ts";
export * from "./where.ts";
export type { PerAxis } from "./window.ts";
