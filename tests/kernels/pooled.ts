/** Arrays in the memory that the vectorised kernels work on, and the comparison with plain ones. */
import {
  allocateUninitialised,
  setPooledFrom,
  type Storage,
} from "../../autograd/runtime/memory.ts";
import { type Build, setSmallest, useBuild } from "../../autograd/runtime/instance.ts";

setPooledFrom(1);
setSmallest(0);

/** The builds that are compared with the plain kernels. */
const builds: readonly Build[] = ["relaxed", "simd"];

const held: Storage[] = [];

/** An array in the pool with the given values; it stays until the process ends. */
export function pooled(values: ArrayLike<number>): Float64Array {
  const storage = allocateUninitialised(values.length);
  held.push(storage);
  storage.values.set(values);
  return storage.values;
}

/** `n` numbers around 0 that depend on the seed only. */
export function numbers(n: number, seed: number): Float64Array {
  let state = seed * 2654435761 >>> 0;
  return Float64Array.from({ length: n }, () => {
    state = Math.imul(state ^ state >>> 15, 2246822519) + 0x9e3779b9 >>> 0;
    return (state / 2 ** 31 - 1) * 2;
  });
}

export { assertClose } from "../assert_close.ts";

/** Runs a test under each vectorised build. */
export function testBuilds(name: string, run: (build: Build) => void): void {
  for (const build of builds) {
    Deno.test(`${name} (${build})`, () => {
      useBuild(build);
      try {
        run(build);
      } finally {
        useBuild("relaxed");
      }
    });
  }
}
