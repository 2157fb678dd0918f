/**
 * Comparisons: masks of 0 and 1 without a gradient.
 */
import * as kernels from "../../kernels/mod.ts";
import { type Binary, ownPrimitive } from "../../tape/primitive.ts";
import { broadcastShapes } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { aligned } from "../shape/broadcast.ts";
import { assertTensor, asTensor } from "../create/creation.ts";
import { assertNoOptions } from "../../check/options.ts";
import { uniform } from "../create/samples.ts";

type Kernel = (x: Float64Array, y: Float64Array, out: Float64Array) => void;

function defineComparison(name: string, summary: string, kernel: Kernel) {
  const primitive = ownPrimitive<Binary>({
    name,
    summary,
    shape: ([x, y]) => [broadcastShapes(name, x, y)],
    forward: ([x, y], [out]) => kernel(aligned(x, out.shape), aligned(y, out.shape), valuesOf(out)),
    samples: (random) => [
      { inputs: [uniform(random, [2, 3], -1, 1), uniform(random, [3], -1, 1)], attrs: undefined },
    ],
  });
  return (x: Tensor, y: Tensor | number): Tensor => {
    assertTensor(name, x, "x");
    return bind(primitive, [x, asTensor(name, y, "y")], undefined)[0];
  };
}

const equal = defineComparison("eq", "1 where x = y", kernels.eq);
const different = defineComparison("ne", "1 where x ≠ y", kernels.ne);
const less = defineComparison("lt", "1 where x < y", kernels.lt);
const atMost = defineComparison("le", "1 where x ≤ y", kernels.le);

/**
 * 1 where x = y, 0 elsewhere; NaN equals nothing.
 *
 * Shapes: x and y broadcastable → the broadcast shape. Gradient: none.
 *
 * @param x A tensor.
 * @param y A tensor or a number.
 * @returns A mask of 0 and 1.
 * @throws {RangeError} if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { eq, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(eq(tensor([1, 2, NaN]), tensor([1, 3, NaN])).toArray(), [1, 0, 0]);
 * ```
 */
export function eq(x: Tensor, y: Tensor | number): Tensor {
  assertNoOptions("eq", arguments, 2);
  return equal(x, y);
}

/** 1 where x ≠ y, 0 elsewhere. Shapes broadcast; no gradient. */
export function ne(x: Tensor, y: Tensor | number): Tensor {
  assertNoOptions("ne", arguments, 2);
  return different(x, y);
}

/** 1 where x < y, 0 elsewhere. Shapes broadcast; no gradient. */
export function lt(x: Tensor, y: Tensor | number): Tensor {
  assertNoOptions("lt", arguments, 2);
  return less(x, y);
}

/** 1 where x ≤ y, 0 elsewhere. Shapes broadcast; no gradient. */
export function le(x: Tensor, y: Tensor | number): Tensor {
  assertNoOptions("le", arguments, 2);
  return atMost(x, y);
}

/** 1 where x > y, 0 elsewhere. Shapes broadcast; no gradient. */
export function gt(x: Tensor, y: Tensor | number): Tensor {
  assertNoOptions("gt", arguments, 2);
  assertTensor("gt", x, "x");
  return less(asTensor("gt", y, "y"), x);
}

/** 1 where x ≥ y, 0 elsewhere. Shapes broadcast; no gradient. */
export function ge(x: Tensor, y: Tensor | number): Tensor {
  assertNoOptions("ge", arguments, 2);
  assertTensor("ge", x, "x");
  return atMost(asTensor("ge", y, "y"), x);
}
