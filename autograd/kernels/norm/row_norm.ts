/** Normalisation of rows, two lanes wide. */
import { call, type Door, door, kernelsOn } from "../door.ts";
import * as plain from "./row_norm_plain.ts";
import type { RowSizes } from "./row_norm_plain.ts";

/** y = (x − mean − low)·inv·weight + bias, mean, low and inv by row. */
export const rowAffine: Door<typeof plain.rowAffine> = /* @__PURE__ */ door(
  plain.rowAffine,
  (x, { rows, size, groups }, mean, low, inv, weight, bias, y) => {
    const kernels = kernelsOn(x, y);
    return kernels !== null &&
      call(kernels, "normRows", [x, y, rows, size, groups, mean, low, inv, weight, bias]);
  },
);

/**
 * With c = x − mean, x̂ = (c − low)·inv and S the mean over a row:
 * db = Σ g; dw = Σ g·x̂; dx = inv·(gw − S(gw) − x̂·S(gw·x̂)) with gw = g·weight. Of dx, dw and db those
 * that are given are filled.
 */
export const rowGradient: Door<typeof plain.rowGradient> = /* @__PURE__ */ door(
  plain.rowGradient,
  gradient,
);

/** Runs the kernel of both gradients, without `mean` that of scaling; false where it has to be plain. */
function gradient(
  g: Float64Array,
  x: Float64Array,
  { rows, size, groups }: RowSizes,
  mean: Float64Array | null,
  low: Float64Array | null,
  inv: Float64Array,
  weight: Float64Array | null,
  dx: Float64Array | null,
  dw: Float64Array | null,
  db: Float64Array | null,
): boolean {
  const kernels = kernelsOn(g, x, dx);
  if (kernels === null) return false;
  const args = [g, x, rows, size, groups, mean, low, inv, weight, dx, dw, db];
  return call(kernels, "normRowsGradient", args, [dw, db]);
}

/** inv = 1/√(S(x²) + eps) by row, y = x·inv·weight. */
export const rowScale: Door<typeof plain.rowScale> = /* @__PURE__ */ door(
  plain.rowScale,
  (x, { rows, size }, eps, weight, inv, y) => {
    const kernels = kernelsOn(x, y);
    return kernels !== null &&
      call(kernels, "scaleRows", [x, y, rows, size, eps, inv, weight], [inv]);
  },
);

/** dw = Σ g·x̂; dx = inv·(gw − x̂·S(gw·x̂)) with x̂ = x·inv, gw = g·weight; those that are given. */
export const rowScaleGradient: Door<typeof plain.rowScaleGradient> = /* @__PURE__ */ door(
  plain.rowScaleGradient,
  // Rows that are only scaled share their weights, whatever the sizes say.
  (g, x, sizes, inv, weight, dx, dw) =>
    gradient(g, x, { ...sizes, groups: 1 }, null, null, inv, weight, dx, dw, null),
);
