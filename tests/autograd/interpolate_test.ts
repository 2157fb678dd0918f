import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  arange,
  Generator,
  gradcheck,
  randn,
  reshape,
  type Tensor,
  zeros,
} from "../../autograd/mod.ts";
import { adaptiveAvgPool2d, interpolate, type InterpolateOptions } from "../../nn/functional.ts";

const line = (n: number) => reshape(arange(n), [1, 1, n]);
const image = (h: number, w: number) => reshape(arange(h * w), [1, 1, h, w]);

function assertValues(got: Tensor, expected: readonly number[]): void {
  assertEquals(got.size, expected.length);
  expected.forEach((value, i) => assertAlmostEquals(got.data[i], value, 1e-12));
}

Deno.test("interpolate() keeps a linear ramp linear with aligned corners", () => {
  const options: InterpolateOptions = { size: 9, mode: "linear", alignCorners: true };
  assertValues(interpolate(line(5), options), [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]);
  const y = interpolate(image(2, 3), { size: [3, 5], mode: "bilinear", alignCorners: true });
  assertValues(y, [0, 0.5, 1, 1.5, 2, 1.5, 2, 2.5, 3, 3.5, 3, 3.5, 4, 4.5, 5]);
});

Deno.test("interpolate() follows the factor itself unless told to recompute it", () => {
  // 5 · 0.7 is rounded down to 3: positions are 1 / 0.7 or 5 / 3 apart.
  assertValues(interpolate(line(5), { scaleFactor: 0.7, mode: "linear" }), [
    0.5 / 0.7 - 0.5,
    1.5 / 0.7 - 0.5,
    2.5 / 0.7 - 0.5,
  ]);
  const options = { scaleFactor: 0.7, mode: "linear", recomputeScaleFactor: true } as const;
  assertValues(interpolate(line(5), options), [1 / 3, 2, 11 / 3]);
});

Deno.test("interpolate() takes the nearest element by its edge or by its middle", () => {
  assertValues(interpolate(line(5), { size: 3 }), [0, 1, 3]);
  assertValues(interpolate(line(5), { size: 3, mode: "nearest-exact" }), [0, 2, 4]);
  assertValues(interpolate(image(1, 2), { size: [2, 4] }), [0, 0, 1, 1, 0, 0, 1, 1]);
});

Deno.test("interpolate() in area mode is the adaptive average", () => {
  const x = image(5, 7);
  const y = interpolate(x, { size: [3, 4], mode: "area" });
  assertValues(y, [...adaptiveAvgPool2d(x, [3, 4]).data]);
});

Deno.test("interpolate() against aliasing averages over all that it leaves out", () => {
  const x = image(1, 8);
  const sharp = interpolate(x, { size: [1, 2], mode: "bilinear" });
  const smooth = interpolate(x, { size: [1, 2], mode: "bilinear", antialias: true });
  assertValues(sharp, [1.5, 5.5]);
  // A triangle over 8 elements around 1.5 and 5.5, cut off at the edge.
  const left = (5 * 0 + 7 * 1 + 7 * 2 + 5 * 3 + 3 * 4 + 1 * 5) / 28;
  assertValues(smooth, [left, 7 - left]);
});

Deno.test("interpolate() differentiates twice in every mode", () => {
  const random = new Generator(5);
  const modes: [number[], InterpolateOptions][] = [
    [[1, 2, 4], { size: 3, mode: "nearest" }],
    [[1, 1, 3, 2], { scaleFactor: [1.7, 2], mode: "nearest-exact" }],
    [[1, 2, 4], { size: 6, mode: "linear" }],
    [[1, 1, 3, 4], { size: [2, 5], mode: "bilinear" }],
    [[1, 1, 3, 4], { size: [4, 3], mode: "bicubic", alignCorners: true }],
    [[1, 1, 5, 4], { size: [2, 3], mode: "bicubic", antialias: true }],
    [[1, 1, 2, 3, 2], { size: [3, 2, 3], mode: "trilinear" }],
    [[1, 1, 3, 3], { size: 2, mode: "area" }],
  ];
  for (const [shape, options] of modes) {
    const x = randn(shape, { generator: random, requiresGrad: true });
    gradcheck((x) => interpolate(x, options), [x], { order: 2 });
  }
});

Deno.test("interpolate() refuses what does not go together", () => {
  const x = line(4);
  const refused: [Tensor, InterpolateOptions, string][] = [
    [x, {}, "neither size and scaleFactor"],
    [x, { size: 2, scaleFactor: 2 }, "both"],
    [x, { size: 2, recomputeScaleFactor: true }, "expected it with scaleFactor"],
    [x, { size: [2, 2] }, "expected 1 numbers"],
    [x, { size: 0 }, "at least 1"],
    [x, { size: 1.5 }, "integers"],
    [x, { scaleFactor: 0.1 }, "at least 1"],
    [x, { size: 2, mode: "bilinear" }, "expected 4 dims"],
    [x, { size: 2, alignCorners: true }, "alignCorners in mode"],
    [x, { size: 2, mode: "linear", antialias: true }, "antialias in mode"],
    [x, { size: 2, mode: "cubic" as "bicubic" }, 'mode "cubic"'],
    [zeros([4]), { size: 2 }, "3, 4, 5 dims"],
    [zeros([1, 0, 4]), { size: 2 }, "all but the batch"],
  ];
  for (const [input, options, message] of refused) {
    assertThrows(() => interpolate(input, options), RangeError, message);
  }
  assertThrows(
    () => interpolate(x, { size: "2" as unknown as number }),
    TypeError,
    "size string 2",
  );
  assertEquals(interpolate(zeros([0, 1, 4]), { size: 2 }).shape, [0, 1, 2]);
});
