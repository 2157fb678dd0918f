/**
 * Where a recorder looks on while batch norm layers run.
 */
import type { BatchMoments } from "../../autograd/internal.ts";
import type { BatchNorm } from "./batch_norm.ts";

/** Sees the forwards of batch norm layers. */
export interface NormWatcher {
  /** Called before anything has changed. */
  before(layer: BatchNorm): void;
  /**
   * Called after a forward that did not throw.
   *
   * @param moments Those of the batch, or of each virtual one; `null` where none were taken.
   */
  after(layer: BatchNorm, moments: readonly (BatchMoments | null)[]): void;
}

/** The watcher in force; `null` for none. */
export let normWatcher: NormWatcher | null = null;

/** Sets the watcher and returns the previous one. */
export function setNormWatcher(next: NormWatcher | null): NormWatcher | null {
  const before = normWatcher;
  normWatcher = next;
  return before;
}
