// Everything that the module exports, one file per family.
export { gemmBatched, gemmPack, gemmRows, gemmScratchBytes } from "./gemm";
export { imageAffine, imageCotangentSums, imageInputGradient, imageStatistics } from "./batch_norm";
export * from "./batch_norm_rows";
export * from "./batch_norm_fused";
export * from "./arithmetic";
export * from "./reduce";
export { exp, sigmoid, silu } from "./exp";
export { erf, erfScratchBytes, gelu, geluBackward } from "./erf";
export { log } from "./log";
export { tanh, tanhScratchBytes } from "./tanh";
export * from "./softmax";
export { convForward, convScratchBytes, convWeightGradient, convWeightScratchBytes } from "./conv";
export * from "./pool";
export * from "./optim";
