/**
 * Layers that resize images, or cut them into windows.
 */
import type { InterpolateOptions, PerAxis, Tensor, UnfoldOptions } from "../../autograd/mod.ts";
import { INTERPOLATE_OPTIONS, UNFOLD_OPTIONS } from "../../autograd/internal.ts";
import { checkPerAxis, layerOptions } from "../module/arguments.ts";
import { fold, interpolate, unfold } from "../functional.ts";
import { Module } from "../module/module.ts";
import { pythonArguments, pythonFloat } from "../module/repr.ts";

/** Resizes all axes after the first two; see {@linkcode interpolate}. */
export class Upsample extends Module {
  /** @internal */ static override readonly kind: string = "Upsample";

  private readonly options: InterpolateOptions;

  /**
   * Makes the layer.
   *
   * @param options size or scaleFactor, mode = "nearest", alignCorners.
   * @throws {TypeError} if the options are of the wrong kind.
   */
  constructor(options: InterpolateOptions) {
    super();
    this.options = layerOptions("Upsample", options, INTERPOLATE_OPTIONS);
  }

  /** Resizes a batch. */
  override forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    const { size, scaleFactor, mode = "nearest" } = this.options;
    const factors = typeof scaleFactor === "number"
      ? pythonFloat(scaleFactor)
      : scaleFactor?.map(pythonFloat);
    const target = scaleFactor ? { scale_factor: factors } : { size: size ?? 0 };
    return pythonArguments({ ...target, mode: `'${mode}'` });
  }
}

/** A window as it is printed. */
function windowOf(kernelSize: PerAxis, options: UnfoldOptions) {
  const { dilation = 1, padding = 0, stride = 1 } = options;
  return { kernel_size: kernelSize, dilation, padding, stride };
}

/** The windows of an image as columns; see {@linkcode unfold}. */
export class Unfold extends Module {
  /** @internal */ static override readonly kind: string = "Unfold";

  private readonly options: UnfoldOptions;

  /** The size of a window along each axis. */
  readonly kernelSize: PerAxis;

  /**
   * Makes the layer.
   *
   * @param kernelSize The window.
   * @param options dilation = 1, padding = 0, stride = 1.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it is out of range.
   */
  constructor(kernelSize: PerAxis, options: UnfoldOptions = {}) {
    super();
    this.kernelSize = kernelSize;
    checkPerAxis("Unfold", "kernelSize", kernelSize, 2, 1);
    this.options = layerOptions("Unfold", options, UNFOLD_OPTIONS);
  }

  /** Cuts an image or a batch of them. */
  override forward(x: Tensor): Tensor {
    return unfold(x, this.kernelSize, this.options);
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    return pythonArguments(windowOf(this.kernelSize, this.options));
  }
}

/** An image from windows as columns, which are added up; see {@linkcode fold}. */
export class Fold extends Module {
  /** @internal */ static override readonly kind: string = "Fold";

  private readonly options: UnfoldOptions;

  /** The size of the image along each axis. */
  readonly outputSize: PerAxis;
  /** The size of a window along each axis. */
  readonly kernelSize: PerAxis;

  /**
   * Makes the layer.
   *
   * @param outputSize The height and width of the image.
   * @param kernelSize The window.
   * @param options dilation = 1, padding = 0, stride = 1.
   * @throws {TypeError} if an argument is of the wrong kind. @throws {RangeError} if it is out of range.
   */
  constructor(outputSize: PerAxis, kernelSize: PerAxis, options: UnfoldOptions = {}) {
    super();
    this.outputSize = outputSize;
    this.kernelSize = kernelSize;
    checkPerAxis("Fold", "outputSize", outputSize, 2, 1);
    checkPerAxis("Fold", "kernelSize", kernelSize, 2, 1);
    this.options = layerOptions("Fold", options, UNFOLD_OPTIONS);
  }

  /** Puts columns, or a batch of them, together. */
  override forward(x: Tensor): Tensor {
    return fold(x, this.outputSize, this.kernelSize, this.options);
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    const window = windowOf(this.kernelSize, this.options);
    return pythonArguments({ output_size: this.outputSize, ...window });
  }
}
