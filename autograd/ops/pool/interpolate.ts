/**
 * Tensors resized along their spatial axes: a linear map along each, with few weights in each row.
 */
import { refuse, refuseKind } from "../../check/refuse.ts";
import * as kernels from "../../kernels/mod.ts";
import type { Taps } from "../../kernels/mod.ts";
import { formatShape, type Shape, shaped, sizeOf } from "../../shape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { assertTensor } from "../create/creation.ts";
import { described, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { bind } from "../../tape/tape.ts";
import { uniform } from "../create/samples.ts";
import { quoted } from "../../check/describe.ts";
import { assertOptions, type Known } from "../../check/options.ts";
import { areaTaps, type Axis, cubicTaps, linearTaps, nearestTaps, smoothTaps } from "./taps.ts";

type Resample = Primitive<
  readonly [x: Tensor],
  readonly [y: Tensor],
  readonly [],
  { readonly dim: number; readonly taps: Taps }
>;

function inner(shape: Shape, dim: number): number {
  return sizeOf(shape.slice(dim + 1));
}

/** Three elements from four, two taps each. */
function sampleTaps(): Taps {
  return {
    length: 4,
    starts: Int32Array.of(0, 2, 4, 6),
    indices: Int32Array.of(0, 1, 1, 2, 3, 3),
    weights: Float64Array.of(0.75, 0.25, 0.5, 0.5, 1, -0.5),
  };
}

const resamplePrimitive = /* @__PURE__ */ ownPrimitive<Resample>({
  name: "resample",
  shape: ([x], { dim, taps }) => [x.with(dim, taps.starts.length - 1)],
  forward: ([x], [y], { dim, taps }) =>
    kernels.resample(valuesOf(x), valuesOf(y), taps, inner(x.shape, dim)),
  vjp: ([g], { attrs: { dim, taps } }) => [resampleTranspose(g, dim, taps)],
});

/* @__PURE__ */ described(
  resamplePrimitive,
  "y[…, i, …] = Σₜ weightₜ · x[…, indexₜ, …] over the taps t of i: interpolate",
  (random) => [
    { inputs: [uniform(random, [2, 4, 2], -1, 1)], attrs: { dim: 1, taps: sampleTaps() } },
    { inputs: [uniform(random, [4], -1, 1)], attrs: { dim: 0, taps: sampleTaps() } },
  ],
);

const resampleTransposePrimitive = /* @__PURE__ */ ownPrimitive<Resample>({
  name: "resampleTranspose",
  shape: ([x], { dim, taps }) => [x.with(dim, taps.length)],
  forward: ([x], [y], { dim, taps }) =>
    kernels.resampleTranspose(valuesOf(x), valuesOf(y), taps, inner(x.shape, dim)),
  vjp: ([g], { attrs: { dim, taps } }) => [resample(g, dim, taps)],
});

/* @__PURE__ */ described(
  resampleTransposePrimitive,
  "y[…, indexₜ, …] += weightₜ · x[…, i, …] over the taps t of i, from zeros",
  (random) => [
    { inputs: [uniform(random, [2, 3, 2], -1, 1)], attrs: { dim: 1, taps: sampleTaps() } },
  ],
);

/** Weighted sums along an axis of `taps.length` elements. */
function resample(x: Tensor, dim: number, taps: Taps): Tensor {
  return bind(resamplePrimitive, [x], { dim, taps })[0];
}

function resampleTranspose(x: Tensor, dim: number, taps: Taps): Tensor {
  return bind(resampleTransposePrimitive, [x], { dim, taps })[0];
}

/** How values between the given ones are found. */
export type InterpolateMode =
  | "nearest"
  | "nearest-exact"
  | "linear"
  | "bilinear"
  | "bicubic"
  | "trilinear"
  | "area";

/** The size that {@linkcode interpolate} reaches, and how. */
export interface InterpolateOptions {
  /** The spatial sizes: one for all, or one for each axis. */
  readonly size?: number | readonly number[] | null;
  /** How many times larger, in place of `size`: one for all, or one for each axis. */
  readonly scaleFactor?: number | readonly number[] | null;
  /** "nearest" where left out. */
  readonly mode?: InterpolateMode;
  /**
   * Whether the first and the last elements keep their places; the edges keep theirs where left out.
   * For the linear and cubic modes only.
   */
  readonly alignCorners?: boolean | null;
  /** Whether positions follow the two sizes and not `scaleFactor` itself. */
  readonly recomputeScaleFactor?: boolean | null;
  /** Whether shrinking averages over all that is left out; for "bilinear" and "bicubic". */
  readonly antialias?: boolean;
}

/** The options of resizing. */
export const KNOWN: Known<InterpolateOptions> = [
  "size",
  "scaleFactor",
  "mode",
  "alignCorners",
  "recomputeScaleFactor",
  "antialias",
];

/** How a mode interpolates. */
interface Mode {
  /** The ranks that it is for. */
  readonly ndim: readonly number[];
  /** Whether it has a choice of corners. */
  readonly corners: boolean;
  taps(axis: Axis, image: boolean): Taps;
  /** With a kernel that widens where the axis shrinks. */
  smooth?(axis: Axis): Taps;
}

const all = [3, 4, 5];
const smooth = (axis: Axis): Taps => smoothTaps(axis, "linear");

const modes: Readonly<Record<InterpolateMode, Mode>> = {
  "nearest": {
    ndim: all,
    corners: false,
    taps: (axis, image) => nearestTaps(axis, false, image),
  },
  "nearest-exact": {
    ndim: all,
    corners: false,
    taps: (axis, image) => nearestTaps(axis, true, image),
  },
  "area": { ndim: all, corners: false, taps: areaTaps },
  "linear": { ndim: [3], corners: true, taps: linearTaps },
  "bilinear": { ndim: [4], corners: true, taps: linearTaps, smooth },
  "bicubic": {
    ndim: [4],
    corners: true,
    taps: cubicTaps,
    smooth: (axis) => smoothTaps(axis, "cubic"),
  },
  "trilinear": { ndim: [5], corners: true, taps: linearTaps },
};

/**
 * A tensor resized along its axes after the first two.
 *
 * Every mode is a weighted sum along each axis in turn. With `scaleFactor` the sizes are rounded
 * down, and positions follow the factor itself unless `recomputeScaleFactor` is set.
 *
 * Shapes: [N, C, *] → [N, C, *sizes], with one spatial axis for "linear", two for "bilinear" and
 * "bicubic", three for "trilinear", one to three for the others. Gradient: the transposed sums of g.
 *
 * @param x The tensor.
 * @param options Either `size` or `scaleFactor`, and the mode.
 * @returns A copy.
 * @throws {RangeError} if both or none of `size` and `scaleFactor` are given, if they or the mode do
 * not fit the rank of `x`, or if a size is below 1.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const { interpolate } = nn.functional;
 * const x = tensor([[[1, 3]]]);
 * assertEquals(interpolate(x, { scaleFactor: 2 }).toArray(), [[[1, 1, 3, 3]]]);
 * assertEquals(interpolate(x, { size: 3, mode: "linear" }).toArray(), [[[1, 2, 3]]]);
 * ```
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  assertTensor("interpolate", x, "x");
  assertOptions("interpolate", options, KNOWN);
  const { mode = "nearest", antialias = false } = options;
  if (typeof mode !== "string" || !Object.hasOwn(modes, mode)) {
    refuse("interpolate", `mode ${quoted(mode)}`, `one of ${Object.keys(modes).join(", ")}`);
  }
  const { ndim, corners, taps, smooth } = modes[mode];
  if (!ndim.includes(x.ndim)) {
    refuse("interpolate", `${shaped("x", x)} in mode "${mode}"`, `${ndim.join(", ")} dims`);
  }
  if (options.alignCorners !== undefined && options.alignCorners !== null && !corners) {
    refuse(
      "interpolate",
      `alignCorners in mode "${mode}"`,
      "it for linear, bilinear, bicubic and trilinear",
    );
  }
  if (antialias && smooth === undefined) {
    refuse("interpolate", `antialias in mode "${mode}"`, "it for bilinear and bicubic");
  }
  const axes = resized(x, mode, options);
  if (axes.some(({ from, to }) => from < 1 || to < 1) || x.shape[1] < 1) {
    refuse(
      "interpolate",
      `${shaped("x", x)} and sizes ${formatShape(axes.map(({ to }) => to))}`,
      "at least 1 of all but the batch",
    );
  }
  return axes.reduce(
    (y, axis, i) => resample(y, i + 2, antialias ? smooth!(axis) : taps(axis, x.ndim === 4)),
    x,
  );
}

/** The spatial axes with their new sizes. */
function resized(x: Tensor, mode: InterpolateMode, options: InterpolateOptions): Axis[] {
  const spatial = x.shape.slice(2);
  const size = perAxis("size", options.size, spatial.length);
  const factors = perAxis("scaleFactor", options.scaleFactor, spatial.length);
  const recompute = options.recomputeScaleFactor ?? false;
  if ((size === null) === (factors === null)) {
    refuse(
      "interpolate",
      `${size === null ? "neither" : "both"} size and scaleFactor`,
      "one of them",
    );
  }
  if (size !== null && recompute) {
    refuse("interpolate", "recomputeScaleFactor and size", "it with scaleFactor");
  }
  if (size?.some((n) => !Number.isInteger(n))) {
    refuse("interpolate", `size ${formatShape(size)}`, "integers");
  }
  const follow = mode !== "area" && !recompute;
  return spatial.map((from, i) => ({
    from,
    to: size === null ? Math.floor(from * factors![i]) : size[i],
    factor: factors !== null && follow ? factors[i] : null,
    alignCorners: options.alignCorners ?? false,
  }));
}

function perAxis(
  name: string,
  value: number | readonly number[] | null | undefined,
  count: number,
): readonly number[] | null {
  if (value === undefined || value === null) return null;
  const list = typeof value === "number" ? new Array<number>(count).fill(value) : value;
  if (!Array.isArray(list) || list.some((n) => typeof n !== "number")) {
    refuseKind("interpolate", name, value, "a number or a list of numbers");
  }
  if (list.length !== count) {
    refuse(
      "interpolate",
      `${name} ${formatShape(list)}`,
      `${count} numbers, one for each axis after the first two`,
    );
  }
  return list;
}
