/**
 * Class numbers as vectors: learned ones, or ones and zeros.
 */
import * as kernels from "../../kernels/mod.ts";
import { assertInteger, shaped } from "../../shape.ts";
import { storageOf, type Tensor, valuesOf } from "../../tensor.ts";
import { assertTensor, zeros } from "../create/creation.ts";
import { asIndex, type Index, selectAt } from "./index.ts";
import { refuse } from "../../check/refuse.ts";
import { assertOptions } from "../../check/options.ts";
import { reshape } from "./shape.ts";

/** How {@linkcode embedding} treats one row. */
export interface EmbeddingOptions {
  /** A row that gets no gradient; a negative one counts from the end. */
  readonly paddingIdx?: number | null;
}

/**
 * The rows of a weight that an index names.
 *
 * Shapes: index [*], weight [V, D] → [*, D]. Gradient: to each row of the weight the sum of g over
 * the places that name it; none to row `paddingIdx`.
 *
 * @param index Whole numbers 0 … V − 1.
 * @param weight One row for each of them.
 * @param options `paddingIdx` names a row that does not learn.
 * @returns The rows, copied.
 * @throws {RangeError} if the weight is no matrix, an index is out of range, or `paddingIdx` is.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const weight = tensor([[1, 2], [3, 4], [5, 6]]);
 * assertEquals(nn.functional.embedding([2, 0], weight).toArray(), [[5, 6], [1, 2]]);
 * ```
 */
export function embedding(index: Index, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  assertTensor("embedding", weight, "weight");
  if (weight.ndim !== 2) refuse("embedding", shaped("weight", weight), "a matrix");
  const [count, size] = weight.shape;
  const rows = asIndex("embedding", index, "index", count);
  assertOptions("embedding", options, ["paddingIdx"]);
  const padding = options.paddingIdx ?? null;
  if (padding !== null) {
    assertInteger("embedding", padding, "paddingIdx");
    if (padding < -count || padding >= count) {
      refuse("embedding", `paddingIdx ${padding}`, `one of ${-count} … ${count - 1}`);
    }
  }
  const skip = padding !== null && padding < 0 ? padding + count : padding;
  return reshape(selectAt(weight, rows, 0, skip), [...rows.shape, size]);
}

/**
 * A one at the place that each index names, zeros elsewhere.
 *
 * Shapes: index [*] → [*, numClasses]. Gradient: none.
 *
 * @param index Whole numbers of at least 0.
 * @param numClasses The length of the new axis; −1 takes the largest index plus one.
 * @returns Zeros and ones.
 * @throws {RangeError} if an index is out of range, or if there is none and `numClasses` is −1.
 *
 * @example
 * ```ts
 * import { nn } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nn.functional.oneHot([1, 0], 3).toArray(), [[0, 1, 0], [1, 0, 0]]);
 * ```
 */
export function oneHot(index: Index, numClasses = -1): Tensor {
  assertInteger("oneHot", numClasses, "numClasses");
  if (numClasses < -1) refuse("oneHot", `numClasses ${numClasses}`, "−1 or more");
  const classes = asIndex("oneHot", index, "index", numClasses === -1 ? Infinity : numClasses);
  if (classes.size === 0 && numClasses <= 0) {
    refuse("oneHot", `no index and numClasses ${numClasses}`, "numClasses of at least 1");
  }
  const { values } = storageOf(classes);
  const length = numClasses === -1 ? values.reduce((a, b) => Math.max(a, b), 0) + 1 : numClasses;
  const result = zeros([...classes.shape, length]);
  kernels.oneHot(values, valuesOf(result), length);
  return result;
}
