/**
 * Passes over a dataset in batches.
 */
import { Generator, type Tensor } from "../../autograd/mod.ts";
import {
  assertOptions,
  chooseGenerator,
  type Known,
  refuse,
  refuseKind,
  show,
} from "../../autograd/internal.ts";
import { checkCount, checkFlag } from "../module/arguments.ts";
import { type Dataset, type Rows, TensorDataset } from "./dataset.ts";
import { type Batched, stackSamples } from "./stack_samples.ts";

/** How {@linkcode batches} runs. */
export interface BatchOptions {
  /** The number of samples in a batch; 1 where left out. */
  readonly batchSize?: number;
  /** Whether each pass takes the samples in a new random order. */
  readonly shuffle?: boolean;
  /** Where the orders come from; the default generator where left out. */
  readonly generator?: Generator | null;
  /** Whether a last batch that is not full is left out. */
  readonly dropLast?: boolean;
}

const KNOWN: Known<BatchOptions> = ["batchSize", "shuffle", "generator", "dropLast"];

/** The batches of a dataset; every loop over it is a new pass. */
export interface Batches<Batch> extends Iterable<Batch> {
  /** The number of batches in a pass. */
  readonly length: number;
  /**
   * A pass from batch `first` on: how a run goes on in the middle of an epoch. Its order is drawn as for a
   * whole pass, so a generator in the state that it had when the epoch began gives the same batches.
   *
   * @throws {RangeError} if there is no such batch.
   */
  from(first: number): Iterable<Batch>;
}

/**
 * A dataset in batches. Every loop over the result is a new pass.
 *
 * With `shuffle` the orders are those of PyTorch's DataLoader: the same seed of `generator`, or of
 * `manualSeed` where it is left out, gives the same batches. Without it nothing is drawn.
 *
 * @param dataset The samples; those of a {@linkcode TensorDataset} come as a list of tensors.
 * @param options See {@linkcode BatchOptions}.
 * @returns The batches; tensors have the samples along a new first axis.
 * @throws {TypeError} if an argument is of the wrong kind.
 * @throws {RangeError} if `batchSize` is not an integer of at least 1.
 *
 * @example
 * ```ts
 * import { arange, batches, Generator, TensorDataset } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const data = new TensorDataset(arange(5));
 * const loader = batches(data, { batchSize: 2, shuffle: true, generator: new Generator(0) });
 * assertEquals(loader.length, 3);
 * const sizes: number[] = [];
 * for (const [x] of loader) sizes.push(x.size);
 * assertEquals(sizes, [2, 2, 1]);
 * ```
 */
export function batches<Tensors extends readonly Tensor[]>(
  dataset: TensorDataset<Tensors>,
  options?: BatchOptions,
): Batches<Rows<Tensors>>;
/** As above, for samples of any form. */
export function batches<Sample>(
  dataset: Dataset<Sample>,
  options?: BatchOptions,
): Batches<Batched<Sample>>;
export function batches<Sample>(
  dataset: TensorDataset | Dataset<Sample>,
  options: BatchOptions = {},
): Batches<Tensor[] | Batched<Sample>> {
  assertOptions("make batches", options, KNOWN);
  const { batchSize = 1, shuffle = false, dropLast = false } = options;
  assertDataset(dataset);
  checkCount("batches", "batchSize", batchSize, 1);
  checkFlag("batches", "shuffle", shuffle);
  checkFlag("batches", "dropLast", dropLast);
  const generator = options.generator ?? null;
  chooseGenerator("make batches", generator);

  function* pass(first = 0): Generator_<Tensor[] | Batched<Sample>> {
    const { length } = dataset;
    const order = new Float64Array(length);
    const finish = shuffle ? drawOrder(order, generator) : countUp(order);
    for (let start = first * batchSize; start < length; start += batchSize) {
      if (dropLast && start + batchSize > length) break;
      const indices = order.subarray(start, start + batchSize);
      yield dataset instanceof TensorDataset
        ? dataset.rows(indices)
        : stackSamples(Array.from(indices, (index) => dataset.get(index)));
    }
    finish();
  }

  return {
    get length(): number {
      const count = dataset.length / batchSize;
      return dropLast ? Math.floor(count) : Math.ceil(count);
    },
    from(first: number): Iterable<Tensor[] | Batched<Sample>> {
      if (!Number.isInteger(first) || first < 0 || first > this.length) {
        refuse("go on with batches", `first ${show(first)}`, `an integer from 0 to ${this.length}`);
      }
      return { [Symbol.iterator]: () => pass(first) };
    },
    [Symbol.iterator]: () => pass(),
  };
}

// `Generator` is the name of the random one here.
type Generator_<T> = Iterator<T, void, void> & Iterable<T>;

function assertDataset(dataset: unknown): void {
  const { length, get } = (dataset ?? {}) as Partial<Dataset<unknown>>;
  if (!Number.isSafeInteger(length) || typeof get !== "function") {
    const expected = "a TensorDataset or an object with length and get(index)";
    refuseKind("make batches", "dataset", dataset, expected);
  }
}

function countUp(order: Float64Array): () => void {
  for (let i = 0; i < order.length; i++) order[i] = i;
  return () => {};
}

/**
 * Draws the order of one pass as a DataLoader does: first a seed for workers, which nobody uses here;
 * then, without a generator of its own, the seed of one for the sampler, whose first permutation is
 * the order. The sampler draws a permutation more when it is asked for more than there is.
 */
function drawOrder(order: Float64Array, generator: Generator | null): () => void {
  const source = chooseGenerator("make batches", generator);
  draw63(source);
  const sampler = generator ?? new Generator(draw63(source));
  sampler.fillPermutation(order);
  return () => sampler.fillPermutation(new Float64Array(order.length));
}

/** 63 random bits, as PyTorch's `random_()` of an int64. */
function draw63(source: Generator): bigint {
  const high = BigInt(source.random32());
  return ((high << 32n) | BigInt(source.random32())) & 0x7fffffffffffffffn;
}
