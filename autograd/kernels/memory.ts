/**
 * Where tensors' values live. The rest of the library asks for a {@linkcode Storage} and reads
 * `storage.values` afresh in every kernel call; which memory stands behind it is this file's
 * business alone.
 *
 * @module
 */

/** The values of a tensor, shared by all its aliases; `version` counts in-place edits. */
export interface Storage {
  /** The raw values that kernels read and write; never handed to a user. */
  values: Float64Array;
  /** Counts in-place edits. */
  version: number;
}

/** What the memory behind tensors looks like at the moment. */
export interface MemoryInfo {
  /** Bytes of pool memory that live tensors own. */
  readonly pooledBytes: number;
  /** Bytes of pool memory that are free for the next tensor. */
  readonly freeBytes: number;
}

/** Zero-filled storage of `n` values. */
export function allocateStorage(n: number): Storage {
  return { values: new Float64Array(n), version: 0 };
}

/** Storage of `n` values whose content is arbitrary: for kernels that write every element. */
export function allocateUninitialised(n: number): Storage {
  return { values: new Float64Array(n), version: 0 };
}

/** The values as a plain heap array: a pooled storage is moved out of the pool first. */
export function heapValues(storage: Storage): Float64Array {
  return storage.values;
}

/** Gives the block back at once. Only for storages that nobody but the engine can see. */
export function release(_storage: Storage): void {}

/** How much memory the pool holds. */
export function memoryInfo(): MemoryInfo {
  return { pooledBytes: 0, freeBytes: 0 };
}
