/**
 * Layers of pooling: each takes what its functional form takes, and checks it when it is made.
 */
import { AVG_POOL_OPTIONS, kindOf, type Known, MAX_POOL_OPTIONS } from "../../autograd/internal.ts";
import type {
  AdaptiveMaxPoolOptions,
  AvgPoolOptions,
  MaxPooled,
  MaxPoolOptions,
  NoOptions,
  OutputSize,
  PerAxis,
  Tensor,
} from "../../autograd/mod.ts";
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
} from "../functional.ts";
import { checkFlag, layerOptions, SpatialLayer } from "../module/arguments.ts";
import { pythonArguments } from "../module/repr.ts";

/** @internal What max and average pooling have in common: a window that slides. */
abstract class WindowPool<Options extends MaxPoolOptions | AvgPoolOptions> extends SpatialLayer {
  /** The window. */
  readonly kernelSize: PerAxis;
  /** What the functional form takes. */
  protected readonly options: Options;

  constructor(kernelSize: PerAxis, given: Options | undefined, known: Known<Options>) {
    super();
    const layer = kindOf(this);
    const options = layerOptions<Options>(layer, given, known);
    const stride = options.stride ?? kernelSize;
    const padding = options.padding ?? 0;
    this.perAxis("kernelSize", kernelSize, 1);
    this.perAxis("stride", stride, 1);
    this.perAxis("padding", padding, 0);
    checkFlag(layer, "ceilMode", options.ceilMode ?? false);
    this.kernelSize = kernelSize;
    this.options = { ...options, stride, padding };
  }
}

/** @internal What MaxPool1d, 2d and 3d have in common. */
abstract class MaxPool<Options extends MaxPoolOptions> extends WindowPool<Options> {
  /**
   * Makes the layer.
   *
   * @param kernelSize The window.
   * @param options stride = kernelSize, padding = 0, dilation = 1, ceilMode = false, returnIndices.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it is out of range.
   */
  constructor(kernelSize: PerAxis, options?: Options) {
    super(kernelSize, options, MAX_POOL_OPTIONS);
    this.perAxis("dilation", options?.dilation ?? 1, 1);
    checkFlag(kindOf(this), "returnIndices", options?.returnIndices ?? false);
  }

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): MaxPooled<Options> {
    const pool = [maxPool1d, maxPool2d, maxPool3d][this.axes - 1];
    return pool(x, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    const { stride, padding, dilation = 1, ceilMode = false } = this.options;
    const window = { kernel_size: this.kernelSize, stride, padding, dilation };
    return pythonArguments({ ...window, ceil_mode: ceilMode });
  }
}

/**
 * The largest value of each window along one axis.
 *
 * `new MaxPool1d(kernelSize, options)`: the window, and stride = kernelSize, padding = 0, dilation = 1,
 * ceilMode = false, returnIndices = false.
 *
 * Shapes: [N, C, L] → [N, C, L']; N may be missing. With `returnIndices` the forward gives
 * `[output, indices]`.
 */
export class MaxPool1d<Options extends MaxPoolOptions = NoOptions> extends MaxPool<Options> {
  /** @internal */ static override readonly kind: string = "MaxPool1d";
  /** @internal */ static override readonly keepsNothing = true;
  /** @internal */ static override readonly axes = 1;
}

/**
 * The largest value of each window along two axes.
 *
 * Arguments and shapes as for {@linkcode MaxPool1d}: [N, C, H, W] → [N, C, H', W'].
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
  /** @internal */ static override readonly axes = 2;

  /** @internal */
  override get absorbable(): "pairs" | null {
    const { stride, padding = 0, dilation = 1, ceilMode, returnIndices } = this
      .options as MaxPoolOptions;
    const all = (sizes: PerAxis, size: number): boolean => [sizes].flat().every((s) => s === size);
    const pairs = all(this.kernelSize, 2) && all(stride!, 2) && all(padding, 0) && all(dilation, 1);
    return pairs && !ceilMode && !returnIndices ? "pairs" : null;
  }
}

/**
 * The largest value of each window along three axes.
 *
 * Arguments and shapes as for {@linkcode MaxPool1d}: [N, C, D, H, W] → [N, C, D', H', W'].
 */
export class MaxPool3d<Options extends MaxPoolOptions = NoOptions> extends MaxPool<Options> {
  /** @internal */ static override readonly kind: string = "MaxPool3d";
  /** @internal */ static override readonly keepsNothing = true;
  /** @internal */ static override readonly axes = 3;
}

/** @internal What AvgPool1d, 2d and 3d have in common. */
abstract class AvgPool<Options extends AvgPoolOptions = AvgPoolOptions>
  extends WindowPool<Options> {
  /**
   * Makes the layer.
   *
   * @param kernelSize The window.
   * @param options stride = kernelSize, padding = 0, ceilMode = false, countIncludePad = true, and over two
   * or three axes divisorOverride.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it is out of range.
   */
  constructor(kernelSize: PerAxis, options?: Options) {
    super(kernelSize, options, AVG_POOL_OPTIONS);
    checkFlag(kindOf(this), "countIncludePad", options?.countIncludePad ?? true);
  }

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return [avgPool1d, avgPool2d, avgPool3d][this.axes - 1](x, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    // PyTorch keeps the sizes of one axis as a tuple, and those of several as they were given.
    const shown = (sizes?: PerAxis | null) => this.axes === 1 ? [sizes].flat() : sizes;
    return pythonArguments({
      kernel_size: shown(this.kernelSize),
      stride: shown(this.options.stride),
      padding: shown(this.options.padding),
    });
  }
}

/**
 * The mean of each window along one axis.
 *
 * `new AvgPool1d(kernelSize, options)`: the window, and stride = kernelSize, padding = 0,
 * ceilMode = false, countIncludePad = true.
 *
 * Shapes: [N, C, L] → [N, C, L']; N may be missing.
 */
export class AvgPool1d extends AvgPool<Omit<AvgPoolOptions, "divisorOverride">> {
  /** @internal */ static override readonly kind: string = "AvgPool1d";
  /** @internal */ static override readonly keepsNothing = true;
  /** @internal */ static override readonly axes = 1;
}

/**
 * The mean of each window along two axes.
 *
 * Arguments as for {@linkcode AvgPool1d}, and the option divisorOverride.
 *
 * Shapes: [N, C, H, W] → [N, C, H', W']; N may be missing.
 */
export class AvgPool2d extends AvgPool {
  /** @internal */ static override readonly kind: string = "AvgPool2d";
  /** @internal */ static override readonly keepsNothing = true;
  /** @internal */ static override readonly axes = 2;
}

/**
 * The mean of each window along three axes.
 *
 * Arguments as for {@linkcode AvgPool1d}, and the option divisorOverride.
 *
 * Shapes: [N, C, D, H, W] → [N, C, D', H', W']; N may be missing.
 */
export class AvgPool3d extends AvgPool {
  /** @internal */ static override readonly kind: string = "AvgPool3d";
  /** @internal */ static override readonly keepsNothing = true;
  /** @internal */ static override readonly axes = 3;
}

/** @internal What the adaptive pooling layers have in common: windows that follow from the output. */
abstract class AdaptivePool extends SpatialLayer {
  /** The size of the output; `null` on an axis keeps that of the input. */
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    super();
    this.outputSize = outputSize;
  }

  override extraRepr(): string {
    return pythonArguments({ output_size: this.outputSize });
  }
}

/** @internal What AdaptiveAvgPool1d, 2d and 3d have in common. */
abstract class AdaptiveAvgPool extends AdaptivePool {
  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    const pool = [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d][this.axes - 1];
    return pool(x, this.outputSize);
  }
}

/**
 * The mean over windows that are chosen so that the output has a given size along one axis.
 *
 * `new AdaptiveAvgPool1d(outputSize)`: that size, or `null` for the input's.
 *
 * Shapes: [N, C, L] → [N, C, outputSize]; N may be missing.
 */
export class AdaptiveAvgPool1d extends AdaptiveAvgPool {
  /** @internal */ static override readonly kind: string = "AdaptiveAvgPool1d";
  /** @internal */ static override readonly keepsNothing = true;
  /** @internal */ static override readonly axes = 1;
}

/**
 * The mean over windows that are chosen so that the output has a given size along two axes.
 *
 * `new AdaptiveAvgPool2d(outputSize)`: one size for both axes or a list; `null` is the input's.
 *
 * Shapes: [N, C, H, W] → [N, C, …outputSize]; N may be missing.
 */
export class AdaptiveAvgPool2d extends AdaptiveAvgPool {
  /** @internal */ static override readonly kind: string = "AdaptiveAvgPool2d";
  /** @internal */ static override readonly keepsNothing = true;
  /** @internal */ static override readonly axes = 2;
}

/**
 * The mean over windows that are chosen so that the output has a given size along three axes.
 *
 * Arguments as for {@linkcode AdaptiveAvgPool2d}.
 *
 * Shapes: [N, C, D, H, W] → [N, C, …outputSize]; N may be missing.
 */
export class AdaptiveAvgPool3d extends AdaptiveAvgPool {
  /** @internal */ static override readonly kind: string = "AdaptiveAvgPool3d";
  /** @internal */ static override readonly keepsNothing = true;
  /** @internal */ static override readonly axes = 3;
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

  /** Pools a sample or a batch of them. */
  override forward(x: Tensor): MaxPooled<Options> {
    const pool = [adaptiveMaxPool1d, adaptiveMaxPool2d, adaptiveMaxPool3d][this.axes - 1];
    return pool(x, this.outputSize, this.options);
  }
}

/**
 * The largest value of windows that are chosen so that the output has a given size along one axis.
 *
 * Arguments as for {@linkcode AdaptiveAvgPool1d}, and the option returnIndices = false.
 *
 * Shapes: [N, C, L] → [N, C, outputSize]; N may be missing. With `returnIndices` the forward gives
 * `[output, indices]`.
 */
export class AdaptiveMaxPool1d<Options extends AdaptiveMaxPoolOptions = NoOptions>
  extends AdaptiveMaxPool<Options> {
  /** @internal */ static override readonly kind: string = "AdaptiveMaxPool1d";
  /** @internal */ static override readonly axes = 1;
}

/**
 * The largest value of windows that are chosen so that the output has a given size along two axes.
 *
 * Arguments as for {@linkcode AdaptiveAvgPool2d}, and the option returnIndices = false.
 *
 * Shapes: [N, C, H, W] → [N, C, …outputSize]; N may be missing. With `returnIndices` the forward gives
 * `[output, indices]`.
 */
export class AdaptiveMaxPool2d<Options extends AdaptiveMaxPoolOptions = NoOptions>
  extends AdaptiveMaxPool<Options> {
  /** @internal */ static override readonly kind: string = "AdaptiveMaxPool2d";
  /** @internal */ static override readonly axes = 2;
}

/**
 * The largest value of windows that are chosen so that the output has a given size along three axes.
 *
 * Arguments as for {@linkcode AdaptiveAvgPool2d}, and the option returnIndices = false.
 *
 * Shapes: [N, C, D, H, W] → [N, C, …outputSize]; N may be missing. With `returnIndices` the forward gives
 * `[output, indices]`.
 */
export class AdaptiveMaxPool3d<Options extends AdaptiveMaxPoolOptions = NoOptions>
  extends AdaptiveMaxPool<Options> {
  /** @internal */ static override readonly kind: string = "AdaptiveMaxPool3d";
  /** @internal */ static override readonly axes = 3;
}
