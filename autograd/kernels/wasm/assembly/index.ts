// Everything that the module exports, one file per family.
export * from "./gemm";
export * from "./moments";
export * from "./batch_norm";
export * from "./batch_norm_rows";
