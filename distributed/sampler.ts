/**
 * Which samples a rank gets.
 */
import { Generator, randperm } from "../autograd/mod.ts";
import { assertOptions, describe, type Known, show } from "../autograd/internal.ts";
import { groupFor } from "./group.ts";

/** How a {@linkcode DistributedSampler} shares. */
export interface SamplerOptions {
  /** Among how many the samples are shared; the size of the group where left out. */
  readonly numReplicas?: number;
  /** Whose share it is; the own rank where left out. */
  readonly rank?: number;
  /** Whether each epoch has a random order of its own; true where left out. */
  readonly shuffle?: boolean;
  /** Where the orders come from, the same on all ranks; 0 where left out. */
  readonly seed?: number;
  /** Whether what does not divide is left out; otherwise the first samples are taken twice. */
  readonly dropLast?: boolean;
}

const KNOWN: Known<SamplerOptions> = ["numReplicas", "rank", "shuffle", "seed", "dropLast"];
const ACTION = "make a DistributedSampler";

/**
 * The own share of a dataset's indices, to the letter as PyTorch's: in the order of the generator of seed +
 * epoch, padded with the first ones (or cut, with `dropLast`) until all ranks have as many, rank r takes every
 * size-th from the r-th on.
 *
 * @example
 * ```ts
 * import { DistributedSampler } from "@tapegrad/tapegrad/distributed";
 * import { assertEquals } from "@std/assert";
 *
 * const sampler = new DistributedSampler(5, { numReplicas: 2, rank: 1, shuffle: false });
 * assertEquals([...sampler], [1, 3, 0]);
 * ```
 */
export class DistributedSampler implements Iterable<number> {
  /** Among how many the samples are shared. */
  readonly numReplicas: number;
  /** Whose share it is. */
  readonly rank: number;
  /** Whether each epoch has a random order of its own. */
  readonly shuffle: boolean;
  /** Where the orders come from. */
  readonly seed: number;
  /** Whether what does not divide is left out. */
  readonly dropLast: boolean;
  readonly #dataset: number | { readonly length: number };
  #epoch = 0;

  /**
   * Makes it.
   *
   * @param dataset A dataset, a list, or a number of samples.
   * @param options See {@linkcode SamplerOptions}.
   * @throws {TypeError} for a wrong kind. @throws {RangeError} for a wrong number, or no samples.
   * @throws {Error} before `init()` if `numReplicas` or `rank` is left out.
   */
  constructor(
    dataset: number | { readonly length: number },
    options: SamplerOptions = {},
  ) {
    assertOptions(ACTION, options, KNOWN);
    const { shuffle = true, seed = 0, dropLast = false } = options;
    this.#dataset = dataset;
    const given: unknown = typeof dataset === "number" ? dataset : dataset?.length;
    if (typeof given !== "number") {
      throw new TypeError(
        `Cannot ${ACTION}: got dataset ${
          describe(dataset)
        }, expected one with a length, or a number`,
      );
    }
    this.numReplicas = whole("numReplicas", options.numReplicas ?? groupFor(ACTION).size, 1);
    this.rank = whole("rank", options.rank ?? groupFor(ACTION).rank, 0);
    if (this.rank >= this.numReplicas) {
      throw new RangeError(
        `Cannot ${ACTION}: got rank ${this.rank} of ${this.numReplicas}, expected one of ` +
          `0 … ${this.numReplicas - 1}`,
      );
    }
    this.seed = whole("seed", seed, 0);
    for (const [name, value] of Object.entries({ shuffle, dropLast })) {
      if (typeof value === "boolean") continue;
      throw new TypeError(`Cannot ${ACTION}: got ${name} ${show(value)}, expected true or false`);
    }
    this.shuffle = shuffle;
    this.dropLast = dropLast;
    whole("a dataset of length", given, 1);
  }

  get #samples(): number {
    return typeof this.#dataset === "number" ? this.#dataset : this.#dataset.length;
  }

  /** How many indices each rank gets. */
  get length(): number {
    const { numReplicas, dropLast } = this;
    const samples = this.#samples;
    if (dropLast && samples % numReplicas !== 0) return Math.floor(samples / numReplicas);
    return Math.ceil(samples / numReplicas);
  }

  /**
   * Chooses the order of an epoch; without it every epoch has the first one's.
   *
   * @throws {RangeError} if it is not an integer of at least 0.
   */
  setEpoch(epoch: number): void {
    this.#epoch = whole("epoch", epoch, 0);
  }

  /** The own indices of the epoch. */
  *[Symbol.iterator](): Iterator<number> {
    const samples = this.#samples;
    const order = this.shuffle
      ? randperm(samples, { generator: new Generator(this.seed + this.#epoch) }).data
      : Float64Array.from({ length: samples }, (_, i) => i);
    const { numReplicas, length } = this;
    for (let i = this.rank; i < length * numReplicas; i += numReplicas) yield order[i % samples];
  }

  /**
   * The own indices of the epoch in lists of `batchSize`, for `dataset.rows(indices)`; the last may be shorter.
   *
   * @throws {RangeError} if `batchSize` is not an integer of at least 1.
   */
  *batches(batchSize: number): Iterable<number[]> {
    whole("batchSize", batchSize, 1);
    const indices = [...this];
    for (let start = 0; start < indices.length; start += batchSize) {
      yield indices.slice(start, start + batchSize);
    }
  }
}

function whole(name: string, value: unknown, least: number): number {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot ${ACTION}: got ${name} ${describe(value)}, expected a number`);
  }
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(
      `Cannot ${ACTION}: got ${name} ${value}, expected an integer of at least ${least}`,
    );
  }
  return value;
}
