/**
 * The processes that train one model together, as layers see them. Nothing here knows how they talk: the room
 * of distributed training sets it.
 */
import type { Tensor } from "../../autograd/mod.ts";
import type { BatchMoments, BatchNormOperands, NormalizedBatch } from "../../autograd/internal.ts";

/** The moments of a layer's data, and in how many batches they came. */
export interface LayerMoments {
  readonly moments: BatchMoments;
  readonly batches: number;
}

/** All processes of a job; each of its calls has to be made by all. */
export interface ProcessGroup {
  /** How many there are. */
  readonly size: number;
  /** Normalises with the statistics of the batches of all processes together. */
  normalize(
    operands: BatchNormOperands,
    settings: { readonly eps: number; readonly mask?: Tensor | null },
  ): NormalizedBatch;
  /** The moments of the data of all processes together. */
  pool(own: LayerMoments): LayerMoments;
}

let current: ProcessGroup | null = null;

/** Sets the processes that layers speak with; `null` for this one alone. */
export function setProcessGroup(group: ProcessGroup | null): void {
  current = group;
}

/** The processes that layers speak with; `null` if there is only this one. */
export function processGroup(): ProcessGroup | null {
  return current;
}
