/**
 * Activations that other operations say in one line.
 */
import type { Tensor } from "../../tensor.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { clamp } from "./bounds.ts";
import { le } from "./compare.ts";
import { assertTensor } from "../create/creation.ts";
import { assertNoOptions, assertOptions, type Known, numberOption } from "../../check/options.ts";
import { elu, relu, relu6 } from "./activation_piecewise.ts";
import { abs, expm1 } from "./math.ts";
import { tanh } from "./activation_smooth.ts";
import { where } from "./where.ts";

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
  assertTensor("celu", x, "x");
  assertOptions("celu", options, ["alpha"]);
  const alpha = numberOption("celu", options.alpha, "alpha", 1);
  if (alpha === 0) {
    throw new RangeError("Cannot celu: got alpha 0, expected another number");
  }
  if (alpha > 0) return mul(elu(div(x, alpha)), alpha);
  return add(relu(x), mul(expm1(div(clamp(x, { max: 0 }), alpha)), alpha));
}

/** min(max(x + 3, 0), 6) / 6. Gradient: g / 6 strictly between −3 and 3, else 0. */
export function hardsigmoid(x: Tensor): Tensor {
  assertNoOptions("hardsigmoid", arguments, 1);
  assertTensor("hardsigmoid", x, "x");
  return div(relu6(add(x, 3)), 6);
}

/** x / (1 + |x|). Gradient: g / (1 + |x|)². */
export function softsign(x: Tensor): Tensor {
  assertNoOptions("softsign", arguments, 1);
  assertTensor("softsign", x, "x");
  return div(x, add(abs(x), 1));
}

/** x − tanh x. Gradient: g · tanh² x. */
export function tanhshrink(x: Tensor): Tensor {
  assertNoOptions("tanhshrink", arguments, 1);
  assertTensor("tanhshrink", x, "x");
  return sub(x, tanh(x));
}

/** How far from 0 the shrinking functions reach. */
export interface ShrinkOptions {
  /** Everything in −lambd … lambd becomes 0; 0.5. */
  readonly lambd?: number;
}

const SHRINK: Known<ShrinkOptions> = ["lambd"];

/** x where |x| > lambd, else 0. Gradient: g where |x| > lambd. */
export function hardshrink(x: Tensor, options: ShrinkOptions = {}): Tensor {
  assertTensor("hardshrink", x, "x");
  assertOptions("hardshrink", options, SHRINK);
  return where(le(abs(x), numberOption("hardshrink", options.lambd, "lambd", 0.5)), 0, x);
}

/**
 * x moved by lambd towards 0, and 0 where it is no further away. Gradient: g where |x| > lambd.
 *
 * @throws {RangeError} if lambd is negative.
 */
export function softshrink(x: Tensor, options: ShrinkOptions = {}): Tensor {
  assertTensor("softshrink", x, "x");
  assertOptions("softshrink", options, SHRINK);
  const lambd = numberOption("softshrink", options.lambd, "lambd", 0.5);
  if (lambd < 0) {
    throw new RangeError(`Cannot softshrink: got lambd ${lambd}, expected at least 0`);
  }
  return sub(x, clamp(x, { min: -lambd, max: lambd }));
}

/** x where it is above the threshold, else the value. Gradient: g above the threshold. */
export function threshold(x: Tensor, threshold: number, value: number): Tensor {
  assertNoOptions("threshold", arguments, 3);
  assertTensor("threshold", x, "x");
  const bound = numberOption("threshold", threshold, "threshold", NaN);
  return where(le(x, bound), numberOption("threshold", value, "value", NaN), x);
}
