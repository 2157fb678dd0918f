/**
 * Softmax and its logarithm, each with a fused backward that is a primitive too.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Primitive, type Unary } from "../../tape/primitive.ts";
import type { Generator } from "../../random.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { mul, neg, sub } from "../elementwise/arithmetic.ts";
import { exp } from "../elementwise/math.ts";
import { sum } from "./reduce.ts";
import { alongDim, sizesAround } from "./rows.ts";
import { uniform } from "../create/samples.ts";

interface AlongDim {
  readonly dim: number;
}

type Backward = Primitive<
  readonly [g: Tensor, y: Tensor],
  readonly [out: Tensor],
  readonly [g: Tensor | null, y: Tensor],
  AlongDim
>;

/** What there is to say about a function along an axis whose derivative is one pass over g and y. */
interface AlongRule {
  readonly name: string;
  readonly forward: typeof kernels.softmax;
  readonly backward: typeof kernels.softmaxBackward;
  /**
   * The cotangents of g and y from that of the backward, v. g is `null` where that of y is not needed;
   * `total` sums along the axis, `back` runs the backward again.
   */
  vjp(
    v: Tensor,
    g: Tensor | null,
    y: Tensor,
    needsG: boolean,
    total: (x: Tensor) => Tensor,
    back: (g: Tensor, y: Tensor) => Tensor,
  ): readonly [dg: Tensor | null, dy: Tensor | null];
}

/** Registers such a function and its backward, and returns it with its arguments checked. */
function defineAlong(rule: AlongRule): (x: Tensor, dim: number) => Tensor {
  const { name } = rule;
  const backwardPrimitive: Backward = ownPrimitive<Backward>({
    name: `${name}Backward`,
    shape: ([g]) => [g],
    forward: ([g, y], [out], { dim }) =>
      rule.backward(valuesOf(g), valuesOf(y), valuesOf(out), sizesAround(g.shape, dim)),
    save: ([g, y], _outputs, _attrs, [, byY]) => [byY ? g : null, y],
    vjp: ([v], { saved: [g, y], needs: [needsG], attrs: { dim } }) => {
      const total = (x: Tensor) => sum(x, { dim, keepdim: true });
      return rule.vjp(v, g, y, needsG, total, (g, y) => backward(g, y, dim));
    },
  });
  function backward(g: Tensor, y: Tensor, dim: number): Tensor {
    return bind(backwardPrimitive, [g, y], { dim })[0];
  }
  const primitive = ownPrimitive<Unary<readonly [y: Tensor], AlongDim>>({
    name,
    shape: ([x]) => [x],
    forward: ([x], [y], { dim }) =>
      rule.forward(valuesOf(x), valuesOf(y), sizesAround(x.shape, dim)),
    save: (_, [y]) => [y],
    vjp: ([g], { saved: [y], attrs: { dim } }) => [backward(g, y, dim)],
  });
  return alongDim(name, (x, dim) => bind(primitive, [x], { dim })[0]);
}

function oneForEachDim(random: Generator) {
  return [0, 1, 2].map((dim) => ({
    inputs: [uniform(random, [2, 3, 2], -1, 1)] as const,
    attrs: { dim },
  }));
}

function describedAlong(
  name: string,
  summary: string,
  backward: string,
  [low, high]: readonly [number, number],
): void {
  described(name, summary, oneForEachDim);
  described(
    `${name}Backward`,
    backward,
    (random) =>
      oneForEachDim(random).map(({ inputs: [g], attrs }) => ({
        inputs: [g, uniform(random, g.shape, low, high)],
        attrs,
      })),
  );
}

/**
 * eˣ / Σ eˣ along an axis, shifted by the largest element so that nothing overflows.
 *
 * Shapes: any, kept. Gradient: y · (g − Σ g·y).
 *
 * @param x A tensor.
 * @param dim The axis whose elements will add up to 1.
 * @returns A tensor of the same shape; NaN where all of a row is −∞ or any of it +∞.
 * @throws {TypeError} if `dim` is left out. @throws {RangeError} if it is out of range.
 *
 * @example
 * ```ts
 * import { softmax, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(softmax(tensor([1000, 1000]), 0).toArray(), [0.5, 0.5]);
 * ```
 */
export const softmax: (x: Tensor, dim: number) => Tensor = /* @__PURE__ */ defineAlong({
  name: "softmax",
  forward: kernels.softmax,
  backward: kernels.softmaxBackward,
  // It is symmetric in g; by y: v·(g − Σ g·y) − g·Σ v·y
  vjp: (v, g, y, needsG, total, back) => [
    needsG ? back(v, y) : null,
    g === null ? null : sub(mul(v, sub(g, total(mul(g, y)))), mul(g, total(mul(v, y)))),
  ],
});
/* @__PURE__ */ describedAlong("softmax", "eˣ / Σ eˣ along a dim", "y · (g − Σ g·y)", [0.1, 0.9]);

/**
 * ln(softmax(x)) along an axis, computed as x − max − ln Σ e^(x − max).
 *
 * Shapes: any, kept. Gradient: g − eʸ · Σ g.
 *
 * @param x A tensor.
 * @param dim The axis.
 * @returns A tensor of the same shape.
 * @throws {TypeError} if `dim` is left out. @throws {RangeError} if it is out of range.
 *
 * @example
 * ```ts
 * import { logSoftmax, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(logSoftmax(tensor([1000, 0]), 0).toArray(), [0, -1000]);
 * ```
 */
export const logSoftmax: (x: Tensor, dim: number) => Tensor = /* @__PURE__ */ defineAlong({
  name: "logSoftmax",
  forward: kernels.logSoftmax,
  backward: kernels.logSoftmaxBackward,
  // by g: v − Σ v·eʸ; by y: −v·eʸ·Σ g
  vjp: (v, g, y, needsG, total) => {
    const weighted = mul(v, exp(y));
    return [
      needsG ? sub(v, total(weighted)) : null,
      g === null ? null : mul(neg(weighted), total(g)),
    ];
  },
});
/* @__PURE__ */ describedAlong("logSoftmax", "x − ln Σ eˣ along a dim", "g − eʸ · Σ g", [-2, -0.1]);

/** softmax(−x) along an axis. */
export const softmin: (x: Tensor, dim: number) => Tensor = /* @__PURE__ */ alongDim(
  "softmin",
  (x, dim) => softmax(neg(x), dim),
);
