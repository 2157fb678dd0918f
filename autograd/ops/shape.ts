/**
 * The same elements under another shape or order.
 */
import * as kernels from "../kernels/mod.ts";
import { definePrimitive, type Primitive } from "../primitive.ts";
import { formatShape, normalizeDim, sameShape, type Shape, sizeOf, stridesOf } from "../shape.ts";
import { bind } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { assertTensor } from "./creation.ts";
import { uniform } from "./samples.ts";

type Rearrange<Attrs> = Primitive<readonly [x: Tensor], readonly [y: Tensor], readonly [], Attrs>;

const reshapePrimitive = definePrimitive<Rearrange<{ readonly shape: Shape }>>({
  name: "reshape",
  summary: "the same values under another shape",
  alias: true,
  shape: (_, { shape }) => [shape],
  forward: () => {},
  vjp: ([g], { inputShapes: [shape] }) => [reshape(g, shape)],
  samples: (random) => [{ inputs: [uniform(random, [2, 3], -1, 1)], attrs: { shape: [3, 1, 2] } }],
});

const permutePrimitive = definePrimitive<Rearrange<{ readonly dims: readonly number[] }>>({
  name: "permute",
  summary: "axes in another order",
  shape: ([x], { dims }) => [dims.map((dim) => x[dim])],
  forward: ([x], [y], { dims }) => {
    const strides = stridesOf(x.shape);
    kernels.gatherStrided(
      x.storage.values,
      y.storage.values,
      y.shape,
      dims.map((dim) => strides[dim]),
      0,
    );
  },
  vjp: ([g], { attrs: { dims } }) => [permute(g, invert(dims))],
  samples: (
    random,
  ) => [{ inputs: [uniform(random, [2, 3, 4], -1, 1)], attrs: { dims: [2, 0, 1] } }],
});

function invert(dims: readonly number[]): number[] {
  const inverse = new Array<number>(dims.length);
  dims.forEach((dim, i) => inverse[dim] = i);
  return inverse;
}

/**
 * The same values under another shape; one size may be −1 and is worked out.
 *
 * Shapes: any → `shape` of as many elements. Gradient: reshaped back. Cost: nothing is copied.
 *
 * @throws {RangeError} if the number of elements differs or −1 is ambiguous.
 *
 * @example
 * ```ts
 * import { arange, reshape } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(reshape(arange(6), [2, -1]).shape, [2, 3]);
 * ```
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  assertTensor("reshape", x, "x");
  if (sameShape(x.shape, shape)) return x;
  return bind(reshapePrimitive, [x], { shape: resolve(x, shape) })[0];
}

function resolve(x: Tensor, shape: Shape): Shape {
  if (!Array.isArray(shape)) {
    throw new TypeError(`Cannot reshape: got shape ${String(shape)}, expected a list of sizes`);
  }
  const size = x.size;
  const unknown = shape.indexOf(-1);
  const known = shape.reduce((product, n, i) => i === unknown ? product : product * n, 1);
  const resolved = shape.map((n, i) => i === unknown ? size / known : n);
  if (
    sizeOf(resolved) !== size || resolved.some((n) => !Number.isInteger(n) || n < 0) ||
    (unknown >= 0 && known === 0)
  ) {
    throw new RangeError(
      `Cannot reshape: got x of shape ${formatShape(x.shape)} and shape ${formatShape(shape)}, ` +
        `expected ${size} elements and at most one -1 that can be worked out`,
    );
  }
  return resolved;
}

/**
 * The axes of a tensor in another order.
 *
 * Shapes: [d₀, d₁, …] → [d of dims[0], d of dims[1], …]. Gradient: permuted back.
 *
 * @throws {RangeError} if `dims` does not name each axis once.
 *
 * @example
 * ```ts
 * import { permute, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(permute(zeros([2, 3, 4]), [2, 0, 1]).shape, [4, 2, 3]);
 * ```
 */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
  assertTensor("permute", x, "x");
  const order = dims.map((dim) => normalizeDim("permute", dim, x.ndim, "dims"));
  if (order.length !== x.ndim || new Set(order).size !== x.ndim) {
    throw new RangeError(
      `Cannot permute: got dims ${formatShape(dims)} for x of shape ${formatShape(x.shape)}, ` +
        `expected every dim once`,
    );
  }
  if (order.every((dim, i) => dim === i)) return x;
  return bind(permutePrimitive, [x], { dims: order })[0];
}

/**
 * Two axes exchanged.
 *
 * @throws {RangeError} if an axis is out of range.
 */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  assertTensor("transpose", x, "x");
  const a = normalizeDim("transpose", dim0, x.ndim);
  const b = normalizeDim("transpose", dim1, x.ndim);
  return permute(x, x.shape.map((_, i) => i === a ? b : i === b ? a : i));
}
