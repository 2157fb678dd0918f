/**
 * Learned vectors for numbered things.
 */
import { refuse } from "../../autograd/internal.ts";
import { Parameter } from "../module/parameter.ts";
import { type Generator, type Index, type Tensor, zeros } from "../../autograd/mod.ts";
import { checkCount, checkFlag, checkTensor, layerOptions } from "../module/arguments.ts";
import { embedding } from "../functional.ts";
import { initEmbedding_ } from "../init/defaults.ts";
import { Module } from "../module/module.ts";

/** Options of {@linkcode Embedding}. */
export interface EmbeddingLayerOptions {
  /** A row that begins as zeros and gets no gradient; a negative one counts from the end. */
  readonly paddingIdx?: number | null;
  /** Where the first weights are drawn from; the default generator where left out. */
  readonly generator?: Generator | null;
}

/**
 * The rows of a learned table that an index names.
 *
 * Shapes: [*] → [*, embeddingDim]; weight [numEmbeddings, embeddingDim], at first from the standard
 * normal distribution.
 *
 * @example
 * ```ts
 * import { nn } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const table = new nn.Embedding(10, 3, { paddingIdx: 0 });
 * assertEquals(table.forward([[1, 2], [0, 4]]).shape, [2, 2, 3]);
 * assertEquals(table.forward([0]).toArray(), [[0, 0, 0]]);
 * ```
 */
export class Embedding extends Module {
  /** @internal */ static override readonly kind: string = "Embedding";

  /** One row for each index, [numEmbeddings, embeddingDim]. */
  weight: Tensor;
  /** The row that gets no gradient; `null` if there is none. */
  readonly paddingIdx: number | null;

  /** How many indices there are. */
  readonly numEmbeddings: number;
  /** The length of each vector. */
  readonly embeddingDim: number;

  /**
   * Makes the layer.
   *
   * @param numEmbeddings How many rows the table has.
   * @param embeddingDim The length of a row.
   * @param options paddingIdx, generator.
   * @throws {TypeError} if an argument is of the wrong kind.
   * @throws {RangeError} if a size or the padding index is out of range.
   */
  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}) {
    super();
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    const known = ["paddingIdx", "generator"] as const;
    const { paddingIdx = null, generator = null } = layerOptions("Embedding", options, known);
    checkCount("Embedding", "numEmbeddings", numEmbeddings, 0);
    checkCount("Embedding", "embeddingDim", embeddingDim, 0);
    this.paddingIdx = paddingIdx === null ? null : paddingRow(paddingIdx, numEmbeddings);
    this.weight = this.registerParameter("weight", zeros([numEmbeddings, embeddingDim]));
    this.resetParameters(generator);
  }

  /**
   * A layer over a table that exists.
   *
   * @param embeddings [numEmbeddings, embeddingDim]; its values are shared.
   * @param options freeze = true: the table does not learn; paddingIdx.
   * @throws {TypeError} if it is not a tensor. @throws {RangeError} if it is no matrix.
   */
  static fromPretrained(
    embeddings: Tensor,
    options: { readonly freeze?: boolean; readonly paddingIdx?: number | null } = {},
  ): Embedding {
    const known = ["freeze", "paddingIdx"] as const;
    const { freeze = true, paddingIdx = null } = layerOptions("Embedding", options, known);
    checkTensor("Embedding", "embeddings", embeddings);
    checkFlag("Embedding", "freeze", freeze);
    if (embeddings.ndim !== 2) {
      refuse("make Embedding", `embeddings of shape [${embeddings.shape.join(", ")}]`, "a matrix");
    }
    const [rows, width] = embeddings.shape;
    const layer = new Embedding(0, width);
    Object.assign(layer, {
      numEmbeddings: rows,
      paddingIdx: paddingIdx === null ? null : paddingRow(paddingIdx, rows),
      weight: new Parameter(embeddings, !freeze),
    });
    return layer;
  }

  /** Draws the table again. */
  resetParameters(generator: Generator | null = null): void {
    if (this.weight.size > 0) initEmbedding_(this.weight, this.paddingIdx, generator);
  }

  /** The rows that an index names. */
  override forward(index: Index): Tensor {
    return embedding(index, this.weight, { paddingIdx: this.paddingIdx });
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    const text = `${this.numEmbeddings}, ${this.embeddingDim}`;
    return this.paddingIdx === null ? text : `${text}, padding_idx=${this.paddingIdx}`;
  }
}

/** A padding index counted from the start. */
function paddingRow(paddingIdx: number, rows: number): number {
  checkCount("Embedding", "paddingIdx", paddingIdx, -Infinity);
  if (paddingIdx < -rows || paddingIdx >= rows) {
    refuse("make Embedding", `paddingIdx ${paddingIdx}`, `one of ${-rows} … ${rows - 1}`);
  }
  return paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
}
