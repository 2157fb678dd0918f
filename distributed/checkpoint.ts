/**
 * Checkpoints of a run on several ranks: rank 0 writes and reads the file, all have what is in it.
 */
import {
  type CheckpointContent,
  decodeCheckpoint,
  type LoadedCheckpoint,
  type Run,
  saveCheckpoint as saveOwn,
} from "../io/checkpoint.ts";
import { groupFor } from "./group.ts";
import { ZeroRedundancyOptimizer } from "./zero_redundancy.ts";

/**
 * Saves a training run as `saveCheckpoint` of `@tapegrad/tapegrad/io` does: rank 0 writes the file, and all wait
 * until it is there whole. A sharded optimizer is saved whole.
 *
 * @param file The file, on the machine of rank 0; what was there is replaced.
 * @param run The parts; all ranks pass theirs.
 * @throws {Error} on all ranks if the file cannot be written. @throws {Error} before `init()`.
 */
export async function saveCheckpoint(file: string, run: CheckpointContent): Promise<void> {
  const action = "save a checkpoint";
  const group = groupFor(action);
  let fault: unknown = null;
  if (group.rank === 0) await saveOwn(file, run).catch((error) => fault = error);
  // Its state is gathered from all.
  else if (run.optimizer instanceof ZeroRedundancyOptimizer) run.optimizer.stateDict();
  const failed = Float64Array.of(fault === null ? 0 : 1);
  group.reduce("saveCheckpoint", failed, "max");
  if (fault !== null) throw fault;
  if (failed[0] > 0) {
    throw new Error(`Cannot ${action}: rank 0 could not write ${file}, expected it to`);
  }
}

/**
 * Takes a run up where {@linkcode saveCheckpoint} left it, on any number of ranks: rank 0 reads the file and gives
 * it to all. Files that were saved by one process load too.
 *
 * @param file The file, on the machine of rank 0.
 * @param run The parts, made as in the run that was saved; all ranks pass theirs.
 * @returns The number of steps taken, and what was saved as `extra`.
 * @throws {RangeError} if the file is damaged or no checkpoint, lacks a part, or a part does not fit.
 * @throws {Error} on all ranks if the file cannot be read. @throws {Error} before `init()`.
 */
export async function loadCheckpoint(file: string, run: Run): Promise<LoadedCheckpoint> {
  const action = "resume from a checkpoint";
  const group = groupFor(action);
  let bytes: Uint8Array | null = null;
  let fault: unknown = null;
  if (group.rank === 0) bytes = await Deno.readFile(file).catch((error) => (fault = error, null));
  const length = Float64Array.of(bytes?.length ?? -1);
  group.spread("loadCheckpoint", length, 0);
  if (fault !== null) throw fault;
  if (length[0] < 0) {
    throw new Error(`Cannot ${action}: rank 0 could not read ${file}, expected it to`);
  }
  const values = new Float64Array(Math.ceil(length[0] / 8));
  const content = new Uint8Array(values.buffer, 0, length[0]);
  if (bytes !== null) content.set(bytes);
  group.spread("loadCheckpoint", values, 0);
  return await decodeCheckpoint(content, run, { name: file });
}
