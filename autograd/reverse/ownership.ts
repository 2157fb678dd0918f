/**
 * Which cotangents of a reverse pass nobody outside it can see. Their memory is reused as soon as no
 * place waits with them, and sums are added to in place.
 *
 * Only large tensors have memory to give back. A pass over small ones keeps empty lists, and to see that first
 * makes a tiny step a twentieth faster than to look each of its cotangents up.
 *
 * @module
 */
import * as kernels from "../kernels/mod.ts";
import { add } from "../ops/elementwise/arithmetic.ts";
import { release, type Storage } from "../runtime/memory.ts";
import { watchAllocations } from "../tape/tape.ts";
import { storageOf, type Tensor, valuesOf } from "../tensor.ts";

/** The memory of one pass. */
export class Ownership {
  /** Storages that only the pass can see, with the number of places that wait with them. */
  readonly #places = new Map<Storage, number>();
  /** Sums that the pass made itself and may add to in place. */
  readonly #sums = new Set<Tensor>();

  /** What the present step has made. */
  readonly #made: Storage[] = [];
  readonly #note = (storage: Storage): void => {
    this.#made.push(storage);
    this.#places.set(storage, 0);
  };

  /** Runs a step of the pass: what it makes is owned, and released if no place waits with it. */
  during(step: () => void): void {
    const before = watchAllocations(this.#note);
    try {
      step();
    } finally {
      watchAllocations(before);
    }
    if (this.#made.length === 0) return;
    for (const storage of this.#made.splice(0)) this.#releaseUnused(storage);
  }

  /** A place waits with this cotangent. */
  hold(cotangent: Tensor): void {
    if (this.#places.size === 0) return;
    const storage = storageOf(cotangent);
    const places = this.#places.get(storage);
    if (places !== undefined) this.#places.set(storage, places + 1);
  }

  /** A place no longer waits with this cotangent. */
  letGo(cotangent: Tensor): void {
    if (this.#places.size === 0) return;
    const storage = storageOf(cotangent);
    const places = this.#places.get(storage);
    if (places === undefined) return;
    this.#places.set(storage, places - 1);
    this.#releaseUnused(storage);
  }

  /** From here on others may hold this cotangent. */
  handOut(cotangent: Tensor): void {
    this.#sums.delete(cotangent);
    this.#places.delete(storageOf(cotangent));
  }

  /** From here on a rule may pass this cotangent on to several places. */
  share(cotangent: Tensor): void {
    if (this.#sums.size > 0) this.#sums.delete(cotangent);
  }

  /** Whether nobody else can see a cotangent that has arrived at one place. */
  isAlone(cotangent: Tensor): boolean {
    return this.#places.get(storageOf(cotangent)) === 1;
  }

  /** `total + cotangent` for the place that waits with `total`: in place where that is the pass's own sum. */
  add(total: Tensor, cotangent: Tensor): Tensor {
    if (this.#sums.has(total)) {
      const values = valuesOf(total);
      kernels.add(values, valuesOf(cotangent), values);
      return total;
    }
    const sum = add(total, cotangent);
    // Read before the memory of what it is computed from goes back.
    void valuesOf(sum);
    this.#sums.add(sum);
    this.hold(sum);
    this.letGo(total);
    return sum;
  }

  #releaseUnused(storage: Storage): void {
    if (this.#places.get(storage) !== 0) return;
    this.#places.delete(storage);
    release(storage);
  }
}
