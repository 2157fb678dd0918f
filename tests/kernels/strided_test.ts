import { assertEquals } from "@std/assert";
import * as kernels from "../../autograd/kernels/mod.ts";

/** out[i] = x[offset + Σ index·stride], one index at a time. */
function naive(x: Float64Array, shape: number[], strides: number[], offset: number): Float64Array {
  const size = shape.reduce((a, b) => a * b, 1);
  return Float64Array.from({ length: size }, (_, i) => {
    let from = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += (i % shape[axis]) * strides[axis];
      i = Math.floor(i / shape[axis]);
    }
    return x[from];
  });
}

const walks: [name: string, shape: number[], strides: number[], offset: number][] = [
  ["rows longer than a stripe", [3, 1100], [1, 3], 0],
  ["rows that share cache sets", [5, 40], [1, 256], 2],
  ["stripes inside of further axes", [2, 3, 4, 40], [3, 1, 10240, 256], 0],
  ["a near axis of the outside", [4, 2, 3, 20], [1, 1024, 2048, 512], 0],
  ["a flip of long rows", [2, 70], [70, -1], 69],
  ["a repeated value", [2, 3, 70], [70, 0, 1], 0],
  ["a repeated row", [3, 5], [1, 0], 0],
  ["windows that overlap", [3, 4], [1, 1], 0],
];

for (const [name, shape, strides, offset] of walks) {
  const x = Float64Array.from({ length: 41000 }, (_, i) => i + 1);
  const expected = naive(x, shape, strides, offset);

  Deno.test(`gatherStrided: ${name}`, () => {
    const out = new Float64Array(expected.length).fill(NaN);
    kernels.gatherStrided(x, out, shape, strides, offset);
    assertEquals(out, expected);
  });

  Deno.test(`scatterStrided adds back what gatherStrided took: ${name}`, () => {
    const sums = new Float64Array(x.length).fill(NaN);
    kernels.scatterStrided(expected, sums, shape, strides, offset);
    const counts = new Map<number, number>();
    for (const value of expected) counts.set(value, (counts.get(value) ?? 0) + 1);
    assertEquals(sums, x.map((value) => value * (counts.get(value) ?? 0)));
  });
}

Deno.test("placeStrided writes its values and leaves the rest", () => {
  const out = new Float64Array(12).fill(-1);
  kernels.placeStrided(Float64Array.of(1, 2, 3, 4), out, [2, 2], [4, 1], 5);
  assertEquals([...out], [-1, -1, -1, -1, -1, 1, 2, -1, -1, 3, 4, -1]);
});
