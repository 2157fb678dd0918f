/**
 * Powers.
 */
import * as kernels from "../../kernels/mod.ts";
import {
  type Binary,
  described,
  type Input,
  ownPrimitive,
  type Unary,
} from "../../tape/primitive.ts";
import { broadcastShapes } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { ofTensor } from "./declare.ts";
import { aligned } from "../shape/broadcast.ts";
import { eq, ge } from "./compare.ts";
import { assertTensor, asTensor, zerosLike } from "../create/creation.ts";
import { assertNoOptions } from "../../check/options.ts";
import { log } from "./math.ts";
import { pairs, uniform } from "../create/samples.ts";
import { where } from "./where.ts";

const powPrimitive = /* @__PURE__ */ ownPrimitive<
  Binary<readonly [x: Tensor, y: Tensor, out: Input]>
>({
  name: "pow",
  shape: ([x, y]) => [broadcastShapes("pow", x, y)],
  forward: ([x, y], [out]) =>
    kernels.pow(aligned(x, out.shape), aligned(y, out.shape), valuesOf(out)),
  save: ([x, y], [out], _, needs) => [x, y, needs[1] ? out : null],
  // d(x^y) = y·x^(y−1) dx + x^y·ln x dy, where y = 0 is flat in x, and x = 0 in y from 0 up
  vjp: ([g], { saved: [x, y, out], needs }) => [
    needs[0] ? where(eq(y, 0), 0, mul(g, mul(y, pow(x, sub(y, 1))))) : null,
    out === null ? null : mul(g, where(mul(eq(x, 0), ge(y, 0)), 0, mul(out, log(x)))),
  ],
});

/* @__PURE__ */ described(
  powPrimitive,
  "x^y",
  (random) => [...pairs(random, 0.5, 2), {
    inputs: [uniform(random, [], 0.5, 2), uniform(random, [2], 0.5, 2)],
    attrs: undefined,
  }],
);

const powNumberPrimitive = /* @__PURE__ */ ownPrimitive<
  Unary<readonly [x: Tensor], { readonly exponent: number }>
>({
  name: "powNumber",
  shape: ([x]) => [x],
  forward: ([x], [y], { exponent }) => kernels.powNumber(valuesOf(x), valuesOf(y), exponent),
  save: ([x]) => [x],
  // d xⁿ = n·xⁿ⁻¹ dx
  vjp: ([g], { saved: [x], attrs: { exponent: n } }) => [
    n === 0 ? zerosLike(x) : mul(g, mul(n === 2 ? x : powNumber(x, n - 1), n)),
  ],
});

/* @__PURE__ */ described(
  powNumberPrimitive,
  "x^exponent for a number",
  (random) =>
    [0, 0.5, 1, 2, 3, -1, -2, -0.5, 2.7].map((exponent) => ({
      inputs: [uniform(random, [4], 0.5, 2)],
      attrs: { exponent },
    })),
);

function powNumber(x: Tensor, exponent: number): Tensor {
  return bind(powNumberPrimitive, [x], { exponent })[0];
}

/**
 * x^y element by element, with broadcasting.
 *
 * Shapes: x and y broadcastable → the broadcast shape. Gradient: g · y · x^(y−1) to x, 0 where y = 0;
 * g · x^y · ln x to y, 0 where x = 0 and y ≥ 0.
 *
 * @param x The base: a tensor or a number.
 * @param y The exponent: a tensor or a number.
 * @returns The power; NaN for a negative base with a fractional exponent.
 * @throws {TypeError} if neither is a tensor.
 * @throws {RangeError} if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { pow, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pow(tensor([1, 2, 3]), 2).toArray(), [1, 4, 9]);
 * assertEquals(pow(2, tensor([1, 2, 3])).toArray(), [2, 4, 8]);
 * ```
 */
export function pow(x: Tensor | number, y: Tensor | number): Tensor {
  assertNoOptions("pow", arguments, 2);
  if (typeof y === "number") {
    assertTensor("pow", x, "x");
    return powNumber(x, y);
  }
  return bind(powPrimitive, [asTensor("pow", x, "x"), asTensor("pow", y, "y")], undefined)[0];
}

/** x² element by element. Gradient: 2 · g · x. */
export const square: (x: Tensor) => Tensor = /* @__PURE__ */ ofTensor(
  "square",
  (x) => powNumber(x, 2),
);

/** 1/x element by element. Gradient: −g / x². */
export const reciprocal: (x: Tensor) => Tensor = /* @__PURE__ */ ofTensor(
  "reciprocal",
  (x) => powNumber(x, -1),
);
