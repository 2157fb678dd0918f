/**
 * Whether forward passes may write running statistics. A forward that is run again, to recompute what
 * was not kept or to check a gradient, must not count its batch twice.
 */
import { callSynchronously } from "./check/arguments.ts";

let enabled = true;

/** Whether running statistics may be written. */
export function isStatsUpdateEnabled(): boolean {
  return enabled;
}

/**
 * Runs `fn` with running statistics and batch counters held still.
 *
 * @param fn A synchronous function.
 * @returns What it returns.
 * @throws {TypeError} if `fn` returns a promise, whose later part would write after all.
 */
export function noStatsUpdate<T>(fn: () => T): T {
  const before = enabled;
  enabled = false;
  try {
    return callSynchronously("run noStatsUpdate", fn);
  } finally {
    enabled = before;
  }
}
