import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import {
  broadcastTo,
  cat,
  chunk,
  diagonal,
  einsum,
  expand,
  flatten,
  flip,
  gather,
  Generator,
  grad,
  indexSelect,
  matmul,
  narrow,
  permute,
  randn,
  repeat,
  roll,
  scatterAdd,
  select,
  split,
  squeeze,
  stack,
  sum,
  type Tensor,
  tensor,
  tile,
  transpose,
  tril,
  triu,
  unbind,
  unfold,
  unsqueeze,
} from "../../autograd/mod.ts";
import { pad } from "../../nn/functional.ts";

type Index = readonly number[];

/** Every index of a shape, in row-major order. */
function indices(shape: Index): number[][] {
  return shape.reduce<number[][]>(
    (all, size) => all.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  );
}

/** The value at an index, or its place in the data. */
function flat(shape: Index, index: Index): number {
  index.forEach((i, axis) => assert(i >= 0 && i < shape[axis], `index [${index}] of [${shape}]`));
  return index.reduce((place, i, axis) => place * shape[axis] + i, 0);
}

function at(x: Tensor, index: Index): number {
  return x.data[flat(x.shape, index)];
}

const random = new Generator(11);

function normal(shape: Index): Tensor {
  return randn([...shape], { generator: random, requiresGrad: true });
}

/**
 * Checks that y holds x's values at the places that `source` names (`null` for a 0), and that the
 * gradient adds up what went out from each place.
 */
function assertPicks(y: Tensor, x: Tensor, shape: Index, source: (index: Index) => Index | null) {
  assertEquals([...y.shape], [...shape]);
  const places = indices(shape).map((index) => {
    const from = source(index);
    return from === null ? -1 : flat(x.shape, from);
  });
  assertEquals([...y.data], places.map((place) => place < 0 ? 0 : x.data[place]));
  const g = normal(shape);
  const expected = new Float64Array(x.size);
  places.forEach((place, i) => {
    if (place >= 0) expected[place] += g.data[i];
  });
  const [got] = grad(y, x, { gradOutputs: g, allowUnused: true });
  expected.forEach((value, i) => assertAlmostEquals(got!.data[i], value, 1e-12));
}

const sizes = (minLength: number, maxLength: number, min = 0) =>
  fc.array(fc.integer({ min, max: 4 }), { minLength, maxLength });

/** A shape and an axis of it. */
const shapeAndDim = sizes(1, 4).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    dim: fc.integer({ min: -shape.length, max: shape.length - 1 }),
  })
);

const axisOf = (dim: number, shape: Index) => dim < 0 ? dim + shape.length : dim;

function check<T>(arbitrary: fc.Arbitrary<T>, property: (drawn: T) => void): void {
  fc.assert(fc.property(arbitrary, property), { numRuns: 60 });
}

Deno.test("permute and transpose reorder indices", () => {
  const drawn = sizes(0, 4).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      dims: fc.shuffledSubarray(shape.map((_, i) => i), { minLength: shape.length }),
    })
  );
  check(drawn, ({ shape, dims }) => {
    const x = normal(shape);
    const back = (index: Index) => dims.map((_, axis) => index[dims.indexOf(axis)]);
    assertPicks(permute(x, dims), x, dims.map((dim) => shape[dim]), back);
    if (shape.length < 2) return;
    const swap = <T>(list: readonly T[]) => list.with(0, list.at(-1)!).with(-1, list[0]);
    assertPicks(transpose(x, 0, -1), x, swap(shape), swap);
  });
});

Deno.test("flip and roll move indices along their axes", () => {
  check(fc.tuple(shapeAndDim, fc.integer({ min: -9, max: 9 })), ([{ shape, dim }, shift]) => {
    const x = normal(shape);
    const axis = axisOf(dim, shape);
    const n = shape[axis];
    assertPicks(flip(x, [dim]), x, shape, (index) => index.with(axis, n - 1 - index[axis]));
    const mod = (i: number) => ((i % n) + n) % n;
    assertPicks(
      roll(x, shift, dim),
      x,
      shape,
      (index) => index.with(axis, mod(index[axis] - shift)),
    );
    const all = roll(flatten(x), shift, 0);
    assertEquals([...roll(x, shift).data], [...all.data]);
  });
});

Deno.test("narrow, select, unfold and split take parts of an axis", () => {
  check(
    fc.tuple(shapeAndDim, fc.nat(4), fc.nat(4), fc.integer({ min: 1, max: 3 })),
    ([{ shape, dim }, a, b, step]) => {
      const x = normal(shape);
      const axis = axisOf(dim, shape);
      const n = shape[axis];
      const start = Math.min(a, n);
      const length = Math.min(b, n - start);
      assertPicks(
        narrow(x, dim, start, length),
        x,
        shape.with(axis, length),
        (index) => index.with(axis, index[axis] + start),
      );
      assertPicks(
        unfold(x, dim, length, step),
        x,
        [...shape.with(axis, Math.floor((n - length) / step) + 1), length],
        (index) => index.slice(0, -1).with(axis, index[axis] * step + index.at(-1)!),
      );
      if (n > start) {
        const rest = shape.toSpliced(axis, 1);
        const back = (index: Index) => index.toSpliced(axis, 0, start);
        assertPicks(select(x, dim, start), x, rest, back);
        assertPicks(unbind(x, { dim })[start], x, rest, back);
      }
      const parts = split(x, [start, length, n - start - length], { dim });
      assertPicks(
        parts[1],
        x,
        shape.with(axis, length),
        (index) => index.with(axis, index[axis] + start),
      );
      assertPicks(cat(parts, { dim }), x, shape, (index) => index);
      assertPicks(cat(chunk(x, step, { dim }), { dim }), x, shape, (index) => index);
    },
  );
});

Deno.test("diagonal, tril and triu know on which side of a diagonal an element lies", () => {
  check(fc.tuple(sizes(2, 4), fc.integer({ min: -5, max: 5 })), ([shape, k]) => {
    const x = normal(shape);
    const side = (index: Index) => index.at(-1)! - index.at(-2)! - k;
    assertPicks(tril(x, k), x, shape, (index) => side(index) <= 0 ? index : null);
    assertPicks(triu(x, k), x, shape, (index) => side(index) >= 0 ? index : null);
    const [rows, columns] = [shape[0], shape.at(-1)!];
    const length = Math.max(0, Math.min(rows + Math.min(k, 0), columns - Math.max(k, 0)));
    assertPicks(
      diagonal(x, { offset: k, dim1: 0, dim2: -1 }),
      x,
      [...shape.slice(1, -1), length],
      (index) => [
        index.at(-1)! + Math.max(0, -k),
        ...index.slice(0, -1),
        index.at(-1)! + Math.max(0, k),
      ],
    );
  });
});

Deno.test("repeat and tile wrap indices; expand ignores those of axes of size 1", () => {
  check(fc.tuple(sizes(0, 3), sizes(0, 4)), ([shape, counts]) => {
    const x = normal(shape);
    const wrap = (lead: number) => (index: Index) =>
      index.slice(lead).map((i, axis) => i % shape[axis]);
    const lead = Math.max(0, counts.length - shape.length);
    const full = [...new Array(shape.length + lead - counts.length).fill(1), ...counts];
    const wide = full.map((count, i) => count * (i < lead ? 1 : shape[i - lead]));
    assertPicks(tile(x, counts), x, wide, wrap(lead));
    assertPicks(repeat(x, full), x, wide, wrap(lead));
    const ones = normal(shape.map((size, i) => i % 2 === 0 ? 1 : size));
    const target = [...counts.slice(0, 1), ...shape];
    const back = (index: Index) =>
      index.slice(target.length - shape.length).map((i, axis) => axis % 2 === 0 ? 0 : i);
    assertPicks(expand(ones, target), ones, target, back);
    assertPicks(broadcastTo(ones, target), ones, target, back);
  });
});

Deno.test("flatten, squeeze, unsqueeze and stack keep the order of values", () => {
  check(shapeAndDim, ({ shape, dim }) => {
    const x = normal(shape);
    const axis = axisOf(dim, shape);
    const keep = (y: Tensor, expected: Index) => {
      assertEquals([...y.shape], [...expected]);
      assertEquals([...y.data], [...x.data]);
    };
    keep(flatten(x, { endDim: dim }), [
      shape.slice(0, axis + 1).reduce((a, b) => a * b, 1),
      ...shape.slice(axis + 1),
    ]);
    keep(squeeze(x), shape.filter((size) => size !== 1));
    keep(squeeze(x, dim), shape.filter((size, i) => i !== axis || size !== 1));
    keep(unsqueeze(x, dim), shape.toSpliced(dim < 0 ? axis + 1 : axis, 0, 1));
    const y = normal(shape);
    const both = stack([x, y], { dim: axis });
    assertEquals([...both.shape], shape.toSpliced(axis, 0, 2));
    for (const index of indices(both.shape)) {
      assertEquals(at(both, index), at(index[axis] === 0 ? x : y, index.toSpliced(axis, 1)));
    }
  });
});

Deno.test("gather and indexSelect read where the index says, scatterAdd writes there", () => {
  check(shapeAndDim.filter(({ shape }) => shape.every((size) => size > 0)), ({ shape, dim }) => {
    const x = normal(shape);
    const axis = axisOf(dim, shape);
    const draw = () => Math.floor(Math.abs(randn([1], { generator: random }).item()) * 97);
    const smaller = shape.map((size) => 1 + draw() % size).with(axis, draw() % 5);
    const count = smaller.reduce((a, b) => a * b, 1);
    const index = tensor(Float64Array.from({ length: count }, () => draw() % shape[axis]), {
      shape: smaller,
    });
    const pointed = (place: Index) => place.with(axis, at(index, place));
    assertPicks(gather(x, dim, index), x, smaller, pointed);
    const row = Array.from({ length: 5 }, () => draw() % shape[axis]);
    assertPicks(
      indexSelect(x, dim, row),
      x,
      shape.with(axis, 5),
      (place) => place.with(axis, row[place[axis]]),
    );
    const src = normal(smaller);
    const expected = [...x.data];
    for (const place of indices(smaller)) expected[flat(shape, pointed(place))] += at(src, place);
    const added = scatterAdd(x, dim, index, src);
    expected.forEach((value, i) => assertAlmostEquals(added.data[i], value, 1e-12));
  });
});

Deno.test("pad copies from where its mode says", () => {
  const drawn = fc.tuple(
    sizes(2, 3, 1),
    fc.integer({ min: -2, max: 3 }),
    fc.integer({ min: -2, max: 3 }),
  );
  check(drawn, ([shape, before, after]) => {
    const x = normal(shape);
    const axis = shape.length - 1;
    const n = shape[axis];
    const longer = shape.with(axis, n + before + after);
    if (longer[axis] < 1) return;
    const cropped = n + Math.min(before, 0) + Math.min(after, 0);
    const moved = (map: (p: number) => number | null) => (index: Index) => {
      const p = map(index[axis] - before);
      return p === null ? null : index.with(axis, p);
    };
    if (cropped >= 0) {
      const inside = (p: number) => p >= 0 && p < n ? p : null;
      assertPicks(pad(x, [before, after]), x, longer, moved(inside));
    }
    const clamp = (p: number) => Math.min(Math.max(p, 0), n - 1);
    assertPicks(pad(x, [before, after], { mode: "replicate" }), x, longer, moved(clamp));
    if (before < n && after < n) {
      const mirror = (p: number) => p < 0 ? -p : p >= n ? 2 * (n - 1) - p : p;
      assertPicks(pad(x, [before, after], { mode: "reflect" }), x, longer, moved(mirror));
    }
    if (before >= 0 && after >= 0 && before <= n && after <= n) {
      const wrap = (p: number) => (p + n) % n;
      assertPicks(pad(x, [before, after], { mode: "circular" }), x, longer, moved(wrap));
    }
  });
});

/** Sizes of the letters of an equation, its terms and its result. */
const equations = fc.record({
  sizes: fc.record({
    a: fc.integer({ min: 0, max: 3 }),
    b: fc.integer({ min: 1, max: 3 }),
    c: fc.integer({ min: 1, max: 3 }),
    Z: fc.integer({ min: 1, max: 2 }),
  }),
  terms: fc.array(fc.array(fc.constantFrom<string>("a", "b", "c", "Z"), { maxLength: 3 }), {
    minLength: 1,
    maxLength: 3,
  }),
  kept: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  implicit: fc.boolean(),
  /** Which terms have size 1 in place of a letter's. */
  thin: fc.array(fc.constantFrom("", "", "a", "b"), { minLength: 3, maxLength: 3 }),
});

Deno.test("einsum equals explicit loops", () => {
  check(equations, ({ sizes, terms, kept, implicit, thin }) => {
    const used = ["Z", "a", "b", "c"].filter((letter) => terms.flat().includes(letter));
    const once = used.filter((letter) => terms.flat().filter((l) => l === letter).length === 1);
    const output = implicit ? once : used.filter((_, i) => kept[i]).reverse();
    const sizeIn = (letter: string, term: number) =>
      thin[term] === letter ? 1 : sizes[letter as keyof typeof sizes];
    const sizeOf = (letter: string) =>
      terms.reduce((size, term, i) => {
        const here = term.includes(letter) ? sizeIn(letter, i) : 1;
        return here === 1 ? size : here;
      }, 1);
    const tensors = terms.map((term, i) => normal(term.map((letter) => sizeIn(letter, i))));
    const left = terms.map((term) => term.join("")).join(", ");
    const result = einsum(implicit ? left : `${left} -> ${output.join("")}`, tensors);

    const shape = output.map(sizeOf);
    assertEquals([...result.shape], shape);
    const expected = new Float64Array(result.size);
    for (const index of indices(used.map(sizeOf))) {
      const valueOf = (letter: string) => index[used.indexOf(letter)];
      const product = terms.reduce((value, term, i) => {
        const place = term.map((letter) => sizeIn(letter, i) === 1 ? 0 : valueOf(letter));
        return value * at(tensors[i], place);
      }, 1);
      expected[flat(shape, output.map(valueOf))] += product;
    }
    expected.forEach((value, i) => assertAlmostEquals(result.data[i], value, 1e-12));
  });
});

Deno.test("matmul equals explicit loops over broadcast batches", () => {
  const drawn = fc.record({
    batch: sizes(0, 2),
    thin: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    fewer: fc.nat(2),
    m: fc.nat(3),
    n: fc.nat(3),
    k: fc.nat(3),
  });
  check(drawn, ({ batch, thin, fewer, m, n, k }) => {
    const leadX = batch.map((size, i) => thin[i] ? 1 : size);
    const leadY = batch.map((size, i) => thin[i + 2] ? 1 : size).slice(
      Math.min(fewer, batch.length),
    );
    const x = normal([...leadX, m, k]);
    const y = normal([...leadY, k, n]);
    const product = matmul(x, y);
    const padded = [...new Array(batch.length - leadY.length).fill(1), ...leadY];
    const lead = leadX.map((size, i) => size === 1 ? padded[i] : size);
    assertEquals([...product.shape], [...lead, m, n]);
    const narrowed = (index: Index, shape: Index) =>
      index.slice(index.length - shape.length).map((i, axis) => shape[axis] === 1 ? 0 : i);
    for (const index of indices(product.shape)) {
      const [i, j] = index.slice(-2);
      const place = index.slice(0, -2);
      let expected = 0;
      for (let p = 0; p < k; p++) {
        expected += at(x, [...narrowed(place, leadX), i, p]) *
          at(y, [...narrowed(place, leadY), p, j]);
      }
      assertAlmostEquals(at(product, index), expected, 1e-12);
    }
    // The sum of a product is linear in each factor: x · ∂/∂x gives it back.
    const total = sum(product);
    const [gx, gy] = grad(total, [x, y]);
    for (const [factor, g] of [[x, gx], [y, gy]] as const) {
      const inner = factor.data.reduce((s, value, i) => s + value * g!.data[i], 0);
      assertAlmostEquals(inner, total.item(), 1e-10);
    }
  });
});
