/**
 * Variances and standard deviations.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { div, mul, sub } from "../elementwise/arithmetic.ts";
import { eq, where } from "../elementwise/compare.ts";
import { refuse, refuseKind } from "../../check/refuse.ts";
import { type Known, numberOption } from "../../check/options.ts";
import { mean, type ReduceOptions } from "./reduce.ts";
import { countOver, keptShape, reduceBy, type Reduced, reducedDims, rowsOver } from "./rows.ts";
import { uniform } from "../create/samples.ts";
import type { Generator } from "../../random.ts";

/** Which axes a variance runs over, and what its sum of squares is divided by. */
export interface MomentOptions extends ReduceOptions {
  /** The divisor is the number of elements minus this, 1; `null` stands for 1 too. */
  readonly correction?: number | null;
  /** The older spelling of a correction of 1, or of 0 for false; not beside `correction`. */
  readonly unbiased?: boolean;
}

const KNOWN: Known<MomentOptions> = ["dim", "correction", "keepdim", "unbiased"];

interface MomentAttrs extends Reduced {
  readonly correction: number;
  /** Whether no dim was named, which PyTorch treats apart where nothing is left to divide by. */
  readonly whole: boolean;
}

function eachWay(random: Generator) {
  return [
    { dims: [0, 2], correction: 1, whole: false },
    { dims: [1], correction: 0, whole: false },
    { dims: [0, 1, 2], correction: 0.5, whole: true },
  ].map((attrs) => ({ inputs: [uniform(random, [2, 3, 2], -1, 1)] as const, attrs }));
}

function fillVariance(x: Tensor, y: Tensor, { dims, correction }: MomentAttrs): void {
  const n = countOver(x.shape, dims);
  kernels.variance(rowsOver(x, dims), valuesOf(y), n, Math.max(n - correction, 0));
}

/** 2 / (n − correction) · g · (x − mean) */
function varianceBackward(g: Tensor, x: Tensor, { dims, correction, whole }: MomentAttrs): Tensor {
  const freedom = countOver(x.shape, dims) - correction;
  const centre = mean(x, { dim: dims, keepdim: true });
  if (whole && freedom <= 0) return mul(g, where(eq(x, centre), NaN, Infinity));
  return mul(mul(g, 2 / freedom), sub(x, centre));
}

const variancePrimitive = /* @__PURE__ */ ownPrimitive<
  Unary<readonly [x: Tensor], MomentAttrs>
>({
  name: "variance",
  shape: keptShape,
  forward: ([x], [y], attrs) => fillVariance(x, y, attrs),
  save: ([x]) => [x],
  vjp: ([g], { saved: [x], attrs }) => [varianceBackward(g, x, attrs)],
});
/* @__PURE__ */ described(variancePrimitive, "Σ(x − mean)² / (n − correction)", eachWay);

const stdPrimitive = /* @__PURE__ */ ownPrimitive<
  Unary<readonly [x: Tensor, y: Tensor], MomentAttrs>
>({
  name: "std",
  shape: keptShape,
  forward: ([x], [y], attrs) => {
    fillVariance(x, y, attrs);
    kernels.sqrt(valuesOf(y), valuesOf(y));
  },
  save: ([x], [y]) => [x, y],
  // d√v = dv / 2√v, and 0 at 0
  vjp: ([g], { saved: [x, y], attrs }) => [
    varianceBackward(where(eq(y, 0), 0, div(g, mul(y, 2))), x, attrs),
  ],
});
/* @__PURE__ */ described(stdPrimitive, "√(Σ(x − mean)² / (n − correction))", eachWay);

function correctionOf(action: string, { correction, unbiased }: MomentOptions): number {
  if (unbiased === undefined) {
    return numberOption(action, correction ?? undefined, "correction", 1);
  }
  if (typeof unbiased !== "boolean") refuseKind(action, "unbiased", unbiased, "true or false");
  if (correction !== undefined) {
    refuse(action, "both correction and unbiased", "one of them at most");
  }
  return unbiased ? 1 : 0;
}

function attrsOf(action: string, x: Tensor, options: MomentOptions): MomentAttrs {
  const dims = reducedDims(action, x, options, KNOWN);
  const whole = x.ndim === 0 || (options.dim ?? null) === null;
  return { dims, correction: correctionOf(action, options), whole };
}

/**
 * The variance over axes: Σ(x − mean)² / (n − correction), in two passes with a corrected mean.
 *
 * Unbiased by default as in PyTorch; 0 as `correction` gives the biased one. Where n − correction is
 * not above 0 the sum is divided by 0.
 *
 * Shapes: the reduced axes vanish, or stay as 1 with `keepdim`. Gradient: 2 · g · (x − mean) /
 * (n − correction).
 *
 * @throws {RangeError} if a dim is out of range or named twice.
 *
 * @example
 * ```ts
 * import { tensor, variance } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([1, 2, 3, 4, 5]);
 * assertEquals(variance(x).item(), 2.5);
 * assertEquals(variance(x, { correction: 0 }).item(), 2);
 * ```
 */
export function variance(x: Tensor, options: MomentOptions = {}): Tensor {
  return reduceBy(variancePrimitive, x, attrsOf("variance", x, options), options.keepdim);
}

/**
 * The standard deviation over axes, the square root of {@linkcode variance}.
 *
 * Shapes: the reduced axes vanish, or stay as 1 with `keepdim`. Gradient: g · (x − mean) /
 * ((n − correction) · std), 0 where std is 0.
 *
 * @throws {RangeError} if a dim is out of range or named twice.
 *
 * @example
 * ```ts
 * import { std, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(std(tensor([1, 3]), { correction: 0 }).item(), 1);
 * ```
 */
export function std(x: Tensor, options: MomentOptions = {}): Tensor {
  return reduceBy(stdPrimitive, x, attrsOf("std", x, options), options.keepdim);
}

/** The {@linkcode variance} and the mean over the same axes. */
export function varMean(
  x: Tensor,
  options: MomentOptions = {},
): [variance: Tensor, mean: Tensor] {
  return [variance(x, options), meanOver(x, options)];
}

/** The {@linkcode std} and the mean over the same axes. */
export function stdMean(x: Tensor, options: MomentOptions = {}): [std: Tensor, mean: Tensor] {
  return [std(x, options), meanOver(x, options)];
}

function meanOver(x: Tensor, { dim, keepdim }: MomentOptions): Tensor {
  return mean(x, { dim, keepdim });
}
