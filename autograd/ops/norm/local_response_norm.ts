/**
 * Local response normalisation: each value divided by a power of the mean square of its neighbours in
 * other channels. The backward is itself a primitive, and the second order its rule.
 *
 * Notation: M(t) the mean of t over the window of `size` channels around each, zeros beyond the border;
 * Mᵀ its transpose, the mean over the channels whose window holds this one; d = k + alpha·M(x²),
 * r = d^−beta, e = 2·alpha·beta, g the cotangent of y = x·r.
 */
import { refuse } from "../../check/refuse.ts";
import * as kernels from "../../kernels/mod.ts";
import type { ResponseWindow } from "../../kernels/mod.ts";
import { described, ownPrimitive, type Primitive, type Unary } from "../../tape/primitive.ts";
import type { Generator } from "../../random.ts";
import { assertOptions } from "../../check/options.ts";
import { shaped, sizeOf } from "../../shape.ts";
import { assertTensor } from "../create/creation.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { add, div, mul, sub } from "../elementwise/arithmetic.ts";
import { avgPool2d } from "../pool/avg_pool.ts";
import { assertNumber, channelSizes } from "./operands.ts";
import { pad } from "../shape/pad.ts";
import { pow } from "../elementwise/math.ts";
import { uniform } from "../create/samples.ts";
import { reshape } from "../shape/shape.ts";

export type { ResponseWindow };

const localResponseNormPrimitive = /* @__PURE__ */ ownPrimitive<
  Unary<readonly [x: Tensor], ResponseWindow>
>({
  name: "localResponseNorm",
  shape: ([x]) => [x],
  forward: ([x], [y], attrs) =>
    kernels.localResponseNorm(valuesOf(x), valuesOf(y), channelSizes(x.shape), attrs),
  save: ([x]) => [x],
  vjp: ([g], { saved: [x], attrs }) => [bind(localResponseNormBackward, [g, x], attrs)[0]],
});

/* @__PURE__ */ described(
  localResponseNormPrimitive,
  "x / (k + alpha · mean of x² over neighbouring channels)^beta",
  (random) => windows.map((attrs, i) => ({ inputs: [inputOf(random, i)], attrs })),
);

const localResponseNormBackward = /* @__PURE__ */ ownPrimitive<
  Primitive<
    readonly [g: Tensor, x: Tensor],
    readonly [dx: Tensor],
    readonly [g: Tensor, x: Tensor],
    ResponseWindow
  >
>({
  name: "localResponseNormBackward",
  shape: ([g]) => [g],
  // dx = g·r − e·x·Mᵀ(g·x·r/d)
  forward: ([g, x], [dx], attrs) =>
    kernels.localResponseNormBackward(
      valuesOf(g),
      valuesOf(x),
      valuesOf(dx),
      channelSizes(g.shape),
      attrs,
    ),
  save: (inputs) => inputs,
  // With s = r/d and a = M(v·x): to g v·r − e·x·s·a; to x, as d's part of it is
  // p = e·(beta + 1)·a·g·x·s/d − beta·v·g·s: 2·alpha·x·Mᵀ(p) − e·(v·Mᵀ(g·x·s) + a·g·s)
  vjp: ([v], { saved: [g, x], attrs: { size, alpha, beta, k } }) => {
    const [before, after] = [Math.floor(size / 2), Math.floor((size - 1) / 2)];
    const M = (t: Tensor): Tensor => windowMean(t, size, before, after);
    const transposed = (t: Tensor): Tensor => windowMean(t, size, after, before);
    const e = 2 * alpha * beta;
    const d = add(mul(M(mul(x, x)), alpha), k);
    const r = pow(d, -beta);
    const s = div(r, d);
    const xs = mul(x, s);
    const gs = mul(g, s);
    const gxs = mul(g, xs);
    const a = M(mul(v, x));
    const p = sub(mul(div(mul(a, gxs), d), e * (beta + 1)), mul(mul(v, gs), beta));
    const direct = add(mul(v, transposed(gxs)), mul(a, gs));
    return [
      sub(mul(v, r), mul(mul(xs, a), e)),
      sub(mul(mul(x, transposed(p)), 2 * alpha), mul(direct, e)),
    ];
  },
});

/* @__PURE__ */ described(
  localResponseNormBackward,
  "the cotangent of localResponseNorm's x",
  (random) =>
    windows.map((attrs, i) => {
      const g = inputOf(random, i);
      return { inputs: [g, uniform(random, g.shape, -1, 1)] as const, attrs };
    }),
);

/** Even and odd windows, of one channel and of more than there are; all kinds of exponents. */
const windows: readonly ResponseWindow[] = [
  { size: 2, alpha: 1e-4, beta: 0.75, k: 1 },
  { size: 3, alpha: 0.7, beta: 0.75, k: 0.5 },
  { size: 1, alpha: 1, beta: 0.5, k: 2 },
  { size: 9, alpha: 2, beta: 1.5, k: 1 },
  { size: 4, alpha: 0.5, beta: -0.5, k: 1 },
];

function inputOf(random: Generator, i: number): Tensor {
  return uniform(random, [[1, 4, 3], [2, 3, 1, 2], [3, 2], [1, 3, 2], [2, 5]][i], -1, 1);
}

/** Means over windows of channels with so many before and after, all divided by the window's size. */
function windowMean(t: Tensor, size: number, before: number, after: number): Tensor {
  const [n, c, ...rest] = t.shape;
  const bordered = pad(reshape(t, [n, 1, c, sizeOf(rest)]), [0, 0, before, after]);
  return reshape(avgPool2d(bordered, [size, 1], { stride: 1 }), t.shape);
}

/** Options of {@linkcode localResponseNorm}. */
export interface LocalResponseNormOptions {
  /** The weight of the mean square; defaults to 1e-4. */
  readonly alpha?: number;
  /** The exponent; defaults to 0.75. */
  readonly beta?: number;
  /** Added to the mean square; defaults to 1. */
  readonly k?: number;
}

/**
 * x / (k + alpha · mean of x² over `size` neighbouring channels)^beta.
 *
 * The mean divides by `size` also at the borders, where there are fewer channels.
 *
 * Shapes: [N, C, …] → the same. Gradient: of every order. Cost: one pass over x forward and one
 * backward, with a sum of `size` values for each element.
 *
 * @param x The input.
 * @param size How many channels a mean runs over.
 * @param options alpha = 1e-4, beta = 0.75, k = 1.
 * @returns A tensor of the shape of x.
 * @throws {RangeError} if x has fewer than 3 dims or the size is not an integer of at least 1.
 * @see Krizhevsky et al.: ImageNet Classification with Deep Convolutional Neural Networks, 2012.
 */
export function localResponseNorm(
  x: Tensor,
  size: number,
  options: LocalResponseNormOptions = {},
): Tensor {
  const action = "run localResponseNorm";
  assertOptions(action, options, ["alpha", "beta", "k"]);
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  assertTensor(action, x, "x");
  for (const [name, value] of Object.entries({ size, alpha, beta, k })) {
    assertNumber(action, name, value);
  }
  if (x.ndim < 3) {
    refuse(action, shaped("x", x), "3 dims or more");
  }
  if (!Number.isInteger(size) || size < 1) {
    refuse(action, `size ${size}`, "an integer of at least 1");
  }
  return x.size === 0 ? x : bind(localResponseNormPrimitive, [x], { size, alpha, beta, k })[0];
}
