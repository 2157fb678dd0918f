/**
 * Functions of one tensor, element by element.
 */
import * as kernels from "../../kernels/mod.ts";
import { ownPrimitive, type Unary } from "../../tape/primitive.ts";
import type { Generator } from "../../random.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { add, div, mul, neg } from "./arithmetic.ts";
import { assertTensor, zerosLike } from "../create/creation.ts";
import { assertNoOptions } from "../../check/options.ts";
import { uniform, uniformAwayFrom } from "../create/samples.ts";

/** One sample between two bounds. */
function between(low: number, high: number) {
  return (random: Generator) => [
    { inputs: [uniform(random, [2, 3], low, high)] as const, attrs: undefined },
  ];
}

/** One sample with both signs, away from 0. */
function signed(random: Generator) {
  return [{ inputs: [uniformAwayFrom(random, [2, 3], -1, 1, [0])] as const, attrs: undefined }];
}

const absPrimitive = ownPrimitive<Unary<readonly [x: Tensor]>>({
  name: "abs",
  summary: "|x|",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.abs(valuesOf(x), valuesOf(y)),
  save: ([x]) => [x],
  // d|x| = sign(x) dx
  vjp: ([g], { saved: [x] }) => [mul(g, sign(x))],
  samples: signed,
});

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
export function abs(x: Tensor): Tensor {
  assertNoOptions("abs", arguments, 1);
  assertTensor("abs", x, "x");
  return bind(absPrimitive, [x], undefined)[0];
}

const signPrimitive = ownPrimitive<Unary>({
  name: "sign",
  summary: "−1, 0 or 1",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.sign(valuesOf(x), valuesOf(y)),
  // Flat wherever it is differentiable.
  vjp: ([g]) => [zerosLike(g)],
  samples: signed,
});

/** −1, 0 or 1 by the sign of each element; 0 for NaN. Gradient: 0. */
export function sign(x: Tensor): Tensor {
  assertNoOptions("sign", arguments, 1);
  assertTensor("sign", x, "x");
  return bind(signPrimitive, [x], undefined)[0];
}

const expPrimitive = ownPrimitive<Unary<readonly [y: Tensor]>>({
  name: "exp",
  summary: "eˣ",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.exp(valuesOf(x), valuesOf(y)),
  save: (_, [y]) => [y],
  // d exp(x) = exp(x) dx
  vjp: ([g], { saved: [y] }) => [mul(g, y)],
  samples: between(-1, 1),
});

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
export function exp(x: Tensor): Tensor {
  assertNoOptions("exp", arguments, 1);
  assertTensor("exp", x, "x");
  return bind(expPrimitive, [x], undefined)[0];
}

const expm1Primitive = ownPrimitive<Unary<readonly [y: Tensor]>>({
  name: "expm1",
  summary: "eˣ − 1",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.expm1(valuesOf(x), valuesOf(y)),
  save: (_, [y]) => [y],
  // d(eˣ − 1) = eˣ dx
  vjp: ([g], { saved: [y] }) => [mul(g, add(y, 1))],
  samples: between(-1, 1),
});

/** eˣ − 1 element by element, accurate near 0. Gradient: g · eˣ. */
export function expm1(x: Tensor): Tensor {
  assertNoOptions("expm1", arguments, 1);
  assertTensor("expm1", x, "x");
  return bind(expm1Primitive, [x], undefined)[0];
}

const logPrimitive = ownPrimitive<Unary<readonly [x: Tensor]>>({
  name: "log",
  summary: "ln x",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.log(valuesOf(x), valuesOf(y)),
  save: ([x]) => [x],
  // d ln x = dx / x
  vjp: ([g], { saved: [x] }) => [div(g, x)],
  samples: between(0.5, 2),
});

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
export function log(x: Tensor): Tensor {
  assertNoOptions("log", arguments, 1);
  assertTensor("log", x, "x");
  return bind(logPrimitive, [x], undefined)[0];
}

const log1pPrimitive = ownPrimitive<Unary<readonly [x: Tensor]>>({
  name: "log1p",
  summary: "ln(1 + x)",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.log1p(valuesOf(x), valuesOf(y)),
  save: ([x]) => [x],
  // d ln(1 + x) = dx / (1 + x)
  vjp: ([g], { saved: [x] }) => [div(g, add(x, 1))],
  samples: between(-0.5, 1),
});

/** ln(1 + x) element by element, accurate near 0. Gradient: g / (1 + x). */
export function log1p(x: Tensor): Tensor {
  assertNoOptions("log1p", arguments, 1);
  assertTensor("log1p", x, "x");
  return bind(log1pPrimitive, [x], undefined)[0];
}

const sqrtPrimitive = ownPrimitive<Unary<readonly [y: Tensor]>>({
  name: "sqrt",
  summary: "√x",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.sqrt(valuesOf(x), valuesOf(y)),
  save: (_, [y]) => [y],
  // d √x = dx / 2√x
  vjp: ([g], { saved: [y] }) => [div(g, mul(y, 2))],
  samples: between(0.5, 2),
});

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
export function sqrt(x: Tensor): Tensor {
  assertNoOptions("sqrt", arguments, 1);
  assertTensor("sqrt", x, "x");
  return bind(sqrtPrimitive, [x], undefined)[0];
}

const rsqrtPrimitive = ownPrimitive<Unary<readonly [y: Tensor]>>({
  name: "rsqrt",
  summary: "1/√x",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.rsqrt(valuesOf(x), valuesOf(y)),
  save: (_, [y]) => [y],
  // d x^(−1/2) = −½·y³ dx
  vjp: ([g], { saved: [y] }) => [mul(g, mul(mul(y, -0.5), mul(y, y)))],
  samples: between(0.5, 2),
});

/** 1/√x element by element. Gradient: −g · x^(−3/2) / 2. */
export function rsqrt(x: Tensor): Tensor {
  assertNoOptions("rsqrt", arguments, 1);
  assertTensor("rsqrt", x, "x");
  return bind(rsqrtPrimitive, [x], undefined)[0];
}

const sinPrimitive = ownPrimitive<Unary<readonly [x: Tensor]>>({
  name: "sin",
  summary: "sin x",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.sin(valuesOf(x), valuesOf(y)),
  save: ([x]) => [x],
  // d sin x = cos x dx
  vjp: ([g], { saved: [x] }) => [mul(g, cos(x))],
  samples: between(-1, 1),
});

/** The sine of each element, in radians. Gradient: g · cos x. */
export function sin(x: Tensor): Tensor {
  assertNoOptions("sin", arguments, 1);
  assertTensor("sin", x, "x");
  return bind(sinPrimitive, [x], undefined)[0];
}

const cosPrimitive = ownPrimitive<Unary<readonly [x: Tensor]>>({
  name: "cos",
  summary: "cos x",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.cos(valuesOf(x), valuesOf(y)),
  save: ([x]) => [x],
  // d cos x = −sin x dx
  vjp: ([g], { saved: [x] }) => [mul(neg(g), sin(x))],
  samples: between(-1, 1),
});

/** The cosine of each element, in radians. Gradient: −g · sin x. */
export function cos(x: Tensor): Tensor {
  assertNoOptions("cos", arguments, 1);
  assertTensor("cos", x, "x");
  return bind(cosPrimitive, [x], undefined)[0];
}

const erfPrimitive = ownPrimitive<Unary<readonly [x: Tensor]>>({
  name: "erf",
  summary: "2/√π · ∫₀ˣ e^(−t²) dt",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.erf(valuesOf(x), valuesOf(y)),
  save: ([x]) => [x],
  // d erf x = 2/√π · e^(−x²) dx
  vjp: ([g], { saved: [x] }) => [mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))],
  samples: between(-2, 2),
});

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
export function erf(x: Tensor): Tensor {
  assertNoOptions("erf", arguments, 1);
  assertTensor("erf", x, "x");
  return bind(erfPrimitive, [x], undefined)[0];
}
