/**
 * Local response normalisation as a layer.
 */
import { localResponseNorm, type LocalResponseNormOptions } from "../../autograd/internal.ts";
import type { Tensor } from "../../autograd/mod.ts";
import { checkCount, checkNumber, layerOptions } from "../module/arguments.ts";
import { Module } from "../module/module.ts";
import { pythonArguments, pythonFloat } from "../module/repr.ts";

/** Divides by a power of the mean square of neighbouring channels; see {@linkcode localResponseNorm}. */
export class LocalResponseNorm extends Module {
  /** @internal */ static override readonly kind: string = "LocalResponseNorm";

  /** The weight of the mean square. */
  readonly alpha: number;
  /** The exponent. */
  readonly beta: number;
  /** Added to the mean square. */
  readonly k: number;

  /** How many neighbouring channels are summed. */
  readonly size: number;

  /**
   * Makes the layer.
   *
   * @param size How many channels a mean runs over.
   * @param options alpha = 1e-4, beta = 0.75, k = 1.
   * @throws {TypeError} if an argument is of the wrong kind.
   * @throws {RangeError} if the size is not an integer of at least 1.
   */
  constructor(size: number, options: LocalResponseNormOptions = {}) {
    super();
    this.size = size;
    const known = ["alpha", "beta", "k"] as const;
    const { alpha = 1e-4, beta = 0.75, k = 1 } = layerOptions("LocalResponseNorm", options, known);
    checkCount("LocalResponseNorm", "size", size, 1);
    this.alpha = checkNumber("LocalResponseNorm", "alpha", alpha);
    this.beta = checkNumber("LocalResponseNorm", "beta", beta);
    this.k = checkNumber("LocalResponseNorm", "k", k);
  }

  /** Normalises a batch. */
  override forward(x: Tensor): Tensor {
    return localResponseNorm(x, this.size, { alpha: this.alpha, beta: this.beta, k: this.k });
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    const [alpha, beta, k] = [this.alpha, this.beta, this.k].map(pythonFloat);
    return `${this.size}, ` + pythonArguments({ alpha, beta, k });
  }
}
