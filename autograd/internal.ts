/**
 * The internal door: what nn, optim and io may use and users may not. Functions here trust their
 * arguments: the caller has checked them. Nothing here is part of the public interface.
 *
 * @module
 */
export { assertFunction, assertIterable, assertList, assertNumbers } from "./check/arguments.ts";
export { refuse, refuseKind } from "./check/refuse.ts";
export { assertOptions, type Known } from "./check/options.ts";
export { kindOf, show } from "./check/describe.ts";
export {
  adadeltaStep,
  adagradStep,
  adamaxStep,
  adamStep,
  asgdStep,
  batchNormBackward,
  batchNormForward,
  batchStatistics,
  channelGradient,
  type ChannelSizes,
  type ChannelStatistics,
  gatherStrided,
  nadamStep,
  norm,
  radamStep,
  rmspropStep,
  rpropStep,
  sgdStep,
  type ValidPositions,
} from "./kernels/mod.ts";
export { KNOWN as CONV_OPTIONS } from "./ops/conv/conv.ts";
export { KNOWN as UNFOLD_OPTIONS, unfold } from "./ops/conv/unfold.ts";
export { assertTensor, describe, fromValues, scalar } from "./ops/create/creation.ts";
export { elementwiseBinaryCrossEntropy, huber, indexCrossEntropy } from "./ops/loss/loss.ts";
export {
  type BatchMoments,
  blend,
  momentsFrom,
  PooledMoments,
  unbiasedVariance,
} from "./ops/norm/batch_moments.ts";
export {
  batchNorm,
  type BatchNormOperands,
  type BatchNormOptions,
  type BatchNormThen,
  normalizeBatch,
  type NormalizedBatch,
  type NormalizeSettings,
} from "./ops/norm/batch_norm.ts";
export { type EpsOptions, groupNorm, layerNorm } from "./ops/norm/group_norm.ts";
export {
  instanceNorm,
  type InstanceNormOptions,
  normalizeInstances,
} from "./ops/norm/instance_norm.ts";
export {
  localResponseNorm,
  type LocalResponseNormOptions,
} from "./ops/norm/local_response_norm.ts";
export {
  alignMask,
  assertBatch,
  assertChannels,
  channelSizes,
  maskedRows,
} from "./ops/norm/operands.ts";
export { renormalize, secondOrder } from "./ops/norm/rules.ts";
export { rmsNorm } from "./ops/norm/rms_norm.ts";
export { KNOWN as AVG_POOL_OPTIONS } from "./ops/pool/avg_pool.ts";
export { KNOWN as INTERPOLATE_OPTIONS } from "./ops/pool/interpolate.ts";
export { KNOWN as MAX_POOL_OPTIONS } from "./ops/pool/max_pool.ts";
export { chooseGenerator } from "./random.ts";
export { holdsUsed, noteUse, onAccumulated, scaleKeeping } from "./reverse/gradients.ts";
export { allocateUninitialised, letGo, type Storage } from "./runtime/memory.ts";
export {
  broadcastShapes,
  broadcastsTo,
  formatShape,
  sameShape,
  sizeOf,
  stridesOf,
} from "./shape.ts";
export { isInspected, setInspector } from "./tape/tape.ts";
export {
  type EditWatcher,
  heldGradOf,
  nodeOf,
  replaceValues,
  storageOf,
  valuesOf,
  watchEdits,
  write,
} from "./tensor.ts";
export { mayWarn, warnOnce, withoutWarnings } from "./warnings.ts";
