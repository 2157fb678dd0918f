/**
 * Whether forward passes may write running statistics. A forward that is run again, to recompute what
 * was not kept or to check a gradient, must not count its batch twice.
 */

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
    const result = fn();
    if (result instanceof Promise) {
      throw new TypeError(
        "Cannot run noStatsUpdate: got a function that returns a promise, expected a synchronous one",
      );
    }
    return result;
  } finally {
    enabled = before;
  }
}
