/**
 * Samples that can be asked for by number.
 */
import { Tensor, zeros } from "../../autograd/mod.ts";
import {
  assertNumbers,
  assertTensor,
  formatShape,
  refuse,
  storageOf,
  valuesOf,
} from "../../autograd/internal.ts";

/** Anything with a length whose samples can be asked for by number. */
export interface Dataset<Sample> {
  /** The number of samples. */
  readonly length: number;
  /** The sample of that number, 0 … length − 1. */
  get(index: number): Sample;
}

/** One tensor for each of a list of tensors. */
export type Rows<Tensors extends readonly Tensor[]> = { -readonly [K in keyof Tensors]: Tensor };

/**
 * Samples from the rows of tensors: sample i is row i of each, as in images and their labels.
 *
 * @example
 * ```ts
 * import { tensor, TensorDataset } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const data = new TensorDataset(tensor([[1, 2], [3, 4]]), tensor([0, 1]));
 * const [x, y] = data.get(1);
 * assertEquals([x.toArray(), y.toArray()], [[3, 4], 1]);
 * ```
 */
export class TensorDataset<Tensors extends readonly Tensor[] = Tensor[]>
  implements Dataset<Rows<Tensors>> {
  /** The tensors. */
  readonly tensors: Readonly<Tensors>;
  /** The number of samples. */
  readonly length: number;

  /**
   * Takes the tensors as they are, without a copy.
   *
   * @param tensors At least one, all of the same length along their first axis.
   * @throws {TypeError} if one is not a tensor.
   * @throws {RangeError} if there is none, one is a scalar, or lengths differ.
   */
  constructor(...tensors: Tensors) {
    const action = "make a TensorDataset";
    if (tensors.length === 0) {
      refuse(action, "no tensors", "at least one");
    }
    tensors.forEach((x, i) => {
      assertTensor(action, x, `tensors[${i}]`);
      if (x.ndim === 0 || x.shape[0] !== tensors[0].shape[0]) {
        refuse(
          action,
          `tensors[${i}] of shape ${formatShape(x.shape)}`,
          i === 0 ? "at least one axis" : `${tensors[0].shape[0]} rows as the first`,
        );
      }
    });
    this.tensors = tensors;
    this.length = tensors[0].shape[0];
  }

  /**
   * Row `index` of each tensor, copied, off the tape.
   *
   * @throws {RangeError} if it is not in 0 … length − 1.
   */
  get(index: number): Rows<Tensors> {
    const rows: readonly Tensor[] = this.rows([index]);
    return rows.map((x) => new Tensor(storageOf(x), x.shape.slice(1))) as Rows<Tensors>;
  }

  /**
   * Some rows of each tensor as one batch, copied, off the tape.
   *
   * @throws {RangeError} if an index is not in 0 … length − 1.
   */
  rows(indices: ArrayLike<number>): Rows<Tensors> {
    assertNumbers("get samples", indices, "indices");
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i];
      if (!Number.isInteger(index) || index < 0 || index >= this.length) {
        refuse("get a sample", `index ${index}`, `one of 0 … ${this.length - 1}`);
      }
    }
    return this.tensors.map((x) => takeRows(x, indices)) as Rows<Tensors>;
  }
}

function takeRows(x: Tensor, indices: ArrayLike<number>): Tensor {
  const [length, ...rest] = x.shape;
  const width = length === 0 ? 0 : x.size / length;
  const taken = zeros([indices.length, ...rest]);
  const from = valuesOf(x);
  const into = valuesOf(taken);
  for (let i = 0; i < indices.length; i++) {
    const start = indices[i] * width;
    into.set(from.subarray(start, start + width), i * width);
  }
  return taken;
}
