/**
 * Pooling layers.
 */
import type {
  AdaptiveMaxPoolOptions,
  AvgPoolOptions,
  MaxPooled,
  MaxPoolOptions,
  NoOptions,
  OutputSize,
  PerAxis,
  Tensor,
} from "../autograd/mod.ts";
import type { Known } from "../autograd/ops/options.ts";
import { checkFlag, checkPerAxis, layerOptions } from "./arguments.ts";
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  maxPool1d,
  maxPool2d,
  maxPool3d,
} from "./functional.ts";
import { Module } from "./module.ts";
import { pythonBoolean, pythonTuple } from "./repr.ts";

const MAX_POOL: Known<MaxPoolOptions> = [
  "stride",
  "padding",
  "dilation",
  "returnIndices",
  "ceilMode",
];
const AVG_POOL: Known<AvgPoolOptions> = [
  "stride",
  "padding",
  "ceilMode",
  "countIncludePad",
  "divisorOverride",
];

function adaptiveOptions<Options extends AdaptiveMaxPoolOptions>(
  layer: string,
  given: Options | undefined,
): Options | undefined {
  layerOptions<AdaptiveMaxPoolOptions>(layer, given, ["returnIndices"]);
  return given;
}

function repr(sizes: PerAxis): string {
  return typeof sizes === "number" ? String(sizes) : pythonTuple(sizes);
}

/** @internal What MaxPool1d, 2d and 3d have in common. */
abstract class MaxPool<Options extends MaxPoolOptions> extends Module {
  /** The window. */
  readonly kernelSize: PerAxis;
  /** What the functional form takes. */
  protected readonly options: Options;

  constructor(axes: number, kernelSize: PerAxis, given: Options | undefined) {
    super();
    const layer = new.target.name;
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
    return `kernel_size=${repr(this.kernelSize)}, stride=${repr(stride!)}, padding=${
      repr(padding)
    }, dilation=${repr(dilation)}, ceil_mode=${pythonBoolean(ceilMode)}`;
  }
}

/**
 * The largest value of each window along one axis.
 *
 * Shapes: [N, C, L] → [N, C, L']; N may be missing. With `returnIndices` the forward gives
 * `[output, indices]`.
 */
export class MaxPool1d<Options extends MaxPoolOptions = NoOptions> extends MaxPool<Options> {
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

/** @internal What AvgPool1d, 2d and 3d have in common. */
abstract class AvgPool extends Module {
  /** The window. */
  readonly kernelSize: PerAxis;
  /** What the functional form takes. */
  protected readonly options: AvgPoolOptions & { readonly stride: PerAxis };

  constructor(axes: number, kernelSize: PerAxis, given: AvgPoolOptions) {
    super();
    const layer = new.target.name;
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
    const show = (sizes: PerAxis) => this instanceof AvgPool1d ? repr([sizes].flat()) : repr(sizes);
    return `kernel_size=${show(kernelSize)}, stride=${show(stride)}, padding=${show(padding)}`;
  }
}

/**
 * The mean of each window along one axis.
 *
 * Shapes: [N, C, L] → [N, C, L']; N may be missing.
 */
export class AvgPool1d extends AvgPool {
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
    const sizes = outputSize.map(show);
    return `output_size=(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`;
  }
}

/**
 * The mean over windows that are chosen so that the output has a given size along one axis.
 *
 * Shapes: [N, C, L] → [N, C, outputSize]; N may be missing.
 */
export class AdaptiveAvgPool1d extends AdaptivePool {
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
  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool3d(x, this.outputSize);
  }
}

/**
 * The largest value of windows that are chosen so that the output has a given size along one axis.
 *
 * Shapes: [N, C, L] → [N, C, outputSize]; N may be missing. With `returnIndices` the forward gives
 * `[output, indices]`.
 */
export class AdaptiveMaxPool1d<Options extends AdaptiveMaxPoolOptions = NoOptions>
  extends AdaptivePool {
  private readonly options: Options | undefined;

  /**
   * Makes the layer.
   *
   * @param outputSize The size of the output.
   * @param options returnIndices = false.
   * @throws {TypeError} if the options are no object.
   */
  constructor(outputSize: OutputSize, options?: Options) {
    super(outputSize);
    this.options = adaptiveOptions(new.target.name, options);
  }

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
  extends AdaptivePool {
  private readonly options: Options | undefined;

  /**
   * Makes the layer.
   *
   * @param outputSize The size of the output.
   * @param options returnIndices = false.
   * @throws {TypeError} if the options are no object.
   */
  constructor(outputSize: OutputSize, options?: Options) {
    super(outputSize);
    this.options = adaptiveOptions(new.target.name, options);
  }

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
  extends AdaptivePool {
  private readonly options: Options | undefined;

  /**
   * Makes the layer.
   *
   * @param outputSize The size of the output.
   * @param options returnIndices = false.
   * @throws {TypeError} if the options are no object.
   */
  constructor(outputSize: OutputSize, options?: Options) {
    super(outputSize);
    this.options = adaptiveOptions(new.target.name, options);
  }

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): MaxPooled<Options> {
    return adaptiveMaxPool3d(x, this.outputSize, this.options);
  }
}
