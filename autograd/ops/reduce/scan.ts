/**
 * Sums along an axis that keep every step.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import { normalizeDim } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { assertTensor } from "../create/creation.ts";
import { assertNoOptions } from "../../check/options.ts";
import { sizesAround } from "./rows.ts";
import { uniform } from "../create/samples.ts";

interface ScanAttrs {
  readonly dim: number;
  readonly reverse: boolean;
}

const cumsumPrimitive = /* @__PURE__ */ ownPrimitive<Unary<readonly [], ScanAttrs>>({
  name: "cumsum",
  shape: ([x]) => [x],
  forward: ([x], [y], { dim, reverse }) =>
    kernels.cumsum(valuesOf(x), valuesOf(y), sizesAround(x.shape, dim), reverse),
  // Its transpose sums from the other end.
  vjp: ([g], { attrs: { dim, reverse } }) => [scan(g, dim, !reverse)],
});

/* @__PURE__ */ described(
  cumsumPrimitive,
  "yᵢ = x₀ + … + xᵢ along a dim, or xᵢ + … + xₙ in reverse",
  (random) =>
    [false, true].map((reverse) => ({
      inputs: [uniform(random, [2, 3, 2], -1, 1)],
      attrs: { dim: 1, reverse },
    })),
);

function scan(x: Tensor, dim: number, reverse: boolean): Tensor {
  return bind(cumsumPrimitive, [x], { dim, reverse })[0];
}

/**
 * The sum of all elements up to and including each, along an axis.
 *
 * Shapes: any, kept. Gradient: the sums of g from the other end.
 *
 * @param x A tensor.
 * @param dim The axis.
 * @returns A tensor of the same shape.
 * @throws {RangeError} if the dim is out of range.
 *
 * @example
 * ```ts
 * import { cumsum, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cumsum(tensor([1, 2, 3]), 0).toArray(), [1, 3, 6]);
 * ```
 */
export function cumsum(x: Tensor, dim: number): Tensor {
  assertNoOptions("cumsum", arguments, 2);
  assertTensor("cumsum", x, "x");
  return scan(x, normalizeDim("cumsum", dim, x.ndim), false);
}
