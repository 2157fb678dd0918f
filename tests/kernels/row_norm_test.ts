import * as door from "../../autograd/kernels/mod.ts";
import * as plain from "../../autograd/kernels/norm/row_norm_plain.ts";
import { assertClose, numbers, pooled, testBuilds } from "./pooled.ts";

const shapes = [
  ...Array.from({ length: 34 }, (_, i) => ({ rows: 3, size: i + 1, groups: 1 })),
  ...Array.from({ length: 17 }, (_, i) => ({ rows: 6, size: i + 1, groups: 3 })),
  { rows: 70, size: 5, groups: 2 },
  { rows: 2, size: 1027, groups: 1 },
];

/** Arrays of a call: each in the pool, or where heap arrays are. */
const places = [pooled, (values: Float64Array) => values.slice()];

type Place = (values: Float64Array) => Float64Array;

function given(place: Place, x: Float64Array | null): Float64Array | null {
  return x === null ? null : place(x);
}

interface Operands {
  readonly g: Float64Array;
  readonly x: Float64Array;
  readonly mean: Float64Array;
  readonly low: Float64Array;
  readonly inv: Float64Array;
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

function operands(rows: number, size: number, groups: number): Operands {
  const [x, g] = [1, 2].map((seed) => numbers(rows * size, seed + size));
  const [mean, inv] = [3, 4].map((seed) => numbers(rows, seed));
  const [weight, bias] = [5, 6].map((seed) => numbers(groups * size, seed));
  return {
    g,
    x,
    mean,
    low: numbers(rows, 7).map((value) => value * 1e-3),
    inv: inv.map((value) => Math.abs(value) + 0.1),
    weight,
    bias,
  };
}

/** Compares the four kernels with all, some and none of what may be absent. */
function compare(
  sizes: { rows: number; size: number; groups: number },
  { g, x, mean, low, inv, weight, bias }: Operands,
): void {
  const { rows, size, groups } = sizes;
  const name = JSON.stringify(sizes);
  const close = (
    actual: Float64Array | null,
    expected: Float64Array | null,
    what: string,
  ): void => {
    if (actual !== null) assertClose(actual, expected!, 2e-14, 4e-14, `${what} of ${name}`);
  };
  const empty = (n: number) => new Float64Array(n).fill(NaN);
  for (const place of places) {
    for (const [w, b] of [[weight, bias], [weight, null], [null, bias], [null, null]]) {
      const [y, expected] = [pooled(empty(rows * size)), empty(rows * size)];
      const fast = [mean, low, inv, w, b].map((array) => given(place, array));
      const [m, l, i] = fast as Float64Array[];
      door.rowAffine(pooled(x), sizes, m, l, i, fast[3], fast[4], y);
      plain.rowAffine(x, sizes, mean, low, inv, w, b, expected);
      close(y, expected, "rowAffine");
      for (const wanted of [[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1]]) {
        const lengths = [rows * size, groups * size, groups * size];
        const fresh = (place: Place) =>
          lengths.map((n, which) => wanted[which] ? place(empty(n)) : null);
        const [dx] = fresh(pooled);
        const [, dw, db] = fresh(place);
        const plainOnes = fresh((values) => values);
        door.rowGradient(pooled(g), pooled(x), sizes, m, l, i, fast[3], dx, dw, db);
        const [plainDx, plainDw, plainDb] = plainOnes;
        plain.rowGradient(g, x, sizes, mean, low, inv, w, plainDx, plainDw, plainDb);
        [dx, dw, db].forEach((array, which) => {
          close(array, plainOnes[which], `rowGradient ${["dx", "dw", "db"][which]}`);
        });
      }
    }
    if (groups > 1) continue;
    for (const w of [weight, null]) {
      const [y, plainY] = [pooled(empty(rows * size)), empty(rows * size)];
      const [scale, plainScale] = [place(empty(rows)), empty(rows)];
      door.rowScale(pooled(x), sizes, 1e-3, given(place, w), scale, y);
      plain.rowScale(x, sizes, 1e-3, w, plainScale, plainY);
      close(scale, plainScale, "rowScale's inverse");
      close(y, plainY, "rowScale");
      for (const wanted of [[1, 1], [1, 0], [0, 1]]) {
        const dx = wanted[0] ? pooled(empty(rows * size)) : null;
        const dw = wanted[1] ? place(empty(size)) : null;
        const plainDx = dx && empty(rows * size);
        const plainDw = dw && empty(size);
        door.rowScaleGradient(pooled(g), pooled(x), sizes, place(inv), given(place, w), dx, dw);
        plain.rowScaleGradient(g, x, sizes, inv, w, plainDx, plainDw);
        close(dx, plainDx, "rowScaleGradient dx");
        close(dw, plainDw, "rowScaleGradient dw");
      }
    }
  }
}

testBuilds("normalisation of rows equals the plain one at every length", () => {
  for (const sizes of shapes) compare(sizes, operands(sizes.rows, sizes.size, sizes.groups));
});

testBuilds(
  "NaN and infinity stay in their row, and in their column of the weights' gradient",
  () => {
    for (const size of [1, 2, 7, 8, 16]) {
      const sizes = { rows: 5, size, groups: 1 };
      const all = operands(5, size, 1);
      all.x[size - 1] = NaN;
      all.g[size] = Infinity;
      all.x[3 * size - 1] = -Infinity;
      all.mean[3] = NaN;
      compare(sizes, all);
    }
  },
);
