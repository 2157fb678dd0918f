/**
 * Scaling of rows to a root mean square of 1.
 *
 * Notation: x [R, C], S(t) the mean of t over a row, inv = 1/√(S(x²) + eps), x̂ = x·inv, g the cotangent
 * of y = x̂·weight, gw = g·weight.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, type Input, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { assertOptions } from "../../check/options.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { add, mul, sub } from "../elementwise/arithmetic.ts";
import { sumTo } from "../shape/broadcast.ts";
import { reshape } from "../shape/shape.ts";
import { assertNumber, normalizedShapeOf, scaleEmpty } from "./operands.ts";
import { total } from "./rules.ts";
import { rsqrt } from "../elementwise/math.ts";
import { uniform } from "../create/samples.ts";

interface RmsNormAttrs {
  readonly eps: number;
}

const rmsNormPrimitive = /* @__PURE__ */ ownPrimitive<
  Primitive<
    readonly [x: Tensor, weight: Input],
    readonly [y: Tensor, inv: Tensor],
    readonly [x: Tensor, weight: Input, inv: Tensor],
    RmsNormAttrs
  >
>({
  name: "rmsNorm",
  differentiable: [true, false],
  shape: ([x]) => [x, [x[0]]],
  forward: ([x, weight], [y, inv], { eps }) =>
    kernels.rowScale(
      valuesOf(x),
      rowsOf(x),
      eps,
      weight === null ? null : valuesOf(weight),
      valuesOf(inv),
      valuesOf(y),
    ),
  save: ([x, weight], [, inv]) => [x, weight, inv],
  vjp: ([g], { saved, attrs, needs }) => {
    const cotangents = bind(rmsNormBackward, [g, ...saved], { ...attrs, needs: [...needs] });
    const [dx, dw] = cotangents.map((t, i) => needs[i] ? t : null);
    return [dx, dw];
  },
});

/* @__PURE__ */ described(
  rmsNormPrimitive,
  "x/√(mean of x² over a row + eps)·weight; also that inverse root",
  (random) =>
    [0.01, 0].map((eps) => ({
      inputs: [
        uniform(random, [3, 4], 0.5, 2),
        eps === 0 ? null : uniform(random, [4], 0.5, 1.5),
      ] as const,
      attrs: { eps },
    })),
);

function rowsOf(x: Tensor): { rows: number; size: number; groups: number } {
  return { rows: x.shape[0], size: x.shape[1], groups: 1 };
}

interface BackwardAttrs extends RmsNormAttrs {
  /** Whether dx and dw are asked for; the other comes back empty. */
  readonly needs: readonly boolean[];
}

const rmsNormBackward = /* @__PURE__ */ ownPrimitive<
  Primitive<
    readonly [g: Tensor, x: Tensor, weight: Input, inv: Tensor],
    readonly [dx: Tensor, dw: Tensor],
    readonly [g: Tensor, x: Tensor, weight: Input],
    BackwardAttrs
  >
>({
  name: "rmsNormBackward",
  shape: ([g], { needs }) => [needs[0] ? g : [0], needs[1] ? [g[1]] : [0]],
  // dw = Σ g·x̂; dx = inv·(gw − x̂·S(gw·x̂))
  forward: ([g, x, weight, inv], [dx, dw], { needs }) =>
    kernels.rowScaleGradient(
      valuesOf(g),
      valuesOf(x),
      rowsOf(g),
      valuesOf(inv),
      weight === null ? null : valuesOf(weight),
      needs[0] ? valuesOf(dx) : null,
      needs[1] ? valuesOf(dw) : null,
    ),
  save: ([g, x, weight]) => [g, x, weight],
  // With P(t) = t − x̂·S(t·x̂), k = S(gw·x̂), q = S(v·x̂), v and vw the cotangents of dx and dw:
  // to g: weight·inv·P(v) + vw·x̂; to weight: Σ g·inv·P(v);
  // to x: inv²·(x̂·(3kq − S(gw·v)) − q·gw − k·v) + inv·P(vw·g)
  vjp: ([v, vw], { saved: [g, x, weight], attrs: { eps, needs }, needs: needed }) => {
    const S = (t: Tensor): Tensor => mul(sumTo(t, [g.shape[0], 1]), 1 / g.shape[1]);
    const inv = rsqrt(add(S(mul(x, x)), eps));
    const xhat = mul(x, inv);
    const P = (t: Tensor): Tensor => sub(t, mul(xhat, S(mul(t, xhat))));
    const weighted = (t: Tensor): Tensor => weight === null ? t : mul(t, weight);
    const dg: Tensor[] = [];
    const dx: Tensor[] = [];
    let dw: Tensor | null = null;
    if (needs[1]) {
      dg.push(mul(xhat, vw));
      dx.push(mul(inv, P(mul(g, vw))));
    }
    if (needs[0]) {
      const projected = mul(inv, P(v));
      dg.push(weighted(projected));
      if (needed[2]) dw = sumTo(mul(g, projected), [g.shape[1]]);
      const gw = weighted(g);
      const [k, q] = [S(mul(gw, xhat)), S(mul(v, xhat))];
      const along = sub(mul(mul(k, q), 3), S(mul(gw, v)));
      const across = add(mul(q, gw), mul(k, v));
      dx.push(mul(mul(inv, inv), sub(mul(xhat, along), across)));
    }
    return [total(dg), total(dx), dw, null];
  },
});

/* @__PURE__ */ described(
  rmsNormBackward,
  "cotangents of rmsNorm's x and weight; the inverse root counts as a function of x",
  (random) =>
    [[true, true], [true, false], [false, true]].map((needs) => {
      const x = uniform(random, [3, 4], 0.5, 2).requiresGrad_(false);
      return {
        // inv counts as a function of x, so that x can only be varied through rmsNorm.
        inputs: [
          uniform(random, [3, 4], -1, 1),
          x,
          uniform(random, [4], 0.5, 1.5),
          inverseOf(x, 0.01),
        ] as const,
        attrs: { eps: 0.01, needs },
      };
    }),
);

/** The inverse roots for the samples of the backward. */
function inverseOf(x: Tensor, eps: number): Tensor {
  return bind(rmsNormPrimitive, [x, null], { eps })[1];
}

/**
 * Scales the last axes to a root mean square of 1.
 *
 * y = x/√(S(x²) + eps) · weight; eps defaults to the distance from 1 to the next number.
 *
 * Shapes: x [*, …normalizedShape]; weight of `normalizedShape`.
 *
 * @throws {RangeError} if the last axes of x or weight are not of that shape.
 * @see Zhang, Sennrich: Root Mean Square Layer Normalization, 2019.
 */
export function rmsNorm(
  x: Tensor,
  normalizedShape: Shape | number,
  weight: Tensor | null = null,
  options: { readonly eps?: number | null } = {},
): Tensor {
  assertOptions("run rmsNorm", options, ["eps"]);
  const shape = normalizedShapeOf("run rmsNorm", x, normalizedShape, { weight });
  const size = sizeOf(shape);
  if (size === 0) return scaleEmpty(x, weight, null);
  const rows = reshape(x, [x.size / size, size]);
  const gamma = weight === null ? null : reshape(weight, [size]);
  const eps = options.eps ?? Number.EPSILON;
  assertNumber("run rmsNorm", "eps", eps);
  return reshape(bind(rmsNormPrimitive, [rows, gamma], { eps })[0], x.shape);
}
