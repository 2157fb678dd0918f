// Everything that the module exports, one file per family.
export { gemmBatched, gemmPack, gemmRows, gemmScratchBytes } from "./gemm";
export { imageAffine, imageCotangentSums, imageInputGradient, imageStatistics } from "./batch_norm";
export { batchNormBackward, batchNormForward } from "./batch_norm_fused";
export * from "./arithmetic";
export * from "./reduce";
export { exp, sigmoid, silu } from "./exp";
export { blockScratchBytes, erf, gelu, geluBackward } from "./erf";
export { log } from "./log";
export { tanh } from "./tanh";
export { logSoftmaxBackwardRows, logSoftmaxRows, softmaxBackwardRows, softmaxRows } from "./softmax";
export { crossEntropyGradient, crossEntropyLosses } from "./cross_entropy";
export { normRows, normRowsGradient, scaleRows } from "./row_norm";
export { convForward, convScratchBytes, convWeightGradient, convWeightScratchBytes } from "./conv";
export * from "./pool";
export { avgPoolWindows, avgPoolWindowsBack, maxPoolWindows } from "./pool_windows";
export * from "./optim";
