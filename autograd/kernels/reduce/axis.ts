/** Softmax and its logarithm along rows of neighbours; other axes in plain TypeScript. */
import * as plain from "./axis_plain.ts";
import type { AxisSizes } from "./axis_plain.ts";
import { inPool, type Kernels, kernelsFor, scratch } from "../../runtime/instance.ts";

/** The kernels, if the axis is the last one and long enough for two lanes. */
function rowKernels(x: Float64Array, out: Float64Array, { n, inner }: AxisSizes): Kernels | null {
  return inner === 1 && n > 1 && inPool(x) ? kernelsFor(out) : null;
}

/** eˣ / Σ eˣ, shifted by the largest element */
export function softmax(x: Float64Array, out: Float64Array, sizes: AxisSizes): void {
  const kernels = rowKernels(x, out, sizes);
  if (kernels === null) plain.softmax(x, out, sizes);
  else kernels.softmaxRows(x.byteOffset, out.byteOffset, sizes.outer, sizes.n);
}

/** x − ln Σ eˣ, shifted by the largest element */
export function logSoftmax(x: Float64Array, out: Float64Array, sizes: AxisSizes): void {
  const kernels = rowKernels(x, out, sizes);
  if (kernels === null) {
    plain.logSoftmax(x, out, sizes);
    return;
  }
  const row = scratch(8 * sizes.n);
  kernels.logSoftmaxRows(x.byteOffset, out.byteOffset, sizes.outer, sizes.n, row);
}

/** y · (g − Σ g·y), the vjp of softmax at y = softmax(x) */
export function softmaxBackward(
  g: Float64Array,
  y: Float64Array,
  out: Float64Array,
  sizes: AxisSizes,
): void {
  const kernels = inPool(g) ? rowKernels(y, out, sizes) : null;
  if (kernels === null) plain.softmaxBackward(g, y, out, sizes);
  else {
    kernels.softmaxBackwardRows(
      g.byteOffset,
      y.byteOffset,
      out.byteOffset,
      sizes.outer,
      sizes.n,
    );
  }
}

/** g − eʸ · Σ g, the vjp of logSoftmax at y = logSoftmax(x) */
export function logSoftmaxBackward(
  g: Float64Array,
  y: Float64Array,
  out: Float64Array,
  sizes: AxisSizes,
): void {
  const kernels = inPool(g) ? rowKernels(y, out, sizes) : null;
  if (kernels === null) plain.logSoftmaxBackward(g, y, out, sizes);
  else {
    kernels.logSoftmaxBackwardRows(
      g.byteOffset,
      y.byteOffset,
      out.byteOffset,
      sizes.outer,
      sizes.n,
    );
  }
}
