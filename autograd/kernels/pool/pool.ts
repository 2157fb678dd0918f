/** Pooling: pairs side by side by a kernel of their own, other windows by one for all. */
import { call, type Door, door, kernelsOn } from "../door.ts";
import * as plain from "./pool_plain.ts";
import type { Bands } from "./pool_plain.ts";
import { type Triple, volume } from "../conv/window_plain.ts";
import { kernelsFor, place, takeBack, writeIntegers } from "../../runtime/instance.ts";

/** Bytes that bands take, and a row of `line` numbers behind them. */
function bytesOf(bands: Bands, line: number): number {
  return bands.reduce((total, { start }) => total + 12 * start.length, 8 * line + 8);
}

/** Writes bands to an address: their addresses, and that of what is behind. */
function writeBands(bands: Bands, at: number): number[] {
  const places = bands.map(({ start, end, count }) => {
    const first = at;
    for (const part of [start, end, count]) {
      writeIntegers(part, at);
      at += part.byteLength;
    }
    return first;
  });
  return [...places, at + 7 & ~7];
}

/**
 * The largest value of each window and where in its plane it stands. Of equals the first one counts;
 * NaN counts as largest, the last NaN of all.
 */
export const maxPool: Door<typeof plain.maxPool> = /* @__PURE__ */ door(
  plain.maxPool,
  (x, y, indices, input, bands) => {
    const [depth, height, width] = input;
    const [deep, high, wide] = bands;
    // A window that has no neighbour leaves a lane idle, and then the plain kernel is the faster one.
    const kernels = wide.start.length > 1 ? kernelsOn(x) : null;
    if (kernels === null) return false;
    const [slabs, rows, columns] = bands.map(({ start }) => start.length);
    const planes = x.length / volume(input);
    if (depth === 1 && plain.arePairs(high) && plain.arePairs(wide)) {
      const args = [x, y, indices, planes, height, width, rows, columns];
      return call(kernels, "maxPoolPairs", args, [y, indices]);
    }
    const [values, places, own] = place([y, indices], bytesOf(bands, 0));
    const [d, h, w] = writeBands(bands, own);
    kernels.maxPoolWindows(
      x.byteOffset,
      values,
      places,
      planes,
      ...input,
      d,
      slabs,
      deep.step,
      h,
      rows,
      high.step,
      w,
      columns,
      wide.step,
    );
    takeBack(y, values);
    takeBack(indices, places);
    return true;
  },
);

/** Adds each value to the place in its plane that its index names, from zeros. */
export const scatterPlanes: Door<typeof plain.scatterPlanes> = /* @__PURE__ */ door(
  plain.scatterPlanes,
  (g, indices, out, planes) => {
    const kernels = kernelsOn(out, g, indices);
    if (kernels === null) return false;
    const args = [g, indices, out, planes, g.length / planes, out.length / planes];
    return call(kernels, "scatterPlanes", args);
  },
);

/** Runs a kernel of averages from or to the planes `whole`; false where it has to be the plain one. */
function average(
  name: "avgPoolWindows" | "avgPoolWindowsBack",
  x: Float64Array,
  y: Float64Array,
  whole: Float64Array,
  input: Triple,
  bands: Bands,
  divisor: number,
): boolean {
  const kernels = kernelsFor(x.length < y.length ? y : x);
  if (kernels === null) return false;
  const [from, to, own] = place([x, y], bytesOf(bands, input[2]));
  const [d, h, w, line] = writeBands(bands, own);
  const [slabs, rows, columns] = bands.map(({ start }) => start.length);
  const planes = whole.length / volume(input);
  kernels[name](from, to, planes, ...input, d, slabs, h, rows, w, columns, divisor, line);
  takeBack(y, to);
  return true;
}

/** The average of each window; `divisor` 0 stands for the counts of the bands. */
export const avgPool: Door<typeof plain.avgPool> = /* @__PURE__ */ door(
  plain.avgPool,
  (x, y, ...sizes) => average("avgPoolWindows", x, y, x, ...sizes),
);

/** The transpose of {@linkcode avgPool}: shares each value out over its window. */
export const avgPoolTranspose: Door<typeof plain.avgPoolTranspose> = /* @__PURE__ */ door(
  plain.avgPoolTranspose,
  (g, out, ...sizes) => average("avgPoolWindowsBack", g, out, out, ...sizes),
);
