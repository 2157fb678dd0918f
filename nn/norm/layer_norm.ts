/**
 * Normalisation layers that look at one sample at a time.
 */
import {
  assertNumbers,
  groupNorm,
  kindOf,
  layerNorm,
  localResponseNorm,
  type LocalResponseNormOptions,
  refuse,
  rmsNorm,
} from "../../autograd/internal.ts";
import { ones, type Shape, type Tensor, zeros } from "../../autograd/mod.ts";
import { checkCount, checkNumber, layerOptions } from "../module/arguments.ts";
import { Module } from "../module/module.ts";
import { pythonArguments, pythonFloat, pythonTuple } from "../module/repr.ts";

/** Options of {@linkcode LayerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance. */
  readonly eps?: number;
  /** Whether weight and bias are learned. */
  readonly elementwiseAffine?: boolean;
  /** Whether there is a bias, where there is a weight. */
  readonly bias?: boolean;
}

/** γ 1, β 0. */
export function resetAffine(layer: { weight: Tensor | null; bias?: Tensor | null }): void {
  layer.weight?.detach().copy_(1);
  layer.bias?.detach().copy_(0);
}

/** @internal What LayerNorm and RMSNorm have in common. */
abstract class LastAxesNorm extends Module {
  /** The sizes of the axes that are normalised over. */
  readonly normalizedShape: Shape;
  /** Whether the weight is learned, and the bias where there is one. */
  readonly elementwiseAffine: boolean;
  /** γ, of `normalizedShape`. */
  weight: Tensor | null;
  /** Added to the variance or mean square; `null` for the machine's epsilon. */
  abstract readonly eps: number | null;

  constructor(shape: Shape | number, elementwiseAffine: boolean) {
    super();
    const sizes = typeof shape === "number" ? [shape] : shape;
    assertNumbers(`make ${kindOf(this)}`, sizes, "normalizedShape");
    if (sizes.length === 0 || sizes.some((size) => !Number.isInteger(size) || size < 0)) {
      refuse(
        `make ${kindOf(this)}`,
        `normalizedShape [${sizes.join(", ")}]`,
        "sizes of at least one axis",
      );
    }
    this.normalizedShape = [...sizes];
    this.elementwiseAffine = elementwiseAffine;
    this.weight = this.registerParameter("weight", elementwiseAffine ? ones(sizes) : null);
  }

  /** Weight 1, bias 0. */
  resetParameters(): void {
    resetAffine(this);
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    const { eps, elementwiseAffine: elementwise_affine } = this;
    return `${pythonTuple(this.normalizedShape)}, ` +
      pythonArguments({ eps: pythonFloat(eps), elementwise_affine });
  }
}

/**
 * Layer normalisation over the last axes: see `nn.functional.layerNorm`.
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new nn.LayerNorm([4]).forward(zeros([2, 3, 4])).shape, [2, 3, 4]);
 * ```
 */
export class LayerNorm extends LastAxesNorm {
  /** @internal */ static override readonly kind: string = "LayerNorm";
  /** @internal */ static override readonly keepsNothing = true;

  /** Added to the variance. */
  override readonly eps: number;
  /** β, of `normalizedShape`. */
  bias: Tensor | null;

  /** Makes the layer. @throws {RangeError} if `normalizedShape` is empty or has a negative size. */
  constructor(normalizedShape: Shape | number, options: LayerNormOptions = {}) {
    const known = ["eps", "elementwiseAffine", "bias"] as const;
    const layer = kindOf(new.target.prototype);
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = layerOptions(
      layer,
      options,
      known,
    );
    super(normalizedShape, elementwiseAffine);
    this.eps = eps;
    const shape = this.normalizedShape;
    this.bias = this.registerParameter("bias", elementwiseAffine && bias ? zeros(shape) : null);
  }

  /** [*, …normalizedShape] → the same shape. */
  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, this.weight, this.bias, { eps: this.eps });
  }
}

/** Root mean square normalisation over the last axes: see `nn.functional.rmsNorm`. */
export class RMSNorm extends LastAxesNorm {
  /** @internal */ static override readonly kind: string = "RMSNorm";

  /** Added to the mean square; `null` for the machine's epsilon. */
  override readonly eps: number | null;

  /** Makes the layer. @throws {RangeError} if `normalizedShape` is empty or has a negative size. */
  constructor(
    normalizedShape: Shape | number,
    options: { readonly eps?: number | null; readonly elementwiseAffine?: boolean } = {},
  ) {
    const known = ["eps", "elementwiseAffine"] as const;
    const given = layerOptions(kindOf(new.target.prototype), options, known);
    super(normalizedShape, given.elementwiseAffine ?? true);
    this.eps = given.eps ?? null;
  }

  /** [*, …normalizedShape] → the same shape. */
  override forward(x: Tensor): Tensor {
    return rmsNorm(x, this.normalizedShape, this.weight, { eps: this.eps });
  }
}

/** Normalisation of each sample over groups of channels: see `nn.functional.groupNorm`. */
export class GroupNorm extends Module {
  /** @internal */ static override readonly kind: string = "GroupNorm";
  /** @internal */ static override readonly keepsNothing = true;

  /** The number of groups. */
  readonly numGroups: number;
  /** The number of channels, C. */
  readonly numChannels: number;
  /** Added to the variance. */
  readonly eps: number;
  /** Whether weight and bias are learned. */
  readonly affine: boolean;
  /** γ, [C]. */
  weight: Tensor | null;
  /** β, [C]. */
  bias: Tensor | null;

  /** Makes the layer. @throws {RangeError} if the groups do not divide the channels. */
  constructor(
    numGroups: number,
    numChannels: number,
    options: { readonly eps?: number; readonly affine?: boolean } = {},
  ) {
    super();
    if (!(numGroups >= 1 && numChannels % numGroups === 0)) {
      refuse(
        "make GroupNorm",
        `${numGroups} groups and ${numChannels} channels`,
        "groups that divide the channels",
      );
    }
    const known = ["eps", "affine"] as const;
    const { eps = 1e-5, affine = true } = layerOptions(kindOf(this), options, known);
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.affine = affine;
    this.weight = this.registerParameter("weight", affine ? ones([numChannels]) : null);
    this.bias = this.registerParameter("bias", affine ? zeros([numChannels]) : null);
  }

  /** Weight 1, bias 0. */
  resetParameters(): void {
    resetAffine(this);
  }

  /** [N, C, …] → the same shape. */
  override forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, this.weight, this.bias, { eps: this.eps });
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, ` +
      pythonArguments({ eps: pythonFloat(this.eps), affine: this.affine });
  }
}

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
    const layer = kindOf(this);
    const known = ["alpha", "beta", "k"] as const;
    const { alpha = 1e-4, beta = 0.75, k = 1 } = layerOptions(layer, options, known);
    this.size = checkCount(layer, "size", size, 1);
    this.alpha = checkNumber(layer, "alpha", alpha);
    this.beta = checkNumber(layer, "beta", beta);
    this.k = checkNumber(layer, "k", k);
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
