/**
 * Values picked by index, and their transposes that add them back.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import type { NestedArray } from "../../print.ts";
import { formatShape, normalizeDim, type Shape, shaped, sizeOf, stridesOf } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { storageOf, Tensor, valuesOf } from "../../tensor.ts";
import { add } from "../elementwise/arithmetic.ts";
import { assertTensor, fromValues, tensor } from "../create/creation.ts";
import { refuse, refuseKind } from "../../check/refuse.ts";
import { assertNoOptions } from "../../check/options.ts";
import { uniform } from "../create/samples.ts";
import { reshape } from "./shape.ts";
import { part } from "./view.ts";

/** Indices: a tensor of integers, or plain numbers. */
export type Index = Tensor | NestedArray;

/**
 * Indices as a tensor.
 *
 * @throws {TypeError} if they are neither a tensor nor numbers.
 * @throws {RangeError} if one is not an integer in `0 … length − 1`.
 */
export function asIndex(action: string, index: Index, name: string, length: number): Tensor {
  if (!(index instanceof Tensor) && !Array.isArray(index) && typeof index !== "number") {
    refuseKind(action, name, index, "a tensor of integers or plain numbers");
  }
  const result = index instanceof Tensor ? index : tensor(index);
  const { values } = storageOf(result);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!(value >= 0 && value < length && Number.isInteger(value))) {
      refuse(action, `${value} in ${name}`, `integers of 0 … ${length - 1}`);
    }
  }
  return result;
}

/** A primitive that takes values from places, or adds them to places, that an index names. */
type Indexed<Attrs> = Primitive<
  readonly [x: Tensor, index: Tensor],
  readonly [y: Tensor],
  readonly [index: Tensor],
  Attrs
>;

interface SelectAttrs {
  readonly dim: number;
  /** An index whose gradient is dropped; `null` if there is none. */
  readonly skip: number | null;
}

interface AddAttrs {
  readonly dim: number;
  readonly shape: Shape;
}

function indexedRows(shape: Shape, dim: number, count: number): kernels.IndexedRows {
  return {
    outer: sizeOf(shape.slice(0, dim)),
    length: shape[dim],
    inner: sizeOf(shape.slice(dim + 1)),
    count,
  };
}

const indexSelectPrimitive = /* @__PURE__ */ ownPrimitive<Indexed<SelectAttrs>>({
  name: "indexSelect",
  shape: ([x, index], { dim }) => [x.with(dim, sizeOf(index))],
  forward: ([x, index], [y], { dim }) =>
    kernels.selectRows(
      valuesOf(x),
      valuesOf(index),
      valuesOf(y),
      indexedRows(x.shape, dim, index.size),
    ),
  save: ([, index]) => [index],
  vjp: ([g], { saved: [index], attrs: { dim, skip }, inputShapes: [shape] }) => [
    addAt(g, skip === null ? index : without(index, skip), dim, shape),
    null,
  ],
});

/* @__PURE__ */ described(indexSelectPrimitive, "y[…, i, …] = x[…, index[i], …]", (random) => [
  {
    inputs: [uniform(random, [2, 3, 2], -1, 1), tensor([2, 0, 2, 1])],
    attrs: { dim: 1, skip: null },
  },
  { inputs: [uniform(random, [3], -1, 1), tensor([1])], attrs: { dim: 0, skip: null } },
]);

const indexAddPrimitive = /* @__PURE__ */ ownPrimitive<Indexed<AddAttrs>>({
  name: "indexAdd",
  shape: (_, { shape }) => [shape],
  forward: ([x, index], [y], { dim, shape }) =>
    kernels.addRows(
      valuesOf(x),
      valuesOf(index),
      valuesOf(y),
      indexedRows(shape, dim, index.size),
    ),
  save: ([, index]) => [index],
  vjp: ([g], { saved: [index], attrs: { dim } }) => [selectAt(g, index, dim, null), null],
});

/* @__PURE__ */ described(
  indexAddPrimitive,
  "y[…, index[i], …] += x[…, i, …], from zeros",
  (random) => [{
    // −1 adds nothing.
    inputs: [uniform(random, [2, 4, 2], -1, 1), tensor([2, 0, 2, -1])],
    attrs: { dim: 1, shape: [2, 3, 2] },
  }],
);

/** {@linkcode indexSelect} without checks; `skip` names an index that hands no gradient on. */
export function selectAt(x: Tensor, index: Tensor, dim: number, skip: number | null): Tensor {
  return bind(indexSelectPrimitive, [x, index], { dim, skip })[0];
}

function addAt(x: Tensor, index: Tensor, dim: number, shape: Shape): Tensor {
  return bind(indexAddPrimitive, [x, index], { dim, shape })[0];
}

/** The index with −1, which stands for none, in place of `skip`. */
function without(index: Tensor, skip: number): Tensor {
  const values = valuesOf(index).map((value) => value === skip ? -1 : value);
  return fromValues(values, index.shape);
}

/**
 * The elements of an axis that an index names: `y[…, i, …] = x[…, index[i], …]`.
 *
 * Shapes: x [*, d, *], index [n] → [*, n, *]. Gradient: g added up where it came from.
 *
 * @param x The tensor.
 * @param dim The axis.
 * @param index A vector (or a scalar) of integers 0 … d − 1.
 * @returns A copy.
 * @throws {RangeError} if the index has several axes or is out of range; negative ones are.
 *
 * @example
 * ```ts
 * import { indexSelect, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(indexSelect(tensor([[1, 2], [3, 4]]), 0, [1, 1, 0]).toArray(), [
 *   [3, 4],
 *   [3, 4],
 *   [1, 2],
 * ]);
 * ```
 */
export function indexSelect(x: Tensor, dim: number, index: Index): Tensor {
  assertNoOptions("indexSelect", arguments, 3);
  assertTensor("indexSelect", x, "x");
  const axis = normalizeDim("indexSelect", dim, x.ndim);
  const wanted = asIndex("indexSelect", index, "index", x.shape[axis] ?? 1);
  if (wanted.ndim > 1) refuse("indexSelect", shaped("index", wanted), "a vector or a scalar");
  if (x.ndim === 0) {
    if (wanted.size !== 1) {
      refuse("indexSelect", `an index of ${wanted.size} elements for a scalar`, "one");
    }
    return reshape(selectAt(reshape(x, [1]), wanted, 0, null), []);
  }
  return selectAt(x, wanted, axis, null);
}

function indexWalk(index: Shape, shape: Shape, dim: number): kernels.IndexWalk {
  const strides = shape.length === 0 ? [1] : stridesOf(shape);
  return {
    shape: index.length === 0 ? [1] : index,
    strides: strides.with(dim, 0),
    step: strides[dim],
  };
}

const gatherPrimitive = /* @__PURE__ */ ownPrimitive<Indexed<{ readonly dim: number }>>({
  name: "gather",
  shape: ([, index]) => [index],
  forward: ([x, index], [y], { dim }) => {
    if (index.size === 0) return;
    kernels.gatherAlong(
      valuesOf(x),
      valuesOf(index),
      valuesOf(y),
      indexWalk(index.shape, x.shape, dim),
    );
  },
  save: ([, index]) => [index],
  vjp: ([g], { saved: [index], attrs: { dim }, inputShapes: [shape] }) => [
    scatter(g, index, dim, shape),
    null,
  ],
});

/* @__PURE__ */ described(gatherPrimitive, "y[i, j, …] = x[i, index[i, j, …], …]", (random) => [
  {
    inputs: [uniform(random, [3, 3], -1, 1), tensor([[2, 0], [2, 2]])],
    attrs: { dim: 0 },
  },
  { inputs: [uniform(random, [2, 3], -1, 1), tensor([[2], [1]])], attrs: { dim: 1 } },
]);

const scatterAddPrimitive = /* @__PURE__ */ ownPrimitive<Indexed<AddAttrs>>({
  name: "scatterAdd",
  shape: (_, { shape }) => [shape],
  forward: ([x, index], [y], { dim, shape }) => {
    if (index.size === 0) return void valuesOf(y).fill(0);
    kernels.scatterAlong(
      valuesOf(x),
      valuesOf(index),
      valuesOf(y),
      indexWalk(index.shape, shape, dim),
    );
  },
  save: ([, index]) => [index],
  vjp: ([g], { saved: [index], attrs: { dim } }) => [
    bind(gatherPrimitive, [g, index], { dim })[0],
    null,
  ],
});

/* @__PURE__ */ described(
  scatterAddPrimitive,
  "y[i, index[i, j, …], …] += x[i, j, …], from zeros",
  (random) => [{
    inputs: [uniform(random, [2, 2], -1, 1), tensor([[2, 0], [2, 2]])],
    attrs: { dim: 0, shape: [3, 3] },
  }],
);

function scatter(x: Tensor, index: Tensor, dim: number, shape: Shape): Tensor {
  return bind(scatterAddPrimitive, [x, index], { dim, shape })[0];
}

/** Checks that an index has as many axes as a tensor and is nowhere larger but at `dim`. */
function assertFits(action: string, index: Tensor, x: Tensor, dim: number, name: string): void {
  const fits = Math.max(index.ndim, 1) === Math.max(x.ndim, 1) &&
    index.shape.every((size, i) => i === dim || size <= (x.shape[i] ?? 1));
  if (!fits) {
    refuse(
      action,
      `${shaped("index", index)} for ${name} of shape ${formatShape(x.shape)}`,
      `as many dims and sizes that are no larger${dim < 0 ? "" : ` except at dim ${dim}`}`,
    );
  }
}

/**
 * For each element of an index a value of `x`: at `dim` where the index says, elsewhere at the
 * element's own place.
 *
 * y[i, j, k] = x[index[i, j, k], j, k] for dim 0, x[i, index[i, j, k], k] for dim 1, and so on.
 *
 * Shapes: x and index of as many axes, index no larger except at `dim` → that of index. Gradient: g
 * added up where it came from.
 *
 * @param x The tensor.
 * @param dim The axis.
 * @param index Whole numbers 0 … d − 1.
 * @returns A copy.
 * @throws {RangeError} if the shapes do not fit or an index is out of range; negative ones are.
 *
 * @example
 * ```ts
 * import { gather, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(gather(tensor([[1, 2], [3, 4]]), 1, [[1], [0]]).toArray(), [[2], [3]]);
 * ```
 */
export function gather(x: Tensor, dim: number, index: Index): Tensor {
  assertNoOptions("gather", arguments, 3);
  assertTensor("gather", x, "x");
  const axis = normalizeDim("gather", dim, x.ndim);
  const wanted = asIndex("gather", index, "index", x.shape[axis] ?? 1);
  // PyTorch does not look at the shape of an empty index.
  if (wanted.size > 0) assertFits("gather", wanted, x, axis, "x");
  return bind(gatherPrimitive, [x, wanted], { dim: axis })[0];
}

/**
 * `x` with each element of `src` added at `dim` where the index says, elsewhere at the element's own
 * place: the transpose of {@linkcode gather}.
 *
 * Shapes: x, index and src of as many axes, index nowhere larger than src, and than x except at `dim`
 * → that of x. Gradient: g to x, gather(g, dim, index) to src.
 *
 * @param x The tensor that is added to.
 * @param dim The axis.
 * @param index Whole numbers 0 … d − 1.
 * @param src What is added.
 * @returns A copy.
 * @throws {RangeError} if the shapes do not fit or an index is out of range.
 *
 * @example
 * ```ts
 * import { scatterAdd, tensor, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(scatterAdd(zeros([3]), 0, [2, 2], tensor([5, 1])).toArray(), [0, 0, 6]);
 * ```
 */
export function scatterAdd(x: Tensor, dim: number, index: Index, src: Tensor): Tensor {
  assertNoOptions("scatterAdd", arguments, 4);
  assertTensor("scatterAdd", x, "x");
  assertTensor("scatterAdd", src, "src");
  const axis = normalizeDim("scatterAdd", dim, x.ndim);
  const places = asIndex("scatterAdd", index, "index", x.shape[axis] ?? 1);
  let added = src;
  if (places.size > 0) {
    assertFits("scatterAdd", places, x, axis, "x");
    assertFits("scatterAdd", places, src, -1, "src");
    src.shape.forEach((_, i) => added = part(added, i, 0, places.shape[i] ?? 1));
  } else {
    added = part(reshape(src, [src.size]), 0, 0, 0);
  }
  return add(x, scatter(reshape(added, places.shape), places, axis, x.shape));
}
