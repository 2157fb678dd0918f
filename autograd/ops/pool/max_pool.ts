/**
 * The largest value of each window.
 */
import * as kernels from "../../kernels/mod.ts";
import type { Bands } from "../../kernels/mod.ts";
import { described, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import type { Generator } from "../../random.ts";
import type { Shape } from "../../shape.ts";
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
import { fromValues, zeros } from "../create/creation.ts";
import { assertOptions, type Known } from "../../check/options.ts";
import { uniform } from "../create/samples.ts";
import { type PerAxis, spatial, triple } from "../conv/window.ts";

const maxPoolPrimitive = /* @__PURE__ */ ownPrimitive<
  Primitive<
    readonly [x: Tensor],
    readonly [y: Tensor, indices: Tensor],
    readonly [indices: Tensor],
    { readonly bands: Bands }
  >
>({
  name: "maxPool",
  differentiable: [true, false],
  shape: ([x], { bands }) => {
    const shape = pooledShape(x, bands);
    return [shape, shape];
  },
  forward: ([x], [y, indices], { bands }) =>
    kernels.maxPool(
      valuesOf(x),
      valuesOf(y),
      valuesOf(indices),
      triple(spatial(x.shape), 1),
      bands,
    ),
  save: (_, [, indices]) => [indices],
  // dx[index of the largest] += g
  vjp: ([g], { saved: [indices], inputShapes: [shape] }) => [scatterPlanes(g, indices, shape)],
});

/* @__PURE__ */ described(
  maxPoolPrimitive,
  "the largest value of each window, and its index in the plane",
  (random) => [
    {
      inputs: [distinct(random, [2, 1, 3, 4])],
      attrs: { bands: slidingPool("sample", 2, zeros([2, 1, 3, 4]), 2, {}).bands },
    },
    {
      inputs: [distinct(random, [1, 2, 6])],
      attrs: {
        bands: slidingPool("sample", 1, zeros([1, 2, 6]), 2, { stride: 1, padding: 1, dilation: 2 })
          .bands,
      },
    },
    {
      inputs: [distinct(random, [1, 1, 3, 2, 3])],
      attrs: { bands: adaptivePool("sample", 3, zeros([1, 1, 3, 2, 3]), 2, 1).bands },
    },
  ],
);

type Planes<Attrs> = Primitive<
  readonly [x: Tensor, indices: Tensor],
  readonly [out: Tensor],
  readonly [indices: Tensor],
  Attrs
>;

const scatterPlanesPrimitive = /* @__PURE__ */ ownPrimitive<Planes<{ readonly shape: Shape }>>({
  name: "scatterPlanes",
  shape: (_, { shape }) => [shape],
  forward: ([x, indices], [out]) =>
    kernels.scatterPlanes(
      valuesOf(x),
      valuesOf(indices),
      valuesOf(out),
      x.shape[0] * x.shape[1],
    ),
  save: ([, indices]) => [indices],
  vjp: ([g], { saved: [indices] }) => [gatherPlanes(g, indices), null],
});

/* @__PURE__ */ described(
  scatterPlanesPrimitive,
  "out[n, c, index] = Σ of the x whose index in the plane that is",
  (random) => [{
    inputs: [uniform(random, [1, 2, 3], -1, 1), fromValues([0, 3, 3, 1, 0, 2], [1, 2, 3])],
    attrs: { shape: [1, 2, 4] },
  }],
);

const gatherPlanesPrimitive = /* @__PURE__ */ ownPrimitive<Planes<undefined>>({
  name: "gatherPlanes",
  shape: ([, indices]) => [indices],
  forward: ([x, indices], [out]) =>
    kernels.gatherPlanes(
      valuesOf(x),
      valuesOf(indices),
      valuesOf(out),
      x.shape[0] * x.shape[1],
    ),
  save: ([, indices]) => [indices],
  vjp: ([g], { saved: [indices], inputShapes: [shape] }) => [
    scatterPlanes(g, indices, shape),
    null,
  ],
});

/* @__PURE__ */ described(
  gatherPlanesPrimitive,
  "out = x[n, c, index], the index counting through the plane",
  (random) => [{
    inputs: [uniform(random, [1, 2, 4], -1, 1), fromValues([0, 3, 3, 1, 0, 2], [1, 2, 3])],
    attrs: undefined,
  }],
);

/** out[n, c, index] = Σ of the x whose index in the plane that is. */
export function scatterPlanes(x: Tensor, indices: Tensor, shape: Shape): Tensor {
  return bind(scatterPlanesPrimitive, [x, indices], { shape })[0];
}

/** The x at the index in its plane. */
export function gatherPlanes(x: Tensor, indices: Tensor): Tensor {
  return bind(gatherPlanesPrimitive, [x, indices], undefined)[0];
}

/** Values in random order that lie far enough apart for finite differences. */
function distinct(random: Generator, shape: Shape): Tensor {
  const x = uniform(random, shape, 0, 1);
  const values = valuesOf(x);
  const order = [...values.keys()].sort((a, b) => values[a] - values[b]);
  order.forEach((i, rank) => values[i] = rank / values.length);
  return x;
}

/** How the windows of a max pooling slide. */
export interface MaxPoolOptions extends PoolOptions {
  /** From one value of a window to the next, per axis; 1 where left out. */
  readonly dilation?: PerAxis;
  /** Whether the indices are returned too. */
  readonly returnIndices?: boolean;
}

/** The options of max pooling. */
export const KNOWN: Known<MaxPoolOptions> = [
  "stride",
  "padding",
  "dilation",
  "ceilMode",
  "returnIndices",
];

/** The pooled values, and where in its plane, counted row by row, each of them stands. */
export type WithIndices = readonly [output: Tensor, indices: Tensor];

/** What is returned under these options: a tensor, or the pair with `returnIndices: true`. */
export type MaxPooled<Options> = "returnIndices" extends keyof Options
  ? Options["returnIndices"] extends true ? WithIndices
  : Options["returnIndices"] extends false | undefined ? Tensor
  : Tensor | WithIndices
  : Tensor;

/** The type of options that were left out. */
export type NoOptions = Record<never, never>;

function pooled<Options extends { readonly returnIndices?: boolean }>(
  { images, restore, bands }: Pooling,
  options: Options | undefined,
): MaxPooled<Options> {
  const [y, indices] = bind(maxPoolPrimitive, [images], { bands });
  const result: Tensor | WithIndices = options?.returnIndices
    ? [restore(y), restore(indices)]
    : restore(y);
  return result as MaxPooled<Options>;
}

function slide<Options extends MaxPoolOptions>(
  axes: number,
  x: Tensor,
  kernelSize: PerAxis,
  options?: Options,
): MaxPooled<Options> {
  const action = `maxPool${axes}d`;
  const given: MaxPoolOptions = options ?? {};
  assertOptions(action, given, KNOWN);
  return pooled(slidingPool(action, axes, x, kernelSize, given), options);
}

/**
 * The largest value of each window along one axis; padding counts as −∞, and of equals the first one
 * is taken, as in PyTorch.
 *
 * Shapes: [N, C, L] or [C, L] → [N, C, L'] or [C, L'], where
 * L' = ⌊(L + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋ + 1, with `ceilMode` rounded up unless the
 * last window would start behind the input. Gradient: g to the value taken.
 *
 * @param x The input.
 * @param kernelSize The values of a window.
 * @param options Stride (the kernel size where left out), padding, dilation, ceilMode, returnIndices.
 * @returns The output, or `[output, indices]` with `returnIndices`.
 * @throws {RangeError} if sizes do not fit or the padding is more than half a window.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 3, 2, 5]]);
 * assertEquals(nn.functional.maxPool1d(x, 2).toArray(), [[3, 5]]);
 * assertEquals(nn.functional.maxPool1d(x, 2, { returnIndices: true })[1].toArray(), [[1, 3]]);
 * ```
 */
export function maxPool1d<Options extends MaxPoolOptions = NoOptions>(
  x: Tensor,
  kernelSize: PerAxis,
  options?: Options,
): MaxPooled<Options> {
  return slide(1, x, kernelSize, options);
}

/**
 * The largest value of each window over two axes; see {@linkcode maxPool1d} for sizes.
 *
 * Shapes: [N, C, H, W] or [C, H, W] → [N, C, H', W'] or [C, H', W']. Gradient: g to the value taken.
 *
 * @param x The input.
 * @param kernelSize The values of a window, per axis.
 * @param options Stride (the kernel size where left out), padding, dilation, ceilMode, returnIndices.
 * @returns The output, or `[output, indices]` with `returnIndices`; an index counts through the plane.
 * @throws {RangeError} if sizes do not fit or the padding is more than half a window.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nn.functional.maxPool2d(tensor([[[1, 3], [2, 0]]]), 2).toArray(), [[[3]]]);
 * ```
 */
export function maxPool2d<Options extends MaxPoolOptions = NoOptions>(
  x: Tensor,
  kernelSize: PerAxis,
  options?: Options,
): MaxPooled<Options> {
  return slide(2, x, kernelSize, options);
}

/**
 * The largest value of each window over three axes; see {@linkcode maxPool1d} for sizes.
 *
 * Shapes: [N, C, D, H, W] or [C, D, H, W] → the same with D', H', W'. Gradient: g to the value taken.
 *
 * @param x The input.
 * @param kernelSize The values of a window, per axis.
 * @param options Stride (the kernel size where left out), padding, dilation, ceilMode, returnIndices.
 * @returns The output, or `[output, indices]` with `returnIndices`; an index counts through the volume.
 * @throws {RangeError} if sizes do not fit or the padding is more than half a window.
 */
export function maxPool3d<Options extends MaxPoolOptions = NoOptions>(
  x: Tensor,
  kernelSize: PerAxis,
  options?: Options,
): MaxPooled<Options> {
  return slide(3, x, kernelSize, options);
}

/** What an adaptive max pooling returns. */
export interface AdaptiveMaxPoolOptions {
  /** Whether the indices are returned too. */
  readonly returnIndices?: boolean;
}

function adapt<Options extends AdaptiveMaxPoolOptions>(
  axes: number,
  x: Tensor,
  outputSize: OutputSize,
  options?: Options,
): MaxPooled<Options> {
  const action = `adaptiveMaxPool${axes}d`;
  assertOptions<AdaptiveMaxPoolOptions>(action, options ?? {}, ["returnIndices"]);
  return pooled(adaptivePool(action, axes, x, outputSize, 1), options);
}

/**
 * The largest value of each of `outputSize` nearly equal windows along one axis: output o looks at the
 * inputs ⌊o·L / L'⌋ … ⌈(o + 1)·L / L'⌉ − 1.
 *
 * Shapes: [N, C, L] or [C, L] → [N, C, L'] or [C, L']. Gradient: g to the value taken.
 *
 * @param x The input.
 * @param outputSize The windows of each axis; `null` keeps an axis.
 * @param options `returnIndices` returns the indices too.
 * @returns The output, or `[output, indices]` with `returnIndices`.
 * @throws {RangeError} if x has another number of dims or a size is negative.
 */
export function adaptiveMaxPool1d<Options extends AdaptiveMaxPoolOptions = NoOptions>(
  x: Tensor,
  outputSize: OutputSize,
  options?: Options,
): MaxPooled<Options> {
  return adapt(1, x, outputSize, options);
}

/**
 * The largest value of each of `outputSize` nearly equal windows over two axes: see {@linkcode adaptiveMaxPool1d}.
 *
 * Shapes: [N, C, H, W] or [C, H, W] → [N, C, H', W'] or [C, H', W']. Gradient: g to the value taken.
 *
 * @param x The input.
 * @param outputSize The windows of each axis; `null` keeps an axis.
 * @param options `returnIndices` returns the indices too.
 * @returns The output, or `[output, indices]` with `returnIndices`.
 * @throws {RangeError} if x has another number of dims or a size is negative.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const y = nn.functional.adaptiveMaxPool2d(tensor([[[1, 3], [2, 0]]]), [null, 1]);
 * assertEquals(y.toArray(), [[[3], [2]]]);
 * ```
 */
export function adaptiveMaxPool2d<Options extends AdaptiveMaxPoolOptions = NoOptions>(
  x: Tensor,
  outputSize: OutputSize,
  options?: Options,
): MaxPooled<Options> {
  return adapt(2, x, outputSize, options);
}

/**
 * The largest value of each of `outputSize` nearly equal windows over three axes: see
 * {@linkcode adaptiveMaxPool1d}.
 *
 * Shapes: [N, C, D, H, W] or [C, D, H, W] → the same with D', H', W'. Gradient: g to the value taken.
 *
 * @param x The input.
 * @param outputSize The windows of each axis; `null` keeps an axis.
 * @param options `returnIndices` returns the indices too.
 * @returns The output, or `[output, indices]` with `returnIndices`.
 * @throws {RangeError} if x has another number of dims or a size is negative.
 */
export function adaptiveMaxPool3d<Options extends AdaptiveMaxPoolOptions = NoOptions>(
  x: Tensor,
  outputSize: OutputSize,
  options?: Options,
): MaxPooled<Options> {
  return adapt(3, x, outputSize, options);
}
