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
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type AvgPoolOptions,
} from "../autograd/ops/pool/avg_pool.ts";
export {
  celu,
  hardshrink,
  hardsigmoid,
  type ShrinkOptions,
  softshrink,
  softsign,
  tanhshrink,
  threshold,
} from "../autograd/ops/elementwise/activation_composed.ts";
export { conv1d, conv2d, conv3d, type ConvOptions } from "../autograd/ops/conv/conv.ts";
export {
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type ConvTransposeOptions,
} from "../autograd/ops/conv/conv_transpose.ts";
export { embedding, type EmbeddingOptions, oneHot } from "../autograd/ops/shape/embedding.ts";
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
} from "../autograd/ops/pool/max_pool.ts";
export {
  elu,
  hardswish,
  hardtanh,
  type HardtanhOptions,
  leakyRelu,
  prelu,
  relu,
  relu6,
  selu,
} from "../autograd/ops/elementwise/activation_piecewise.ts";
export {
  interpolate,
  type InterpolateMode,
  type InterpolateOptions,
} from "../autograd/ops/pool/interpolate.ts";
export { pad, type PadMode, type PadOptions } from "../autograd/ops/shape/pad.ts";
export {
  cosineSimilarity,
  type CosineSimilarityOptions,
  normalize,
  type NormalizeOptions,
} from "../autograd/ops/matmul/similarity.ts";
export { bilinear, linear } from "../autograd/ops/matmul/products.ts";
export {
  gelu,
  type GeluOptions,
  glu,
  logsigmoid,
  mish,
  sigmoid,
  silu,
  softplus,
  type SoftplusOptions,
  tanh,
} from "../autograd/ops/elementwise/activation_smooth.ts";
export { logSoftmax, softmax, softmin } from "../autograd/ops/reduce/softmax.ts";
export { fold, unfold, type UnfoldOptions } from "../autograd/ops/conv/unfold.ts";
export { type AttentionOptions, scaledDotProductAttention } from "./linear/attention.ts";
export { batchNorm, type BatchNormOptions } from "./norm/batch_norm_function.ts";
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
export {
  type EpsOptions,
  groupNorm,
  instanceNorm,
  type InstanceNormOptions,
  layerNorm,
  rmsNorm,
} from "./norm/normalization.ts";
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
  localResponseNorm,
  type LocalResponseNormOptions,
} from "./norm/local_response_norm_function.ts";
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
} from "./loss/multi_margin_loss.ts";
export { nllLoss, type NllLossOptions } from "./loss/nll_loss.ts";
export {
  huberLoss,
  type HuberLossOptions,
  l1Loss,
  mseLoss,
  smoothL1Loss,
  type SmoothL1LossOptions,
  type WeightedLossOptions,
} from "./loss/regression_loss.ts";
export type { LossOptions, Reduction } from "./loss/reduction.ts";
