/**
 * `nn.functional`: the layers as functions, with weights as arguments.
 *
 * @example
 * ```ts
 * import { linear } from "@tapegrad/tapegrad/nn/functional";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linear(tensor([1, 2]), tensor([[3, 4]])).toArray(), [11]);
 * ```
 *
 * @module
 */
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  type AdaptiveMaxPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type AvgPoolOptions,
  bilinear,
  celu,
  conv1d,
  conv2d,
  conv3d,
  type ConvOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type ConvTransposeOptions,
  cosineSimilarity,
  type CosineSimilarityOptions,
  elu,
  embedding,
  type EmbeddingOptions,
  fold,
  gelu,
  type GeluOptions,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  type HardtanhOptions,
  interpolate,
  type InterpolateMode,
  type InterpolateOptions,
  leakyRelu,
  linear,
  logsigmoid,
  logSoftmax,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type MaxPooled,
  type MaxPoolOptions,
  mish,
  normalize,
  type NormalizeOptions,
  oneHot,
  pad,
  type PadMode,
  type PadOptions,
  prelu,
  relu,
  relu6,
  selu,
  type ShrinkOptions,
  sigmoid,
  silu,
  softmax,
  softmin,
  softplus,
  type SoftplusOptions,
  softshrink,
  softsign,
  tanh,
  tanhshrink,
  threshold,
  type UnfoldOptions,
} from "../autograd/mod.ts";
export {
  batchNorm,
  type BatchNormOptions,
  type BatchNormThen,
  type EpsOptions,
  groupNorm,
  instanceNorm,
  type InstanceNormOptions,
  layerNorm,
  localResponseNorm,
  type LocalResponseNormOptions,
  rmsNorm,
  unfold,
} from "../autograd/internal.ts";
export { type AttentionOptions, scaledDotProductAttention } from "./linear/attention.ts";
export {
  binaryCrossEntropy,
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  type BinaryCrossEntropyWithLogitsOptions,
  multilabelSoftMarginLoss,
  softMarginLoss,
} from "./loss/binary_loss.ts";
export type { Target } from "./loss/classes.ts";
export { crossEntropy, type CrossEntropyOptions } from "./loss/cross_entropy.ts";
export { pairwiseDistance, type PairwiseDistanceOptions } from "./linear/distance_function.ts";
export {
  alphaDropout,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  type DropoutOptions,
} from "./activation/dropout_function.ts";
export {
  gaussianNllLoss,
  type GaussianNllLossOptions,
  klDiv,
  type KlDivOptions,
  poissonNllLoss,
  type PoissonNllLossOptions,
} from "./loss/likelihood_loss.ts";
export {
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  type MarginLossOptions,
  marginRankingLoss,
  tripletMarginLoss,
  type TripletMarginLossOptions,
} from "./loss/margin_loss.ts";
export {
  multilabelMarginLoss,
  multiMarginLoss,
  type MultiMarginLossOptions,
} from "./loss/margin_loss.ts";
export { nllLoss, type NllLossOptions } from "./loss/cross_entropy.ts";
export {
  huberLoss,
  type HuberLossOptions,
  l1Loss,
  mseLoss,
  smoothL1Loss,
  type SmoothL1LossOptions,
  type WeightedLossOptions,
} from "./loss/regression_loss.ts";
export type { LossOptions, Reduction } from "./loss/operands.ts";
