/** Normalisation of rows, two lanes wide. */
import { type Door, door } from "../door.ts";
import * as plain from "./row_norm_plain.ts";
import type { RowSizes } from "./row_norm_plain.ts";
import { inPool, kernelsFor, place, takeBack } from "../../runtime/instance.ts";

/** y = (x − mean − low)·inv·weight + bias, mean, low and inv by row. */
export const rowAffine: Door<typeof plain.rowAffine> = /* @__PURE__ */ door(
  plain.rowAffine,
  (x, sizes, mean, low, inv, weight, bias, y) => {
    const kernels = inPool(x) ? kernelsFor(y) : null;
    if (kernels === null) return false;
    const { rows, size, groups } = sizes;
    const places = place([mean, low, inv, weight, bias]);
    kernels.normRows(x.byteOffset, y.byteOffset, rows, size, groups, ...places);
    return true;
  },
);

/**
 * With c = x − mean, x̂ = (c − low)·inv and S the mean over a row:
 * db = Σ g; dw = Σ g·x̂; dx = inv·(gw − S(gw) − x̂·S(gw·x̂)) with gw = g·weight. Of dx, dw and db those
 * that are given are filled.
 */
export const rowGradient: Door<typeof plain.rowGradient> = /* @__PURE__ */ door(
  plain.rowGradient,
  (g, x, sizes, mean, low, inv, weight, dx, dw, db) => {
    return gradient(g, x, sizes, mean, low, inv, weight, dx, dw, db);
  },
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
  const kernels = inPool(x) && (dx === null || inPool(dx)) ? kernelsFor(g) : null;
  if (kernels === null) return false;
  const places = place([mean, low, inv, weight, dx, dw, db]);
  kernels.normRowsGradient(g.byteOffset, x.byteOffset, rows, size, groups, ...places);
  takeBack(dw, places[5]);
  takeBack(db, places[6]);
  return true;
}

/** inv = 1/√(S(x²) + eps) by row, y = x·inv·weight. */
export const rowScale: Door<typeof plain.rowScale> = /* @__PURE__ */ door(
  plain.rowScale,
  (x, sizes, eps, weight, inv, y) => {
    const kernels = inPool(x) ? kernelsFor(y) : null;
    if (kernels === null) return false;
    const places = place([inv, weight]);
    kernels.scaleRows(x.byteOffset, y.byteOffset, sizes.rows, sizes.size, eps, ...places);
    takeBack(inv, places[0]);
    return true;
  },
);

/** dw = Σ g·x̂; dx = inv·(gw − x̂·S(gw·x̂)) with x̂ = x·inv, gw = g·weight; those that are given. */
export const rowScaleGradient: Door<typeof plain.rowScaleGradient> = /* @__PURE__ */ door(
  plain.rowScaleGradient,
  (g, x, sizes, inv, weight, dx, dw) => {
    // Rows that are only scaled share their weights, whatever the sizes say.
    const rows = { ...sizes, groups: 1 };
    return gradient(g, x, rows, null, null, inv, weight, dx, dw, null);
  },
);
