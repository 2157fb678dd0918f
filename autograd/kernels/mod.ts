/**
 * The door to the kernels: arithmetic on float64 arrays that never sees a tensor. Outputs are
 * allocated by the caller and filled completely.
 *
 * Each kernel is written in plain TypeScript (plain/), the readable reference and what runs on small
 * arrays and where there is no WebAssembly SIMD. Those that come from wasm/ here decide by size and
 * place whether the vectorised kernel runs instead: it works on arrays that lie in the pool of
 * memory.ts. To change one of those, edit its AssemblyScript source in wasm/assembly/ and run
 * `deno task build:kernels`.
 *
 * @module
 */
export * from "./plain/activation.ts";
export { divFloor, divTrunc, pow } from "./plain/arithmetic.ts";
export * from "./plain/axis.ts";
export {
  batchNormBackward,
  batchNormForward,
  batchStatistics,
  channelAffine,
  channelGradient,
  cotangentSums,
} from "./wasm/batch_norm.ts";
export type { ChannelSizes, ChannelStatistics, ValidPositions } from "./plain/batch_norm.ts";
export { crossEntropy, crossEntropyBackward } from "./wasm/cross_entropy.ts";
export type { CrossEntropySizes } from "./plain/cross_entropy.ts";
export { addRows, gatherAlong, oneHot, scatterAlong, selectRows } from "./plain/index.ts";
export type { IndexedRows, IndexWalk } from "./plain/index.ts";
export { localResponseNorm, localResponseNormBackward } from "./plain/local_response_norm.ts";
export type { ResponseWindow } from "./plain/local_response_norm.ts";
export { binaryCrossEntropy, huber, huberBackward } from "./plain/loss.ts";
export { addRow, matmul } from "./wasm/matmul.ts";
export type { MatmulSizes } from "./plain/matmul.ts";
export {
  adadeltaStep,
  adagradStep,
  adamaxStep,
  asgdStep,
  nadamStep,
  radamStep,
  rmspropStep,
  rpropStep,
} from "./plain/optim.ts";
export * from "./plain/pointwise.ts";
export { gatherPlanes } from "./plain/pool.ts";
export type { Band, Bands } from "./plain/pool.ts";
export { amax, amin, argmax, argmin, logsumexp, norm, variance } from "./plain/reduce.ts";
export { resample, resampleTranspose } from "./plain/resample.ts";
export type { Taps } from "./plain/resample.ts";
export * from "./plain/select.ts";
export { gatherStrided, placeStrided, readColumns, writeColumns } from "./plain/strided.ts";
export { triangle } from "./plain/triangle.ts";
export { col2im, im2col, volume } from "./plain/window.ts";
export type { Triple, Window } from "./plain/window.ts";
export { logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from "./wasm/axis.ts";
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
} from "./wasm/elementwise.ts";
export { adamStep, sgdStep } from "./wasm/optim.ts";
export { avgPool, avgPoolTranspose, maxPool, scatterPlanes } from "./wasm/pool.ts";
export { rowAffine, rowGradient, rowScale, rowScaleGradient } from "./wasm/row_norm.ts";
export { scatterStrided } from "./wasm/strided.ts";
