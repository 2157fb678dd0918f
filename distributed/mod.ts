/**
 * Training on several processes, on one machine or many, over MPI.
 *
 * @example
 * ```ts
 * // mpirun -np 4 deno run --allow-ffi --allow-env program.ts; alone it is a group of one.
 * import { allReduce, init } from "@tapegrad/tapegrad/distributed";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * using group = init();
 * const count = allReduce(tensor(1));
 * assertEquals(count.item(), group.size);
 * ```
 *
 * @module
 */
export {
  allGather,
  allReduce,
  allReduce_,
  barrier,
  broadcast_,
  type BroadcastOptions,
  type ReduceOptions,
  reduceScatter,
} from "./collectives.ts";
export { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
export {
  type DataParallelOptions,
  DistributedDataParallel,
  type JoinOptions,
} from "./data_parallel.ts";
export { type Group, init, type InitOptions } from "./group.ts";
export type { ReduceOp } from "./reduce.ts";
export { DistributedSampler, type SamplerOptions } from "./sampler.ts";
export { clipGradNorm_, type ClipOptions, reduceMetrics, updateBn } from "./statistics.ts";
export { type OptimizerClass, ZeroRedundancyOptimizer } from "./zero_redundancy.ts";
