/**
 * Why state is being written, for those who watch it: set while a library function writes on behalf of
 * its caller.
 */

/** The reasons that are told from a plain `copy_`. */
export type EditCause = "load" | "reset" | "recalibration" | "accumulated";

let current: EditCause | null = null;

/** The reason in force; `null` outside of {@linkcode causing}. */
export function editCause(): EditCause | null {
  return current;
}

/** Runs `fn`, whose writes have a reason; within another reason that one stays. */
export function causing<T>(cause: EditCause, fn: () => T): T {
  const before = current;
  current = before ?? cause;
  try {
    return fn();
  } finally {
    current = before;
  }
}
