/**
 * Data for training: datasets, and passes over them in batches.
 *
 * @module
 */
export { type Batches, batches, type BatchOptions } from "./batches.ts";
export { type Dataset, type Rows, TensorDataset } from "./dataset.ts";
export { type Batched, stackSamples } from "./stack_samples.ts";
