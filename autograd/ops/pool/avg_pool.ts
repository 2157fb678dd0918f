/**
 * The average of each window.
 */
import { refuse } from "../../check/refuse.ts";
import * as kernels from "../../kernels/mod.ts";
import type { Bands, Triple } from "../../kernels/mod.ts";
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import type { Generator } from "../../random.ts";
import { formatShape, shaped } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import {
  adaptivePool,
  type OutputSize,
  pooledShape,
  type Pooling,
  type PoolOptions,
  slidingPool,
} from "./bands.ts";
import { zeros } from "../create/creation.ts";
import { assertOptions, type Known, numberOption } from "../../check/options.ts";
import { uniform } from "../create/samples.ts";
import { imageShape, type PerAxis, perAxis, spatial, triple } from "../conv/window.ts";

/** The constants of an average pooling. */
interface AverageAttrs {
  /** The sizes of an input plane. */
  readonly input: Triple;
  /** The windows. */
  readonly bands: Bands;
  /** What sums are divided by; 0 stands for the counts of the bands. */
  readonly divisor: number;
}

const avgPoolPrimitive = /* @__PURE__ */ ownPrimitive<Unary<readonly [], AverageAttrs>>({
  name: "avgPool",
  shape: ([x], { bands }) => [pooledShape(x, bands)],
  forward: ([x], [y], { input, bands, divisor }) =>
    kernels.avgPool(valuesOf(x), valuesOf(y), input, bands, divisor),
  vjp: ([g], { attrs }) => [bind(avgPoolTransposePrimitive, [g], attrs)[0]],
});

/* @__PURE__ */ described(
  avgPoolPrimitive,
  "the average of each window",
  (random) => samplesOf(random, (x) => x.shape),
);

const avgPoolTransposePrimitive: Unary<readonly [], AverageAttrs> = /* @__PURE__ */ ownPrimitive<
  Unary<readonly [], AverageAttrs>
>({
  name: "avgPoolTranspose",
  shape: ([g], { input }) => [imageShape(g, g[1], input)],
  forward: ([g], [x], { input, bands, divisor }) =>
    kernels.avgPoolTranspose(valuesOf(g), valuesOf(x), input, bands, divisor),
  vjp: ([g], { attrs }) => [bind(avgPoolPrimitive, [g], attrs)[0]],
});

/* @__PURE__ */ described(
  avgPoolTransposePrimitive,
  "the transpose of avgPool: each value shared out over its window",
  (random) => samplesOf(random, (x, bands) => pooledShape(x.shape, bands)),
);

/** Plain, overlapping in padding with a divisor, and adaptive windows. */
function samplesOf(random: Generator, shape: (x: Tensor, bands: Bands) => readonly number[]) {
  return [
    { pooling: slidingPool("sample", 2, zeros([2, 1, 3, 4]), 2, {}), divisor: 0 },
    {
      pooling: slidingPool("sample", 1, zeros([1, 2, 5]), 3, {
        stride: 1,
        padding: 1,
        countIncludePad: false,
      }),
      divisor: 0,
    },
    {
      pooling: slidingPool("sample", 2, zeros([1, 1, 3, 3]), 2, { padding: 1, ceilMode: true }),
      divisor: 3,
    },
    { pooling: adaptivePool("sample", 3, zeros([1, 1, 3, 2, 3]), 2, 1), divisor: 0 },
  ].map(({ pooling: { images, bands }, divisor }) => ({
    inputs: [uniform(random, shape(images, bands), -1, 1)] as const,
    attrs: { input: triple(spatial(images.shape), 1), bands, divisor },
  }));
}

function averaged({ images, restore, bands }: Pooling, divisor: number): Tensor {
  const input = triple(spatial(images.shape), 1);
  return restore(bind(avgPoolPrimitive, [images], { input, bands, divisor })[0]);
}

/** How the windows of an average pooling slide, and what they divide by. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts in the divisor; it does where left out. */
  readonly countIncludePad?: boolean;
  /** What sums are divided by in place of the size of the window. */
  readonly divisorOverride?: number | null;
}

/** The options of average pooling. */
export const KNOWN: Known<AvgPoolOptions> = [
  "stride",
  "padding",
  "ceilMode",
  "countIncludePad",
  "divisorOverride",
];

function average(
  axes: number,
  x: Tensor,
  kernelSize: PerAxis,
  options: AvgPoolOptions,
): Tensor {
  const action = `avgPool${axes}d`;
  assertOptions(action, options, KNOWN);
  const pooling = slidingPool(action, axes, x, kernelSize, options);
  if (axes === 3) {
    // PyTorch wants every axis to hold a window without its padding; so do we.
    const kernel = perAxis(action, kernelSize, "kernelSize", axes, 1);
    if (spatial(pooling.images.shape).some((size, i) => size < kernel[i])) {
      refuse(
        action,
        shaped("x", pooling.images),
        `spatial sizes of at least ${formatShape(kernel)}, the kernelSize`,
      );
    }
  }
  const { divisorOverride } = options;
  const divisor = numberOption(action, divisorOverride ?? undefined, "divisorOverride", 0);
  if (divisorOverride === 0 || !Number.isSafeInteger(divisor)) {
    refuse(action, `divisorOverride ${divisor}`, "an integer other than 0");
  }
  return averaged(pooling, divisor);
}

/**
 * The average of each window along one axis; padding counts as 0.
 *
 * Shapes: [N, C, L] or [C, L] → [N, C, L'] or [C, L'], where
 * L' = ⌊(L + 2·padding − kernelSize) / stride⌋ + 1, with `ceilMode` rounded up unless the last window would
 * start behind the input. Gradient: g / divisor to each value of the window.
 *
 * @param x The input.
 * @param kernelSize The values of a window.
 * @param options Stride (the kernel size where left out), padding, ceilMode, countIncludePad,
 * divisorOverride.
 * @returns The output.
 * @throws {RangeError} if sizes do not fit or the padding is more than half a window.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nn.functional.avgPool1d(tensor([[1, 3, 2, 6]]), 2).toArray(), [[2, 4]]);
 * ```
 */
export function avgPool1d(x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = {}): Tensor {
  return average(1, x, kernelSize, options);
}

/**
 * The average of each window over two axes; see {@linkcode avgPool1d} for sizes.
 *
 * Shapes: [N, C, H, W] or [C, H, W] → [N, C, H', W'] or [C, H', W']. Gradient: g / divisor to each value
 * of the window.
 *
 * @param x The input.
 * @param kernelSize The values of a window, per axis.
 * @param options Stride (the kernel size where left out), padding, ceilMode, countIncludePad,
 * divisorOverride.
 * @returns The output.
 * @throws {RangeError} if sizes do not fit, the padding is more than half a window, or the divisor is 0.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nn.functional.avgPool2d(tensor([[[1, 3], [2, 6]]]), 2).toArray(), [[[3]]]);
 * ```
 */
export function avgPool2d(x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = {}): Tensor {
  return average(2, x, kernelSize, options);
}

/**
 * The average of each window over three axes; see {@linkcode avgPool1d} for sizes.
 *
 * Shapes: [N, C, D, H, W] or [C, D, H, W] → the same with D', H', W'. Gradient: g / divisor to each value
 * of the window.
 *
 * @param x The input.
 * @param kernelSize The values of a window, per axis.
 * @param options Stride (the kernel size where left out), padding, ceilMode, countIncludePad,
 * divisorOverride.
 * @returns The output.
 * @throws {RangeError} if sizes do not fit, the padding is more than half a window, or the divisor is 0.
 */
export function avgPool3d(x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = {}): Tensor {
  return average(3, x, kernelSize, options);
}

/**
 * Averages over windows that split the axis into `outputSize` nearly equal ones: output o averages the
 * inputs ⌊o·L / L'⌋ … ⌈(o + 1)·L / L'⌉ − 1.
 *
 * Shapes: [N, C, L] or [C, L] → [N, C, L'] or [C, L']. Gradient: g / size of the window to each of its
 * values.
 *
 * @param x The input.
 * @param outputSize The windows L'.
 * @returns The output.
 * @throws {RangeError} if x has another number of dims or the size is negative.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nn.functional.adaptiveAvgPool1d(tensor([[1, 3, 5]]), 2).toArray(), [[2, 4]]);
 * ```
 */
export function adaptiveAvgPool1d(x: Tensor, outputSize: OutputSize): Tensor {
  return averaged(adaptivePool("adaptiveAvgPool1d", 1, x, outputSize, null), 0);
}

/**
 * Averages over windows that split both axes into `outputSize` nearly equal ones; see
 * {@linkcode adaptiveAvgPool1d}. Size 1 is the global average.
 *
 * Shapes: [N, C, H, W] or [C, H, W] → [N, C, H', W'] or [C, H', W'].
 *
 * @param x The input.
 * @param outputSize The windows of each axis; `null` keeps an axis.
 * @returns The output.
 * @throws {RangeError} if x has another number of dims or a size is negative.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nn.functional.adaptiveAvgPool2d(tensor([[[1, 3], [2, 6]]]), 1).toArray(), [[[3]]]);
 * ```
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: OutputSize): Tensor {
  return averaged(adaptivePool("adaptiveAvgPool2d", 2, x, outputSize, null), 0);
}

/**
 * Averages over windows that split three axes into `outputSize` nearly equal ones; see
 * {@linkcode adaptiveAvgPool1d}.
 *
 * Shapes: [N, C, D, H, W] or [C, D, H, W] → the same with D', H', W'.
 *
 * @param x The input.
 * @param outputSize The windows of each axis; `null` keeps an axis.
 * @returns The output.
 * @throws {RangeError} if x has another number of dims or a size is negative.
 */
export function adaptiveAvgPool3d(x: Tensor, outputSize: OutputSize): Tensor {
  return averaged(adaptivePool("adaptiveAvgPool3d", 3, x, outputSize, 1), 0);
}
