// Everything that the module exports, one file per family.
export { gemmBatched, gemmPack, gemmRows, gemmScratchBytes } from "./matmul/gemm";
export { imageAffine, imageCotangentSums, imageInputGradient, imageStatistics } from "./norm/batch_norm";
export { batchNormBackward, batchNormForward } from "./norm/batch_norm_fused";
export * from "./elementwise/arithmetic";
export * from "./reduce/reduce";
export { exp, sigmoid, silu } from "./elementwise/exp";
export { blockScratchBytes, erf, gelu, geluBackward } from "./elementwise/erf";
export { log } from "./elementwise/log";
export { tanh } from "./elementwise/tanh";
export { logSoftmaxBackwardRows, logSoftmaxRows, softmaxBackwardRows, softmaxRows } from "./reduce/softmax";
export { crossEntropyGradient, crossEntropyLosses } from "./loss/cross_entropy";
export { normRows, normRowsGradient, scaleRows } from "./norm/row_norm";
export { convForward, convScratchBytes, convWeightGradient, convWeightScratchBytes } from "./conv/conv";
export {
  winogradBlock, winogradForward, winogradScratchBytes, winogradWeightBytes, winogradWeights,
} from "./conv/winograd";
export {
  winogradSumBytes, winogradWeightEnd, winogradWeightScratchBytes, winogradWeightSums,
} from "./conv/winograd_weight";
export * from "./pool/pool";
export { avgPoolWindows, avgPoolWindowsBack, maxPoolWindows } from "./pool/pool_windows";
export * from "./optim/optim";
