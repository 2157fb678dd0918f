/** Initialisers that make a matrix or a kernel of a certain structure. */
import {
  assertOptions,
  assertTensor,
  formatShape,
  refuse,
  show,
  sizeOf,
  stridesOf,
} from "../../autograd/internal.ts";
import type { Tensor } from "../../autograd/mod.ts";
import { drawInto, expectFinite, fillValues, type InitOptions } from "./fill.ts";

/** Options of {@linkcode orthogonal_}. */
export interface OrthogonalOptions extends InitOptions {
  /** A factor on the matrix; 1 if left out. */
  readonly gain?: number;
}

/** Options of {@linkcode sparse_}. */
export interface SparseOptions extends InitOptions {
  /** The fraction of zeros in each column. */
  readonly sparsity: number;
  /** The standard deviation of the others; 0.01 if left out. */
  readonly std?: number;
}

/** Options of {@linkcode dirac_}. */
export interface DiracOptions {
  /** The number of groups of the convolution; 1 if left out. */
  readonly groups?: number;
}

/**
 * Fills `x`, read as a matrix [size of axis 0, the rest], with orthonormal rows or columns,
 * whichever are fewer, times `gain`.
 *
 * Q of the QR decomposition of a normal matrix, with the signs that make R's diagonal positive.
 * Equal to PyTorch's to 1e-12.
 *
 * @returns `x`.
 * @throws {RangeError} if `x` has fewer than 2 dims or `gain` is not finite.
 * @see A. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural
 * networks" (2013); F. Mezzadri, "How to generate random matrices from the classical compact groups"
 * (2006), section 5.
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [a, b, c, d] = nn.init.orthogonal_(zeros([2, 2])).data;
 * assertAlmostEquals(a * a + b * b, 1, 1e-14);
 * assertAlmostEquals(a * c + b * d, 0, 1e-14);
 * ```
 */
export function orthogonal_<T extends Tensor>(x: T, options: OrthogonalOptions = {}): T {
  const action = "call orthogonal_";
  assertOptions(action, options, ["gain", "generator"]);
  const { gain = 1 } = options;
  assertTensor(action, x, "tensor");
  expectFinite(action, "gain", gain);
  if (x.ndim < 2) {
    refuse(action, `a tensor of shape ${formatShape(x.shape)}`, "at least 2 dims");
  }
  if (x.size === 0) return x;
  const rows = x.shape[0];
  const cols = sizeOf(x.shape) / rows;
  return drawInto(action, x, options, (random, values) => {
    const drawn = new Float64Array(values.length);
    random.fillNormal(drawn);
    const wide = rows < cols;
    // The vectors to make orthonormal stand one behind the other: the rows of a wide matrix, the
    // columns of a tall one.
    const vectors = wide ? drawn : transpose(drawn, rows, cols);
    orthonormalize(vectors, Math.min(rows, cols), Math.max(rows, cols));
    const made = wide ? vectors : transpose(vectors, cols, rows);
    for (let i = 0; i < values.length; i++) values[i] = made[i] * gain;
  });
}

/**
 * Fills a matrix with the identity, cut or padded with zeros to its shape.
 *
 * @returns `x`.
 * @throws {RangeError} if `x` does not have 2 dims.
 */
export function eye_<T extends Tensor>(x: T): T {
  assertMatrix("call eye_", x);
  const [rows, cols] = x.shape;
  return fillValues("call eye_", x, (values) => {
    values.fill(0);
    for (let i = 0; i < Math.min(rows, cols); i++) values[i * cols + i] = 1;
  });
}

/**
 * Fills the weight [out, in, …kernel] of a convolution so that, as far as there are channels, each
 * output channel repeats the input channel of its number: 1 in the middle of its kernel, else 0.
 *
 * @returns `x`.
 * @throws {RangeError} if `x` has not 3 to 5 dims, or axis 0 is no multiple of `groups`.
 *
 * @example
 * ```ts
 * import { nn, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nn.init.dirac_(zeros([2, 2, 3])).toArray(), [
 *   [[0, 1, 0], [0, 0, 0]],
 *   [[0, 0, 0], [0, 1, 0]],
 * ]);
 * ```
 */
export function dirac_<T extends Tensor>(x: T, options: DiracOptions = {}): T {
  const action = "call dirac_";
  assertOptions(action, options, ["groups"]);
  const { groups = 1 } = options;
  assertTensor(action, x, "tensor");
  if (x.ndim < 3 || x.ndim > 5) {
    refuse(action, `a tensor of shape ${formatShape(x.shape)}`, "3, 4 or 5 dims");
  }
  if (!Number.isSafeInteger(groups) || groups < 1 || x.shape[0] % groups !== 0) {
    refuse(
      action,
      `groups ${show(groups)} for shape ${formatShape(x.shape)}`,
      "a whole number that divides axis 0",
    );
  }
  const strides = stridesOf(x.shape);
  let middle = 0;
  for (let axis = 2; axis < x.ndim; axis++) middle += (x.shape[axis] >> 1) * strides[axis];
  const perGroup = x.shape[0] / groups;
  const repeated = sizeOf(x.shape) === 0 ? 0 : Math.min(perGroup, x.shape[1]);
  return fillValues(action, x, (values) => {
    values.fill(0);
    for (let group = 0; group < groups; group++) {
      for (let d = 0; d < repeated; d++) {
        values[(group * perGroup + d) * strides[0] + d * strides[1] + middle] = 1;
      }
    }
  });
}

/**
 * Fills a matrix from the normal distribution with mean 0 and standard deviation `std`, then sets a
 * fraction `sparsity` of each column, rounded up, to zero.
 *
 * Everything is drawn from one generator; PyTorch takes the places of the zeros from its default one,
 * whatever `generator` says.
 *
 * @returns `x`.
 * @throws {RangeError} if `x` does not have 2 dims, `sparsity` is not in 0 … 1, or `std` is negative
 * or not finite.
 * @see J. Martens, "Deep learning via Hessian-free optimization" (2010), section 5.
 */
export function sparse_<T extends Tensor>(x: T, options: SparseOptions): T {
  const action = "call sparse_";
  assertOptions(action, options, ["sparsity", "std", "generator"]);
  const { sparsity, std = 0.01 } = options;
  assertMatrix(action, x);
  expectFinite(action, "sparsity", sparsity);
  if (sparsity < 0 || sparsity > 1) {
    refuse(action, `sparsity ${sparsity}`, "one in 0 … 1");
  }
  const [rows, cols] = x.shape;
  const zeros = Math.ceil(sparsity * rows);
  return drawInto(action, x, options, (random, values) => {
    random.fillNormal(values, 0, std);
    const order = new Float64Array(rows);
    for (let column = 0; column < cols; column++) {
      random.fillPermutation(order);
      for (let i = 0; i < zeros; i++) values[order[i] * cols + column] = 0;
    }
  });
}

function assertMatrix(action: string, x: Tensor): void {
  assertTensor(action, x, "tensor");
  if (x.ndim !== 2) {
    refuse(action, `a tensor of shape ${formatShape(x.shape)}`, "2 dims");
  }
}

function transpose(values: Float64Array, rows: number, cols: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) result[j * rows + i] = values[i * cols + j];
  }
  return result;
}

/**
 * Replaces `count` vectors of `length` ≥ `count` elements, one behind the other, by the columns of Q
 * in A = Q·R, where A has them as columns and R's diagonal is positive (0 stays 0): Householder's QR
 * decomposition.
 *
 * @see G. Golub and C. Van Loan, "Matrix Computations", section 5.2.
 */
export function orthonormalize(vectors: Float64Array, count: number, length: number): void {
  const column = (k: number) => vectors.subarray(k * length, (k + 1) * length);
  const taus = new Float64Array(count);
  const signs = new Float64Array(count);
  // Reflector k, H = I − τ v vᵀ with v[k] = 1, maps what is left of column k onto its first element.
  for (let k = 0; k < count; k++) {
    const v = column(k);
    let tail = 0;
    for (let i = k + 1; i < length; i++) tail += v[i] * v[i];
    const head = v[k];
    if (tail === 0) {
      signs[k] = Math.sign(head);
    } else {
      const diagonal = Math.sqrt(head * head + tail) * (head < 0 ? 1 : -1);
      taus[k] = (diagonal - head) / diagonal;
      for (let i = k + 1; i < length; i++) v[i] /= head - diagonal;
      signs[k] = Math.sign(diagonal);
    }
    v[k] = 1;
    for (let j = k + 1; j < count; j++) reflect(column(j), v, taus[k], k);
  }
  // Q = H₀ H₁ … applied to the first unit vectors. Reflectors and Q share the memory: H_k is the last
  // to need column k, so Q is built from the last column backwards.
  for (let k = count - 1; k >= 0; k--) {
    const v = column(k);
    for (let j = k + 1; j < count; j++) reflect(column(j), v, taus[k], k);
    const tau = taus[k];
    for (let i = 0; i < k; i++) v[i] = 0;
    v[k] = 1 - tau;
    for (let i = k + 1; i < length; i++) v[i] *= -tau;
  }
  for (let k = 0; k < count; k++) {
    const q = column(k);
    for (let i = 0; i < length; i++) q[i] *= signs[k];
  }
}

/** x −= τ v (v · x), from element `start` on. */
function reflect(x: Float64Array, v: Float64Array, tau: number, start: number): void {
  if (tau === 0) return;
  let dot = 0;
  for (let i = start; i < x.length; i++) dot += v[i] * x[i];
  dot *= tau;
  for (let i = start; i < x.length; i++) x[i] -= dot * v[i];
}
