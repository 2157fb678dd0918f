/**
 * Smooth activations: sigmoid, tanh and what is made of them.
 */
import * as kernels from "../../kernels/mod.ts";
import { normalizeDim, shaped } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { add, div, mul, neg, sub } from "./arithmetic.ts";
import { lt, where } from "./compare.ts";
import { assertArguments } from "../create/creation.ts";
import { describe } from "../../check/describe.ts";
import { refuse } from "../../check/refuse.ts";
import { numberOption } from "../../check/options.ts";
import { ofTensor } from "./declare.ts";
import { abs, exp } from "./math.ts";
import { between, uniform } from "../create/samples.ts";
import { defineSlope, describedSlope, unarySlope } from "./slope.ts";
import { part } from "../shape/view.ts";
import type { Generator } from "../../random.ts";

const around = (random: Generator) => between(random, -2, 2);

/**
 * 1 / (1 + e^(−x)) element by element.
 *
 * Shapes: any. Gradient: g · y · (1 − y).
 *
 * @example
 * ```ts
 * import { sigmoid, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sigmoid(tensor([-Infinity, 0, Infinity])).toArray(), [0, 0.5, 1]);
 * ```
 */
export const sigmoid: (x: Tensor) => Tensor = /* @__PURE__ */ unarySlope({
  name: "sigmoid",
  saves: "y",
  forward: kernels.sigmoid,
  // dy = y(1 − y) dx
  backward: kernels.sigmoidBackward,
  curvature: (y) => sub(1, mul(y, 2)),
});
/* @__PURE__ */ describedSlope("sigmoid", "1 / (1 + e^(−x))", around);

/**
 * The hyperbolic tangent element by element.
 *
 * Shapes: any. Gradient: g · (1 − y²).
 *
 * @example
 * ```ts
 * import { tanh, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tanh(tensor([-Infinity, 0])).toArray(), [-1, 0]);
 * ```
 */
export const tanh: (x: Tensor) => Tensor = /* @__PURE__ */ unarySlope({
  name: "tanh",
  saves: "y",
  forward: kernels.tanh,
  // dy = (1 − y²) dx
  backward: kernels.tanhBackward,
  curvature: (y) => mul(y, -2),
});
/* @__PURE__ */ describedSlope("tanh", "(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)", around);

/**
 * x · σ(x) element by element, also called swish.
 *
 * Shapes: any. Gradient: g · σ(x) · (1 + x·(1 − σ(x))).
 *
 * @example
 * ```ts
 * import { silu, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(silu(tensor(1)).item(), 0.7310585786300049, 1e-15);
 * ```
 */
export const silu: (x: Tensor) => Tensor = /* @__PURE__ */ unarySlope({
  name: "silu",
  saves: "x",
  forward: kernels.silu,
  // f′ = s·(1 + x·(1 − s)) with s = σ(x)
  backward: kernels.siluBackward,
  // f″ = s·(1 − s)·(2 + x·(1 − 2s))
  curvature: (x) => {
    const s = sigmoid(x);
    return mul(mul(s, sub(1, s)), add(mul(x, sub(1, mul(s, 2))), 2));
  },
});
/* @__PURE__ */ describedSlope("silu", "x · σ(x)", around);

const geluOf = /* @__PURE__ */ defineSlope<undefined>({
  name: "gelu",
  saves: "x",
  forward: kernels.gelu,
  // f′ = Φ(x) + x·φ(x), φ its density
  backward: kernels.geluBackward,
  // f″ = φ(x)·(2 − x²)
  curvature: (x) => {
    const squared = mul(x, x);
    return mul(mul(exp(mul(squared, -0.5)), 1 / Math.sqrt(2 * Math.PI)), sub(2, squared));
  },
});
/* @__PURE__ */ describedSlope("gelu", "x · Φ(x), Φ the normal distribution", around);

const geluTanhOf = /* @__PURE__ */ defineSlope<undefined>({
  name: "geluTanh",
  saves: "x",
  forward: kernels.geluTanh,
  // f′ = ½(1 + t) + ½x·(1 − t²)·u′ with t = tanh u
  backward: kernels.geluTanhBackward,
  // f″ = (1 − t²)·(u′ + ½x·(u″ − 2t·u′²))
  curvature: (x) => {
    // Named one by one: taking the namespace apart would put the whole of it into every bundle.
    const scale = kernels.GELU_SCALE;
    const cubic = kernels.GELU_CUBIC;
    const squared = mul(x, x);
    const t = tanh(mul(mul(x, add(mul(squared, cubic), 1)), scale));
    const u1 = mul(add(mul(squared, 3 * cubic), 1), scale);
    const u2 = mul(x, 6 * cubic * scale);
    const bend = sub(u2, mul(mul(t, 2), mul(u1, u1)));
    return mul(sub(1, mul(t, t)), add(u1, mul(mul(x, 0.5), bend)));
  },
});
/* @__PURE__ */ describedSlope("geluTanh", "½x·(1 + tanh u), u = √(2/π)·(x + 0.044715·x³)", around);

/** Which formula {@linkcode gelu} computes. */
export interface GeluOptions {
  /** "none" (the default) for x · Φ(x), "tanh" for the approximation by tanh. */
  readonly approximate?: "none" | "tanh";
}

/**
 * x · Φ(x) element by element, Φ the standard normal distribution; or its approximation
 * ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
 *
 * Shapes: any. Gradient: g · (Φ(x) + x·φ(x)), φ the density.
 *
 * @throws {RangeError} if `approximate` is something else.
 * @see D. Hendrycks and K. Gimpel, "Gaussian error linear units" (2016).
 *
 * @example
 * ```ts
 * import { gelu, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(gelu(tensor(1)).item(), 0.8413447460685429, 1e-15);
 * assertAlmostEquals(gelu(tensor(1), { approximate: "tanh" }).item(), 0.8411919906082768, 1e-15);
 * ```
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  assertArguments("gelu", x, options, ["approximate"]);
  const approximate = options.approximate ?? "none";
  if (approximate === "none") return geluOf(x, undefined);
  if (approximate === "tanh") return geluTanhOf(x, undefined);
  refuse("gelu", `approximate ${describe(approximate)}`, `"none" or "tanh"`);
}

const softplusOf = /* @__PURE__ */ defineSlope<
  { readonly beta: number; readonly threshold: number }
>({
  name: "softplus",
  saves: "x",
  forward: (x, y, { beta, threshold }) => kernels.softplus(x, y, beta, threshold),
  // f′ = σ(beta·x), 1 above the threshold
  backward: (g, x, out, { beta, threshold }) =>
    kernels.softplusBackward(g, x, out, beta, threshold),
  // f″ = beta·s·(1 − s) with s = σ(beta·x)
  curvature: (x, { beta, threshold }) => {
    const z = mul(x, beta);
    const s = sigmoid(z);
    return where(lt(z, threshold), mul(mul(s, sub(1, s)), beta), 0);
  },
});
/* @__PURE__ */ describedSlope(
  "softplus",
  "ln(1 + e^(beta·x)) / beta; x where beta·x is above the threshold",
  (random) => [
    { inputs: [uniform(random, [2, 3], -2, 2)], attrs: { beta: 1, threshold: 20 } },
    { inputs: [uniform(random, [3], 0.2, 2)], attrs: { beta: 3, threshold: 0.5 } },
  ],
);

/** How {@linkcode softplus} bends. */
export interface SoftplusOptions {
  /** How sharp the bend is, 1. */
  readonly beta?: number;
  /** Where beta·x is above it, x itself is the result, 20. */
  readonly threshold?: number;
}

/**
 * ln(1 + e^(beta·x)) / beta element by element, a smooth relu.
 *
 * Shapes: any. Gradient: g · σ(beta·x); g above the threshold.
 *
 * @example
 * ```ts
 * import { softplus, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(softplus(tensor([0, 100])).toArray(), [Math.LN2, 100]);
 * ```
 */
export function softplus(x: Tensor, options: SoftplusOptions = {}): Tensor {
  assertArguments("softplus", x, options, ["beta", "threshold"]);
  return softplusOf(x, {
    beta: numberOption("softplus", options.beta, "beta", 1),
    threshold: numberOption("softplus", options.threshold, "threshold", 20),
  });
}

/**
 * ln σ(x) = −ln(1 + e^(−x)) element by element, without overflow.
 *
 * Shapes: any. Gradient: g · σ(−x).
 *
 * @example
 * ```ts
 * import { logsigmoid, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(logsigmoid(tensor([-1000, 1000])).toArray(), [-1000, 0]);
 * ```
 */
export const logsigmoid: (x: Tensor) => Tensor = /* @__PURE__ */ unarySlope({
  name: "logsigmoid",
  saves: "x",
  forward: kernels.logsigmoid,
  // f′ = σ(−x)
  backward: kernels.logsigmoidBackward,
  // f″ = −σ(x)·σ(−x)
  curvature: (x) => mul(neg(sigmoid(x)), sigmoid(neg(x))),
});
/* @__PURE__ */ describedSlope("logsigmoid", "ln σ(x)", around);

/**
 * x · tanh(ln(1 + eˣ)) element by element.
 *
 * Shapes: any. Gradient: g · (t + x·(1 − t²)·σ(x)) with t = tanh(ln(1 + eˣ)).
 *
 * @see D. Misra, "Mish: a self regularized non-monotonic activation function" (2019).
 */
export const mish: (x: Tensor) => Tensor = /* @__PURE__ */ unarySlope({
  name: "mish",
  saves: "x",
  forward: kernels.mish,
  // f′ = t + x·(1 − t²)·s with t = tanh(ln(1 + eˣ)) and s = σ(x)
  backward: kernels.mishBackward,
  // f″ = s·(1 − t²)·(2 + x·(1 − s − 2t·s))
  curvature: (x) => {
    const s = sigmoid(x);
    const t = tanh(softplus(x));
    const bend = sub(sub(1, s), mul(mul(t, s), 2));
    return mul(mul(s, sub(1, mul(t, t))), add(mul(x, bend), 2));
  },
});
/* @__PURE__ */ describedSlope("mish", "x · tanh(ln(1 + eˣ))", around);

/** x / (1 + |x|). Gradient: g / (1 + |x|)². */
export const softsign: (x: Tensor) => Tensor = /* @__PURE__ */ ofTensor(
  "softsign",
  (x) => div(x, add(abs(x), 1)),
);

/** x − tanh x. Gradient: g · tanh² x. */
export const tanhshrink: (x: Tensor) => Tensor = /* @__PURE__ */ ofTensor(
  "tanhshrink",
  (x) => sub(x, tanh(x)),
);

/**
 * a · σ(b), with a and b the halves of x along an axis.
 *
 * Shapes: [*, 2d, *] → [*, d, *]. Gradient: through the product.
 *
 * @param x A tensor of at least one axis.
 * @param options `dim`, −1 where left out.
 * @returns The gated half.
 * @throws {RangeError} if the axis has an odd size.
 * @see Y. N. Dauphin and others, "Language modeling with gated convolutional networks" (2017).
 *
 * @example
 * ```ts
 * import { glu, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(glu(tensor([3, 4, 0, 0])).toArray(), [1.5, 2]);
 * ```
 */
export function glu(x: Tensor, options: { readonly dim?: number } = {}): Tensor {
  assertArguments("glu", x, options, ["dim"]);
  const dim = normalizeDim("glu", options.dim ?? -1, x.ndim);
  if (x.ndim === 0 || x.shape[dim] % 2 !== 0) {
    refuse("glu", shaped("x", x), `an even size at dim ${dim}`);
  }
  const half = x.shape[dim] / 2;
  return mul(part(x, dim, 0, half), sigmoid(part(x, dim, half, half)));
}
