/**
 * Directions: vectors of length 1, and how far two of them agree.
 */
import { broadcastShapes, normalizeDim } from "../../shape.ts";
import { noGrad } from "../../tape/tape.ts";
import type { Tensor } from "../../tensor.ts";
import { add, div, mul, sub } from "../elementwise/arithmetic.ts";
import { clamp } from "../elementwise/bounds.ts";
import { spread } from "../shape/broadcast.ts";
import { assertTensor } from "../create/creation.ts";
import { norm, type NormOptions } from "../reduce/norm.ts";
import { assertOptions, numberOption } from "../../check/options.ts";
import { sum } from "../reduce/reduce.ts";

/** Which norm {@linkcode normalize} divides by. */
export interface NormalizeOptions extends Pick<NormOptions, "p" | "dim"> {
  /** The least that is divided by; 1e-12 where left out. */
  readonly eps?: number;
}

/**
 * x / max(‖x‖ₚ, eps) along an axis.
 *
 * Shapes: any → the same. Gradient: that of the quotient; where the norm is below eps it counts as
 * constant.
 *
 * @param x The tensor.
 * @param options p = 2, dim = 1 and eps = 1e-12 where left out.
 * @returns The vectors along the axis, scaled to norm 1.
 * @throws {RangeError} if the axis is out of range.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nn.functional.normalize(tensor([[3, 4]])).toArray(), [[0.6, 0.8]]);
 * ```
 */
export function normalize(x: Tensor, options: NormalizeOptions = {}): Tensor {
  assertTensor("normalize", x, "x");
  assertOptions("normalize", options, ["p", "dim", "eps"]);
  const eps = numberOption("normalize", options.eps, "eps", 1e-12);
  const dim = options.dim ?? 1;
  if (typeof dim === "number") normalizeDim("normalize", dim, x.ndim);
  return div(x, clamp(norm(x, { p: options.p ?? 2, dim, keepdim: true }), { min: eps }));
}

/** The axis and the guard of {@linkcode cosineSimilarity}. */
export interface CosineSimilarityOptions {
  /** The axis of the vectors; 1 where left out. */
  readonly dim?: number;
  /** The least that each norm counts; 1e-8 where left out. */
  readonly eps?: number;
}

/**
 * The cosine of the angle between vectors: x1 · x2 / (max(‖x1‖, eps) · max(‖x2‖, eps)).
 *
 * Shapes: x1 and x2 broadcastable → the broadcast shape without `dim`. Gradient: as without the guard,
 * but for the quotient's values.
 *
 * @param x1 One set of vectors.
 * @param x2 The other.
 * @param options The axis and the guard.
 * @returns The cosines.
 * @throws {RangeError} if the shapes do not broadcast or the axis is out of range.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const cosine = nn.functional.cosineSimilarity(tensor([[1, 0]]), tensor([[0, 2]]));
 * assertEquals(cosine.toArray(), [0]);
 * ```
 */
export function cosineSimilarity(
  x1: Tensor,
  x2: Tensor,
  options: CosineSimilarityOptions = {},
): Tensor {
  assertTensor("cosineSimilarity", x1, "x1");
  assertTensor("cosineSimilarity", x2, "x2");
  assertOptions("cosineSimilarity", options, ["dim", "eps"]);
  const eps = numberOption("cosineSimilarity", options.eps, "eps", 1e-8);
  const shape = broadcastShapes("cosineSimilarity", x1.shape, x2.shape);
  const dim = normalizeDim("cosineSimilarity", options.dim ?? 1, shape.length);
  const unit = (x: Tensor): Tensor => {
    const wide = spread(x, shape);
    const length = norm(wide, { dim, keepdim: true });
    // PyTorch raises the norm in place and off the tape: its gradient passes the guard.
    const missing = noGrad(() => clamp(sub(eps, length), { min: 0 }));
    return div(wide, add(length, missing));
  };
  return sum(mul(unit(x1), unit(x2)), { dim });
}
