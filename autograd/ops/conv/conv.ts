/**
 * Convolutions.
 */
import { refuse, refuseKind } from "../../check/refuse.ts";
import { formatShape, shaped } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { convolved } from "./conv_primitives.ts";
import { assertTensor } from "../create/creation.ts";
import { assertOptions, type Known } from "../../check/options.ts";
import {
  asBatch,
  type Batch,
  optionPerAxis,
  type PerAxis,
  perAxis,
  show,
  spatial,
  windowOf,
} from "./window.ts";

/** How a convolution slides. */
export interface ConvOptions {
  /** From one window to the next, per axis; 1 where left out. */
  readonly stride?: PerAxis;
  /** Zeros on both sides of each axis; `"same"` keeps the size, `"valid"` is 0, the default. */
  readonly padding?: PerAxis | "same" | "valid";
  /** From one tap of a window to the next, per axis; 1 where left out. */
  readonly dilation?: PerAxis;
  /** Groups of channels that do not see each other; 1 where left out. */
  readonly groups?: number;
}

/** The options of a convolution. */
export const KNOWN: Known<ConvOptions> = ["stride", "padding", "dilation", "groups"];

/**
 * Checks the tensors of a convolution or, `transposed`, of its transpose, whose weight has the input's channels
 * first.
 *
 * @returns x with a batch axis.
 */
export function checkOperands(
  action: string,
  axes: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  groups: number,
  transposed: boolean,
): Batch {
  assertTensor(action, x, "x");
  assertTensor(action, weight, "weight");
  if (bias !== null) assertTensor(action, bias, "bias");
  const batch = asBatch(action, x, axes);
  if (weight.ndim !== axes + 2) {
    refuse(action, shaped("weight", weight), `${axes + 2} dims (two of channels, ${axes} spatial)`);
  }
  if (typeof groups !== "number") refuseKind(action, "groups", groups, "a number");
  if (!Number.isSafeInteger(groups) || groups < 1) {
    refuse(action, `groups ${groups}`, "an integer of at least 1");
  }
  const [first, second] = weight.shape;
  if (first < groups || first % groups !== 0) {
    refuse(
      action,
      `${shaped("weight", weight)} and groups ${groups}`,
      "a first size that is a multiple of groups",
    );
  }
  if (spatial(weight.shape).includes(0)) {
    refuse(action, shaped("weight", weight), "a kernel of at least 1 in each axis");
  }
  const [channels, outputs] = transposed ? [first, second * groups] : [second * groups, first];
  if (bias !== null && (bias.ndim !== 1 || bias.size !== outputs)) {
    refuse(action, shaped("bias", bias), `[${outputs}]`);
  }
  const { images } = batch;
  if (images.shape[1] !== channels) {
    refuse(
      action,
      `${shaped("x", images)} with ${images.shape[1]} channels and ${shaped("weight", weight)}`,
      `${channels} channels for groups ${groups}`,
    );
  }
  if (images.size === 0 && images.shape[0] !== 0 && channels !== 0) {
    refuse(action, shaped("x", images), "only the batch or the channels to be empty");
  }
  return batch;
}

function convolve(
  axes: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvOptions,
): Tensor {
  const action = `conv${axes}d`;
  assertOptions(action, options, KNOWN);
  const { groups = 1 } = options;
  const { images, restore } = checkOperands(action, axes, x, weight, bias, groups, false);
  const stride = optionPerAxis(action, options, "stride", axes, 1);
  const dilation = optionPerAxis(action, options, "dilation", axes, 1);
  const kernel = spatial(weight.shape);
  const extent = kernel.map((size, i) => (size - 1) * dilation[i] + 1);
  const [before, both] = paddingOf(action, options.padding ?? 0, stride, extent);
  const input = spatial(images.shape);
  const room = input.map((size, i) => size + both[i]);
  if (room.some((size, i) => size < extent[i])) {
    refuse(
      action,
      `${shaped("x", x)}, padded to ${formatShape(room)}`,
      `at least ${formatShape(extent)}, the extent of the kernel`,
    );
  }
  const output = room.map((size, i) => Math.floor((size - extent[i]) / stride[i]) + 1);
  const window = windowOf(input, kernel, output, stride, before, dilation);
  return restore(convolved(images, weight, bias, { window, groups }));
}

/** The zeros before each axis, and those on both sides together. */
function paddingOf(
  action: string,
  padding: PerAxis | "same" | "valid",
  stride: readonly number[],
  extent: readonly number[],
): readonly [before: readonly number[], both: readonly number[]] {
  if (padding === "same") {
    if (stride.some((step) => step !== 1)) {
      refuse(action, `padding "same" with stride ${show(stride)}`, "stride 1");
    }
    // An odd zero goes behind, as in PyTorch.
    return [extent.map((size) => Math.floor((size - 1) / 2)), extent.map((size) => size - 1)];
  }
  if (typeof padding === "string" && padding !== "valid") {
    refuse(action, `padding "${padding}"`, `"same", "valid" or numbers`);
  }
  const zeros = perAxis(action, padding === "valid" ? 0 : padding, "padding", stride.length, 0);
  return [zeros, zeros.map((size) => 2 * size)];
}

/**
 * The cross-correlation of x with `weight` over one axis.
 *
 * y[n, o, p] = bias[o] + Σ weight[o, c, k] · x[n, c, p·stride − padding + k·dilation], the sum over the
 * channels c of o's group and the taps k.
 *
 * Shapes: x [N, C, L] or [C, L], weight [O, C / groups, K] → [N, O, L'] or [O, L'], where
 * L' = ⌊(L + 2·padding − dilation·(K − 1) − 1) / stride⌋ + 1. Gradient: the transposed convolution of g
 * to x, the correlation of x and g to weight, the sum of g to bias. Cost: 2·N·O·L'·C / groups·K
 * operations.
 *
 * @param x The input.
 * @param weight The kernels.
 * @param bias One value for each output channel, or `null`.
 * @param options Stride, padding, dilation and groups.
 * @returns The output.
 * @throws {RangeError} if shapes, channels and options do not fit.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const y = nn.functional.conv1d(tensor([[1, 2, 4]]), tensor([[[-1, 1]]]));
 * assertEquals(y.toArray(), [[1, 2]]);
 * ```
 */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvOptions = {},
): Tensor {
  return convolve(1, x, weight, bias ?? null, options);
}

/**
 * The cross-correlation of x with `weight` over two axes; see {@linkcode conv1d} for the formula.
 *
 * Shapes: x [N, C, H, W] or [C, H, W], weight [O, C / groups, K, K'] → [N, O, H', W'] or [O, H', W'].
 * Gradient: the transposed convolution of g to x, the correlation of x and g to weight, the sum of g
 * to bias.
 *
 * @param x The input.
 * @param weight The kernels.
 * @param bias One value for each output channel, or `null`.
 * @param options Stride, padding, dilation and groups.
 * @returns The output.
 * @throws {RangeError} if shapes, channels and options do not fit.
 *
 * @example
 * ```ts
 * import { nn, ones } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const y = nn.functional.conv2d(ones([1, 3, 3]), ones([1, 1, 3, 3]), null, { padding: "same" });
 * assertEquals(y.toArray(), [[[4, 6, 4], [6, 9, 6], [4, 6, 4]]]);
 * ```
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvOptions = {},
): Tensor {
  return convolve(2, x, weight, bias ?? null, options);
}

/**
 * The cross-correlation of x with `weight` over three axes; see {@linkcode conv1d} for the formula.
 *
 * Shapes: x [N, C, D, H, W] or [C, D, H, W], weight [O, C / groups, …3] → [N, O, …3] or [O, …3].
 * Gradient: as for {@linkcode conv2d}.
 *
 * @param x The input.
 * @param weight The kernels.
 * @param bias One value for each output channel, or `null`.
 * @param options Stride, padding, dilation and groups.
 * @returns The output.
 * @throws {RangeError} if shapes, channels and options do not fit.
 *
 * @example
 * ```ts
 * import { nn, ones } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const y = nn.functional.conv3d(ones([1, 2, 2, 2]), ones([1, 1, 2, 2, 2]));
 * assertEquals(y.toArray(), [[[[8]]]]);
 * ```
 */
export function conv3d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvOptions = {},
): Tensor {
  return convolve(3, x, weight, bias ?? null, options);
}
