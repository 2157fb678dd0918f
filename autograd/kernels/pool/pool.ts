/** Pooling: pairs side by side by a kernel of their own, other windows by one for all. */
import { type Door, door } from "../door.ts";
import * as plain from "./pool_plain.ts";
import type { Band, Bands } from "./pool_plain.ts";
import { type Triple, volume } from "../conv/window_plain.ts";
import { inPool, kernelsFor, place, takeBack, writeIntegers } from "../../runtime/instance.ts";

/** Writes a band to an address, start, end and count; returns the address behind it. */
function writeBand({ start, end, count }: Band, at: number): number {
  for (const part of [start, end, count]) {
    writeIntegers(part, at);
    at += part.byteLength;
  }
  return at;
}

/** Bytes that bands take, and a row of `line` numbers behind them. */
function bytesOf(bands: Bands, line: number): number {
  return bands.reduce((total, { start }) => total + 12 * start.length, 8 * line + 8);
}

/** Writes bands to an address; their addresses, and that of what is behind. */
function writeBands([deep, high, wide]: Bands, first: number): number[] {
  const second = writeBand(deep, first);
  const third = writeBand(high, second);
  return [first, second, third, writeBand(wide, third) + 7 & ~7];
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
    const kernels = wide.start.length > 1 ? kernelsFor(x) : null;
    if (kernels === null) return false;
    const [slabs, rows, columns] = bands.map(({ start }) => start.length);
    const planes = x.length / volume(input);
    const [values, places, own] = place([y, indices], bytesOf(bands, 0));
    if (depth === 1 && plain.arePairs(high) && plain.arePairs(wide)) {
      kernels.maxPoolPairs(
        x.byteOffset,
        values,
        places,
        planes,
        height,
        width,
        rows,
        columns,
      );
    } else {
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
    }
    takeBack(y, values);
    takeBack(indices, places);
    return true;
  },
);

/** Adds each value to the place in its plane that its index names, from zeros. */
export const scatterPlanes: Door<typeof plain.scatterPlanes> = /* @__PURE__ */ door(
  plain.scatterPlanes,
  (g, indices, out, planes) => {
    const kernels = inPool(g) && inPool(indices) ? kernelsFor(out) : null;
    if (kernels === null) return false;

    kernels.scatterPlanes(
      g.byteOffset,
      indices.byteOffset,
      out.byteOffset,
      planes,
      g.length / planes,
      out.length / planes,
    );
    return true;
  },
);

/** Runs a kernel of averages between arrays; false where it has to be the plain one. */
function average(
  name: "avgPoolWindows" | "avgPoolWindowsBack",
  x: Float64Array,
  y: Float64Array,
  planes: number,
  input: Triple,
  bands: Bands,
  divisor: number,
): boolean {
  const kernels = kernelsFor(x.length < y.length ? y : x);
  if (kernels === null) return false;
  const [from, to, own] = place([x, y], bytesOf(bands, input[2]));
  const [d, h, w, line] = writeBands(bands, own);
  const [slabs, rows, columns] = bands.map(({ start }) => start.length);
  kernels[name](from, to, planes, ...input, d, slabs, h, rows, w, columns, divisor, line);
  takeBack(y, to);
  return true;
}

/** The average of each window; `divisor` 0 stands for the counts of the bands. */
export const avgPool: Door<typeof plain.avgPool> = /* @__PURE__ */ door(
  plain.avgPool,
  (x, y, input, bands, divisor) => {
    const planes = x.length / volume(input);
    return average("avgPoolWindows", x, y, planes, input, bands, divisor);
  },
);

/** The transpose of {@linkcode avgPool}: shares each value out over its window. */
export const avgPoolTranspose: Door<typeof plain.avgPoolTranspose> = /* @__PURE__ */ door(
  plain.avgPoolTranspose,
  (g, out, input, bands, divisor) => {
    const planes = out.length / volume(input);
    return average("avgPoolWindowsBack", g, out, planes, input, bands, divisor);
  },
);
