/**
 * Linear maps along one axis with few weights in each row: interpolation of every kind.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { uniform } from "../create/samples.ts";

type Resample = Primitive<
  readonly [x: Tensor],
  readonly [y: Tensor],
  readonly [],
  { readonly dim: number; readonly taps: kernels.Taps }
>;

function inner(shape: Shape, dim: number): number {
  return sizeOf(shape.slice(dim + 1));
}

/** Three elements from four, two taps each. */
const sampleTaps: kernels.Taps = {
  length: 4,
  starts: Int32Array.of(0, 2, 4, 6),
  indices: Int32Array.of(0, 1, 1, 2, 3, 3),
  weights: Float64Array.of(0.75, 0.25, 0.5, 0.5, 1, -0.5),
};

const resamplePrimitive = /* @__PURE__ */ ownPrimitive<Resample>({
  name: "resample",
  shape: ([x], { dim, taps }) => [x.with(dim, taps.starts.length - 1)],
  forward: ([x], [y], { dim, taps }) =>
    kernels.resample(valuesOf(x), valuesOf(y), taps, inner(x.shape, dim)),
  vjp: ([g], { attrs: { dim, taps } }) => [resampleTranspose(g, dim, taps)],
});

/* @__PURE__ */ described(
  resamplePrimitive,
  "y[…, i, …] = Σₜ weightₜ · x[…, indexₜ, …] over the taps t of i: interpolate",
  (random) => [
    { inputs: [uniform(random, [2, 4, 2], -1, 1)], attrs: { dim: 1, taps: sampleTaps } },
    { inputs: [uniform(random, [4], -1, 1)], attrs: { dim: 0, taps: sampleTaps } },
  ],
);

const resampleTransposePrimitive = /* @__PURE__ */ ownPrimitive<Resample>({
  name: "resampleTranspose",
  shape: ([x], { dim, taps }) => [x.with(dim, taps.length)],
  forward: ([x], [y], { dim, taps }) =>
    kernels.resampleTranspose(valuesOf(x), valuesOf(y), taps, inner(x.shape, dim)),
  vjp: ([g], { attrs: { dim, taps } }) => [resample(g, dim, taps)],
});

/* @__PURE__ */ described(
  resampleTransposePrimitive,
  "y[…, indexₜ, …] += weightₜ · x[…, i, …] over the taps t of i, from zeros",
  (random) => [
    { inputs: [uniform(random, [2, 3, 2], -1, 1)], attrs: { dim: 1, taps: sampleTaps } },
  ],
);

/** Weighted sums along an axis of `taps.length` elements. */
export function resample(x: Tensor, dim: number, taps: kernels.Taps): Tensor {
  return bind(resamplePrimitive, [x], { dim, taps })[0];
}

function resampleTranspose(x: Tensor, dim: number, taps: kernels.Taps): Tensor {
  return bind(resampleTransposePrimitive, [x], { dim, taps })[0];
}
