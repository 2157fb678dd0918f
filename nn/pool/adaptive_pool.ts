/**
 * Layers of pooling whose windows follow from the size of the output.
 */
import { kindOf } from "../../autograd/internal.ts";
import type {
  AdaptiveMaxPoolOptions,
  MaxPooled,
  NoOptions,
  OutputSize,
  Tensor,
} from "../../autograd/mod.ts";
import { layerOptions } from "../module/arguments.ts";
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from "../functional.ts";
import { Module } from "../module/module.ts";
import { pythonTuple } from "../module/repr.ts";

/** @internal What the adaptive pooling layers have in common. */
abstract class AdaptivePool extends Module {
  /** The size of the output; `null` on an axis keeps that of the input. */
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    super();
    this.outputSize = outputSize;
  }

  override extraRepr(): string {
    const { outputSize } = this;
    const show = (size: number | null) => size === null ? "None" : String(size);
    if (!Array.isArray(outputSize)) return `output_size=${show(outputSize as number | null)}`;
    return `output_size=${pythonTuple(outputSize.map(show))}`;
  }
}

/**
 * The mean over windows that are chosen so that the output has a given size along one axis.
 *
 * Shapes: [N, C, L] → [N, C, outputSize]; N may be missing.
 */
export class AdaptiveAvgPool1d extends AdaptivePool {
  /** @internal */ static override readonly kind: string = "AdaptiveAvgPool1d";
  /** @internal */ static override readonly keepsNothing = true;

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }
}

/**
 * The mean over windows that are chosen so that the output has a given size along two axes.
 *
 * Shapes: [N, C, H, W] → [N, C, …outputSize]; N may be missing.
 */
export class AdaptiveAvgPool2d extends AdaptivePool {
  /** @internal */ static override readonly kind: string = "AdaptiveAvgPool2d";
  /** @internal */ static override readonly keepsNothing = true;

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}

/**
 * The mean over windows that are chosen so that the output has a given size along three axes.
 *
 * Shapes: [N, C, D, H, W] → [N, C, …outputSize]; N may be missing.
 */
export class AdaptiveAvgPool3d extends AdaptivePool {
  /** @internal */ static override readonly kind: string = "AdaptiveAvgPool3d";
  /** @internal */ static override readonly keepsNothing = true;

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool3d(x, this.outputSize);
  }
}

/** @internal What AdaptiveMaxPool1d, 2d and 3d have in common. */
abstract class AdaptiveMaxPool<Options extends AdaptiveMaxPoolOptions> extends AdaptivePool {
  /** What the functional form takes. */
  protected readonly options: Options | undefined;

  /**
   * Makes the layer.
   *
   * @param outputSize The size of the output.
   * @param options returnIndices = false.
   * @throws {TypeError} if the options are no object.
   */
  constructor(outputSize: OutputSize, options?: Options) {
    super(outputSize);
    layerOptions<AdaptiveMaxPoolOptions>(kindOf(this), options, ["returnIndices"]);
    this.options = options;
  }
}

/**
 * The largest value of windows that are chosen so that the output has a given size along one axis.
 *
 * Shapes: [N, C, L] → [N, C, outputSize]; N may be missing. With `returnIndices` the forward gives
 * `[output, indices]`.
 */
export class AdaptiveMaxPool1d<Options extends AdaptiveMaxPoolOptions = NoOptions>
  extends AdaptiveMaxPool<Options> {
  /** @internal */ static override readonly kind: string = "AdaptiveMaxPool1d";

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): MaxPooled<Options> {
    return adaptiveMaxPool1d(x, this.outputSize, this.options);
  }
}

/**
 * The largest value of windows that are chosen so that the output has a given size along two axes.
 *
 * Shapes: [N, C, H, W] → [N, C, …outputSize]; N may be missing. With `returnIndices` the forward gives
 * `[output, indices]`.
 */
export class AdaptiveMaxPool2d<Options extends AdaptiveMaxPoolOptions = NoOptions>
  extends AdaptiveMaxPool<Options> {
  /** @internal */ static override readonly kind: string = "AdaptiveMaxPool2d";

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): MaxPooled<Options> {
    return adaptiveMaxPool2d(x, this.outputSize, this.options);
  }
}

/**
 * The largest value of windows that are chosen so that the output has a given size along three axes.
 *
 * Shapes: [N, C, D, H, W] → [N, C, …outputSize]; N may be missing. With `returnIndices` the forward gives
 * `[output, indices]`.
 */
export class AdaptiveMaxPool3d<Options extends AdaptiveMaxPoolOptions = NoOptions>
  extends AdaptiveMaxPool<Options> {
  /** @internal */ static override readonly kind: string = "AdaptiveMaxPool3d";

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): MaxPooled<Options> {
    return adaptiveMaxPool3d(x, this.outputSize, this.options);
  }
}
