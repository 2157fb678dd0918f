import * as door from "../../autograd/kernels/mod.ts";
import * as plain from "../../autograd/kernels/norm/batch_norm_plain.ts";
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

/** Runs one forward on arrays of the pool; what it writes holds NaN before. */
function forward(
  kernels: Pick<typeof plain, "batchNormForward">,
  x: Float64Array,
  sizes: plain.ChannelSizes,
  [weight, bias]: readonly (Float64Array | null)[] = [null, null],
  running: plain.ChannelStatistics | null = null,
) {
  const out = () => new Float64Array(sizes.c).fill(NaN);
  const statistics = running ?? { mean: out(), low: out(), variance: out(), invStd: out() };
  const y = pooled(new Float64Array(x.length).fill(NaN));
  const useBatch = running === null;
  kernels.batchNormForward(pooled(x), weight, bias, y, statistics, sizes, 1e-3, useBatch);
  return { ...statistics, y };
}

testBuilds("statistics by channel equal the plain ones", () => {
  for (const sizes of shapes) {
    const x = numbers(sizes.n * sizes.c * sizes.s, 7).map((value, i) => value + i % 3);
    const [actual, expected] = [door, plain].map((kernels) => forward(kernels, x, sizes));
    const name = JSON.stringify(sizes);
    for (let c = 0; c < sizes.c; c++) {
      const mean = expected.mean[c] + expected.low[c];
      assert(Math.abs(actual.mean[c] + actual.low[c] - mean) < 1e-14, `mean of ${name}`);
    }
    assertClose(actual.variance, expected.variance, 1e-13, 1e-15, `variance of ${name}`);
    assertClose(actual.invStd, expected.invStd, 1e-13, 0, `invStd of ${name}`);
  }
});

testBuilds("first values far from the rest cost no digits", () => {
  for (const sizes of [{ n: 40, c: 2, s: 6 }, { n: 90, c: 3, s: 1 }]) {
    const { n, c, s } = sizes;
    const x = numbers(n * c * s, 3);
    for (let i = 0; i < 8 * c * s; i++) x[i] += 1e6;
    const [actual, expected] = [door, plain].map((kernels) => forward(kernels, x, sizes));
    assertClose(actual.variance, expected.variance, 1e-14, 0, "variance");
  }
});

testBuilds("constant channels have no variance, whatever their value", () => {
  for (const sizes of [{ n: 7, c: 3, s: 5 }, { n: 21, c: 3, s: 1 }]) {
    const { n, c, s } = sizes;
    const x = new Float64Array(n * c * s).fill(0.1);
    const { mean, variance } = forward(door, x, sizes);
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
    const { mean, low, variance } = forward(door, x, sizes);
    const means = Array.from(mean, (value, i) => value + low[i]);
    assert(Number.isFinite(means[0]) && Number.isFinite(variance[0]), "the ordinary channel");
    assert(Number.isNaN(means[1]) && Number.isNaN(variance[1]), "the channel with NaN");
    assert(means[2] === Infinity && Number.isNaN(variance[2]), "the channel with infinity");
    assert(Number.isNaN(means[3]) && Number.isNaN(variance[3]), "the channel with both infinities");
  }
});

testBuilds("outputs and cotangents equal the plain ones", () => {
  for (const sizes of shapes) {
    const { n, c, s } = sizes;
    const name = JSON.stringify(sizes);
    const [x, g] = [numbers(n * c * s, 1), numbers(n * c * s, 2)];
    const [weight, bias, mean] = [3, 4, 5].map((seed) => numbers(c, seed));
    const variance = numbers(c, 6).map((value) => 1 + value * value);
    const zeros = new Float64Array(c);
    for (const affine of [[weight, bias], [null, null]]) {
      for (const useBatch of [true, false]) {
        const [actual, expected] = [door, plain].map((kernels) => {
          const running = useBatch ? null : { mean, low: zeros, variance, invStd: zeros.slice() };
          const { y, ...statistics } = forward(kernels, x, sizes, affine, running);
          const dx = pooled(new Float64Array(x.length).fill(NaN));
          const [dw, db] = [zeros.slice(), zeros.slice()];
          const [gs, xs, w] = [pooled(g), pooled(x), affine[0]];
          kernels.batchNormBackward(gs, xs, w, statistics, dx, dw, db, sizes, useBatch);
          return { y, dx, dw, db };
        });
        // Where a channel has two values or so, x̂ is ±1 and dx all but nothing.
        assertClose(actual.y, expected.y, 1e-13, 2e-14, `y of ${name}`);
        assertClose(actual.dx, expected.dx, 1e-12, 1e-12, `dx of ${name}`);
        assertClose(actual.dw, expected.dw, 1e-12, 1e-12, `dw of ${name}`);
        assertClose(actual.db, expected.db, 1e-13, 1e-13, `db of ${name}`);
      }
    }
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
    const [mine, theirs] = [0, 1].map(() => [0, 1, 2].map(() => new Float64Array(c)));
    door.batchStatistics(pooled(x), sizes, mine[0], mine[1], mine[2]);
    plain.batchStatistics(x, sizes, theirs[0], theirs[1], theirs[2]);
    assertClose(mine[0], theirs[0], 1e-14, 1e-14, `mean of ${name}`);
    assertClose(mine[2], theirs[2], 1e-13, 1e-15, `variance of ${name}`);
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
    const [mean, low, variance, invStd] = [0, 1, 2, 3].map(() => new Float64Array(c));
    const y = pooled(new Float64Array(count));
    const statistics = { mean, low, variance, invStd };
    door.batchNormForward(pooled(x), null, null, y, statistics, sizes, 0, true);
    // In whole multiples of 2^-80: count·(x − μ) is an integer, and so is its square.
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
