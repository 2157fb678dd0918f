/**
 * Functions of one tensor, element by element, and powers.
 */
import * as kernels from "../../kernels/mod.ts";
import {
  type Binary,
  described,
  type Input,
  ownPrimitive,
  type Unary,
} from "../../tape/primitive.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { assertTensor, asTensor, zerosLike } from "../create/creation.ts";
import { between, pairs, signed, uniform } from "../create/samples.ts";
import { add, div, mul, neg, sub } from "./arithmetic.ts";
import { ofTensor, unary } from "./declare.ts";
import { broadcastShapes } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { aligned } from "../shape/broadcast.ts";
import { eq, ge, where } from "./compare.ts";
import { assertNoOptions } from "../../check/options.ts";

/**
 * |x| element by element.
 *
 * Gradient: g · sign(x), 0 at 0.
 *
 * @example
 * ```ts
 * import { abs, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(abs(tensor([-2, 3])).toArray(), [2, 3]);
 * ```
 */
export const abs: (x: Tensor) => Tensor = /* @__PURE__ */ unary({
  name: "abs",
  forward: kernels.abs,
  saves: "x",
  // d|x| = sign(x) dx
  vjp: (g, x) => mul(g, sign(x)),
});
/* @__PURE__ */ described("abs", "|x|", signed);

/** −1, 0 or 1 by the sign of each element; 0 for NaN. Gradient: 0. */
export const sign: (x: Tensor) => Tensor = /* @__PURE__ */ unary({
  name: "sign",
  forward: kernels.sign,
  // Flat wherever it is differentiable.
  vjp: (g) => zerosLike(g),
});
/* @__PURE__ */ described("sign", "−1, 0 or 1", signed);

/**
 * eˣ element by element.
 *
 * Gradient: g · eˣ, from the saved output.
 *
 * @example
 * ```ts
 * import { exp, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(exp(tensor([0, 1])).toArray(), [1, Math.E]);
 * ```
 */
export const exp: (x: Tensor) => Tensor = /* @__PURE__ */ unary({
  name: "exp",
  forward: kernels.exp,
  saves: "y",
  // d exp(x) = exp(x) dx
  vjp: (g, y) => mul(g, y),
});
/* @__PURE__ */ described("exp", "eˣ", (random) => between(random, -1, 1));

/** eˣ − 1 element by element, accurate near 0. Gradient: g · eˣ. */
export const expm1: (x: Tensor) => Tensor = /* @__PURE__ */ unary({
  name: "expm1",
  forward: kernels.expm1,
  saves: "y",
  // d(eˣ − 1) = eˣ dx
  vjp: (g, y) => mul(g, add(y, 1)),
});
/* @__PURE__ */ described("expm1", "eˣ − 1", (random) => between(random, -1, 1));

/**
 * The natural logarithm element by element; −∞ at 0, NaN below.
 *
 * Gradient: g / x.
 *
 * @example
 * ```ts
 * import { log, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(log(tensor([1, Math.E])).toArray(), [0, 1]);
 * ```
 */
export const log: (x: Tensor) => Tensor = /* @__PURE__ */ unary({
  name: "log",
  forward: kernels.log,
  saves: "x",
  // d ln x = dx / x
  vjp: (g, x) => div(g, x),
});
/* @__PURE__ */ described("log", "ln x", (random) => between(random, 0.5, 2));

/** ln(1 + x) element by element, accurate near 0. Gradient: g / (1 + x). */
export const log1p: (x: Tensor) => Tensor = /* @__PURE__ */ unary({
  name: "log1p",
  forward: kernels.log1p,
  saves: "x",
  // d ln(1 + x) = dx / (1 + x)
  vjp: (g, x) => div(g, add(x, 1)),
});
/* @__PURE__ */ described("log1p", "ln(1 + x)", (random) => between(random, -0.5, 1));

/**
 * √x element by element; NaN below 0.
 *
 * Gradient: g / (2·√x), infinite at 0.
 *
 * @example
 * ```ts
 * import { sqrt, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sqrt(tensor([4, 9])).toArray(), [2, 3]);
 * ```
 */
export const sqrt: (x: Tensor) => Tensor = /* @__PURE__ */ unary({
  name: "sqrt",
  forward: kernels.sqrt,
  saves: "y",
  // d √x = dx / 2√x
  vjp: (g, y) => div(g, mul(y, 2)),
});
/* @__PURE__ */ described("sqrt", "√x", (random) => between(random, 0.5, 2));

/** 1/√x element by element. Gradient: −g · x^(−3/2) / 2. */
export const rsqrt: (x: Tensor) => Tensor = /* @__PURE__ */ unary({
  name: "rsqrt",
  forward: kernels.rsqrt,
  saves: "y",
  // d x^(−1/2) = −½·y³ dx
  vjp: (g, y) => mul(g, mul(mul(y, -0.5), mul(y, y))),
});
/* @__PURE__ */ described("rsqrt", "1/√x", (random) => between(random, 0.5, 2));

/** The sine of each element, in radians. Gradient: g · cos x. */
export const sin: (x: Tensor) => Tensor = /* @__PURE__ */ unary({
  name: "sin",
  forward: kernels.sin,
  saves: "x",
  // d sin x = cos x dx
  vjp: (g, x) => mul(g, cos(x)),
});
/* @__PURE__ */ described("sin", "sin x", (random) => between(random, -1, 1));

/** The cosine of each element, in radians. Gradient: −g · sin x. */
export const cos: (x: Tensor) => Tensor = /* @__PURE__ */ unary({
  name: "cos",
  forward: kernels.cos,
  saves: "x",
  // d cos x = −sin x dx
  vjp: (g, x) => mul(neg(g), sin(x)),
});
/* @__PURE__ */ described("cos", "cos x", (random) => between(random, -1, 1));

/**
 * The error function 2/√π · ∫₀ˣ e^(−t²) dt element by element, within 4e-16 relative.
 *
 * Gradient: g · 2/√π · e^(−x²).
 *
 * @see W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of
 * Computation 23 (1969).
 *
 * @example
 * ```ts
 * import { erf, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(erf(tensor(0.5)).item(), 0.5204998778130465, 1e-15);
 * ```
 */
export const erf: (x: Tensor) => Tensor = /* @__PURE__ */ unary({
  name: "erf",
  forward: kernels.erf,
  saves: "x",
  // d erf x = 2/√π · e^(−x²) dx
  vjp: (g, x) => mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))),
});
/* @__PURE__ */ described("erf", "2/√π · ∫₀ˣ e^(−t²) dt", (random) => between(random, -2, 2));

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
