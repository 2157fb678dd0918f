/**
 * How kernels see a tensor: a reduction over several axes as one over rows, a function along one axis
 * as one over [outer, n, inner].
 */
import { allocateUninitialised } from "../../runtime/memory.ts";
import type { AxisSizes } from "../../kernels/mod.ts";
import * as kernels from "../../kernels/mod.ts";
import { reducedShape, type Shape, sizeOf, stridesOf } from "../../shape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { reshape } from "../shape/shape.ts";

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

/** Drops the reduced axes of a result unless they are to be kept. */
export function dropDims(
  y: Tensor,
  dims: readonly number[],
  keepdim: boolean | undefined,
): Tensor {
  return keepdim ? y : reshape(y, y.shape.filter((_, dim) => !dims.includes(dim)));
}

/** The sizes before, at and behind an axis; a scalar has one element at each. */
export function sizesAround(shape: Shape, dim: number): AxisSizes {
  return {
    outer: sizeOf(shape.slice(0, dim)),
    n: shape[dim] ?? 1,
    inner: sizeOf(shape.slice(dim + 1)),
  };
}
