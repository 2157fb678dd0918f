/**
 * The lower and the upper triangle of matrices.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import { assertInteger, shaped } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { assertTensor } from "../create/creation.ts";
import { refuse } from "../../check/refuse.ts";
import { assertNoOptions } from "../../check/options.ts";
import { uniform } from "../create/samples.ts";

interface Triangle {
  readonly k: number;
  readonly upper: boolean;
}

const trianglePrimitive = /* @__PURE__ */ ownPrimitive<Unary<readonly [], Triangle>>({
  name: "triangle",
  shape: ([x]) => [x],
  forward: ([x], [y], { k, upper }) => {
    const [rows, columns] = x.shape.slice(-2);
    kernels.triangle(valuesOf(x), valuesOf(y), rows, columns, k, upper);
  },
  vjp: ([g], { attrs: { k, upper } }) => [triangle(g, k, upper)],
});

/* @__PURE__ */ described(
  trianglePrimitive,
  "x on one side of the k-th diagonal, 0 on the other: tril, triu",
  (random) =>
    [{ k: 0, upper: false }, { k: 1, upper: true }].map((attrs) => ({
      inputs: [uniform(random, [2, 3, 4], -1, 1)],
      attrs,
    })),
);

function triangle(x: Tensor, k: number, upper: boolean): Tensor {
  return bind(trianglePrimitive, [x], { k, upper })[0];
}

/** One side of a diagonal as a function with its arguments checked. */
function side(name: string, upper: boolean): (x: Tensor, k?: number) => Tensor {
  return function (x: Tensor, k = 0): Tensor {
    assertNoOptions(name, arguments, 2);
    assertTensor(name, x, "x");
    assertInteger(name, k, "k");
    if (x.ndim < 2) refuse(name, shaped("x", x), "at least 2 dims");
    return triangle(x, k, upper);
  };
}

/**
 * The matrices of the last two axes with zeros above the k-th diagonal.
 *
 * Shapes: [*, m, n] → the same. Gradient: tril(g, k).
 *
 * @param x The tensor.
 * @param k 0 for the main diagonal, above it if positive.
 * @returns A copy.
 * @throws {RangeError} if `x` has fewer than two axes.
 *
 * @example
 * ```ts
 * import { ones, tril } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tril(ones([2, 2])).toArray(), [[1, 0], [1, 1]]);
 * ```
 */
export const tril: (x: Tensor, k?: number) => Tensor = /* @__PURE__ */ side("tril", false);

/**
 * The matrices of the last two axes with zeros below the k-th diagonal.
 *
 * Shapes: [*, m, n] → the same. Gradient: triu(g, k).
 *
 * @param x The tensor.
 * @param k 0 for the main diagonal, above it if positive.
 * @returns A copy.
 * @throws {RangeError} if `x` has fewer than two axes.
 *
 * @example
 * ```ts
 * import { ones, triu } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(triu(ones([2, 2]), 1).toArray(), [[0, 1], [0, 0]]);
 * ```
 */
export const triu: (x: Tensor, k?: number) => Tensor = /* @__PURE__ */ side("triu", true);
