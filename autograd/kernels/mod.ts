/**
 * The door to the kernels: arithmetic on float64 arrays that never sees a tensor. Outputs are
 * allocated by the caller and filled completely.
 *
 * Each kernel is written in plain TypeScript (_plain.ts), the readable reference and what runs on small
 * arrays and where there is no WebAssembly SIMD. The files without that ending are doors: they name
 * both versions and decide by size and place which runs. The vectorised one works on arrays that lie in
 * the pool of runtime/pool.ts; to change it, edit its AssemblyScript source in assembly/ and run
 * `deno task build:kernels`.
 *
 * @module
 */

export * from "./elementwise/elementwise.ts";
export {
  elu,
  eluBackward,
  GELU_CUBIC,
  GELU_SCALE,
  geluTanh,
  geluTanhBackward,
  hardswish,
  hardswishBackward,
  hardtanhBackward,
  leakyRelu,
  leakyReluBackward,
  logsigmoid,
  logsigmoidBackward,
  mish,
  mishBackward,
  prelu,
  siluBackward,
  softplus,
  softplusBackward,
} from "./elementwise/activation_plain.ts";
export { divFloor, divTrunc, pow } from "./elementwise/arithmetic_plain.ts";
export { cos, expm1, log1p, sign, sin } from "./elementwise/pointwise_plain.ts";
export * from "./elementwise/select_plain.ts";

export * from "./reduce/axis.ts";
export { type AxisSizes, cumsum } from "./reduce/axis_plain.ts";
export * from "./reduce/reduce_plain.ts";

export * from "./shape/index_plain.ts";
export * from "./shape/strided.ts";
export { gatherStrided, placeStrided, readColumns, writeColumns } from "./shape/strided_plain.ts";

export * from "./matmul/matmul.ts";
export type { MatmulSizes } from "./matmul/matmul_plain.ts";

export * from "./conv/window_plain.ts";

export * from "./pool/pool.ts";
export {
  type Band,
  type Bands,
  gatherPlanes,
  resample,
  resampleTranspose,
  type Taps,
} from "./pool/pool_plain.ts";

export * from "./norm/batch_norm.ts";
export type { ChannelSizes, ChannelStatistics, ValidPositions } from "./norm/batch_norm_plain.ts";
export type { Following } from "./norm/batch_norm_relu_plain.ts";
export * from "./norm/local_response_norm_plain.ts";
export * from "./norm/row_norm.ts";

export * from "./loss/cross_entropy.ts";
export {
  binaryCrossEntropy,
  type CrossEntropySizes,
  huber,
  huberBackward,
} from "./loss/loss_plain.ts";

export * from "./optim/optim.ts";
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
