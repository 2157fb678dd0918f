/**
 * Broadcasting and its transpose, summing over what was broadcast.
 */
import { refuse } from "../../check/refuse.ts";
import { unshared } from "./clone.ts";
import { allocateUninitialised } from "../../runtime/memory.ts";
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import {
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

type Resize = Primitive<
  readonly [x: Tensor],
  readonly [y: Tensor],
  readonly [],
  { readonly shape: Shape }
>;

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
  assertTensor("broadcastTo", x, "x");
  const sizes = keptSizes(x.shape, shape);
  validateShape("broadcastTo", sizes);
  if (!broadcastsTo(x.shape, sizes)) {
    refuse(
      "broadcastTo",
      shaped("x", x),
      `sizes that are 1 or equal to those of ${formatShape(shape)}`,
    );
  }
  return unshared(spread(x, [...sizes]), x);
}

/** {@linkcode broadcastTo} without checks; `x` itself where it has the shape already. */
export function spread(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : bind(broadcastPrimitive, [x], { shape })[0];
}

/** The shape to reach, with the size of x in place of a −1 where x has that axis. */
export function keptSizes(from: Shape, to: Shape): Shape {
  if (!Array.isArray(to) || !to.includes(-1)) return to;
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
