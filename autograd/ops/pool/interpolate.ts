/**
 * Tensors resized along their spatial axes.
 */
import { refuse, refuseKind } from "../../check/refuse.ts";
import type { Taps } from "../../kernels/mod.ts";
import { formatShape, shaped } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { assertTensor } from "../create/creation.ts";
import { quoted } from "../../check/describe.ts";
import { assertOptions, type Known } from "../../check/options.ts";
import { resample } from "./resample.ts";
import { areaTaps, type Axis, cubicTaps, linearTaps, nearestTaps, smoothTaps } from "./taps.ts";

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

const KNOWN: Known<InterpolateOptions> = [
  "size",
  "scaleFactor",
  "mode",
  "alignCorners",
  "recomputeScaleFactor",
  "antialias",
];

/** The ranks that a mode is for, and whether it has a choice of corners. */
const modes: Readonly<Record<InterpolateMode, { ndim: readonly number[]; corners: boolean }>> = {
  "nearest": { ndim: [3, 4, 5], corners: false },
  "nearest-exact": { ndim: [3, 4, 5], corners: false },
  "area": { ndim: [3, 4, 5], corners: false },
  "linear": { ndim: [3], corners: true },
  "bilinear": { ndim: [4], corners: true },
  "bicubic": { ndim: [4], corners: true },
  "trilinear": { ndim: [5], corners: true },
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
 *  *  *
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
  const { ndim, corners } = modes[mode];
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
  if (antialias && mode !== "bilinear" && mode !== "bicubic") {
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
    (y, axis, i) => resample(y, i + 2, tapsOf(axis, mode, antialias, x.ndim === 4)),
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

function tapsOf(
  axis: Axis,
  mode: InterpolateMode,
  antialias: boolean,
  image: boolean,
): Taps {
  switch (mode) {
    case "nearest":
      return nearestTaps(axis, false, image);
    case "nearest-exact":
      return nearestTaps(axis, true, image);
    case "area":
      return areaTaps(axis);
    case "bicubic":
      return antialias ? smoothTaps(axis, "cubic") : cubicTaps(axis);
    default:
      return antialias ? smoothTaps(axis, "linear") : linearTaps(axis);
  }
}
