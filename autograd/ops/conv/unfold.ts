/**
 * Windows of an image laid side by side, and added up again.
 */
import { refuse } from "../../check/refuse.ts";
import { col2im, im2col, volume, type Window } from "../../kernels/mod.ts";
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import { formatShape, shaped, sizeOf } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { assertTensor } from "../create/creation.ts";
import { assertOptions, type Known } from "../../check/options.ts";
import { uniform } from "../create/samples.ts";
import { asBatch, type PerAxis, perAxis, show, spatial, windowOf } from "./window.ts";

type Rearrange = Unary<readonly [], Window>;

/** Hands over where each image begins and the matrix of its windows. */
function eachImage(
  images: Tensor,
  columns: Tensor,
  window: Window,
  copy: (start: number, columns: Float64Array, channels: number) => void,
): void {
  const [count, channels] = images.shape;
  const values = valuesOf(columns);
  const size = values.length / count;
  for (let n = 0; n < count; n++) {
    const part = values.subarray(n * size, (n + 1) * size);
    copy(n * channels * volume(window.input), part, channels);
  }
}

const unfoldPrimitive = /* @__PURE__ */ ownPrimitive<Rearrange>({
  name: "unfold",
  shape: ([x], { kernel, output }) => [[x[0], x[1] * volume(kernel), volume(output)]],
  forward: ([x], [y], window) =>
    eachImage(
      x,
      y,
      window,
      (start, columns, channels) => im2col(valuesOf(x), start, columns, channels, window),
    ),
  vjp: ([g], { attrs }) => [bind(foldPrimitive, [g], attrs)[0]],
});

/* @__PURE__ */ described(
  unfoldPrimitive,
  "y[n, (c, k), p] = x[n, c, p·stride − padding + k·dilation]",
  (random) => [{ inputs: [uniform(random, [2, 2, 3, 5], -1, 1)], attrs: sampled() }],
);

const foldPrimitive: Rearrange = /* @__PURE__ */ ownPrimitive<Rearrange>({
  name: "fold",
  shape: ([y], { kernel, input }) => [[y[0], y[1] / volume(kernel), input[1], input[2]]],
  forward: ([y], [x], window) => {
    const images = valuesOf(x).fill(0);
    eachImage(
      x,
      y,
      window,
      (start, columns, channels) => col2im(columns, images, start, channels, window),
    );
  },
  vjp: ([g], { attrs }) => [bind(unfoldPrimitive, [g], attrs)[0]],
});

/* @__PURE__ */ described(
  foldPrimitive,
  "the transpose of unfold: each entry added to the place that it came from",
  (random) => [{ inputs: [uniform(random, [2, 8, 6], -1, 1)], attrs: sampled() }],
);

/** Strided, dilated and padded windows for the tests, of two channels. */
function sampled(): Window {
  return windowOf([3, 5], [2, 2], [2, 3], [2, 2], [1, 1], [2, 1]);
}

/** How the windows of unfold and fold slide. */
export interface UnfoldOptions {
  /** From one value of a window to the next, per axis; 1 where left out. */
  readonly dilation?: PerAxis;
  /** Zeros on both sides of each axis; 0 where left out. */
  readonly padding?: PerAxis;
  /** From one window to the next, per axis; 1 where left out. */
  readonly stride?: PerAxis;
}

/** The options of cutting windows out. */
export const KNOWN: Known<UnfoldOptions> = ["dilation", "padding", "stride"];

/** Two numbers of at least `least`; a list of one is refused, as in PyTorch. */
function pair(action: string, value: PerAxis, name: string, least: number): number[] {
  if (Array.isArray(value) && value.length !== 2) {
    refuse(action, `${name} ${show(value)}`, "a number or 2");
  }
  return perAxis(action, value, name, 2, least);
}

function windowFor(
  action: string,
  input: readonly number[],
  kernelSize: PerAxis,
  options: UnfoldOptions,
): Window {
  assertOptions(action, options, KNOWN);
  const kernel = pair(action, kernelSize, "kernelSize", 1);
  const dilation = pair(action, options.dilation ?? 1, "dilation", 1);
  const padding = pair(action, options.padding ?? 0, "padding", 0);
  const stride = pair(action, options.stride ?? 1, "stride", 1);
  const output = input.map((size, i) =>
    Math.floor((size + 2 * padding[i] - (kernel[i] - 1) * dilation[i] - 1) / stride[i]) + 1
  );
  if (output.some((size) => size < 1)) {
    refuse(
      action,
      `images of ${formatShape(input)} with padding ${formatShape(padding)} and windows of ${
        formatShape(kernel)
      } with dilation ${formatShape(dilation)}`,
      "room for one window",
    );
  }
  return windowOf(input, kernel, output, stride, padding, dilation);
}

/**
 * The windows of an image as columns (im2col).
 *
 * Shapes: x [N, C, H, W] or [C, H, W] → [N, C·K·K', P] or [C·K·K', P] for P windows. Gradient: the
 * {@linkcode fold} of g.
 *
 * @param x The images.
 * @param kernelSize The size of a window, per axis.
 * @param options Dilation, padding and stride.
 * @returns The columns: row (c, k, k'), column by column one window each, row by row.
 * @throws {RangeError} if the sizes do not fit.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[[1, 2, 3], [4, 5, 6]]]);
 * assertEquals(nn.functional.unfold(x, [2, 1]).toArray(), [[1, 2, 3], [4, 5, 6]]);
 * ```
 */
export function unfold(x: Tensor, kernelSize: PerAxis, options: UnfoldOptions = {}): Tensor {
  assertTensor("unfold", x, "x");
  const { images, restore } = asBatch("unfold", x, 2);
  if (images.shape.slice(1).includes(0)) {
    refuse("unfold", shaped("x", x), "only the batch to be empty");
  }
  const window = windowFor("unfold", spatial(images.shape), kernelSize, options);
  return restore(bind(unfoldPrimitive, [images], window)[0]);
}

/**
 * Columns added up to an image (col2im): the transpose of {@linkcode unfold}, with its options.
 *
 * Shapes: x [N, C·K·K', P] or [C·K·K', P] → [N, C, H, W] or [C, H, W]. Gradient: the unfold of g.
 *
 * @param x The columns.
 * @param outputSize H and W, or one number for both.
 * @param kernelSize The size of a window, per axis.
 * @param options Dilation, padding and stride.
 * @returns The images.
 * @throws {RangeError} if the sizes do not fit.
 *
 * @example
 * ```ts
 * import { nn, ones } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const y = nn.functional.fold(ones([2, 2]), [1, 3], [1, 2]);
 * assertEquals(y.toArray(), [[[1, 2, 1]]]);
 * ```
 */
export function fold(
  x: Tensor,
  outputSize: PerAxis,
  kernelSize: PerAxis,
  options: UnfoldOptions = {},
): Tensor {
  assertTensor("fold", x, "x");
  const { images: columns, restore } = asBatch("fold", x, 1);
  const window = windowFor("fold", pair("fold", outputSize, "outputSize", 1), kernelSize, options);
  const [, rows, windows] = columns.shape;
  const taps = volume(window.kernel);
  if (rows === 0 || rows % taps !== 0 || windows !== sizeOf(window.output)) {
    refuse(
      "fold",
      shaped("x", x),
      `rows in a multiple of ${taps} and ${sizeOf(window.output)} columns`,
    );
  }
  return restore(bind(foldPrimitive, [columns], window)[0]);
}
