import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import * as tg from "../../autograd/mod.ts";

const runs = { seed: 21, numRuns: 150 };

const value = fc.oneof(
  fc.double({ min: -4, max: 4, noNaN: true }),
  fc.constantFrom(-1, 0, 1, 2),
);

/** A tensor of up to four axes, and some of its dims in any order, negative or not. */
const tensorAndDims = fc.array(
  fc.record({ size: fc.integer({ min: 1, max: 4 }), reduced: fc.boolean() }),
  { maxLength: 4 },
).chain((axes) => {
  const shape = axes.map(({ size }) => size);
  const size = shape.reduce((product, n) => product * n, 1);
  const dims = axes.flatMap(({ reduced }, i) => reduced ? [i] : []);
  return fc.record({
    shape: fc.constant(shape),
    values: fc.array(value, { minLength: size, maxLength: size }),
    dims: fc.shuffledSubarray(dims, { minLength: dims.length }).map((list) =>
      list.map((dim, i) => i % 2 === 0 ? dim : dim - shape.length)
    ),
    keepdim: fc.boolean(),
  });
});

/** The elements that each result of a reduction comes from, in row-major order of the results. */
function groups(
  shape: readonly number[],
  values: readonly number[],
  dims: readonly number[],
): number[][] {
  const found = new Map<string, number[]>();
  values.forEach((v, flat) => {
    let rest = flat;
    const index = shape.map(() => 0);
    for (let i = shape.length - 1; i >= 0; i--) {
      index[i] = rest % shape[i];
      rest = Math.floor(rest / shape[i]);
    }
    const key = index.map((at, i) => dims.includes(i) ? 0 : at).join();
    found.set(key, [...found.get(key) ?? [], v]);
  });
  return [...found.values()];
}

function close(actual: number, expected: number): void {
  assert(
    Object.is(actual, expected) ||
      Math.abs(actual - expected) <= 1e-11 + 1e-11 * Math.abs(expected),
    `got ${actual}, expected ${expected}`,
  );
}

const total = (v: number[]) => v.reduce((a, b) => a + b, 0);
const squares = (v: number[]) => total(v.map((x) => (x - total(v) / v.length) ** 2));

const reductions: Record<
  string,
  [f: (x: tg.Tensor, o: tg.ReduceOptions) => tg.Tensor, naive: (v: number[]) => number]
> = {
  sum: [tg.sum, total],
  mean: [tg.mean, (v) => total(v) / v.length],
  prod: [tg.prod, (v) => v.reduce((a, b) => a * b, 1)],
  amax: [tg.amax, (v) => Math.max(...v)],
  amin: [tg.amin, (v) => Math.min(...v)],
  variance: [tg.variance, (v) => squares(v) / (v.length - 1)],
  std: [
    (x, o) => tg.std(x, { ...o, correction: 0 }),
    (v) => Math.sqrt(squares(v) / v.length),
  ],
  logsumexp: [tg.logsumexp, (v) => Math.log(total(v.map(Math.exp)))],
  norm: [tg.norm, (v) => Math.hypot(...v)],
  "norm of order 3": [
    (x, o) => tg.norm(x, { ...o, p: 3 }),
    (v) => Math.cbrt(total(v.map((x) => Math.abs(x) ** 3))),
  ],
};

for (const [name, [f, naive]] of Object.entries(reductions)) {
  Deno.test(`${name} over any dims agrees with a loop over the elements`, () => {
    fc.assert(
      fc.property(tensorAndDims, ({ shape, values, dims, keepdim }) => {
        const x = tg.tensor(Float64Array.from(values), { shape });
        const y = f(x, { dim: dims, keepdim });
        const wide = dims.length === 0
          ? shape.map((_, i) => i)
          : dims.map((dim) => dim < 0 ? dim + shape.length : dim);
        const expected = groups(shape, values, wide).map(naive);
        assertEquals(
          [...y.shape],
          shape.flatMap((size, i) => !wide.includes(i) ? [size] : keepdim ? [1] : []),
        );
        expected.forEach((v, i) => close(y.data[i], v));
      }),
      runs,
    );
  });
}

/** A tensor of at least one axis, and one of its dims. */
const tensorAndDim = tensorAndDims.filter(({ shape }) => shape.length > 0).chain((given) =>
  fc.nat(given.shape.length - 1).map((dim) => ({ ...given, dim }))
);

const first = (v: number[], best: number) => v.indexOf(best);

const alongDim: Record<
  string,
  [f: (x: tg.Tensor, dim: number) => tg.Tensor, naive: (v: number[]) => number[]]
> = {
  argmax: [(x, dim) => tg.argmax(x, { dim }), (v) => [first(v, Math.max(...v))]],
  argmin: [(x, dim) => tg.argmin(x, { dim }), (v) => [first(v, Math.min(...v))]],
  "max with dim": [(x, dim) => tg.max(x, { dim }).values, (v) => [Math.max(...v)]],
  "min's indices": [(x, dim) => tg.min(x, { dim }).indices, (v) => [first(v, Math.min(...v))]],
  cumsum: [tg.cumsum, (v) => v.map((_, i) => total(v.slice(0, i + 1)))],
  softmax: [tg.softmax, (v) => v.map((x) => Math.exp(x) / total(v.map(Math.exp)))],
  logSoftmax: [tg.logSoftmax, (v) => v.map((x) => x - Math.log(total(v.map(Math.exp))))],
};

for (const [name, [f, naive]] of Object.entries(alongDim)) {
  Deno.test(`${name} along any dim agrees with a loop over the elements`, () => {
    fc.assert(
      fc.property(tensorAndDim, ({ shape, values, dim }) => {
        const x = tg.tensor(Float64Array.from(values), { shape });
        const y = f(x, dim);
        const rows = groups(shape, values, [dim]).map(naive);
        if (y.ndim < x.ndim) {
          assertEquals([...y.data], rows.flat());
          return;
        }
        assertEquals(y.shape, x.shape);
        groups(shape, [...y.data], [dim]).forEach((row, i) =>
          row.forEach((v, k) => close(v, rows[i][k]))
        );
      }),
      runs,
    );
  });
}

Deno.test("the gradient of squared means reaches each element of its group", () => {
  fc.assert(
    fc.property(tensorAndDims, ({ shape, values, dims }) => {
      const x = tg.tensor(Float64Array.from(values), { shape, requiresGrad: true });
      const y = tg.sum(tg.square(tg.mean(x, { dim: dims })));
      const [g] = tg.grad(y, [x]);
      // d Σ m² = 2·m/n for each element of the group whose mean is m
      const wide = dims.length === 0
        ? shape.map((_, i) => i)
        : dims.map((dim) => dim < 0 ? dim + shape.length : dim);
      const means = groups(shape, values, wide).map((v) => 2 * total(v) / v.length ** 2);
      groups(shape, [...g!.data], wide).forEach((row, i) => row.forEach((v) => close(v, means[i])));
    }),
    runs,
  );
});
