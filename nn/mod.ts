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
export * from "./activation/activation.ts";
export {
  BatchNorm,
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  type BatchNormForwardOptions,
  type BatchNormLayerOptions,
  type KerasBatchNormOptions,
  type NonFinitePolicy,
} from "./norm/batch_norm.ts";
export * from "./norm/batch_norm_act.ts";
export * from "./activation/softmax.ts";
export * from "./activation/composed_activations.ts";
export { ModuleDict, ModuleList, type NamedModules, Sequential } from "./module/container.ts";
export { Conv1d, Conv2d, Conv3d, type ConvLayerOptions, type PaddingMode } from "./conv/conv.ts";
export * from "./conv/conv_transpose.ts";
export { CosineSimilarity, PairwiseDistance } from "./linear/distance.ts";
export * from "./activation/dropout.ts";
export { Embedding, type EmbeddingLayerOptions } from "./linear/embedding.ts";
export { Flatten, Identity, Unflatten } from "./module/flatten.ts";
export * as functional from "./functional.ts";
export type { ForwardHook, ForwardPreHook } from "./module/forward.ts";
export * as init from "./init.ts";
export * from "./norm/instance_norm.ts";
export {
  GroupNorm,
  LayerNorm,
  type LayerNormOptions,
  LocalResponseNorm,
  RMSNorm,
} from "./norm/layer_norm.ts";
export * from "./norm/lazy_batch_norm.ts";
export { Bilinear, Linear, type LinearOptions } from "./linear/linear.ts";
export * from "./loss/base.ts";
export * from "./loss/classification.ts";
export * from "./loss/margin.ts";
export * from "./loss/regression.ts";
export { Module, type NamedOptions } from "./module/module.ts";
export { noStatsUpdate } from "../autograd/mod.ts";
export { Buffer, Parameter } from "./module/parameter.ts";
export * from "./conv/padding.ts";
export * from "./pool/pool.ts";
export { Fold, Unfold, Upsample } from "./conv/resize.ts";
export {
  type LoadResult,
  type ModuleMetadata,
  StateDict,
  type StateSource,
} from "./module/state_dict.ts";
export * from "./norm/sync_batch_norm.ts";
export * as utils from "./utils/mod.ts";
export { TrackedNorm, type TrackedNormOptions } from "./norm/tracked_norm.ts";
export * from "./norm/audit.ts";
export * from "./norm/health.ts";
