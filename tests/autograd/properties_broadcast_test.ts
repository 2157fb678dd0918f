import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import * as tg from "../../autograd/mod.ts";

const runs = { seed: 20, numRuns: 150 };

/** The row-major position of an index in a tensor that broadcasts: axes of size 1 repeat. */
function position(shape: readonly number[], index: readonly number[]): number {
  const lead = index.length - shape.length;
  return shape.reduce((at, size, i) => at * size + (size === 1 ? 0 : index[lead + i]), 0);
}

function* indices(shape: readonly number[]): Generator<number[]> {
  if (shape.length === 0) yield [];
  else {
    for (let i = 0; i < shape[0]; i++) {
      for (const rest of indices(shape.slice(1))) yield [i, ...rest];
    }
  }
}

/** A shape and one that broadcasts to it: leading axes left out, others 1. */
const shapeAndPart = fc.array(
  fc.record({ size: fc.integer({ min: 0, max: 4 }), one: fc.boolean() }),
  { maxLength: 4 },
).chain((axes) =>
  fc.nat(axes.length).map((lead) => ({
    whole: axes.map(({ size }) => size),
    part: axes.slice(lead).map(({ size, one }) => one ? 1 : size),
  }))
);

const value = fc.double({ min: -4, max: 4, noNaN: true });

function filled(shape: readonly number[], values: readonly number[]): tg.Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  const data = Float64Array.from({ length: size }, (_, i) => values[i % values.length]);
  return tg.tensor(data, { shape, requiresGrad: true });
}

const operators: Record<
  string,
  [f: (x: tg.Tensor, y: tg.Tensor) => tg.Tensor, naive: (a: number, b: number) => number]
> = {
  add: [tg.add, (a, b) => a + b],
  sub: [tg.sub, (a, b) => a - b],
  mul: [tg.mul, (a, b) => a * b],
  div: [tg.div, (a, b) => a / b],
  maximum: [tg.maximum, Math.max],
  minimum: [tg.minimum, Math.min],
  eq: [tg.eq, (a, b) => Number(a === b)],
  lt: [tg.lt, (a, b) => Number(a < b)],
  ge: [tg.ge, (a, b) => Number(a >= b)],
  where: [(x, y) => tg.where(tg.gt(y, 0), x, y), (a, b) => b > 0 ? a : b],
  clamp: [(x, y) => tg.clamp(x, { min: y }), Math.max],
};

for (const [name, [f, naive]] of Object.entries(operators)) {
  Deno.test(`${name} broadcasts as explicit loops do, on either side`, () => {
    fc.assert(
      fc.property(
        shapeAndPart,
        fc.array(value, { minLength: 5, maxLength: 9 }),
        fc.boolean(),
        ({ whole, part }, values, swap) => {
          const a = filled(swap ? part : whole, values);
          const b = filled(swap ? whole : part, values.toReversed());
          const out = f(a, b);
          assertEquals([...out.shape], whole);
          let at = 0;
          for (const index of indices(whole)) {
            const expected = naive(
              a.data[position(a.shape, index)],
              b.data[position(b.shape, index)],
            );
            assertEquals(out.data[at++], expected);
          }
        },
      ),
      runs,
    );
  });
}

Deno.test("a broadcast operand's gradient is summed over what was repeated", () => {
  fc.assert(
    fc.property(
      shapeAndPart,
      fc.array(value, { minLength: 5, maxLength: 9 }),
      ({ whole, part }, values) => {
        const x = filled(whole, values);
        const y = filled(part, values.toReversed());
        const [gx, gy] = tg.grad(tg.sum(tg.mul(x, y)), [x, y]);
        assertEquals([gx!.shape, gy!.shape], [x.shape, y.shape]);
        const expected = new Float64Array(y.size);
        let at = 0;
        for (const index of indices(whole)) {
          assertEquals(gx!.data[at], y.data[position(part, index)]);
          expected[position(part, index)] += x.data[at++];
        }
        expected.forEach((v, i) => assert(Math.abs(gy!.data[i] - v) < 1e-10));
      },
    ),
    runs,
  );
});

Deno.test("shapes broadcast exactly where aligned sizes are equal or 1", () => {
  const shape = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 });
  fc.assert(
    fc.property(shape, shape, (a, b) => {
      const fits = a.toReversed().every((size, i) => {
        const other = b.at(-1 - i);
        return other === undefined || other === size || other === 1 || size === 1;
      });
      const run = () => tg.add(tg.ones(a), tg.ones(b));
      if (fits) assertEquals(run().ndim, Math.max(a.length, b.length));
      else assertThrows(run, RangeError, "do not broadcast");
    }),
    runs,
  );
});
