/**
 * The operations: each a registry record and its public function.
 *
 * @module
 */
export * from "./arithmetic.ts";
export { normalizeBatch, type NormalizedBatch } from "./batch_norm.ts";
export { broadcastTo, sumTo } from "./broadcast.ts";
export { clone, copyInto } from "./copy.ts";
export { conv1d, conv2d, conv3d, type ConvOptions } from "./conv.ts";
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
export { matmul } from "./matmul.ts";
export * from "./pointwise.ts";
export { rand, randint, randLike, randn, randnLike, type RandomOptions, randperm } from "./random.ts";
export * from "./reduce.ts";
export * from "./shape.ts";
