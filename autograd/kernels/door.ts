/**
 * What a door is made of: a kernel that runs vectorised where its arrays lie in the kernels' memory and
 * are worth their while, and in plain TypeScript everywhere else.
 *
 * @module
 */

import { NoRoom } from "../runtime/instance.ts";

/** A kernel. Its plain version is the readable reference, and what the tests compare it with. */
export type Door<Kernel> = Kernel & {
  /** The kernel in plain TypeScript. */
  readonly plain: Kernel;
};

/** A door whose vectorised version returns `false`, and has done nothing, where the plain one has to run. */
export function door<Args extends unknown[]>(
  plain: (...args: Args) => void,
  vectorised: (...args: Args) => boolean,
): Door<(...args: Args) => void> {
  const kernel = (...args: Args): void => {
    if (!attempt(vectorised, args)) plain(...args);
  };
  return Object.assign(kernel, { plain });
}

/** Runs the vectorised version; `false` where it cannot, for want of memory too. */
export function attempt<Args extends unknown[]>(
  vectorised: (...args: Args) => boolean,
  args: Args,
): boolean {
  try {
    return vectorised(...args);
  } catch (error) {
    if (error instanceof NoRoom) return false;
    throw error;
  }
}
