/**
 * Convolution layers.
 */
import { CONV_OPTIONS, kindOf, type Known, refuse } from "../../autograd/internal.ts";
import { type Generator, type PerAxis, type Tensor, zeros } from "../../autograd/mod.ts";
import { conv1d, conv2d, conv3d, pad } from "../functional.ts";
import { initAffine_ } from "../init/defaults.ts";
import {
  checkChoice,
  checkCount,
  checkFlag,
  layerOptions,
  SpatialLayer,
} from "../module/arguments.ts";
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

const KNOWN: Known<ConvLayerOptions> = [...CONV_OPTIONS, "bias", "paddingMode", "generator"];
const KNOWN_IF_TRANSPOSED = [...KNOWN, "outputPadding"] as readonly string[] as typeof KNOWN;

/** What convolutions and transposed convolutions have in common. */
export abstract class ConvBase extends SpatialLayer {
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
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    transposed: boolean,
    given: ConvLayerOptions,
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
    } = layerOptions(layer, given, transposed ? KNOWN_IF_TRANSPOSED : KNOWN);
    checkCount(layer, "groups", groups, 1);
    for (const [name, channels] of Object.entries({ inChannels, outChannels })) {
      checkCount(layer, name, channels, 0);
      if (channels % groups !== 0) {
        refuse(
          `make ${layer}`,
          `${name} ${channels} and groups ${groups}`,
          "a multiple of the groups",
        );
      }
    }
    checkFlag(layer, "bias", bias);
    this.kernelSize = this.perAxis("kernelSize", kernelSize, 1);
    this.stride = this.perAxis("stride", stride, 1);
    this.dilation = this.perAxis("dilation", dilation, 1);
    this.padding = typeof padding === "string" && !transposed
      ? checkChoice<"valid" | "same">(layer, "padding", padding, ["valid", "same"])
      : this.perAxis("padding", padding as PerAxis, 0);
    if (padding === "same" && this.stride.some((step) => step !== 1)) {
      refuse(`make ${layer}`, `padding "same" and stride [${this.stride.join(", ")}]`, "stride 1");
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
    const { kernelSize, stride, padding, dilation, groups, paddingMode } = this;
    return `${this.inChannels}, ${this.outChannels}, kernel_size=${pythonTuple(kernelSize)}` +
      `, stride=${pythonTuple(stride)}` +
      (typeof padding === "string" ? `, padding=${padding}` : sizesRepr("padding", padding, 0)) +
      sizesRepr("dilation", dilation, 1) + this.outputPaddingRepr() +
      (groups === 1 ? "" : `, groups=${groups}`) +
      (this.bias === null ? ", bias=False" : "") +
      (paddingMode === "zeros" ? "" : `, padding_mode=${paddingMode}`);
  }
}

/** Sizes in a printed layer, unless all are the usual one. */
export function sizesRepr(name: string, sizes: readonly number[], usual: number): string {
  return sizes.every((size) => size === usual) ? "" : `, ${name}=${pythonTuple(sizes)}`;
}

/** @internal What Conv1d, 2d and 3d have in common. */
abstract class Conv extends ConvBase {
  /**
   * Makes the layer.
   *
   * @param inChannels The channels of the input.
   * @param outChannels The channels of the output.
   * @param kernelSize The window, a number or one for each axis.
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
    super(inChannels, outChannels, kernelSize, false, options);
  }

  /** Convolves a sample or a batch of them. */
  override forward(x: Tensor): Tensor {
    const run = [conv1d, conv2d, conv3d][this.axes - 1];
    const { weight, bias, stride, padding, dilation, groups, paddingMode } = this;
    if (paddingMode === "zeros") {
      return run(x, weight, bias, { stride, padding, dilation, groups });
    }
    const bordered = pad(x, this.border(), { mode: paddingMode });
    return run(bordered, weight, bias, { stride, dilation, groups });
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
 * `new Conv1d(inChannels, outChannels, kernelSize, options)`: the channels of input and output, the
 * length of the window, and stride = 1, padding = 0, dilation = 1, groups = 1, bias = true,
 * paddingMode = "zeros", generator.
 *
 * Shapes: [N, inChannels, L] → [N, outChannels, L'] with
 * L' = ⌊(L + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋ + 1; N may be missing.
 */
export class Conv1d extends Conv {
  /** @internal */ static override readonly kind: string = "Conv1d";
  /** @internal */ static override readonly keepsNothing = true;
  /** @internal */ static override readonly axes = 1;
}

/**
 * Convolves over two axes.
 *
 * Arguments as for {@linkcode Conv1d}; `kernelSize` is a number or [height, width].
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
  /** @internal */ static override readonly axes = 2;
}

/**
 * Convolves over three axes.
 *
 * Arguments as for {@linkcode Conv1d}; `kernelSize` is a number or [depth, height, width].
 *
 * Shapes: [N, inChannels, D, H, W] → [N, outChannels, D', H', W'], sizes as for {@linkcode Conv1d}; N
 * may be missing.
 */
export class Conv3d extends Conv {
  /** @internal */ static override readonly kind: string = "Conv3d";
  /** @internal */ static override readonly keepsNothing = true;
  /** @internal */ static override readonly axes = 3;
}
