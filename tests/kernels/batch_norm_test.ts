import * as door from "../../autograd/kernels/mod.ts";
import * as plain from "../../autograd/kernels/plain/batch_norm.ts";
import { assertClose, numbers, pooled, testBuilds } from "./pooled.ts";
import { assert } from "@std/assert";

const shapes = [
  ...Array.from({ length: 17 }, (_, i) => ({ n: 5, c: 3, s: i + 1 })),
  ...Array.from({ length: 17 }, (_, i) => ({ n: i + 1, c: 18 - i, s: 1 })),
  { n: 11, c: 2, s: 7 },
  { n: 70, c: 3, s: 9 },
  { n: 5, c: 1, s: 9001 },
  { n: 133, c: 5, s: 1 },
];

testBuilds("statistics by channel equal the plain ones", () => {
  for (const sizes of shapes) {
    const x = numbers(sizes.n * sizes.c * sizes.s, 7).map((value, i) => value + i % 3);
    const actual = [0, 1, 2].map(() => new Float64Array(sizes.c));
    const expected = [0, 1, 2].map(() => new Float64Array(sizes.c));
    door.batchStatistics(pooled(x), sizes, actual[0], actual[1], actual[2]);
    plain.batchStatistics(x, sizes, expected[0], expected[1], expected[2]);
    const name = JSON.stringify(sizes);
    for (let c = 0; c < sizes.c; c++) {
      const mean = expected[0][c] + expected[1][c];
      assert(Math.abs(actual[0][c] + actual[1][c] - mean) < 1e-14, `mean of ${name}`);
    }
    assertClose(actual[2], expected[2], 1e-13, 1e-15, `variance of ${name}`);
  }
});

testBuilds("a first image far from the rest costs no digits", () => {
  for (const sizes of [{ n: 40, c: 2, s: 6 }, { n: 90, c: 3, s: 1 }]) {
    const { n, c, s } = sizes;
    const x = numbers(n * c * s, 3);
    for (let i = 0; i < 8 * c * s; i++) x[i] += 1e6;
    const actual = [0, 1, 2].map(() => new Float64Array(c));
    const expected = [0, 1, 2].map(() => new Float64Array(c));
    door.batchStatistics(pooled(x), sizes, actual[0], actual[1], actual[2]);
    plain.batchStatistics(x, sizes, expected[0], expected[1], expected[2]);
    assertClose(actual[2], expected[2], 1e-14, 0, "variance");
  }
});

testBuilds("constant channels have no variance, whatever their value", () => {
  for (const sizes of [{ n: 7, c: 3, s: 5 }, { n: 21, c: 3, s: 1 }]) {
    const { n, c, s } = sizes;
    const x = new Float64Array(n * c * s).fill(0.1);
    const [mean, low, variance] = [0, 1, 2].map(() => new Float64Array(c));
    door.batchStatistics(pooled(x), sizes, mean, low, variance);
    assertClose(mean, new Float64Array(c).fill(0.1), 0, 0, "mean");
    assertClose(variance, new Float64Array(c), 0, 0, "variance");
  }
});

testBuilds("NaN and infinity stay in their channel", () => {
  for (const sizes of [{ n: 4, c: 4, s: 3 }, { n: 12, c: 4, s: 1 }]) {
    const { n, c, s } = sizes;
    const x = numbers(n * c * s, 5);
    x[c * s + 1 * s] = NaN;
    x[2 * c * s + 2 * s] = Infinity;
    x[3 * s] = Infinity;
    x[c * s + 3 * s] = -Infinity;
    const [mean, low, variance] = [0, 1, 2].map(() => new Float64Array(c));
    door.batchStatistics(pooled(x), sizes, mean, low, variance);
    const means = Array.from(mean, (value, i) => value + low[i]);
    assert(Number.isFinite(means[0]) && Number.isFinite(variance[0]), "the ordinary channel");
    assert(Number.isNaN(means[1]) && Number.isNaN(variance[1]), "the channel with NaN");
    assert(means[2] === Infinity && Number.isNaN(variance[2]), "the channel with infinity");
    assert(Number.isNaN(means[3]) && Number.isNaN(variance[3]), "the channel with both infinities");
  }
});

testBuilds("maps and sums by channel equal the plain ones", () => {
  for (const sizes of shapes) {
    const { n, c, s } = sizes;
    const name = JSON.stringify(sizes);
    const [x, g] = [numbers(n * c * s, 1), numbers(n * c * s, 2)];
    const [mean, p, q, r] = [3, 4, 5, 6].map((seed) => numbers(c, seed));
    const y = pooled(new Float64Array(x.length));
    const expected = new Float64Array(x.length);
    door.channelAffine(pooled(x), sizes, mean, p, q, y);
    plain.channelAffine(x, sizes, mean, p, q, expected);
    assertClose(y, expected, 1e-14, 1e-15, `channelAffine of ${name}`);
    door.channelGradient(pooled(g), pooled(x), sizes, mean, p, q, r, y);
    plain.channelGradient(g, x, sizes, mean, p, q, r, expected);
    assertClose(y, expected, 1e-14, 2e-15, `channelGradient of ${name}`);
    const sums = [0, 1, 2, 3].map(() => new Float64Array(c));
    door.cotangentSums(pooled(g), pooled(x), sizes, mean, sums[0], sums[1]);
    plain.cotangentSums(g, x, sizes, mean, sums[2], sums[3]);
    assertClose(sums[0], sums[2], 1e-13, 1e-13, `Σ g of ${name}`);
    assertClose(sums[1], sums[3], 1e-13, 1e-13, `Σ g·c of ${name}`);
  }
});

/** A float64 as mantissa · 2^exponent. */
function rational(value: number): [mantissa: bigint, exponent: number] {
  let exponent = 0;
  while (!Number.isInteger(value)) {
    value *= 2;
    exponent--;
  }
  return [BigInt(value), exponent];
}

testBuilds("at an offset of 1e8 the output is exact to 1e-14", () => {
  for (const sizes of [{ n: 16, c: 1, s: 49 }, { n: 300, c: 1, s: 1 }]) {
    const { n, c, s } = sizes;
    const count = n * s;
    const x = numbers(count, 11).map((value) => 1e8 + value * 0.6);
    const [mean, low, variance] = [0, 1, 2].map(() => new Float64Array(c));
    const input = pooled(x);
    door.batchStatistics(input, sizes, mean, low, variance);
    const inverse = 1 / Math.sqrt(variance[0]);
    const y = pooled(new Float64Array(count));
    const shift = Float64Array.of(-low[0] * inverse);
    door.channelAffine(input, sizes, mean, Float64Array.of(inverse), shift, y);
    // In whole multiples of 2^-80: count·(x − μ) is a whole number, and so is its square.
    const scaled = Array.from(x, (value) => {
      const [mantissa, exponent] = rational(value);
      return mantissa << BigInt(80 + exponent);
    });
    const total = scaled.reduce((sum, value) => sum + value, 0n);
    const deviations = scaled.map((value) => value * BigInt(count) - total);
    const squares = deviations.reduce((sum, value) => sum + value * value, 0n);
    // y = (x − μ)/σ = deviation·√count / √squares
    for (let i = 0; i < count; i++) {
      const square = Number(deviations[i] * deviations[i] * BigInt(count) * (1n << 200n) / squares);
      const exact = Math.sign(Number(deviations[i])) * Math.sqrt(square / 2 ** 200);
      assert(
        Math.abs(y[i] - exact) <= 1e-14 * Math.abs(exact) + 1e-15,
        `y[${i}]: got ${y[i]}, expected ${exact}`,
      );
    }
  }
});
