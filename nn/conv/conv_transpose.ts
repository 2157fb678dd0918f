/**
 * Transposed convolution layers.
 */
import { assertOptions, kindOf, refuse } from "../../autograd/internal.ts";
import type { PerAxis, Tensor } from "../../autograd/mod.ts";
import { convTranspose1d, convTranspose2d, convTranspose3d } from "../functional.ts";
import { ConvBase, type ConvLayerOptions, sizesRepr } from "./conv.ts";

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
  declare readonly padding: readonly number[];
  /** Added to one side of the output, per axis. */
  readonly outputPadding: readonly number[];

  /**
   * Makes the layer.
   *
   * @param inChannels The channels of the input.
   * @param outChannels The channels of the output.
   * @param kernelSize The window, a number or one for each axis.
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
    super(inChannels, outChannels, kernelSize, true, options);
    this.outputPadding = this.perAxis("outputPadding", options?.outputPadding ?? 0, 0);
  }

  /**
   * Spreads a sample or a batch of them.
   *
   * @throws {RangeError} if `outputSize` cannot be reached.
   */
  override forward(x: Tensor, options: ConvTransposeForwardOptions = {}): Tensor {
    assertOptions(`run ${kindOf(this)}`, options, ["outputSize"]);
    const run = [convTranspose1d, convTranspose2d, convTranspose3d][this.axes - 1];
    const { weight, bias, stride, padding, groups, dilation } = this;
    const outputPadding = options.outputSize === undefined
      ? this.outputPadding
      : this.paddingFor(x, options.outputSize);
    return run(x, weight, bias, { stride, padding, outputPadding, groups, dilation });
  }

  /** What must be added at the end for the output to have these sizes. */
  private paddingFor(x: Tensor, outputSize: readonly number[]): number[] {
    const { axes, kernelSize, stride, padding, dilation } = this;
    const sizes = outputSize.slice(-axes);
    const least = kernelSize.map((size, i) =>
      (x.shape[x.ndim - axes + i] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (size - 1) + 1
    );
    const fits = sizes.length === axes &&
      sizes.every((size, i) => size >= least[i] && size < least[i] + stride[i]);
    if (!fits) {
      refuse(
        `run ${kindOf(this)}`,
        `outputSize [${outputSize.join(", ")}] for x of shape [${x.shape.join(", ")}]`,
        `from [${least.join(", ")}] to [${
          least.map((size, i) => size + stride[i] - 1).join(", ")
        }]`,
      );
    }
    return sizes.map((size, i) => size - least[i]);
  }

  protected override outputPaddingRepr(): string {
    return sizesRepr("output_padding", this.outputPadding, 0);
  }
}

/**
 * The transpose of a convolution over one axis: it spreads each value over a window.
 *
 * `new ConvTranspose1d(inChannels, outChannels, kernelSize, options)`: the channels of input and output,
 * the length of the window, and stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1,
 * bias = true, generator.
 * Its `forward(x, { outputSize })` chooses among the lengths that the stride leaves open.
 *
 * Shapes: [N, inChannels, L] → [N, outChannels, L'],
 * L' = (L − 1)·stride − 2·padding + dilation·(kernelSize − 1) + outputPadding + 1; N may be missing.
 */
export class ConvTranspose1d extends ConvTranspose {
  /** @internal */ static override readonly kind: string = "ConvTranspose1d";
  /** @internal */ static override readonly axes = 1;
}

/**
 * The transpose of a convolution over two axes: it spreads each value over a window.
 *
 * Shapes: [N, inChannels, H, W] → [N, outChannels, H', W'],
 * arguments and sizes as for {@linkcode ConvTranspose1d}; N may be missing.
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
  /** @internal */ static override readonly axes = 2;
}

/**
 * The transpose of a convolution over three axes: it spreads each value over a window.
 *
 * Shapes: [N, inChannels, D, H, W] → [N, outChannels, D', H', W'],
 * arguments and sizes as for {@linkcode ConvTranspose1d}; N may be missing.
 */
export class ConvTranspose3d extends ConvTranspose {
  /** @internal */ static override readonly kind: string = "ConvTranspose3d";
  /** @internal */ static override readonly axes = 3;
}
