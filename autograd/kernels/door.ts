/**
 * What a door is made of: a kernel that runs vectorised where its arrays lie in the kernels' memory and
 * are worth their while, and in plain TypeScript everywhere else.
 *
 * @module
 */

import { inPool, type Kernels, kernelsFor, NoRoom, place, takeBack } from "../runtime/instance.ts";
import type { KernelName } from "../runtime/module.ts";
import type { Team } from "../runtime/threads.ts";

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

/** The kernels if `x` is worth their while and lies in their memory with all others that are there; else `null`. */
export function kernelsOn(
  x: Float64Array,
  ...others: readonly (Float64Array | null)[]
): Kernels | null {
  const kernels = kernelsFor(x);
  return kernels !== null && others.every((y) => y === null || inPool(y)) ? kernels : null;
}

/**
 * Calls a kernel. Arrays go as addresses, 0 for those that are absent; those that lie elsewhere are copied to scratch
 * memory, and back if they are among `made`. The last argument is the address of `bytes` more of it.
 */
export function call(
  kernels: Kernels,
  name: KernelName,
  args: readonly (number | Float64Array | null)[],
  made: readonly (Float64Array | null)[] = [],
  bytes = 0,
): true {
  const arrays = args.filter((arg) => typeof arg !== "number");
  const places = place(arrays, bytes);
  let next = 0;
  kernels[name](
    ...args.map((arg) => typeof arg === "number" ? arg : places[next++]),
    places[arrays.length],
  );
  for (const array of made) takeBack(array, places[arrays.indexOf(array)]);
  return true;
}

/**
 * Runs a kernel over [0, total): at once, or on threads in parts of `size`. Sums must not depend on threads,
 * so nor may `size`: how many parts there are is for the sizes of the arrays to say.
 *
 * @param argumentsOf The arguments for a part; whether it runs on a thread, and so in that thread's scratch memory.
 */
export function inParts(
  kernels: Kernels,
  name: KernelName,
  team: Team | null,
  total: number,
  size: number,
  argumentsOf: (from: number, count: number, threaded: boolean) => number[],
): void {
  if (team === null) {
    kernels[name](...argumentsOf(0, total, false));
    return;
  }
  const calls: number[][] = [];
  for (let from = 0; from < total; from += size) {
    calls.push(argumentsOf(from, Math.min(size, total - from), true));
  }
  team.run(name, kernels[name], calls);
}
