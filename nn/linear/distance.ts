/**
 * Distances and angles as layers.
 */
import type { CosineSimilarityOptions, Tensor } from "../../autograd/mod.ts";
import { layerOptions } from "../module/arguments.ts";
import { cosineSimilarity, pairwiseDistance, type PairwiseDistanceOptions } from "../functional.ts";
import { Module } from "../module/module.ts";

/** The p-norm of a difference over the last axis; see {@linkcode pairwiseDistance}. */
export class PairwiseDistance extends Module {
  /** @internal */ static override readonly kind: string = "PairwiseDistance";

  private readonly options: PairwiseDistanceOptions;

  /**
   * Makes the layer.
   *
   * @param options p = 2, which may stand alone, eps = 1e-6, keepdim = false.
   * @throws {TypeError} if the options are of the wrong kind.
   */
  constructor(options: number | PairwiseDistanceOptions = {}) {
    super();
    this.options = layerOptions<PairwiseDistanceOptions>(
      "PairwiseDistance",
      options,
      ["p", "eps", "keepdim"],
      "p",
    );
  }

  /** The distances of the vectors of x1 from those of x2. */
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwiseDistance(x1, x2, this.options);
  }
}

/** The cosine of the angle between vectors; see {@linkcode cosineSimilarity}. */
export class CosineSimilarity extends Module {
  /** @internal */ static override readonly kind: string = "CosineSimilarity";

  private readonly options: CosineSimilarityOptions;

  /**
   * Makes the layer.
   *
   * @param options dim = 1, which may stand alone, eps = 1e-8.
   * @throws {TypeError} if the options are of the wrong kind.
   */
  constructor(options: number | CosineSimilarityOptions = {}) {
    super();
    this.options = layerOptions<CosineSimilarityOptions>(
      "CosineSimilarity",
      options,
      ["dim", "eps"],
      "dim",
    );
  }

  /** The cosines between the vectors of x1 and x2. */
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, this.options);
  }
}
