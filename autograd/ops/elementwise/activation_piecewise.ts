/**
 * Activations with a kink: relu and its relatives.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { shaped } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { clamp } from "./bounds.ts";
import { gt, le, lt, where } from "./compare.ts";
import { ofTensor } from "./declare.ts";
import { assertArguments, assertTensor } from "../create/creation.ts";
import { refuse } from "../../check/refuse.ts";
import { assertNoOptions, type Known, numberOption } from "../../check/options.ts";
import { abs, exp, expm1 } from "./math.ts";
import { signed, uniform, uniformAwayFrom } from "../create/samples.ts";
import { reshape } from "../shape/shape.ts";
import { defineSlope, describedSlope, unarySlope } from "./slope.ts";

/**
 * max(x, 0) element by element; NaN stays.
 *
 * Shapes: any. Gradient: g where x > 0, 0 elsewhere and at 0.
 *
 * @example
 * ```ts
 * import { relu, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(relu(tensor([-1, 0, 2])).toArray(), [0, 0, 2]);
 * ```
 */
export const relu: (x: Tensor) => Tensor = /* @__PURE__ */ unarySlope({
  name: "relu",
  // y says as much as x, which can then be dropped.
  saves: "y",
  forward: kernels.relu,
  backward: kernels.reluBackward,
});
/* @__PURE__ */ describedSlope("relu", "max(x, 0)", signed);

const hardtanhOf = /* @__PURE__ */ defineSlope<{ readonly low: number; readonly high: number }>({
  name: "hardtanh",
  saves: "x",
  forward: (x, y, { low, high }) => kernels.clamp(x, y, low, high),
  // g strictly between the bounds
  backward: (g, x, out, { low, high }) => kernels.hardtanhBackward(g, x, out, low, high),
});
/* @__PURE__ */ describedSlope(
  "hardtanh",
  "min(max(x, low), high), flat at the bounds",
  (random) => [{
    inputs: [uniformAwayFrom(random, [2, 4], -2, 2, [-1, 1])],
    attrs: { low: -1, high: 1 },
  }],
);

/** The bounds of {@linkcode hardtanh}. */
export interface HardtanhOptions {
  /** The lower bound, −1. */
  readonly minVal?: number;
  /** The upper bound, 1. */
  readonly maxVal?: number;
}

const HARDTANH: Known<HardtanhOptions> = ["minVal", "maxVal"];

/**
 * min(max(x, minVal), maxVal) element by element.
 *
 * Shapes: any. Gradient: g strictly between the bounds, 0 at and beyond them (`clamp` passes it at
 * them).
 *
 * @throws {RangeError} if minVal is above maxVal.
 *
 * @example
 * ```ts
 * import { hardtanh, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(hardtanh(tensor([-3, 0.5, 3])).toArray(), [-1, 0.5, 1]);
 * ```
 */
export function hardtanh(x: Tensor, options: HardtanhOptions = {}): Tensor {
  assertArguments("hardtanh", x, options, HARDTANH);
  const low = numberOption("hardtanh", options.minVal, "minVal", -1);
  const high = numberOption("hardtanh", options.maxVal, "maxVal", 1);
  if (low > high) refuse("hardtanh", `minVal ${low} and maxVal ${high}`, "minVal to be no larger");
  return hardtanhOf(x, { low, high });
}

/** min(max(x, 0), 6) element by element. Gradient: g strictly between 0 and 6, else 0. */
export const relu6: (x: Tensor) => Tensor = /* @__PURE__ */ ofTensor(
  "relu6",
  (x) => hardtanhOf(x, { low: 0, high: 6 }),
);

const leakyReluOf = /* @__PURE__ */ defineSlope<{ readonly slope: number }>({
  name: "leakyRelu",
  saves: "x",
  forward: (x, y, { slope }) => kernels.leakyRelu(x, y, slope),
  backward: (g, x, out, { slope }) => kernels.leakyReluBackward(g, x, out, slope),
});
/* @__PURE__ */ describedSlope("leakyRelu", "x for x > 0, else slope · x", (random) => [{
  inputs: [uniformAwayFrom(random, [2, 3], -1, 1, [0])],
  attrs: { slope: 0.1 },
}]);

/**
 * x for x > 0, else negativeSlope · x.
 *
 * Shapes: any. Gradient: g for x > 0, else negativeSlope · g.
 *
 * @param x A tensor.
 * @param options `negativeSlope`, 0.01 where left out.
 * @returns A tensor of the same shape.
 *
 * @example
 * ```ts
 * import { leakyRelu, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(leakyRelu(tensor([-2, 3]), { negativeSlope: 0.5 }).toArray(), [-1, 3]);
 * ```
 */
export function leakyRelu(x: Tensor, options: { readonly negativeSlope?: number } = {}): Tensor {
  assertArguments("leakyRelu", x, options, ["negativeSlope"]);
  const slope = numberOption("leakyRelu", options.negativeSlope, "negativeSlope", 0.01);
  return leakyReluOf(x, { slope });
}

const eluOf = /* @__PURE__ */ defineSlope<{ readonly alpha: number; readonly scale: number }>({
  name: "elu",
  saves: "x",
  forward: (x, y, { alpha, scale }) => kernels.elu(x, y, alpha, scale),
  backward: (g, x, out, { alpha, scale }) => kernels.eluBackward(g, x, out, alpha, scale),
  // f″ = scale · alpha · eˣ for x < 0
  curvature: (x, { alpha, scale }) => where(lt(x, 0), mul(exp(x), alpha * scale), 0),
});
/* @__PURE__ */ describedSlope(
  "elu",
  "scale · x for x > 0, else scale · alpha · (eˣ − 1)",
  (random) =>
    [{ alpha: 1, scale: 1 }, { alpha: 1.7, scale: 1.1 }].map((attrs) => ({
      inputs: [uniformAwayFrom(random, [2, 3], -1, 1, [0])],
      attrs,
    })),
);

/**
 * x for x > 0, else alpha · (eˣ − 1).
 *
 * Shapes: any. Gradient: g for x > 0, else alpha · eˣ · g.
 *
 * @param x A tensor.
 * @param options `alpha`, 1 where left out.
 * @returns A tensor of the same shape.
 * @see D.-A. Clevert and others, "Fast and accurate deep network learning by exponential linear
 * units" (2016).
 *
 * @example
 * ```ts
 * import { elu, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(elu(tensor([-Infinity, 3])).toArray(), [-1, 3]);
 * ```
 */
export function elu(x: Tensor, options: { readonly alpha?: number } = {}): Tensor {
  assertArguments("elu", x, options, ["alpha"]);
  return eluOf(x, { alpha: numberOption("elu", options.alpha, "alpha", 1), scale: 1 });
}

const SELU = { alpha: 1.6732632423543772848, scale: 1.0507009873554804934 };

/**
 * The self-normalising elu: scale · elu(x, alpha) with scale ≈ 1.0507 and alpha ≈ 1.6733.
 *
 * @see G. Klambauer and others, "Self-normalizing neural networks" (2017), appendix A1.
 */
export const selu: (x: Tensor) => Tensor = /* @__PURE__ */ ofTensor("selu", (x) => eluOf(x, SELU));

/**
 * x for x > 0, else alpha · (e^(x/alpha) − 1): an elu whose slope has no jump for any alpha.
 *
 * Shapes: any. Gradient: g for x > 0, else g · e^(x/alpha).
 *
 * @throws {RangeError} if alpha is 0.
 * @see J. T. Barron, "Continuously differentiable exponential linear units" (2017).
 *
 * @example
 * ```ts
 * import { celu, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(celu(tensor([-Infinity, 3]), { alpha: 2 }).toArray(), [-2, 3]);
 * ```
 */
export function celu(x: Tensor, options: { readonly alpha?: number } = {}): Tensor {
  assertArguments("celu", x, options, ["alpha"]);
  const alpha = numberOption("celu", options.alpha, "alpha", 1);
  if (alpha === 0) refuse("celu", "alpha 0", "another number");
  if (alpha > 0) return mul(elu(div(x, alpha)), alpha);
  return add(relu(x), mul(expm1(div(clamp(x, { max: 0 }), alpha)), alpha));
}

/** min(max(x + 3, 0), 6) / 6. Gradient: g / 6 strictly between −3 and 3, else 0. */
export const hardsigmoid: (x: Tensor) => Tensor = /* @__PURE__ */ ofTensor(
  "hardsigmoid",
  (x) => div(relu6(add(x, 3)), 6),
);

/**
 * x · min(max(x + 3, 0), 6) / 6 element by element.
 *
 * Shapes: any. Gradient: 0 up to −3, g · (x/3 + 1/2) between, g from 3 on.
 *
 * @see A. Howard and others, "Searching for MobileNetV3" (2019), section 5.2.
 */
export const hardswish: (x: Tensor) => Tensor = /* @__PURE__ */ unarySlope({
  name: "hardswish",
  saves: "x",
  forward: kernels.hardswish,
  backward: kernels.hardswishBackward,
  // f″ = 1/3 between −3 and 3
  curvature: (x) => where(mul(gt(x, -3), lt(x, 3)), 1 / 3, 0),
});
/* @__PURE__ */ describedSlope("hardswish", "x · min(max(x + 3, 0), 6) / 6", (
  random,
) => [{ inputs: [uniformAwayFrom(random, [2, 4], -5, 5, [-3, 3])], attrs: undefined }]);

const preluPrimitive = /* @__PURE__ */ ownPrimitive<
  Primitive<
    readonly [x: Tensor, weight: Tensor],
    readonly [y: Tensor],
    readonly [x: Tensor, weight: Tensor | null]
  >
>({
  name: "prelu",
  shape: ([x]) => [x],
  forward: ([x, weight], [y]) => {
    const values = valuesOf(x);
    const slopes = valuesOf(weight);
    // A weight of [C, 1, …] repeats over what lies behind the channels.
    const inner = slopes.length === 1
      ? values.length
      : values.length / (x.shape[0] * slopes.length);
    kernels.prelu(values, slopes, valuesOf(y), inner);
  },
  save: ([x, weight], _outputs, _attrs, [byX]) => [x, byX ? weight : null],
  // dy = dx for x > 0, else weight dx + x dweight
  vjp: ([g], { saved: [x, weight], needs }) => {
    const positive = gt(x, 0);
    return [
      needs[0] ? where(positive, g, mul(g, weight!)) : null,
      needs[1] ? where(positive, 0, mul(g, x)) : null,
    ];
  },
});

/* @__PURE__ */ described(
  preluPrimitive,
  "x for x > 0, else weight · x",
  (random) =>
    [[1], [3, 1]].map((shape) => ({
      inputs: [uniformAwayFrom(random, [2, 3, 4], -1, 1, [0]), uniform(random, shape, 0.1, 0.9)],
      attrs: undefined,
    })),
);

/**
 * x for x > 0, else weight · x, with one learned slope for each channel or one for all.
 *
 * Shapes: x [N, C, *] with weight [C], or x of any shape with weight [1] or []. Gradient: g for x > 0,
 * else weight · g; to the weight Σ g · x over x ≤ 0.
 *
 * @param x A tensor.
 * @param weight The slopes.
 * @returns A tensor of the shape of x.
 * @throws {RangeError} if the weight has more than one dim, or neither one element nor one for each
 * channel.
 * @see K. He and others, "Delving deep into rectifiers" (2015).
 *
 * @example
 * ```ts
 * import { prelu, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const y = prelu(tensor([[-1, -1]]), tensor([0.5, 0.25]));
 * assertEquals(y.toArray(), [[-0.5, -0.25]]);
 * ```
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  assertNoOptions("prelu", arguments, 2);
  assertTensor("prelu", x, "x");
  assertTensor("prelu", weight, "weight");
  const channels = x.ndim > 1 ? x.shape[1] : 1;
  if (weight.ndim > 1 || (weight.size !== 1 && (weight.size !== channels || x.ndim === 0))) {
    refuse(
      "prelu",
      `${shaped("weight", weight)} for ${shaped("x", x)}`,
      `[1] or one slope for each of ${channels} channels`,
    );
  }
  const slopes = weight.size === 1
    ? reshape(weight, [])
    : reshape(weight, [channels, ...new Array<number>(x.ndim - 2).fill(1)]);
  return bind(preluPrimitive, [x, slopes], undefined)[0];
}

/** How far from 0 the shrinking functions reach. */
export interface ShrinkOptions {
  /** Everything in −lambd … lambd becomes 0; 0.5. */
  readonly lambd?: number;
}

const SHRINK: Known<ShrinkOptions> = ["lambd"];

/** x where |x| > lambd, else 0. Gradient: g where |x| > lambd. */
export function hardshrink(x: Tensor, options: ShrinkOptions = {}): Tensor {
  assertArguments("hardshrink", x, options, SHRINK);
  return where(le(abs(x), numberOption("hardshrink", options.lambd, "lambd", 0.5)), 0, x);
}

/**
 * x moved by lambd towards 0, and 0 where it is no further away. Gradient: g where |x| > lambd.
 *
 * @throws {RangeError} if lambd is negative.
 */
export function softshrink(x: Tensor, options: ShrinkOptions = {}): Tensor {
  assertArguments("softshrink", x, options, SHRINK);
  const lambd = numberOption("softshrink", options.lambd, "lambd", 0.5);
  if (lambd < 0) refuse("softshrink", `lambd ${lambd}`, "at least 0");
  return sub(x, clamp(x, { min: -lambd, max: lambd }));
}

/** x where it is above the threshold, else the value. Gradient: g above the threshold. */
export function threshold(x: Tensor, threshold: number, value: number): Tensor {
  assertNoOptions("threshold", arguments, 3);
  assertTensor("threshold", x, "x");
  const bound = numberOption("threshold", threshold, "threshold", NaN);
  return where(le(x, bound), numberOption("threshold", value, "value", NaN), x);
}
