/**
 * The windows of a pooling, axis by axis: sliding ones and adaptive ones.
 */
import { refuse } from "../../check/refuse.ts";
import type { Band, Bands } from "../../kernels/mod.ts";
import { assertCount, formatShape, type Shape, shaped } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { assertTensor } from "../create/creation.ts";
import {
  asBatch,
  type Batch,
  imageShape,
  optionPerAxis,
  type PerAxis,
  perAxis,
  show,
  spatial,
  triple,
} from "../conv/window.ts";

/** How the windows of a pooling slide. */
export interface PoolOptions {
  /** From one window to the next, per axis; the kernel size where left out. */
  readonly stride?: PerAxis | null;
  /** Padding on both sides of each axis, at most half the kernel; 0 where left out. */
  readonly padding?: PerAxis;
  /** Whether a last window may reach beyond the padded input. */
  readonly ceilMode?: boolean;
}

/** Output sizes of an adaptive pooling: one, or a list in which `null` keeps the size of an axis. */
export type OutputSize = number | readonly (number | null)[];

/** A pooling whose arguments were checked. */
export interface Pooling extends Batch {
  /** The windows. */
  readonly bands: Bands;
}

/** Checks that no axis of x from `first` on is empty. */
function refuseEmpty(action: string, x: Tensor, first: number): void {
  if (x.shape.slice(first).includes(0)) {
    refuse(action, shaped("x", x), `sizes of at least 1 from dim ${first} on`);
  }
}

/** The one window of an axis that is not there. */
const whole: Band = bandOf(1, () => [0, 1, 1], 1);

function bandOf(
  windows: number,
  window: (i: number) => readonly [start: number, end: number, count: number],
  step: number,
): Band {
  const band = {
    start: new Int32Array(windows),
    end: new Int32Array(windows),
    count: new Int32Array(windows),
    step,
  };
  for (let i = 0; i < windows; i++) [band.start[i], band.end[i], band.count[i]] = window(i);
  return band;
}

/** The shape of what images are pooled to. */
export function pooledShape(x: Shape, [deep, high, wide]: Bands): Shape {
  return imageShape(x, x[1], [deep.start.length, high.start.length, wide.start.length]);
}

/** Sliding windows. */
export function slidingPool(
  action: string,
  axes: number,
  x: Tensor,
  kernelSize: PerAxis,
  options: PoolOptions & { readonly dilation?: PerAxis; readonly countIncludePad?: boolean },
): Pooling {
  assertTensor(action, x, "x");
  const { ceilMode = false, countIncludePad = true } = options;
  const batch = asBatch(action, x, axes);
  refuseEmpty(action, x, x.ndim - axes - 1);
  const kernel = perAxis(action, kernelSize, "kernelSize", axes, 1);
  const { stride = null } = options;
  const strides = stride === null || (typeof stride !== "number" && stride.length === 0)
    ? kernel
    : perAxis(action, stride, "stride", axes, 1);
  const padding = optionPerAxis(action, options, "padding", axes, 0);
  const dilation = optionPerAxis(action, options, "dilation", axes, 1);
  const extent = kernel.map((size, i) => (size - 1) * dilation[i] + 1);
  if (padding.some((size, i) => size > Math.floor(extent[i] / 2))) {
    refuse(
      action,
      `padding ${formatShape(padding)} for windows of extent ${formatShape(extent)}`,
      "at most half of it",
    );
  }
  const bands = spatial(batch.images.shape).map((size, i) => {
    const room = size + 2 * padding[i] - extent[i];
    let windows = (ceilMode ? Math.ceil(room / strides[i]) : Math.floor(room / strides[i])) + 1;
    // A window that starts in the padding behind would see nothing.
    if (ceilMode && (windows - 1) * strides[i] >= size + padding[i]) windows--;
    if (windows < 1) {
      refuse(
        action,
        `${shaped("x", x)} and windows of extent ${formatShape(extent)} with padding ${
          formatShape(padding)
        }`,
        "room for one window",
      );
    }
    return bandOf(windows, (o) => {
      const from = o * strides[i] - padding[i];
      const to = Math.min(from + extent[i], size + padding[i]);
      // The first tap inside the input; a dilated window skips whole steps.
      const start = from < 0 ? from + Math.ceil(-from / dilation[i]) * dilation[i] : from;
      const end = Math.min(to, size);
      // All taps miss the input: nothing to see, but an index must lie in the plane.
      if (start >= size) return [0, 0, 0];
      return [start, end, countIncludePad ? to - from : end - start];
    }, dilation[i]);
  });
  return { ...batch, bands: triple(bands, whole) };
}

/**
 * Windows that split each axis into a given number of nearly equal ones.
 *
 * @param filled The first axis that must not be empty.
 */
export function adaptivePool(
  action: string,
  axes: number,
  x: Tensor,
  outputSize: OutputSize,
  filled: number | null,
): Pooling {
  assertTensor(action, x, "x");
  const batch = asBatch(action, x, axes);
  refuseEmpty(action, x, filled ?? x.ndim - axes);
  const sizes = spatial(batch.images.shape);
  const windows = sizesOr(action, outputSize, sizes);
  assertCount(action, windows.reduce((product, n) => product * n, 1));
  const bands = sizes.map((size, i) =>
    bandOf(windows[i], (o) => {
      const start = Math.floor(o * size / windows[i]);
      const end = Math.ceil((o + 1) * size / windows[i]);
      return [start, end, end - start];
    }, 1)
  );
  return { ...batch, bands: triple(bands, whole) };
}

/** The output sizes asked for, with `sizes` where an entry of the list is null. */
function sizesOr(action: string, outputSize: OutputSize, sizes: readonly number[]): number[] {
  if (!Array.isArray(outputSize)) {
    return perAxis(action, outputSize as number, "outputSize", sizes.length, 0);
  }
  if (outputSize.length !== sizes.length) {
    refuse(action, `outputSize ${show(outputSize)}`, `a number or a list of ${sizes.length}`);
  }
  const filled = outputSize.map((size: number | null, i) => size ?? sizes[i]);
  return perAxis(action, filled, "outputSize", sizes.length, 0);
}
