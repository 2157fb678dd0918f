/**
 * Convolution layers.
 */
import { kindOf } from "../../autograd/internal.ts";
import { type Generator, type PerAxis, type Tensor, zeros } from "../../autograd/mod.ts";
import type { Known } from "../../autograd/internal.ts";
import {
  checkChoice,
  checkCount,
  checkFlag,
  checkPerAxis,
  layerOptions,
} from "../module/arguments.ts";
import { conv1d, conv2d, conv3d, pad } from "../functional.ts";
import { initAffine_ } from "../init/defaults.ts";
import { Module } from "../module/module.ts";
import { pythonTuple } from "../module/repr.ts";

/** What fills the border of an input. */
export type PaddingMode = "zeros" | "reflect" | "replicate" | "circular";

/** Options of the convolution layers. */
export interface ConvLayerOptions {
  /** The step of the window, per axis. */
  readonly stride?: PerAxis;
  /** The border on both sides, per axis; `"same"` for an output of the input's size. */
  readonly padding?: PerAxis | "same" | "valid";
  /** From one value of a window to the next, per axis. */
  readonly dilation?: PerAxis;
  /** Into how many blocks the channels are divided; each sees its own. */
  readonly groups?: number;
  /** Whether a bias is learned. */
  readonly bias?: boolean;
  /** What fills the border. */
  readonly paddingMode?: PaddingMode;
  /** Where the first weights are drawn from; the default generator where left out. */
  readonly generator?: Generator | null;
}

const KNOWN: Known<ConvLayerOptions> = [
  "stride",
  "padding",
  "dilation",
  "groups",
  "bias",
  "paddingMode",
  "generator",
];
const KNOWN_IF_TRANSPOSED = [...KNOWN, "outputPadding"] as const;

/** What convolutions and transposed convolutions have in common. */
export abstract class ConvBase extends Module {
  /** @internal */ static override readonly kind: string = "ConvBase";

  /** The window, per axis. */
  readonly kernelSize: readonly number[];
  /** The step of the window, per axis. */
  readonly stride: readonly number[];
  /** The border on both sides, per axis, or its rule. */
  readonly padding: readonly number[] | "same" | "valid";
  /** From one value of a window to the next, per axis. */
  readonly dilation: readonly number[];
  /** Into how many blocks the channels are divided. */
  readonly groups: number;
  /** What fills the border. */
  readonly paddingMode: PaddingMode;
  /** [outChannels, inChannels / groups, …kernelSize]; the channels change places if transposed. */
  weight: Tensor;
  /** [outChannels]; `null` without bias. */
  bias: Tensor | null;

  readonly inChannels: number;
  readonly outChannels: number;

  /** @internal */
  constructor(
    axes: number,
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    transposed: boolean,
    options: ConvLayerOptions,
  ) {
    super();
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    const layer = kindOf(this);
    const {
      stride = 1,
      padding = 0,
      dilation = 1,
      groups = 1,
      bias = true,
      paddingMode = "zeros",
      generator = null,
    } = layerOptions<ConvLayerOptions & { readonly outputPadding?: PerAxis }>(
      layer,
      options,
      transposed ? KNOWN_IF_TRANSPOSED : KNOWN,
    );
    checkCount(layer, "groups", groups, 1);
    for (const [name, channels] of Object.entries({ inChannels, outChannels })) {
      checkCount(layer, name, channels, 0);
      if (channels % groups !== 0) {
        throw new RangeError(
          `Cannot make ${layer}: got ${name} ${channels} and groups ${groups}, expected a multiple ` +
            `of the groups`,
        );
      }
    }
    checkFlag(layer, "bias", bias);
    this.kernelSize = checkPerAxis(layer, "kernelSize", kernelSize, axes, 1);
    this.stride = checkPerAxis(layer, "stride", stride, axes, 1);
    this.dilation = checkPerAxis(layer, "dilation", dilation, axes, 1);
    this.padding = typeof padding === "string"
      ? checkChoice<"valid" | "same">(
        layer,
        "padding",
        padding,
        transposed ? [] : ["valid", "same"],
      )
      : checkPerAxis(layer, "padding", padding, axes, 0);
    if (padding === "same" && this.stride.some((step) => step !== 1)) {
      throw new RangeError(
        `Cannot make ${layer}: got padding "same" and stride [${
          this.stride.join(", ")
        }], expected ` +
          `stride 1`,
      );
    }
    this.groups = groups;
    this.paddingMode = checkChoice(
      layer,
      "paddingMode",
      paddingMode,
      transposed ? ["zeros"] : ["zeros", "reflect", "replicate", "circular"],
    );
    const channels = transposed
      ? [inChannels, outChannels / groups]
      : [outChannels, inChannels / groups];
    this.weight = this.registerParameter("weight", zeros([...channels, ...this.kernelSize]));
    this.bias = this.registerParameter("bias", bias ? zeros([outChannels]) : null);
    this.resetParameters(generator);
  }

  /** Draws weight and bias again, evenly in ±1/√fan_in. */
  resetParameters(generator: Generator | null = null): void {
    if (this.weight.size > 0) initAffine_(this.weight, this.bias, generator);
  }

  /** The padding between dilation and groups, where transposed convolutions have one. */
  protected outputPaddingRepr(): string {
    return "";
  }

  override extraRepr(): string {
    const { padding, dilation } = this;
    let text = `${this.inChannels}, ${this.outChannels}, kernel_size=${
      pythonTuple(this.kernelSize)
    }, stride=${pythonTuple(this.stride)}`;
    if (typeof padding === "string") text += `, padding=${padding}`;
    else if (padding.some((n) => n !== 0)) text += `, padding=${pythonTuple(padding)}`;
    if (dilation.some((n) => n !== 1)) text += `, dilation=${pythonTuple(dilation)}`;
    text += this.outputPaddingRepr();
    if (this.groups !== 1) text += `, groups=${this.groups}`;
    if (this.bias === null) text += ", bias=False";
    if (this.paddingMode !== "zeros") text += `, padding_mode=${this.paddingMode}`;
    return text;
  }
}

/** @internal What Conv1d, 2d and 3d have in common. */
abstract class Conv extends ConvBase {
  /** The convolution over this layer's axes, with the border that it asks for. */
  protected convolve(run: typeof conv2d, x: Tensor): Tensor {
    const { weight, bias, stride, padding, dilation, groups, paddingMode } = this;
    if (paddingMode === "zeros") {
      return run(x, weight, bias, { stride, padding, dilation, groups });
    }
    const bordered = pad(x, this.border(), { mode: paddingMode });
    return run(bordered, weight, bias, { stride, padding: 0, dilation, groups });
  }

  /** The border before and after each axis, the last axis first. */
  private border(): number[] {
    const { padding } = this;
    return this.kernelSize.map((size, i) => {
      if (padding === "valid") return [0, 0];
      if (padding !== "same") return [padding[i], padding[i]];
      const total = this.dilation[i] * (size - 1);
      const before = Math.floor(total / 2);
      return [before, total - before];
    }).reverse().flat();
  }
}

/**
 * Convolves over one axis.
 *
 * Shapes: [N, inChannels, L] → [N, outChannels, L'] with
 * L' = ⌊(L + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋ + 1; N may be missing.
 */
export class Conv1d extends Conv {
  /** @internal */ static override readonly kind: string = "Conv1d";
  /** @internal */ static override readonly keepsNothing = true;

  /**
   * Makes the layer.
   *
   * @param inChannels The channels of the input.
   * @param outChannels The channels of the output.
   * @param kernelSize The length of the window.
   * @param options stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, paddingMode.
   * @throws {TypeError} if an argument is of the wrong kind.
   * @throws {RangeError} if a size is out of range, or groups do not divide the channels.
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions = {},
  ) {
    super(1, inChannels, outChannels, kernelSize, false, options);
  }

  /** Convolves a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return this.convolve(conv1d, x);
  }
}

/**
 * Convolves over two axes.
 *
 * Shapes: [N, inChannels, H, W] → [N, outChannels, H', W'], sizes as for {@linkcode Conv1d}; N may be
 * missing. weight [outChannels, inChannels / groups, kH, kW], bias [outChannels], both at first evenly
 * in ±1/√(inChannels / groups · kH · kW).
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const layer = new nn.Conv2d(1, 4, 3, { padding: 1, bias: false });
 * assertEquals(layer.forward(zeros([2, 1, 8, 8])).shape, [2, 4, 8, 8]);
 * assertEquals(
 *   String(layer),
 *   "Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)",
 * );
 * ```
 */
export class Conv2d extends Conv {
  /** @internal */ static override readonly kind: string = "Conv2d";
  /** @internal */ static override readonly keepsNothing = true;

  /**
   * Makes the layer.
   *
   * @param inChannels The channels of the input.
   * @param outChannels The channels of the output.
   * @param kernelSize The window, a number or [height, width].
   * @param options stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, paddingMode.
   * @throws {TypeError} if an argument is of the wrong kind.
   * @throws {RangeError} if a size is out of range, or groups do not divide the channels.
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions = {},
  ) {
    super(2, inChannels, outChannels, kernelSize, false, options);
  }

  /** Convolves a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return this.convolve(conv2d, x);
  }
}

/**
 * Convolves over three axes.
 *
 * Shapes: [N, inChannels, D, H, W] → [N, outChannels, D', H', W'], sizes as for {@linkcode Conv1d}; N
 * may be missing.
 */
export class Conv3d extends Conv {
  /** @internal */ static override readonly kind: string = "Conv3d";
  /** @internal */ static override readonly keepsNothing = true;

  /**
   * Makes the layer.
   *
   * @param inChannels The channels of the input.
   * @param outChannels The channels of the output.
   * @param kernelSize The window, a number or [depth, height, width].
   * @param options stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, paddingMode.
   * @throws {TypeError} if an argument is of the wrong kind.
   * @throws {RangeError} if a size is out of range, or groups do not divide the channels.
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions = {},
  ) {
    super(3, inChannels, outChannels, kernelSize, false, options);
  }

  /** Convolves a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    return this.convolve(conv3d, x);
  }
}
