/**
 * The door to the kernels: arithmetic on float64 arrays that never sees a tensor. Outputs are
 * allocated by the caller and filled completely.
 *
 * @module
 */
export { add, div, mul, neg, sub } from "./plain/arithmetic.ts";
export {
  batchStatistics,
  channelAffine,
  channelGradient,
  type ChannelSizes,
  cotangentSums,
} from "./plain/batch_norm.ts";
export { matmul } from "./plain/matmul.ts";
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
export { exp, rsqrt } from "./plain/pointwise.ts";
export { avgPool, avgPoolTranspose, gatherPlanes, maxPool, scatterPlanes } from "./plain/pool.ts";
export type { Band, Bands } from "./plain/pool.ts";
export { gatherStrided, readColumns, scatterStrided, writeColumns } from "./plain/strided.ts";
export { col2im, im2col, volume } from "./plain/window.ts";
export type { Triple, Window } from "./plain/window.ts";
