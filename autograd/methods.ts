/**
 * Tensor's methods: one line an operation. An operation makes tensors, so the class cannot import it:
 * `autograd/mod.ts` gives it these methods when both are loaded.
 *
 * @module
 */
import * as operations from "./ops/mod.ts";
import type { Tensor } from "./tensor.ts";
import type { Dims, Shape } from "./shape.ts";
import type {
  AddmmOptions,
  AlongDimOptions,
  ClampOptions,
  DiagonalOptions,
  DimOptions,
  ExtremumOptions,
  FlattenOptions,
  Index,
  MaxArgument,
  MomentOptions,
  NormOptions,
  ReduceOptions,
  RoundingMode,
  ValuesAndIndices,
} from "./ops/mod.ts";

/** The operations as methods. */
export abstract class TensorMethods {
  /** A copy of the values, on the tape. Gradient: passed on. */
  clone(this: Tensor): Tensor {
    return operations.clone(this);
  }

  // Arithmetic.

  /** x + alpha · y, with broadcasting. */
  add(this: Tensor, y: Tensor | number, options?: { readonly alpha?: number }): Tensor {
    return operations.add(this, y, options);
  }
  /** x − alpha · y, with broadcasting. */
  sub(this: Tensor, y: Tensor | number, options?: { readonly alpha?: number }): Tensor {
    return operations.sub(this, y, options);
  }
  /** x · y element by element, with broadcasting. */
  mul(this: Tensor, y: Tensor | number): Tensor {
    return operations.mul(this, y);
  }
  /** x / y element by element, with broadcasting; rounded where `roundingMode` says so. */
  div(
    this: Tensor,
    y: Tensor | number,
    options?: { readonly roundingMode?: RoundingMode | null },
  ): Tensor {
    return operations.div(this, y, options);
  }
  /** x^y element by element, with broadcasting. */
  pow(this: Tensor, y: Tensor | number): Tensor {
    return operations.pow(this, y);
  }
  /** −x. Gradient: −g. */
  neg(this: Tensor): Tensor {
    return operations.neg(this);
  }

  // Elementwise.

  /** |x| element by element. */
  abs(this: Tensor): Tensor {
    return operations.abs(this);
  }
  /** −1, 0 or 1 by the sign of each element; 0 for NaN. Gradient: 0. */
  sign(this: Tensor): Tensor {
    return operations.sign(this);
  }
  /** eˣ element by element. */
  exp(this: Tensor): Tensor {
    return operations.exp(this);
  }
  /** eˣ − 1 element by element, accurate near 0. Gradient: g · eˣ. */
  expm1(this: Tensor): Tensor {
    return operations.expm1(this);
  }
  /** The natural logarithm element by element; −∞ at 0, NaN below. */
  log(this: Tensor): Tensor {
    return operations.log(this);
  }
  /** ln(1 + x) element by element, accurate near 0. Gradient: g / (1 + x). */
  log1p(this: Tensor): Tensor {
    return operations.log1p(this);
  }
  /** √x element by element; NaN below 0. */
  sqrt(this: Tensor): Tensor {
    return operations.sqrt(this);
  }
  /** 1/√x element by element. Gradient: −g · x^(−3/2) / 2. */
  rsqrt(this: Tensor): Tensor {
    return operations.rsqrt(this);
  }
  /** x² element by element. Gradient: 2 · g · x. */
  square(this: Tensor): Tensor {
    return operations.square(this);
  }
  /** 1/x element by element. Gradient: −g / x². */
  reciprocal(this: Tensor): Tensor {
    return operations.reciprocal(this);
  }
  /** The sine of each element, in radians. Gradient: g · cos x. */
  sin(this: Tensor): Tensor {
    return operations.sin(this);
  }
  /** The cosine of each element, in radians. Gradient: −g · sin x. */
  cos(this: Tensor): Tensor {
    return operations.cos(this);
  }
  /** The hyperbolic tangent element by element. */
  tanh(this: Tensor): Tensor {
    return operations.tanh(this);
  }
  /** 1 / (1 + e^(−x)) element by element. */
  sigmoid(this: Tensor): Tensor {
    return operations.sigmoid(this);
  }
  /** The error function 2/√π · ∫₀ˣ e^(−t²) dt element by element, within 4e-16 relative. */
  erf(this: Tensor): Tensor {
    return operations.erf(this);
  }
  /** max(x, 0) element by element; NaN stays. */
  relu(this: Tensor): Tensor {
    return operations.relu(this);
  }
  /** x for x > 0, else weight · x, with one learned slope for each channel or one for all. */
  prelu(this: Tensor, weight: Tensor): Tensor {
    return operations.prelu(this, weight);
  }
  /** eˣ / Σ eˣ along an axis, shifted by the largest element so that nothing overflows. */
  softmax(this: Tensor, dim: number): Tensor {
    return operations.softmax(this, dim);
  }
  /** ln(softmax(x)) along an axis, computed as x − max − ln Σ e^(x − max). */
  logSoftmax(this: Tensor, dim: number): Tensor {
    return operations.logSoftmax(this, dim);
  }

  // Bounds, comparisons and choices.

  /** min(max(x, min), max), element by element; NaN stays. */
  clamp(this: Tensor, options: ClampOptions): Tensor {
    return operations.clamp(this, options);
  }
  /** max(x, min) with a tensor as the bound, as {@linkcode clamp} with a lower bound alone. */
  clampMin(this: Tensor, min: Tensor): Tensor {
    return operations.clampMin(this, min);
  }
  /** min(x, max) with a tensor as the bound, as {@linkcode clamp} with an upper bound alone. */
  clampMax(this: Tensor, max: Tensor): Tensor {
    return operations.clampMax(this, max);
  }
  /** The larger of x and y, element by element; NaN if either is. */
  maximum(this: Tensor, y: Tensor): Tensor {
    return operations.maximum(this, y);
  }
  /** The smaller of x and y, element by element; NaN if either is. */
  minimum(this: Tensor, y: Tensor): Tensor {
    return operations.minimum(this, y);
  }
  /** 1 where x = y, 0 elsewhere; NaN equals nothing. */
  eq(this: Tensor, y: Tensor | number): Tensor {
    return operations.eq(this, y);
  }
  /** 1 where x ≠ y, 0 elsewhere. Shapes broadcast; no gradient. */
  ne(this: Tensor, y: Tensor | number): Tensor {
    return operations.ne(this, y);
  }
  /** 1 where x < y, 0 elsewhere. Shapes broadcast; no gradient. */
  lt(this: Tensor, y: Tensor | number): Tensor {
    return operations.lt(this, y);
  }
  /** 1 where x ≤ y, 0 elsewhere. Shapes broadcast; no gradient. */
  le(this: Tensor, y: Tensor | number): Tensor {
    return operations.le(this, y);
  }
  /** 1 where x > y, 0 elsewhere. Shapes broadcast; no gradient. */
  gt(this: Tensor, y: Tensor | number): Tensor {
    return operations.gt(this, y);
  }
  /** 1 where x ≥ y, 0 elsewhere. Shapes broadcast; no gradient. */
  ge(this: Tensor, y: Tensor | number): Tensor {
    return operations.ge(this, y);
  }
  /** This where the condition is not 0, y elsewhere: `where(condition, this, y)`. */
  where(this: Tensor, condition: Tensor, y: Tensor | number): Tensor {
    return operations.where(condition, this, y);
  }
  /** One value where the mask is not 0, x elsewhere. */
  maskedFill(this: Tensor, mask: Tensor, value: Tensor | number): Tensor {
    return operations.maskedFill(this, mask, value);
  }

  // Reductions.

  /** The sum over axes; 0 for an empty one. */
  sum(this: Tensor, options?: ReduceOptions): Tensor {
    return operations.sum(this, options);
  }
  /** The mean over axes; NaN for an empty one. */
  mean(this: Tensor, options?: ReduceOptions): Tensor {
    return operations.mean(this, options);
  }
  /** The product over axes; 1 for an empty one. */
  prod(this: Tensor, options?: ReduceOptions): Tensor {
    return operations.prod(this, options);
  }
  /**
   * The variance over axes: Σ(x − mean)² / (n − correction), in two passes with a corrected
   * mean.
   */
  var(this: Tensor, options?: MomentOptions): Tensor {
    return operations.variance(this, options);
  }
  /** The standard deviation over axes, the square root of {@linkcode variance}. */
  std(this: Tensor, options?: MomentOptions): Tensor {
    return operations.std(this, options);
  }
  /** The largest element over axes; NaN if there is one. */
  amax(this: Tensor, options?: ReduceOptions): Tensor {
    return operations.amax(this, options);
  }
  /** The smallest element over axes; NaN if there is one. */
  amin(this: Tensor, options?: ReduceOptions): Tensor {
    return operations.amin(this, options);
  }
  /**
   * Where the largest element stands along an axis, or among all elements in row-major order;
   * the first of several, and a NaN before any number.
   */
  argmax(this: Tensor, options?: ExtremumOptions): Tensor {
    return operations.argmax(this, options);
  }
  /**
   * Where the smallest element stands along an axis, or among all elements in row-major order;
   * the first of several, and a NaN before any number. As {@linkcode argmax} otherwise.
   */
  argmin(this: Tensor, options?: ExtremumOptions): Tensor {
    return operations.argmin(this, options);
  }
  /**
   * The largest: of all elements; along an axis, with where it stands; or of two tensors,
   * element by element ({@linkcode maximum}). NaN if there is one.
   */
  max(this: Tensor, options: AlongDimOptions): ValuesAndIndices;
  /** The largest of all elements. */
  max(this: Tensor, options?: { readonly dim?: null }): Tensor;
  /** The larger of two tensors, element by element. */
  max(this: Tensor, y: Tensor): Tensor;
  max(this: Tensor, argument?: MaxArgument): Tensor | ValuesAndIndices {
    return operations.max(this, argument);
  }
  /**
   * The smallest: of all elements; along an axis, with where it stands; or of two tensors,
   * element by element ({@linkcode minimum}). As {@linkcode max} otherwise.
   */
  min(this: Tensor, options: AlongDimOptions): ValuesAndIndices;
  /** The smallest of all elements. */
  min(this: Tensor, options?: { readonly dim?: null }): Tensor;
  /** The smaller of two tensors, element by element. */
  min(this: Tensor, y: Tensor): Tensor;
  min(this: Tensor, argument?: MaxArgument): Tensor | ValuesAndIndices {
    return operations.min(this, argument);
  }
  /**
   * ln Σ eˣ over axes, shifted by the largest element so that nothing overflows; −∞ for an
   * empty one.
   */
  logsumexp(this: Tensor, options?: ReduceOptions): Tensor {
    return operations.logsumexp(this, options);
  }
  /** The p-norm over axes, all elements taken as one vector: (Σ|x|ᵖ)^(1/p). */
  norm(this: Tensor, options?: NormOptions): Tensor {
    return operations.norm(this, options);
  }
  /** The sum of all elements up to and including each, along an axis. */
  cumsum(this: Tensor, dim: number): Tensor {
    return operations.cumsum(this, dim);
  }

  // Shape.

  /** The same values under another shape; one size may be −1 and is worked out. */
  reshape(this: Tensor, shape: Shape): Tensor {
    return operations.reshape(this, shape);
  }
  /** The same as {@linkcode reshape}: values are always contiguous here. */
  view(this: Tensor, shape: Shape): Tensor {
    return operations.reshape(this, shape);
  }
  /**
   * The axes from `startDim` to `endDim` merged into one; a scalar becomes a vector of one
   * element.
   */
  flatten(this: Tensor, options?: FlattenOptions): Tensor {
    return operations.flatten(this, options);
  }
  /** Axes of size 1 dropped: all of them, or those named. A named axis of another size stays. */
  squeeze(this: Tensor, dim?: Dims | null): Tensor {
    return operations.squeeze(this, dim);
  }
  /** A new axis of size 1 at `dim`, counted in the result. */
  unsqueeze(this: Tensor, dim: number): Tensor {
    return operations.unsqueeze(this, dim);
  }
  /** The axes of a tensor in another order. */
  permute(this: Tensor, dims: readonly number[]): Tensor {
    return operations.permute(this, dims);
  }
  /** Two axes exchanged. */
  transpose(this: Tensor, dim0: number, dim1: number): Tensor {
    return operations.transpose(this, dim0, dim1);
  }
  /** The transpose of a matrix; vectors and scalars stay as they are. */
  t(this: Tensor): Tensor {
    return operations.t(this);
  }
  /**
   * Repeats axes of size 1, and adds leading axes, until the tensor has the given shape; a size
   * of −1 keeps the axis as it is.
   */
  broadcastTo(this: Tensor, shape: Shape): Tensor {
    return operations.broadcastTo(this, shape);
  }
  /**
   * Repeats axes of size 1, and adds leading axes, until the tensor has the given shape; a size
   * of −1 keeps the axis as it is.
   */
  expand(this: Tensor, shape: Shape): Tensor {
    return operations.expand(this, shape);
  }
  /**
   * The tensor laid out `sizes[i]` times along each axis; more sizes than axes add leading
   * ones.
   */
  repeat(this: Tensor, sizes: readonly number[]): Tensor {
    return operations.repeat(this, sizes);
  }
  /** As {@linkcode repeat}, where missing leading sizes count as 1. */
  tile(this: Tensor, sizes: readonly number[]): Tensor {
    return operations.tile(this, sizes);
  }
  /** The part of an axis that begins at `start`: `x[…, start … start + length − 1, …]`. */
  narrow(this: Tensor, dim: number, start: number | Tensor, length: number): Tensor {
    return operations.narrow(this, dim, start, length);
  }
  /** One slice of an axis, which vanishes: `x[…, index, …]`. */
  select(this: Tensor, dim: number, index: number): Tensor {
    return operations.select(this, dim, index);
  }
  /** The values in reverse order along axes. */
  flip(this: Tensor, dims: number | readonly number[]): Tensor {
    return operations.flip(this, dims);
  }
  /** The values moved along axes by `shifts`; what falls off one end comes in at the other. */
  roll(
    this: Tensor,
    shifts: number | readonly number[],
    dims?: number | readonly number[] | null,
  ): Tensor {
    return operations.roll(this, shifts, dims);
  }
  /** A diagonal of the matrices that two axes span, as a new last axis. */
  diagonal(this: Tensor, options?: DiagonalOptions): Tensor {
    return operations.diagonal(this, options);
  }
  /** Windows of `size` elements along an axis, `step` apart, as a new last axis. */
  unfold(this: Tensor, dim: number, size: number, step: number): Tensor {
    return operations.unfold(this, dim, size, step);
  }
  /**
   * The parts of a tensor along an axis: of `sizeOrSizes` elements each, the last one smaller
   * where it does not come out even, or of the sizes listed.
   */
  split(this: Tensor, sizeOrSizes: number | readonly number[], options?: DimOptions): Tensor[] {
    return operations.split(this, sizeOrSizes, options);
  }
  /**
   * A tensor in `chunks` parts along an axis, as even as they can be while all but the last are
   * equal; there may be fewer.
   */
  chunk(this: Tensor, chunks: number, options?: DimOptions): Tensor[] {
    return operations.chunk(this, chunks, options);
  }
  /** The slices of a tensor along an axis, which vanishes. */
  unbind(this: Tensor, options?: DimOptions): Tensor[] {
    return operations.unbind(this, options);
  }
  /**
   * For each element of an index a value of `x`: at `dim` where the index says, elsewhere at
   * the element's own place.
   */
  gather(this: Tensor, dim: number, index: Index): Tensor {
    return operations.gather(this, dim, index);
  }
  /**
   * `x` with each element of `src` added at `dim` where the index says, elsewhere at the
   * element's own place: the transpose of {@linkcode gather}.
   */
  scatterAdd(this: Tensor, dim: number, index: Index, src: Tensor): Tensor {
    return operations.scatterAdd(this, dim, index, src);
  }
  /** The elements of an axis that an index names: `y[…, i, …] = x[…, index[i], …]`. */
  indexSelect(this: Tensor, dim: number, index: Index): Tensor {
    return operations.indexSelect(this, dim, index);
  }
  /** The matrices of the last two axes with zeros above the k-th diagonal. */
  tril(this: Tensor, k?: number): Tensor {
    return operations.tril(this, k);
  }
  /** The matrices of the last two axes with zeros below the k-th diagonal. */
  triu(this: Tensor, k?: number): Tensor {
    return operations.triu(this, k);
  }

  // Matrix products.

  /** The matrix product x · y. */
  matmul(this: Tensor, y: Tensor): Tensor {
    return operations.matmul(this, y);
  }
  /** The product of two matrices. */
  mm(this: Tensor, y: Tensor): Tensor {
    return operations.mm(this, y);
  }
  /** The products of two batches of matrices. */
  bmm(this: Tensor, y: Tensor): Tensor {
    return operations.bmm(this, y);
  }
  /** The product of a matrix and a vector. */
  mv(this: Tensor, y: Tensor): Tensor {
    return operations.mv(this, y);
  }
  /** The inner product of two vectors. */
  dot(this: Tensor, y: Tensor): Tensor {
    return operations.dot(this, y);
  }
  /** The products of every element of one vector with every element of another. */
  outer(this: Tensor, y: Tensor): Tensor {
    return operations.outer(this, y);
  }
  /** beta · input + alpha · a · b. */
  addmm(this: Tensor, a: Tensor, b: Tensor, options?: AddmmOptions): Tensor {
    return operations.addmm(this, a, b, options);
  }
}
