/**
 * Norms of vectors.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import { formatShape, shaped } from "../../shape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { add, div, mul } from "../elementwise/arithmetic.ts";
import { eq, ne, where } from "../elementwise/compare.ts";
import { zerosLike } from "../create/creation.ts";
import { refuse, refuseKind } from "../../check/refuse.ts";
import { type Known, numberOption } from "../../check/options.ts";
import { abs, pow, sign } from "../elementwise/math.ts";
import { type ReduceOptions, sum } from "./reduce.ts";
import { countOver, keptShape, reduceBy, type Reduced, reducedDims, rowsOver } from "./rows.ts";
import { uniformAwayFrom } from "../create/samples.ts";

interface NormAttrs extends Reduced {
  readonly p: number;
}

const normPrimitive = /* @__PURE__ */ ownPrimitive<
  Unary<readonly [x: Tensor, y: Tensor], NormAttrs>
>({
  name: "norm",
  shape: keptShape,
  forward: ([x], [y], { dims, p }) =>
    kernels.norm(rowsOver(x, dims), valuesOf(y), countOver(x.shape, dims), p),
  save: ([x], [y]) => [x, y],
  vjp: ([g], { saved: [x, y], attrs }) => [normBackward(g, x, y, attrs)],
});

/* @__PURE__ */ described(
  normPrimitive,
  "(Σ|x|ᵖ)^(1/p)",
  (random) =>
    [0, 0.5, 1, 1.5, 2, 3, -1, Infinity, -Infinity].map((p) => ({
      inputs: [uniformAwayFrom(random, [2, 3, 2], -1, 1, [0])],
      attrs: { p, dims: p === 2 ? [0, 2] : [1] },
    })),
);

/** d‖x‖ = Σ sign(x)·(|x| / ‖x‖)^(p−1) dx, and 0 where that is 0/0 */
function normBackward(g: Tensor, x: Tensor, y: Tensor, { p, dims }: NormAttrs): Tensor {
  if (p === 0) return zerosLike(x);
  if (p === 1) return mul(g, sign(x));
  if (p === 2) return mul(g, where(eq(y, 0), 0, div(x, y)));
  if (Math.abs(p) === Infinity) {
    // The extreme elements share; where the norm is NaN, those that are NaN do.
    const size = abs(x);
    const extreme = add(eq(size, y), ne(x, x));
    const count = sum(extreme, { dim: dims, keepdim: true });
    return mul(sign(x), mul(div(g, count), extreme));
  }
  const power = pow(abs(x), p - 1);
  const scaled = mul(sign(x), p < 1 ? where(eq(x, 0), 0, power) : power);
  if (p < 1) return mul(scaled, mul(g, pow(y, 1 - p)));
  return mul(scaled, where(eq(y, 0), 0, div(g, pow(y, p - 1))));
}

function normOver(
  action: string,
  x: Tensor,
  attrs: NormAttrs,
  keepdim: boolean | undefined,
): Tensor {
  const { p, dims } = attrs;
  if ((p < 0 || p === Infinity) && countOver(x.shape, dims) === 0) {
    const expected = `at least one element over dims ${formatShape(dims)}`;
    refuse(action, shaped("x", x), `${expected}: order ${p} has no value for none`);
  }
  return reduceBy(normPrimitive, x, attrs, keepdim);
}

/** The order and the axes of {@linkcode norm}. */
export interface NormOptions extends ReduceOptions {
  /** The order: any number, ±Infinity included; 2, which is also "fro", where left out. */
  readonly p?: number | "fro";
}

const NORM: Known<NormOptions> = ["p", "dim", "keepdim"];

/**
 * The p-norm over axes, all elements taken as one vector: (Σ|x|ᵖ)^(1/p).
 *
 * Order 0 counts the elements that are not 0, ∞ takes the largest |x| and −∞ the smallest.
 *
 * Shapes: the reduced axes vanish, or stay as 1 with `keepdim`. Gradient: g · sign(x) ·
 * (|x| / norm)^(p−1), 0 where the norm is 0; for ±∞ the extreme elements share g.
 *
 * @param x A tensor.
 * @param options `p`, `dim`, `keepdim`.
 * @returns The norm.
 * @throws {TypeError} if p is not a number. @throws {RangeError} if a dim is out of range, or for an
 * empty vector with p below 0 or ∞.
 *
 * @example
 * ```ts
 * import { norm, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(norm(tensor([3, -4])).item(), 5);
 * assertEquals(norm(tensor([3, -4]), { p: Infinity }).item(), 4);
 * ```
 */
export function norm(x: Tensor, options: NormOptions = {}): Tensor {
  const dims = reducedDims("norm", x, options, NORM);
  const p = options.p ?? 2;
  if (typeof p !== "number" && p !== "fro") refuseKind("norm", "p", p, 'a number or "fro"');
  return normOver("norm", x, { p: p === "fro" ? 2 : p, dims }, options.keepdim);
}

/** The order and the axes of {@linkcode vectorNorm}. */
export interface VectorNormOptions extends ReduceOptions {
  /** The order: any number, ±Infinity included; 2 where left out. */
  readonly ord?: number;
}

const VECTOR_NORM: Known<VectorNormOptions> = ["ord", "dim", "keepdim"];

/** As {@linkcode norm}, with the order called `ord`: `torch.linalg.vector_norm`. */
export function vectorNorm(x: Tensor, options: VectorNormOptions = {}): Tensor {
  const dims = reducedDims("vectorNorm", x, options, VECTOR_NORM);
  const p = numberOption("vectorNorm", options.ord ?? undefined, "ord", 2);
  return normOver("vectorNorm", x, { p, dims }, options.keepdim);
}
