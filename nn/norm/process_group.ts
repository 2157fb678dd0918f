/**
 * The processes that train one model together, as layers see them. Nothing here knows how they talk.
 */
import type { Tensor } from "../../autograd/mod.ts";

/** All processes of a job. */
export interface ProcessGroup {
  /** The number of this process, from 0 on. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** The sum over all processes, in place, off the tape; all have to call it. */
  sum(values: Float64Array): void;
  /** The sum over all processes on the tape, which can be differentiated; all have to call it. */
  sumTensor(x: Tensor): Tensor;
  /** The values of all processes, of the same length in each, by rank; all have to call it. */
  gather(values: Float64Array): readonly Float64Array[];
}

let current: ProcessGroup | null = null;

/** Sets the processes that layers speak with; `null` for this one alone. Returns those before. */
export function setProcessGroup(group: ProcessGroup | null): ProcessGroup | null {
  const before = current;
  current = group;
  return before;
}

/** The processes that layers speak with; `null` if there is only this one. */
export function processGroup(): ProcessGroup | null {
  return current;
}
