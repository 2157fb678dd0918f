/**
 * The layers that the lab's scenes use.
 */
export { ReLU } from "../../nn/activation/activation.ts";
export { Linear } from "../../nn/linear/linear.ts";
export { Sequential } from "../../nn/module/container.ts";
export type { Module } from "../../nn/module/module.ts";
export { BatchNorm, BatchNorm1d } from "../../nn/norm/batch_norm.ts";
