/**
 * `nn`: modules, layers, losses, initialisers.
 *
 * @example
 * ```ts
 * import { Linear, ReLU, Sequential } from "@tapegrad/tapegrad/nn";
 * import { assertEquals } from "@std/assert";
 *
 * const net = new Sequential(new Linear(4, 3), new ReLU());
 * assertEquals(net.parameters().length, 2);
 * ```
 *
 * @module
 */
export * from "./activation.ts";
export * from "./batch_norm.ts";
export * from "./softmax.ts";
export * from "./composed_activations.ts";
export { ModuleDict, ModuleList, type NamedModules, Sequential } from "./container.ts";
export { Conv1d, Conv2d, Conv3d, type ConvLayerOptions, type PaddingMode } from "./conv.ts";
export {
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeForwardOptions,
  type ConvTransposeLayerOptions,
} from "./conv_transpose.ts";
export { CosineSimilarity, PairwiseDistance } from "./distance.ts";
export * from "./dropout.ts";
export { Embedding, type EmbeddingLayerOptions } from "./embedding.ts";
export { Flatten, Identity, Unflatten } from "./flatten.ts";
export * as functional from "./functional.ts";
export type { ForwardHook, ForwardPreHook } from "./hooks.ts";
export * as init from "./init.ts";
export * from "./instance_norm.ts";
export * from "./layer_norm.ts";
export * from "./lazy_batch_norm.ts";
export { Bilinear, Linear, type LinearOptions } from "./linear.ts";
export { LocalResponseNorm } from "./local_response_norm.ts";
export * from "./loss.ts";
export { Module, type NamedOptions } from "./module.ts";
export { noStatsUpdate } from "../autograd/mod.ts";
export { Buffer, Parameter } from "./parameter.ts";
export * from "./padding.ts";
export * from "./max_pool.ts";
export * from "./avg_pool.ts";
export * from "./adaptive_pool.ts";
export { Fold, Unfold, Upsample } from "./resize.ts";
export { type LoadResult, type ModuleMetadata, StateDict, type StateSource } from "./state_dict.ts";
export * from "./sync_batch_norm.ts";
export * as utils from "./utils/mod.ts";
export { TrackedNorm, type TrackedNormOptions } from "./norm_base.ts";
export * from "./audit.ts";
export * from "./health.ts";
