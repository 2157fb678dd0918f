/**
 * Normalisation of rows: what a group norm is where a channel has one position, and every layer norm.
 * There a walk by channel would do a channel's work for each value.
 */

/** Rows of values; row i belongs to group i mod `groups`, which has weights of its own. */
export interface RowSizes {
  /** The number of rows. */
  readonly rows: number;
  /** Values in a row. */
  readonly size: number;
  /** Groups; weight and bias have `groups`·`size` values. */
  readonly groups: number;
}

/** y = (x − mean − low)·inv·weight + bias, mean, low and inv by row. */
export function rowAffine(
  x: Float64Array,
  { rows, size, groups }: RowSizes,
  mean: Float64Array,
  low: Float64Array,
  inv: Float64Array,
  weight: Float64Array | null,
  bias: Float64Array | null,
  y: Float64Array,
): void {
  for (let row = 0; row < rows; row++) {
    const start = row * size;
    const m = mean[row];
    const scale = inv[row];
    const shift = low[row] * scale;
    for (let i = start; i < start + size; i++) y[i] = (x[i] - m) * scale - shift;
    const channel = (row % groups) * size - start;
    if (weight !== null) {
      for (let i = start; i < start + size; i++) y[i] *= weight[channel + i];
    }
    if (bias !== null) {
      for (let i = start; i < start + size; i++) y[i] += bias[channel + i];
    }
  }
}

/**
 * With c = x − mean, x̂ = (c − low)·inv and S the mean over a row:
 * db = Σ g; dw = Σ g·x̂; dx = inv·(gw − S(gw) − x̂·S(gw·x̂)) with gw = g·weight. Of dx, dw and db those
 * that are given are filled.
 */
export function rowGradient(
  g: Float64Array,
  x: Float64Array,
  { rows, size, groups }: RowSizes,
  mean: Float64Array,
  low: Float64Array,
  inv: Float64Array,
  weight: Float64Array | null,
  dx: Float64Array | null,
  dw: Float64Array | null,
  db: Float64Array | null,
): void {
  dw?.fill(0);
  db?.fill(0);
  for (let row = 0; row < rows; row++) {
    const start = row * size;
    const end = start + size;
    const channel = (row % groups) * size - start;
    const m = mean[row];
    const rest = low[row];
    const scale = inv[row];
    if (dw !== null) {
      for (let i = start; i < end; i++) dw[channel + i] += g[i] * ((x[i] - m - rest) * scale);
    }
    if (db !== null) {
      for (let i = start; i < end; i++) db[channel + i] += g[i];
    }
    if (dx === null) continue;
    let sum = 0;
    let products = 0;
    if (weight === null) {
      for (let i = start; i < end; i++) {
        sum += g[i];
        products += g[i] * (x[i] - m);
      }
    } else {
      for (let i = start; i < end; i++) {
        const gw = g[i] * weight[channel + i];
        sum += gw;
        products += gw * (x[i] - m);
      }
    }
    const q = scale * scale * scale * (products - rest * sum) / size;
    const r = scale * sum / size - q * rest;
    if (weight === null) {
      for (let i = start; i < end; i++) dx[i] = scale * g[i] - q * (x[i] - m) - r;
    } else {
      for (let i = start; i < end; i++) {
        dx[i] = scale * (g[i] * weight[channel + i]) - q * (x[i] - m) - r;
      }
    }
  }
}

/** inv = 1/√(S(x²) + eps) by row, y = x·inv·weight. */
export function rowScale(
  x: Float64Array,
  { rows, size }: RowSizes,
  eps: number,
  weight: Float64Array | null,
  inv: Float64Array,
  y: Float64Array,
): void {
  for (let row = 0; row < rows; row++) {
    const start = row * size;
    const end = start + size;
    let squares = 0;
    for (let i = start; i < end; i++) squares += x[i] * x[i];
    const scale = 1 / Math.sqrt(squares / size + eps);
    inv[row] = scale;
    if (weight === null) {
      for (let i = start; i < end; i++) y[i] = x[i] * scale;
    } else {
      for (let i = start; i < end; i++) y[i] = x[i] * scale * weight[i - start];
    }
  }
}

/** dw = Σ g·x̂; dx = inv·(gw − x̂·S(gw·x̂)) with x̂ = x·inv, gw = g·weight; those that are given. */
export function rowScaleGradient(
  g: Float64Array,
  x: Float64Array,
  { rows, size }: RowSizes,
  inv: Float64Array,
  weight: Float64Array | null,
  dx: Float64Array | null,
  dw: Float64Array | null,
): void {
  dw?.fill(0);
  for (let row = 0; row < rows; row++) {
    const start = row * size;
    const end = start + size;
    const scale = inv[row];
    if (dw !== null) {
      for (let i = start; i < end; i++) dw[i - start] += g[i] * (x[i] * scale);
    }
    if (dx === null) continue;
    let products = 0;
    if (weight === null) {
      for (let i = start; i < end; i++) products += g[i] * x[i];
    } else {
      for (let i = start; i < end; i++) products += g[i] * weight[i - start] * x[i];
    }
    const q = scale * scale * scale * products / size;
    if (weight === null) {
      for (let i = start; i < end; i++) dx[i] = scale * g[i] - q * x[i];
    } else {
      for (let i = start; i < end; i++) dx[i] = scale * (g[i] * weight[i - start]) - q * x[i];
    }
  }
}
