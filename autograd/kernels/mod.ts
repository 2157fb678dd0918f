/**
 * The door to the kernels: arithmetic on float64 arrays that never sees a tensor. Outputs are
 * allocated by the caller and filled completely.
 *
 * @module
 */
export * from "./plain/activation.ts";
export { add, div, divFloor, divTrunc, mul, neg, pow, powNumber, sub } from "./plain/arithmetic.ts";
export * from "./plain/axis.ts";
export {
  batchStatistics,
  channelAffine,
  channelGradient,
  cotangentSums,
} from "./wasm/batch_norm.ts";
export type { ChannelSizes } from "./plain/batch_norm.ts";
export { crossEntropy, crossEntropyBackward } from "./plain/cross_entropy.ts";
export type { CrossEntropySizes } from "./plain/cross_entropy.ts";
export { erf } from "./plain/erf.ts";
export { addRows, gatherAlong, oneHot, scatterAlong, selectRows } from "./plain/index.ts";
export type { IndexedRows, IndexWalk } from "./plain/index.ts";
export { binaryCrossEntropy, huber, huberBackward } from "./plain/loss.ts";
export { addRow } from "./plain/matmul.ts";
export { matmul } from "./wasm/matmul.ts";
export type { MatmulSizes } from "./plain/matmul.ts";
export {
  adadeltaStep,
  adagradStep,
  adamaxStep,
  adamStep,
  asgdStep,
  nadamStep,
  radamStep,
  rmspropStep,
  rpropStep,
  sgdStep,
} from "./plain/optim.ts";
export * from "./plain/pointwise.ts";
export { avgPool, avgPoolTranspose, gatherPlanes, maxPool, scatterPlanes } from "./plain/pool.ts";
export type { Band, Bands } from "./plain/pool.ts";
export { amax, amin, argmax, argmin, logsumexp, norm, variance } from "./plain/reduce.ts";
export { resample, resampleTranspose } from "./plain/resample.ts";
export type { Taps } from "./plain/resample.ts";
export * from "./plain/select.ts";
export {
  gatherStrided,
  placeStrided,
  readColumns,
  scatterStrided,
  writeColumns,
} from "./plain/strided.ts";
export { triangle } from "./plain/triangle.ts";
export { col2im, im2col, volume } from "./plain/window.ts";
export type { Triple, Window } from "./plain/window.ts";
