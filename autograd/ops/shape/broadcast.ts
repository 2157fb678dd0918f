/**
 * Broadcasting and its transpose, summing over what was broadcast; and values repeated along axes.
 */
import { refuse } from "../../check/refuse.ts";
import { clone, unshared } from "./clone.ts";
import { allocateUninitialised } from "../../runtime/memory.ts";
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import {
  assertIntegers,
  broadcastsTo,
  formatShape,
  sameShape,
  type Shape,
  shaped,
  sizeOf,
  stridesOf,
  validateShape,
} from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { assertTensor } from "../create/creation.ts";
import { uniform } from "../create/samples.ts";
import { reshape } from "./shape.ts";

type Resize = Unary<readonly [], { readonly shape: Shape }>;

/** The strides that walk a tensor of shape `from` as if it had shape `to`: 0 where it repeats. */
function broadcastStrides(from: Shape, to: Shape): number[] {
  const lead = to.length - from.length;
  const strides = stridesOf(from);
  return to.map((_, i) => i < lead || from[i - lead] === 1 ? 0 : strides[i - lead]);
}

const broadcastPrimitive = /* @__PURE__ */ ownPrimitive<Resize>({
  name: "broadcastTo",
  shape: (_, { shape }) => [shape],
  forward: ([x], [y], { shape }) =>
    kernels.gatherStrided(
      valuesOf(x),
      valuesOf(y),
      shape,
      broadcastStrides(x.shape, shape),
      0,
    ),
  vjp: ([g], { inputShapes: [shape] }) => [sumTo(g, shape)],
});

/* @__PURE__ */ described(
  broadcastPrimitive,
  "repeats axes of size 1 to the given shape",
  (random) => [
    { inputs: [uniform(random, [2, 1, 3], -1, 1)], attrs: { shape: [2, 2, 4, 3] } },
    { inputs: [uniform(random, [], -1, 1)], attrs: { shape: [2] } },
  ],
);

const sumToPrimitive = /* @__PURE__ */ ownPrimitive<Resize>({
  name: "sumTo",
  shape: (_, { shape }) => [shape],
  forward: ([x], [y], { shape }) =>
    kernels.scatterStrided(
      valuesOf(x),
      valuesOf(y),
      x.shape,
      broadcastStrides(shape, x.shape),
      0,
    ),
  vjp: ([g], { inputShapes: [shape] }) => [spread(g, shape)],
});

/* @__PURE__ */ described(
  sumToPrimitive,
  "sums over the axes that broadcasting the given shape would repeat",
  (random) => [
    { inputs: [uniform(random, [2, 2, 4, 3], -1, 1)], attrs: { shape: [2, 1, 3] } },
    { inputs: [uniform(random, [2], -1, 1)], attrs: { shape: [] } },
  ],
);

/**
 * Repeats axes of size 1, and adds leading axes, until the tensor has the given shape; a size of −1
 * keeps the axis as it is.
 *
 * Shapes: x broadcastable to `shape` → `shape`. Gradient: summed over the repeats.
 *
 * @param x The tensor.
 * @param shape The shape to reach.
 * @returns A tensor of that shape, copied.
 * @throws {TypeError} if a size is no integer.
 * @throws {RangeError} if `x` does not broadcast to it, or if a new axis has size −1.
 *
 * @example
 * ```ts
 * import { broadcastTo, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(broadcastTo(tensor([1, 2]), [2, 2]).toArray(), [[1, 2], [1, 2]]);
 * ```
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  return widened("broadcastTo", x, shape);
}

/**
 * Repeats axes of size 1, and adds leading axes, until the tensor has the given shape; a size of −1
 * keeps the axis as it is.
 *
 * Shapes: x broadcastable to `shape` → `shape`. Gradient: summed over the repeats.
 *
 * @param x The tensor.
 * @param shape The shape to reach.
 * @returns A tensor of that shape, copied.
 * @throws {TypeError} if a size is no integer.
 * @throws {RangeError} if `x` does not broadcast to it, or if a new axis has size −1.
 *
 * @example
 * ```ts
 * import { expand, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(expand(tensor([[1], [2]]), [-1, 3]).toArray(), [[1, 1, 1], [2, 2, 2]]);
 * ```
 */
export function expand(x: Tensor, shape: Shape): Tensor {
  return widened("expand", x, shape);
}

function widened(action: string, x: Tensor, shape: Shape): Tensor {
  assertTensor(action, x, "x");
  assertIntegers(action, shape, "shape");
  const sizes = keptSizes(x.shape, shape);
  if (sizes.some((size) => size < 0) || !broadcastsTo(x.shape, sizes)) {
    refuse(
      action,
      `${shaped("x", x)} and shape ${formatShape(shape)}`,
      "sizes equal to those of x where x has no 1, and −1 only for axes that x has",
    );
  }
  validateShape(action, sizes);
  return unshared(spread(x, [...sizes]), x);
}

/** {@linkcode broadcastTo} without checks; `x` itself where it has the shape already. */
export function spread(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : bind(broadcastPrimitive, [x], { shape })[0];
}

/** The shape to reach, with the size of x in place of a −1 where x has that axis. */
function keptSizes(from: Shape, to: Shape): Shape {
  if (!to.includes(-1)) return to;
  const lead = to.length - from.length;
  return to.map((size, i) => size === -1 && i >= lead ? from[i - lead] : size);
}

/**
 * The transpose of {@linkcode broadcastTo}: sums a tensor over the axes that broadcasting from
 * `shape` repeated.
 *
 * Shapes: x of a shape that `shape` broadcasts to → `shape`. Gradient: broadcast back.
 *
 * @throws {RangeError} if `shape` does not broadcast to that of `x`.
 */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (!broadcastsTo(shape, x.shape)) {
    refuse("sumTo", shaped("x", x), `one that ${formatShape(shape)} broadcasts to`);
  }
  return bind(sumToPrimitive, [x], { shape })[0];
}

/**
 * The values of an operand as a binary kernel wants them: as many as the output has, or one. Only an
 * operand that repeats rows is copied.
 */
export function aligned(x: Tensor, shape: Shape): Float64Array {
  const values = valuesOf(x);
  if (values.length === 1 || values.length === sizeOf(shape)) return values;
  const out = allocateUninitialised(sizeOf(shape)).values;
  kernels.gatherStrided(values, out, shape, broadcastStrides(x.shape, shape), 0);
  return out;
}

/**
 * The tensor laid out `sizes[i]` times along each axis; more sizes than axes add leading ones.
 *
 * Shapes: [d₀, …], sizes [r₀, …] → [r₀·d₀, …]. Gradient: summed over the repeats.
 *
 * @param x The tensor.
 * @param sizes How often along each axis; 0 leaves nothing.
 * @returns A copy.
 * @throws {RangeError} if there are fewer sizes than axes, or one is negative.
 *
 * @example
 * ```ts
 * import { repeat, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(repeat(tensor([1, 2]), [2, 2]).toArray(), [[1, 2, 1, 2], [1, 2, 1, 2]]);
 * ```
 */
export function repeat(x: Tensor, sizes: readonly number[]): Tensor {
  assertTensor("repeat", x, "x");
  validateShape("repeat", sizes);
  if (sizes.length < x.ndim) {
    refuse(
      "repeat",
      `sizes ${formatShape(sizes)} for ${shaped("x", x)}`,
      `at least ${x.ndim} sizes`,
    );
  }
  return tiled(x, sizes);
}

/**
 * As {@linkcode repeat}, where missing leading sizes count as 1.
 *
 * @throws {RangeError} if a size is negative.
 *
 * @example
 * ```ts
 * import { tensor, tile } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tile(tensor([[1], [2]]), [2]).toArray(), [[1, 1], [2, 2]]);
 * ```
 */
export function tile(x: Tensor, sizes: readonly number[]): Tensor {
  assertTensor("tile", x, "x");
  validateShape("tile", sizes);
  const missing = Math.max(0, x.ndim - sizes.length);
  return tiled(x, [...new Array<number>(missing).fill(1), ...sizes]);
}

function tiled(x: Tensor, sizes: readonly number[]): Tensor {
  if (sizes.every((size) => size === 1)) {
    return reshape(clone(x), [...sizes.slice(x.ndim), ...x.shape]);
  }
  const lead = sizes.length - x.ndim;
  // [d₀, d₁] → [1, d₀, 1, d₁] → [r₀, d₀, r₁, d₁] → [r₀·d₀, r₁·d₁]: one copy.
  const apart: number[] = [];
  const repeated: number[] = [];
  const joined: number[] = [];
  sizes.forEach((count, i) => {
    const size = i < lead ? 1 : x.shape[i - lead];
    apart.push(1, size);
    repeated.push(count, size);
    joined.push(count * size);
  });
  return reshape(broadcastTo(reshape(x, apart), repeated), joined);
}
