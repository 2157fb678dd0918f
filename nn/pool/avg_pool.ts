/**
 * Layers of average pooling.
 */
import { kindOf } from "../../autograd/internal.ts";
import type { AvgPoolOptions, PerAxis, Tensor } from "../../autograd/mod.ts";
import type { Known } from "../../autograd/internal.ts";
import { checkFlag, checkPerAxis, layerOptions } from "../module/arguments.ts";
import { avgPool1d, avgPool2d, avgPool3d } from "../functional.ts";
import { Module } from "../module/module.ts";
import { pythonSizes } from "../module/repr.ts";

const AVG_POOL: Known<AvgPoolOptions> = [
  "stride",
  "padding",
  "ceilMode",
  "countIncludePad",
  "divisorOverride",
];

/** @internal What AvgPool1d, 2d and 3d have in common. */
abstract class AvgPool extends Module {
  /** The window. */
  readonly kernelSize: PerAxis;
  /** What the functional form takes. */
  protected readonly options: AvgPoolOptions & { readonly stride: PerAxis };

  constructor(axes: number, kernelSize: PerAxis, given: AvgPoolOptions) {
    super();
    const layer = kindOf(this);
    const options = layerOptions<AvgPoolOptions>(layer, given, AVG_POOL);
    const stride = options.stride ?? kernelSize;
    const padding = options.padding ?? 0;
    checkPerAxis(layer, "kernelSize", kernelSize, axes, 1);
    checkPerAxis(layer, "stride", stride, axes, 1);
    checkPerAxis(layer, "padding", padding, axes, 0);
    checkFlag(layer, "ceilMode", options.ceilMode ?? false);
    checkFlag(layer, "countIncludePad", options.countIncludePad ?? true);
    this.kernelSize = kernelSize;
    this.options = { ...options, stride, padding };
  }

  override extraRepr(): string {
    // PyTorch keeps the sizes of one axis as a tuple, and those of several as they were given.
    const { kernelSize, options: { stride, padding = 0 } } = this;
    const show = (sizes: PerAxis) =>
      this instanceof AvgPool1d ? pythonSizes([sizes].flat()) : pythonSizes(sizes);
    return `kernel_size=${show(kernelSize)}, stride=${show(stride)}, padding=${show(padding)}`;
  }
}

/**
 * The mean of each window along one axis.
 *
 * Shapes: [N, C, L] → [N, C, L']; N may be missing.
 */
export class AvgPool1d extends AvgPool {
  /** @internal */ static override readonly kind: string = "AvgPool1d";
  /** @internal */ static override readonly keepsNothing = true;

  /**
   * Makes the layer.
   *
   * @param kernelSize The window.
   * @param options stride = kernelSize, padding = 0, ceilMode = false, countIncludePad = true.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it is out of range.
   */
  constructor(kernelSize: PerAxis, options: Omit<AvgPoolOptions, "divisorOverride"> = {}) {
    super(1, kernelSize, options);
  }

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return avgPool1d(x, this.kernelSize, this.options);
  }
}

/**
 * The mean of each window along two axes.
 *
 * Shapes: [N, C, H, W] → [N, C, H', W']; N may be missing.
 */
export class AvgPool2d extends AvgPool {
  /** @internal */ static override readonly kind: string = "AvgPool2d";
  /** @internal */ static override readonly keepsNothing = true;

  /**
   * Makes the layer.
   *
   * @param kernelSize The window.
   * @param options stride = kernelSize, padding = 0, ceilMode = false, countIncludePad = true, divisorOverride.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it is out of range.
   */
  constructor(kernelSize: PerAxis, options: AvgPoolOptions = {}) {
    super(2, kernelSize, options);
  }

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }
}

/**
 * The mean of each window along three axes.
 *
 * Shapes: [N, C, D, H, W] → [N, C, D', H', W']; N may be missing.
 */
export class AvgPool3d extends AvgPool {
  /** @internal */ static override readonly kind: string = "AvgPool3d";
  /** @internal */ static override readonly keepsNothing = true;

  /**
   * Makes the layer.
   *
   * @param kernelSize The window.
   * @param options stride = kernelSize, padding = 0, ceilMode = false, countIncludePad = true, divisorOverride.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it is out of range.
   */
  constructor(kernelSize: PerAxis, options: AvgPoolOptions = {}) {
    super(3, kernelSize, options);
  }

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return avgPool3d(x, this.kernelSize, this.options);
  }
}
