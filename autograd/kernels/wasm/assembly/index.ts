// Everything that the module exports, one file per family.
export * from "./gemm";
