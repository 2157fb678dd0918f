/**
 * Functions of one tensor, element by element.
 */
import * as kernels from "../../kernels/mod.ts";
import { described } from "../../tape/primitive.ts";
import type { Tensor } from "../../tensor.ts";
import { zerosLike } from "../create/creation.ts";
import { between, signed } from "../create/samples.ts";
import { add, div, mul, neg } from "./arithmetic.ts";
import { unary } from "./declare.ts";

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
