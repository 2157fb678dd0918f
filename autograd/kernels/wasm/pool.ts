/** Pooling over pairs side by side; other windows in plain TypeScript. */
import * as plain from "../plain/pool.ts";
import type { Bands } from "../plain/pool.ts";
import type { Triple } from "../plain/window.ts";
import { inPool, kernelsFor } from "./instance.ts";

/**
 * The largest value of each window and where in its plane it stands. Of equals the first one counts;
 * NaN counts as largest, the last NaN of all.
 */
export function maxPool(
  x: Float64Array,
  y: Float64Array,
  indices: Float64Array,
  input: Triple,
  bands: Bands,
): void {
  const [depth, height, width] = input;
  const [, high, wide] = bands;
  const kernels = inPool(x) && inPool(indices) ? kernelsFor(y) : null;
  if (kernels === null || depth !== 1 || !plain.arePairs(high) || !plain.arePairs(wide)) {
    plain.maxPool(x, y, indices, input, bands);
    return;
  }
  kernels.maxPoolPairs(
    x.byteOffset,
    y.byteOffset,
    indices.byteOffset,
    x.length / (height * width),
    height,
    width,
    high.start.length,
    wide.start.length,
  );
}

/** Adds each value to the place in its plane that its index names, from zeros. */
export function scatterPlanes(
  g: Float64Array,
  indices: Float64Array,
  out: Float64Array,
  planes: number,
): void {
  const kernels = inPool(g) && inPool(indices) ? kernelsFor(out) : null;
  if (kernels === null) plain.scatterPlanes(g, indices, out, planes);
  else {
    kernels.scatterPlanes(
      g.byteOffset,
      indices.byteOffset,
      out.byteOffset,
      planes,
      g.length / planes,
      out.length / planes,
    );
  }
}
