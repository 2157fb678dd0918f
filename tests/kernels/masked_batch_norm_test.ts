import * as door from "../../autograd/kernels/mod.ts";
import * as plain from "../../autograd/kernels/norm/batch_norm_plain.ts";
import { assertClose, numbers, pooled, testBuilds } from "./pooled.ts";
import { assertEquals } from "@std/assert";

const shapes = [
  ...Array.from({ length: 17 }, (_, i) => ({ n: 5, c: 3, s: i + 1 })),
  ...Array.from({ length: 17 }, (_, i) => ({ n: i + 4, c: 18 - i, s: 1 })),
  { n: 70, c: 3, s: 9 },
  { n: 133, c: 5, s: 1 },
];

/** Which positions count, of samples of `s` each. */
const masks: readonly [name: string, valid: (i: number, s: number) => boolean][] = [
  ["scattered", (i) => (i * 7 + (i >> 2)) % 5 > 1],
  ["prefixes", (i, s) => i % s <= (i / s + 1) % s],
  ["all but the first sample", (i, s) => i >= s],
  ["runs", (i) => i % 11 > 4],
  ["everything", () => true],
];

function validOf(
  { n, s }: { n: number; s: number },
  rule: (i: number, s: number) => boolean,
): door.ValidPositions {
  const values = Float64Array.from({ length: n * s }, (_, i) => rule(i, s) ? 1 : 0);
  return { values, count: values.reduce((sum, value) => sum + value, 0) };
}

/** NaN where a position does not count. */
function hidden(
  x: Float64Array,
  { c, s }: { c: number; s: number },
  { values }: door.ValidPositions,
): Float64Array {
  return x.map((value, at) => values[Math.floor(at / (c * s)) * s + at % s] === 0 ? NaN : value);
}

type Arrays = readonly Float64Array[];

/** Forward and backward: y, mean + low, variance, 1/σ, dx, dw, db. */
function run(
  kernels: Pick<typeof plain, "batchNormForward" | "batchNormBackward">,
  place: (values: Float64Array) => Float64Array,
  [x, g, weight, bias]: Arrays,
  sizes: { n: number; c: number; s: number },
  valid: door.ValidPositions | null,
  useBatch: boolean,
): Arrays {
  const [mean, low, variance, invStd, dw, db] = Array.from(
    { length: 6 },
    () => new Float64Array(sizes.c),
  );
  if (!useBatch) {
    mean.set(weight);
    variance.fill(0.7);
  }
  const statistics = { mean, low, variance, invStd };
  const y = place(new Float64Array(x.length).fill(NaN));
  const dx = place(new Float64Array(x.length).fill(NaN));
  const [input, cotangent] = [place(x), place(g)];
  const eps = 1e-5;
  kernels.batchNormForward(input, weight, bias, y, statistics, sizes, eps, useBatch, valid);
  kernels.batchNormBackward(
    cotangent,
    input,
    weight,
    statistics,
    dx,
    dw,
    db,
    sizes,
    useBatch,
    valid,
  );
  const means = mean.map((value, i) => value + low[i]);
  return [y, means, variance, invStd, dx, dw, db];
}

const names = ["y", "mean", "variance", "1/σ", "dx", "dw", "db"];

testBuilds("with a mask, batch norm equals the plain one, and what is hidden has no part", () => {
  for (const sizes of shapes) {
    const { n, c, s } = sizes;
    const [x, g] = [numbers(n * c * s, 1), numbers(n * c * s, 2)];
    const affine = [numbers(c, 3), numbers(c, 4)];
    for (const [name, rule] of masks) {
      const valid = validOf(sizes, rule);
      if (valid.count < 2) continue;
      const inputs = [hidden(x, sizes, valid), hidden(g, sizes, valid), ...affine];
      for (const useBatch of [true, false]) {
        const expected = run(plain, (values) => values, inputs, sizes, valid, useBatch);
        for (const values of [valid.values, pooled(valid.values)]) {
          const mask = { values, count: valid.count };
          const actual = run(door, pooled, inputs, sizes, mask, useBatch);
          actual.forEach((got, i) =>
            assertClose(
              got,
              expected[i],
              1e-12,
              1e-12,
              `${names[i]} ${name} ${JSON.stringify(sizes)}`,
            )
          );
        }
      }
    }
  }
});

testBuilds("a mask that hides nothing changes nothing but rounding", () => {
  for (const sizes of shapes) {
    const { n, c, s } = sizes;
    const inputs = [numbers(n * c * s, 1), numbers(n * c * s, 2), numbers(c, 3), numbers(c, 4)];
    const masked = run(door, pooled, inputs, sizes, validOf(sizes, () => true), true);
    const whole = run(plain, (values) => values, inputs, sizes, null, true);
    masked.forEach((got, i) =>
      assertClose(got, whole[i], 1e-12, 1e-12, `${names[i]} ${JSON.stringify(sizes)}`)
    );
  }
});

testBuilds("at an offset of 1e8 a mask costs no digits", () => {
  for (const sizes of [{ n: 6, c: 2, s: 33 }, { n: 96, c: 3, s: 1 }]) {
    const { n, c, s } = sizes;
    // Multiples of 2^-20, so that neither offset rounds them.
    const x = numbers(n * c * s, 5).map((value) => Math.round(value * 2 ** 20) / 2 ** 20);
    const rest = [numbers(n * c * s, 6), numbers(c, 7), numbers(c, 8)];
    const valid = validOf(sizes, (i) => i % 3 !== 1);
    const [near, far] = [0, 1e8].map((offset) =>
      run(door, pooled, [x.map((value) => value + offset), ...rest], sizes, valid, true)
    );
    for (const i of [0, 2, 3, 4, 5, 6]) {
      assertClose(far[i], near[i], 1e-13, 1e-13, `${names[i]} ${JSON.stringify(sizes)}`);
    }
  }
});

testBuilds("constant valid values have no variance, and infinity stays in its channel", () => {
  for (const sizes of [{ n: 7, c: 3, s: 5 }, { n: 21, c: 3, s: 1 }]) {
    const { n, c, s } = sizes;
    const valid = validOf(sizes, (i) => i % 4 !== 0);
    const x = hidden(new Float64Array(n * c * s).fill(0.1), sizes, valid);
    x[1 * c * s + 2 * s + (s > 1 ? 1 : 0)] = Infinity;
    const zero = new Float64Array(n * c * s);
    const affine = [numbers(c, 1), numbers(c, 2)];
    const [, mean, variance] = run(door, pooled, [x, zero, ...affine], sizes, valid, true);
    assertEquals([...mean], [0.1, 0.1, Infinity]);
    assertEquals([...variance], [0, 0, NaN]);
  }
});
