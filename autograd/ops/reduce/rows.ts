/**
 * How kernels see a tensor: a reduction over several axes as one over rows, a function along one axis
 * as one over [outer, n, inner].
 */
import { allocateUninitialised } from "../../runtime/memory.ts";
import type { AxisSizes } from "../../kernels/mod.ts";
import * as kernels from "../../kernels/mod.ts";
import { assertNoOptions, type Known } from "../../check/options.ts";
import {
  normalizeDim,
  normalizeDims,
  reducedShape,
  type Shape,
  sizeOf,
  stridesOf,
} from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import type { Input, Unary } from "../../tape/primitive.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { assertArguments, assertTensor } from "../create/creation.ts";
import { reshape } from "../shape/shape.ts";
import type { ReduceOptions } from "./reduce.ts";

/** Which axes a reduction runs over: normalized dims, ascending. */
export interface Reduced {
  readonly dims: readonly number[];
}

/** The number of elements that each result of a reduction comes from. */
export function countOver(shape: Shape, dims: readonly number[]): number {
  return sizeOf(dims.map((dim) => shape[dim]));
}

/** The shape rule of a reduction primitive: reduced axes stay with size 1. */
export function keptShape([x]: readonly [Shape], { dims }: Reduced): [Shape] {
  return [reducedShape(x, dims, true)];
}

/**
 * The values with the reduced axes innermost, in order: rows of `countOver` elements. They are
 * copied only where the axes are not innermost already.
 */
export function rowsOver(x: Tensor, dims: readonly number[]): Float64Array {
  const { shape } = x;
  const values = valuesOf(x);
  const wide = dims.filter((dim) => shape[dim] !== 1);
  const first = wide.length === 0 ? shape.length : wide[0];
  const innermost = shape.every((size, dim) => dim < first || size === 1 || wide.includes(dim));
  if (innermost) return values;
  const strides = stridesOf(shape);
  const order = [...shape.keys()].filter((dim) => !wide.includes(dim)).concat(wide);
  const rows = allocateUninitialised(values.length).values;
  kernels.gatherStrided(
    values,
    rows,
    order.map((dim) => shape[dim]),
    order.map((dim) => strides[dim]),
    0,
  );
  return rows;
}

/** The axes that a reduction's options name, after its arguments were checked. */
export function reducedDims<Options extends ReduceOptions>(
  action: string,
  x: Tensor,
  options: Options,
  known: Known<NoInfer<Options>>,
): number[] {
  assertArguments(action, x, options, known);
  return normalizeDims(action, options.dim, x.ndim);
}

/** Runs a reduction and drops the reduced axes unless they are to be kept. */
export function reduceBy<Saved extends readonly Input[], Attrs extends Reduced>(
  primitive: Unary<Saved, Attrs>,
  x: Tensor,
  attrs: Attrs,
  keepdim: boolean | undefined,
): Tensor {
  return dropDims(bind(primitive, [x], attrs)[0], attrs.dims, keepdim);
}

/** Drops the reduced axes of a result unless they are to be kept. */
export function dropDims(
  y: Tensor,
  dims: readonly number[],
  keepdim: boolean | undefined,
): Tensor {
  return keepdim ? y : reshape(y, y.shape.filter((_, dim) => !dims.includes(dim)));
}

/** A function along one axis and nothing else, with its arguments checked. */
export function alongDim(
  name: string,
  of: (x: Tensor, dim: number) => Tensor,
): (x: Tensor, dim: number) => Tensor {
  return function (x: Tensor, dim: number): Tensor {
    assertNoOptions(name, arguments, 2);
    assertTensor(name, x, "x");
    return of(x, normalizeDim(name, dim, x.ndim));
  };
}

/** The sizes before, at and behind an axis; a scalar has one element at each. */
export function sizesAround(shape: Shape, dim: number): AxisSizes {
  return {
    outer: sizeOf(shape.slice(0, dim)),
    n: shape[dim] ?? 1,
    inner: sizeOf(shape.slice(dim + 1)),
  };
}
