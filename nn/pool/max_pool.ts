/**
 * Layers of max pooling.
 */
import { kindOf } from "../../autograd/internal.ts";
import type { MaxPooled, MaxPoolOptions, NoOptions, PerAxis, Tensor } from "../../autograd/mod.ts";
import type { Known } from "../../autograd/internal.ts";
import { checkFlag, checkPerAxis, layerOptions } from "../module/arguments.ts";
import { maxPool1d, maxPool2d, maxPool3d } from "../functional.ts";
import { Module } from "../module/module.ts";
import { pythonBoolean, pythonSizes } from "../module/repr.ts";

const MAX_POOL: Known<MaxPoolOptions> = [
  "stride",
  "padding",
  "dilation",
  "returnIndices",
  "ceilMode",
];

/** @internal What MaxPool1d, 2d and 3d have in common. */
abstract class MaxPool<Options extends MaxPoolOptions> extends Module {
  /** The window. */
  readonly kernelSize: PerAxis;
  /** What the functional form takes. */
  protected readonly options: Options;

  constructor(axes: number, kernelSize: PerAxis, given: Options | undefined) {
    super();
    const layer = kindOf(this);
    const options = layerOptions<MaxPoolOptions>(layer, given, MAX_POOL);
    const stride = options.stride ?? kernelSize;
    checkPerAxis(layer, "kernelSize", kernelSize, axes, 1);
    checkPerAxis(layer, "stride", stride, axes, 1);
    checkPerAxis(layer, "padding", options.padding ?? 0, axes, 0);
    checkPerAxis(layer, "dilation", options.dilation ?? 1, axes, 1);
    checkFlag(layer, "ceilMode", options.ceilMode ?? false);
    checkFlag(layer, "returnIndices", options.returnIndices ?? false);
    this.kernelSize = kernelSize;
    this.options = { ...options, stride } as unknown as Options;
  }

  override extraRepr(): string {
    const { stride, padding = 0, dilation = 1, ceilMode = false } = this.options;
    return `kernel_size=${pythonSizes(this.kernelSize)}, stride=${pythonSizes(stride!)}, padding=${
      pythonSizes(padding)
    }, dilation=${pythonSizes(dilation)}, ceil_mode=${pythonBoolean(ceilMode)}`;
  }
}

/**
 * The largest value of each window along one axis.
 *
 * Shapes: [N, C, L] → [N, C, L']; N may be missing. With `returnIndices` the forward gives
 * `[output, indices]`.
 */
export class MaxPool1d<Options extends MaxPoolOptions = NoOptions> extends MaxPool<Options> {
  /** @internal */ static override readonly kind: string = "MaxPool1d";
  /** @internal */ static override readonly keepsNothing = true;

  /**
   * Makes the layer.
   *
   * @param kernelSize The window.
   * @param options stride = kernelSize, padding = 0, dilation = 1, ceilMode = false, returnIndices.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it is out of range.
   */
  constructor(kernelSize: PerAxis, options?: Options) {
    super(1, kernelSize, options);
  }

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): MaxPooled<Options> {
    return maxPool1d(x, this.kernelSize, this.options);
  }
}

/**
 * The largest value of each window along two axes.
 *
 * Shapes: [N, C, H, W] → [N, C, H', W']; N may be missing. With `returnIndices` the forward gives
 * `[output, indices]`.
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const layer = new nn.MaxPool2d(2);
 * assertEquals(layer.forward(zeros([1, 3, 8, 8])).shape, [1, 3, 4, 4]);
 * ```
 */
export class MaxPool2d<Options extends MaxPoolOptions = NoOptions> extends MaxPool<Options> {
  /** @internal */ static override readonly kind: string = "MaxPool2d";
  /** @internal */ static override readonly keepsNothing = true;

  /** @internal */
  override get absorbable(): "pairs" | null {
    const { stride, padding = 0, dilation = 1, ceilMode, returnIndices } = this
      .options as MaxPoolOptions;
    const all = (sizes: PerAxis, size: number): boolean => [sizes].flat().every((s) => s === size);
    const pairs = all(this.kernelSize, 2) && all(stride!, 2) && all(padding, 0) && all(dilation, 1);
    return pairs && !ceilMode && !returnIndices ? "pairs" : null;
  }

  /**
   * Makes the layer.
   *
   * @param kernelSize The window.
   * @param options stride = kernelSize, padding = 0, dilation = 1, ceilMode = false, returnIndices.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it is out of range.
   */
  constructor(kernelSize: PerAxis, options?: Options) {
    super(2, kernelSize, options);
  }

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): MaxPooled<Options> {
    return maxPool2d(x, this.kernelSize, this.options);
  }
}

/**
 * The largest value of each window along three axes.
 *
 * Shapes: [N, C, D, H, W] → [N, C, D', H', W']; N may be missing. With `returnIndices` the forward gives
 * `[output, indices]`.
 */
export class MaxPool3d<Options extends MaxPoolOptions = NoOptions> extends MaxPool<Options> {
  /** @internal */ static override readonly kind: string = "MaxPool3d";
  /** @internal */ static override readonly keepsNothing = true;

  /**
   * Makes the layer.
   *
   * @param kernelSize The window.
   * @param options stride = kernelSize, padding = 0, dilation = 1, ceilMode = false, returnIndices.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it is out of range.
   */
  constructor(kernelSize: PerAxis, options?: Options) {
    super(3, kernelSize, options);
  }

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): MaxPooled<Options> {
    return maxPool3d(x, this.kernelSize, this.options);
  }
}
