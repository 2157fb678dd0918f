/**
 * Transposed convolution layers.
 */
import type { PerAxis, Tensor } from "../../autograd/mod.ts";
import { assertOptions, kindOf } from "../../autograd/internal.ts";
import { checkPerAxis } from "../module/arguments.ts";
import { ConvBase, type ConvLayerOptions } from "./conv.ts";
import { convTranspose1d, convTranspose2d, convTranspose3d } from "../functional.ts";
import { pythonTuple } from "../module/repr.ts";

/** Options of the transposed convolution layers. */
export interface ConvTransposeLayerOptions
  extends Omit<ConvLayerOptions, "padding" | "paddingMode"> {
  /** What the convolution that this one transposes would pad, per axis. */
  readonly padding?: PerAxis;
  /** Added to one side of the output, per axis; below the stride or the dilation. */
  readonly outputPadding?: PerAxis;
  /** Only zeros. */
  readonly paddingMode?: "zeros";
}

/** How a transposed convolution is run. */
export interface ConvTransposeForwardOptions {
  /** The spatial sizes of the output, where the stride leaves several open. */
  readonly outputSize?: readonly number[];
}

/** @internal What ConvTranspose1d, 2d and 3d have in common. */
abstract class ConvTranspose extends ConvBase {
  /** Added to one side of the output, per axis. */
  readonly outputPadding: readonly number[];

  constructor(
    axes: number,
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions,
  ) {
    super(axes, inChannels, outChannels, kernelSize, true, options);
    const layer = kindOf(this);
    this.outputPadding = checkPerAxis(layer, "outputPadding", options?.outputPadding ?? 0, axes, 0);
  }

  protected transposed(
    run: typeof convTranspose2d,
    x: Tensor,
    options: ConvTransposeForwardOptions,
  ): Tensor {
    assertOptions(`run ${kindOf(this)}`, options, ["outputSize"]);
    const { weight, bias, stride, groups, dilation } = this;
    const padding = this.padding as readonly number[];
    const outputPadding = options.outputSize === undefined
      ? this.outputPadding
      : this.paddingFor(x, options.outputSize);
    return run(x, weight, bias, { stride, padding, outputPadding, groups, dilation });
  }

  /** What must be added at the end for the output to have these sizes. */
  private paddingFor(x: Tensor, outputSize: readonly number[]): number[] {
    const axes = this.kernelSize.length;
    const sizes = outputSize.slice(-axes);
    const least = this.kernelSize.map((size, i) => {
      const input = x.shape[x.ndim - axes + i];
      const padding = (this.padding as readonly number[])[i];
      return (input - 1) * this.stride[i] - 2 * padding + this.dilation[i] * (size - 1) + 1;
    });
    const fits = sizes.length === axes &&
      sizes.every((size, i) => size >= least[i] && size < least[i] + this.stride[i]);
    if (!fits) {
      throw new RangeError(
        `Cannot run ${kindOf(this)}: got outputSize [${outputSize.join(", ")}] for x of ` +
          `shape [${x.shape.join(", ")}], expected from [${least.join(", ")}] to ` +
          `[${least.map((size, i) => size + this.stride[i] - 1).join(", ")}]`,
      );
    }
    return sizes.map((size, i) => size - least[i]);
  }

  protected override outputPaddingRepr(): string {
    return this.outputPadding.some((n) => n !== 0)
      ? `, output_padding=${pythonTuple(this.outputPadding)}`
      : "";
  }
}

/**
 * The transpose of a convolution over one axis: it spreads each value over a window.
 *
 * Shapes: [N, inChannels, L] → [N, outChannels, L'],
 * L' = (L − 1)·stride − 2·padding + dilation·(kernelSize − 1) + outputPadding + 1; N may be missing.
 */
export class ConvTranspose1d extends ConvTranspose {
  /** @internal */ static override readonly kind: string = "ConvTranspose1d";

  /**
   * Makes the layer.
   *
   * @param inChannels The channels of the input.
   * @param outChannels The channels of the output.
   * @param kernelSize The length of the window.
   * @param options stride = 1, padding = 0, outputPadding = 0, groups = 1, bias = true, dilation = 1.
   * @throws {TypeError} if an argument is of the wrong kind.
   * @throws {RangeError} if a size is out of range, or groups do not divide the channels.
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(1, inChannels, outChannels, kernelSize, options);
  }

  /**
   * Spreads a sample or a batch of them.
   *
   * @throws {RangeError} if `outputSize` cannot be reached.
   */
  override forward(x: Tensor, options: ConvTransposeForwardOptions = {}): Tensor {
    return this.transposed(convTranspose1d, x, options);
  }
}

/**
 * The transpose of a convolution over two axes: it spreads each value over a window.
 *
 * Shapes: [N, inChannels, H, W] → [N, outChannels, H', W'],
 * sizes as for {@linkcode ConvTranspose1d}; N may be missing.
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const layer = new nn.ConvTranspose2d(4, 2, 3, { stride: 2 });
 * const x = zeros([1, 4, 5, 5]);
 * assertEquals(layer.forward(x).shape, [1, 2, 11, 11]);
 * assertEquals(layer.forward(x, { outputSize: [12, 12] }).shape, [1, 2, 12, 12]);
 * ```
 */
export class ConvTranspose2d extends ConvTranspose {
  /** @internal */ static override readonly kind: string = "ConvTranspose2d";

  /**
   * Makes the layer.
   *
   * @param inChannels The channels of the input.
   * @param outChannels The channels of the output.
   * @param kernelSize The window, a number or [height, width].
   * @param options stride = 1, padding = 0, outputPadding = 0, groups = 1, bias = true, dilation = 1.
   * @throws {TypeError} if an argument is of the wrong kind.
   * @throws {RangeError} if a size is out of range, or groups do not divide the channels.
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(2, inChannels, outChannels, kernelSize, options);
  }

  /**
   * Spreads a sample or a batch of them.
   *
   * @throws {RangeError} if `outputSize` cannot be reached.
   */
  override forward(x: Tensor, options: ConvTransposeForwardOptions = {}): Tensor {
    return this.transposed(convTranspose2d, x, options);
  }
}

/**
 * The transpose of a convolution over three axes: it spreads each value over a window.
 *
 * Shapes: [N, inChannels, D, H, W] → [N, outChannels, D', H', W'],
 * sizes as for {@linkcode ConvTranspose1d}; N may be missing.
 */
export class ConvTranspose3d extends ConvTranspose {
  /** @internal */ static override readonly kind: string = "ConvTranspose3d";

  /**
   * Makes the layer.
   *
   * @param inChannels The channels of the input.
   * @param outChannels The channels of the output.
   * @param kernelSize The window, a number or [depth, height, width].
   * @param options stride = 1, padding = 0, outputPadding = 0, groups = 1, bias = true, dilation = 1.
   * @throws {TypeError} if an argument is of the wrong kind.
   * @throws {RangeError} if a size is out of range, or groups do not divide the channels.
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(3, inChannels, outChannels, kernelSize, options);
  }

  /**
   * Spreads a sample or a batch of them.
   *
   * @throws {RangeError} if `outputSize` cannot be reached.
   */
  override forward(x: Tensor, options: ConvTransposeForwardOptions = {}): Tensor {
    return this.transposed(convTranspose3d, x, options);
  }
}
