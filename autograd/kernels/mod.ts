/**
 * The door to the kernels: arithmetic on float64 arrays that never sees a tensor. Outputs are
 * allocated by the caller and filled completely.
 *
 * Each kernel is written in plain TypeScript (_plain.ts), the readable reference and what runs on small
 * arrays and where there is no WebAssembly SIMD. The files without that ending decide by size and
 * place whether the vectorised kernel runs instead: it works on arrays that lie in the pool of
 * runtime/memory.ts. To change one of those, edit its AssemblyScript source in assembly/ and run
 * `deno task build:kernels`.
 *
 * @module
 */
export * from "./elementwise/activation_plain.ts";
export { divFloor, divTrunc, pow } from "./elementwise/arithmetic_plain.ts";
export * from "./reduce/axis_plain.ts";
export {
  batchNormBackward,
  batchNormForward,
  batchStatistics,
  channelAffine,
  channelGradient,
  cotangentSums,
} from "./norm/batch_norm.ts";
export type { ChannelSizes, ChannelStatistics, ValidPositions } from "./norm/batch_norm_plain.ts";
export { crossEntropy, crossEntropyBackward } from "./loss/cross_entropy.ts";
export type { CrossEntropySizes } from "./loss/cross_entropy_plain.ts";
export { addRows, gatherAlong, oneHot, scatterAlong, selectRows } from "./shape/index_plain.ts";
export type { IndexedRows, IndexWalk } from "./shape/index_plain.ts";
export { localResponseNorm, localResponseNormBackward } from "./norm/local_response_norm_plain.ts";
export type { ResponseWindow } from "./norm/local_response_norm_plain.ts";
export { binaryCrossEntropy, huber, huberBackward } from "./loss/loss_plain.ts";
export { addRow, matmul } from "./matmul/matmul.ts";
export type { MatmulSizes } from "./matmul/matmul_plain.ts";
export {
  adadeltaStep,
  adagradStep,
  adamaxStep,
  asgdStep,
  nadamStep,
  radamStep,
  rmspropStep,
  rpropStep,
} from "./optim/optim_plain.ts";
export * from "./elementwise/pointwise_plain.ts";
export { gatherPlanes } from "./pool/pool_plain.ts";
export type { Band, Bands } from "./pool/pool_plain.ts";
export { amax, amin, argmax, argmin, logsumexp, norm, variance } from "./reduce/reduce_plain.ts";
export { resample, resampleTranspose } from "./pool/resample_plain.ts";
export type { Taps } from "./pool/resample_plain.ts";
export * from "./elementwise/select_plain.ts";
export { gatherStrided, placeStrided, readColumns, writeColumns } from "./shape/strided_plain.ts";
export { triangle } from "./shape/triangle_plain.ts";
export { col2im, im2col, volume } from "./conv/window_plain.ts";
export type { Triple, Window } from "./conv/window_plain.ts";
export { logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from "./reduce/axis.ts";
export {
  abs,
  add,
  div,
  erf,
  exp,
  gelu,
  geluBackward,
  log,
  mul,
  neg,
  powNumber,
  relu,
  reluBackward,
  rsqrt,
  sigmoid,
  sigmoidBackward,
  silu,
  sqrt,
  sub,
  tanh,
  tanhBackward,
} from "./elementwise/elementwise.ts";
export { adamStep, sgdStep } from "./optim/optim.ts";
export { avgPool, avgPoolTranspose, maxPool, scatterPlanes } from "./pool/pool.ts";
export { rowAffine, rowGradient, rowScale, rowScaleGradient } from "./norm/row_norm.ts";
export { scatterStrided } from "./shape/strided.ts";
