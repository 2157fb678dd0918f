/**
 * Transposed convolutions.
 */
import { refuse } from "../../check/refuse.ts";
import { formatShape, shaped } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { checkOperands } from "./conv.ts";
import { transposed } from "./conv_primitives.ts";
import { assertOptions, type Known } from "../../check/options.ts";
import { optionPerAxis, type PerAxis, spatial, windowOf } from "./window.ts";

/** How a transposed convolution slides. */
export interface ConvTransposeOptions {
  /** From one window of the output to the next, per axis; 1 where left out. */
  readonly stride?: PerAxis;
  /** What is cut off both sides of each axis of the output; 0 where left out. */
  readonly padding?: PerAxis;
  /** What is added behind each axis of the output, less than stride or dilation; 0 where left out. */
  readonly outputPadding?: PerAxis;
  /** Groups of channels that do not see each other; 1 where left out. */
  readonly groups?: number;
  /** From one tap of a window to the next, per axis; 1 where left out. */
  readonly dilation?: PerAxis;
}

const KNOWN: Known<ConvTransposeOptions> = [
  "stride",
  "padding",
  "outputPadding",
  "groups",
  "dilation",
];

function convolveTransposed(
  axes: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvTransposeOptions,
): Tensor {
  const action = `convTranspose${axes}d`;
  assertOptions(action, options, KNOWN);
  const { groups = 1 } = options;
  const { images, restore } = checkOperands(action, axes, x, weight, bias, groups, true);
  const stride = optionPerAxis(action, options, "stride", axes, 1);
  const padding = optionPerAxis(action, options, "padding", axes, 0);
  const behind = optionPerAxis(action, options, "outputPadding", axes, 0);
  const dilation = optionPerAxis(action, options, "dilation", axes, 1);
  if (behind.some((size, i) => size >= stride[i] && size >= dilation[i])) {
    refuse(
      action,
      `outputPadding ${formatShape(behind)} with stride ${formatShape(stride)} and dilation ${
        formatShape(dilation)
      }`,
      "it to be smaller than either of them",
    );
  }
  if (weight.shape[1] === 0) {
    refuse(action, shaped("weight", weight), "at least one output channel");
  }
  const kernel = spatial(weight.shape);
  const input = spatial(images.shape);
  const output = input.map((size, i) =>
    (size - 1) * stride[i] - 2 * padding[i] + (kernel[i] - 1) * dilation[i] + behind[i] + 1
  );
  if (output.some((size) => size < (images.shape[0] === 0 ? 0 : 1))) {
    refuse(
      action,
      `${shaped("x", x)} and padding ${formatShape(padding)}, which leave an output of ${
        formatShape(output)
      }`,
      "sizes of at least 1",
    );
  }
  // The convolution that this is the transpose of goes from `output` to `input`.
  const window = windowOf(output, kernel, input, stride, padding, dilation);
  return restore(transposed(images, weight, bias, { window, groups }));
}

/**
 * The transpose of a convolution over one axis: the gradient of {@linkcode conv1d} to its input.
 *
 * y[n, o, p·stride − padding + k·dilation] = bias[o] + Σ weight[c, o, k] · x[n, c, p], the sum over all
 * c, p and k that lead to the same place.
 *
 * Shapes: x [N, C, L] or [C, L], weight [C, O / groups, K] → [N, O, L'] or [O, L'], where
 * L' = (L − 1)·stride − 2·padding + dilation·(K − 1) + outputPadding + 1. Gradient: the convolution of g to
 * x, the correlation of g and x to weight, the sum of g to bias.
 *
 * @param x The input.
 * @param weight The kernels, input channels first.
 * @param bias One value for each output channel, or `null`.
 * @param options Stride, padding, outputPadding, groups and dilation.
 * @returns The output.
 * @throws {RangeError} if shapes, channels and options do not fit.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const weight = tensor([[[1, 10]]]);
 * const y = nn.functional.convTranspose1d(tensor([[1, 2]]), weight, null, { stride: 2 });
 * assertEquals(y.toArray(), [[1, 10, 2, 20]]);
 * ```
 */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTransposeOptions = {},
): Tensor {
  return convolveTransposed(1, x, weight, bias ?? null, options);
}

/**
 * The transpose of a convolution over two axes; see {@linkcode convTranspose1d} for the formula.
 *
 * Shapes: x [N, C, H, W] or [C, H, W], weight [C, O / groups, K, K'] → [N, O, H', W'] or [O, H', W'].
 * Gradient: as for {@linkcode convTranspose1d}.
 *
 * @param x The input.
 * @param weight The kernels, input channels first.
 * @param bias One value for each output channel, or `null`.
 * @param options Stride, padding, outputPadding, groups and dilation.
 * @returns The output.
 * @throws {RangeError} if shapes, channels and options do not fit.
 *
 * @example
 * ```ts
 * import { nn, ones } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const y = nn.functional.convTranspose2d(ones([1, 2, 2]), ones([1, 1, 2, 2]));
 * assertEquals(y.toArray(), [[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]);
 * ```
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTransposeOptions = {},
): Tensor {
  return convolveTransposed(2, x, weight, bias ?? null, options);
}

/**
 * The transpose of a convolution over three axes; see {@linkcode convTranspose1d} for the formula.
 *
 * Shapes: x [N, C, D, H, W] or [C, D, H, W], weight [C, O / groups, …3] → [N, O, …3] or [O, …3].
 * Gradient: as for {@linkcode convTranspose1d}.
 *
 * @param x The input.
 * @param weight The kernels, input channels first.
 * @param bias One value for each output channel, or `null`.
 * @param options Stride, padding, outputPadding, groups and dilation.
 * @returns The output.
 * @throws {RangeError} if shapes, channels and options do not fit.
 */
export function convTranspose3d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTransposeOptions = {},
): Tensor {
  return convolveTransposed(3, x, weight, bias ?? null, options);
}
