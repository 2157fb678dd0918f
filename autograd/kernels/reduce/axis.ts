/** Softmax and its logarithm along rows of neighbours; other axes in plain TypeScript. */
import { type Door, door } from "../door.ts";
import * as plain from "./axis_plain.ts";
import type { AxisSizes } from "./axis_plain.ts";
import { inPool, type Kernels, kernelsFor, scratch } from "../../runtime/instance.ts";

/** The kernels, if the axis is the last one and long enough for two lanes. */
function rowKernels(x: Float64Array, out: Float64Array, { n, inner }: AxisSizes): Kernels | null {
  return inner === 1 && n > 1 && inPool(x) ? kernelsFor(out) : null;
}

/** eˣ / Σ eˣ, shifted by the largest element */
export const softmax: Door<typeof plain.softmax> = /* @__PURE__ */ door(
  plain.softmax,
  (x, out, sizes) => {
    const kernels = rowKernels(x, out, sizes);
    if (kernels === null) return false;
    kernels.softmaxRows(x.byteOffset, out.byteOffset, sizes.outer, sizes.n);
    return true;
  },
);

/** x − ln Σ eˣ, shifted by the largest element */
export const logSoftmax: Door<typeof plain.logSoftmax> = /* @__PURE__ */ door(
  plain.logSoftmax,
  (x, out, sizes) => {
    const kernels = rowKernels(x, out, sizes);
    if (kernels === null) return false;
    const row = scratch(8 * sizes.n);
    kernels.logSoftmaxRows(x.byteOffset, out.byteOffset, sizes.outer, sizes.n, row);
    return true;
  },
);

/** Runs the kernel of a vjp; false where it has to be the plain one. */
function backward(
  name: "softmaxBackwardRows" | "logSoftmaxBackwardRows",
  g: Float64Array,
  y: Float64Array,
  out: Float64Array,
  sizes: AxisSizes,
): boolean {
  const kernels = inPool(g) ? rowKernels(y, out, sizes) : null;
  if (kernels === null) return false;
  kernels[name](g.byteOffset, y.byteOffset, out.byteOffset, sizes.outer, sizes.n);
  return true;
}

/** y · (g − Σ g·y), the vjp of softmax at y = softmax(x) */
export const softmaxBackward: Door<typeof plain.softmaxBackward> = /* @__PURE__ */ door(
  plain.softmaxBackward,
  (g, y, out, sizes) => backward("softmaxBackwardRows", g, y, out, sizes),
);

/** g − eʸ · Σ g, the vjp of logSoftmax at y = logSoftmax(x) */
export const logSoftmaxBackward: Door<typeof plain.logSoftmaxBackward> = /* @__PURE__ */ door(
  plain.logSoftmaxBackward,
  (g, y, out, sizes) => backward("logSoftmaxBackwardRows", g, y, out, sizes),
);
