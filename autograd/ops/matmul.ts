/**
 * Matrix products.
 */
import * as kernels from "../kernels/mod.ts";
import { definePrimitive, type Input, type Primitive } from "../primitive.ts";
import { broadcastShapes, formatShape, type Shape, sizeOf } from "../shape.ts";
import { bind } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastTo } from "./broadcast.ts";
import { assertTensor } from "./creation.ts";
import { uniform } from "./samples.ts";
import { reshape } from "./shape.ts";

/** Which operands are stored transposed. */
interface Transposes {
  readonly transA: boolean;
  readonly transB: boolean;
}

const bmmPrimitive = definePrimitive<
  Primitive<
    readonly [a: Tensor, b: Tensor],
    readonly [out: Tensor],
    readonly [a: Input, b: Input],
    Transposes
  >
>({
  name: "bmm",
  summary: "a batch of matrix products, either factor transposed",
  shape: ([a, b], { transA, transB }) => [[a[0], transA ? a[2] : a[1], transB ? b[1] : b[2]]],
  forward: ([a, b], [out], { transA, transB }) =>
    kernels.matmul(a.storage.values, b.storage.values, out.storage.values, {
      batch: a.shape[0],
      m: out.shape[1],
      n: out.shape[2],
      k: transA ? a.shape[1] : a.shape[2],
      transA,
      transB,
    }),
  save: ([a, b], _, __, needs) => [needs[1] ? a : null, needs[0] ? b : null],
  // out = A·B: dA = g·Bᵀ, dB = Aᵀ·g; a factor stored transposed gets the transpose of that.
  vjp: ([g], { saved: [a, b], attrs: { transA, transB } }) => [
    b === null ? null : transA ? multiply(b, g, transB, true) : multiply(g, b, false, !transB),
    a === null ? null : transB ? multiply(g, a, true, transA) : multiply(a, g, !transA, false),
  ],
  samples: (random) =>
    [[false, false], [true, false], [false, true], [true, true]].map(([transA, transB]) => ({
      inputs: [
        uniform(random, transA ? [2, 4, 3] : [2, 3, 4], -1, 1),
        uniform(random, transB ? [2, 2, 4] : [2, 4, 2], -1, 1),
      ] as const,
      attrs: { transA, transB },
    })),
});

function multiply(a: Tensor, b: Tensor, transA: boolean, transB: boolean): Tensor {
  return bind(bmmPrimitive, [a, b], { transA, transB })[0];
}

/**
 * The matrix product x · y.
 *
 * Shapes: two vectors [k] give a scalar; a matrix and a vector a vector; otherwise [*, m, k] and
 * [*, k, n] give [*, m, n], the leading axes broadcast. Gradient: g · yᵀ to x, xᵀ · g to y. Cost:
 * 2·m·n·k operations for each matrix.
 *
 * @throws {RangeError} if an operand is a scalar or the shapes do not fit.
 *
 * @example
 * ```ts
 * import { matmul, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(matmul(tensor([[1, 2], [3, 4]]), tensor([1, 1])).toArray(), [3, 7]);
 * ```
 */
export function matmul(x: Tensor, y: Tensor): Tensor {
  assertTensor("matmul", x, "x");
  assertTensor("matmul", y, "y");
  if (x.ndim === 0 || y.ndim === 0) throw misfit(x, y);
  const left = x.ndim === 1 ? [1, x.shape[0]] : x.shape;
  const right = y.ndim === 1 ? [y.shape[0], 1] : y.shape;
  const [m, k] = left.slice(-2);
  const n = right[right.length - 1];
  if (right[right.length - 2] !== k) throw misfit(x, y);
  const leadX = left.slice(0, -2);
  const leadY = right.slice(0, -2);
  const lead = broadcastShapes("matmul", leadX, leadY);
  const outShape = [...lead, ...(x.ndim === 1 ? [] : [m]), ...(y.ndim === 1 ? [] : [n])];
  if (sizeOf(leadY) === 1) {
    // One right factor for all: the rows of every left matrix are the rows of a single product.
    const rows = sizeOf(leadX) * m;
    const product = multiply(reshape(x, [1, rows, k]), reshape(y, [1, k, n]), false, false);
    return reshape(product, outShape);
  }
  const product = multiply(
    asBatch(x, left, lead),
    asBatch(y, right, lead),
    false,
    false,
  );
  return reshape(product, outShape);
}

/** x of matrix shape `matrices`, its leading axes broadcast to `lead` and merged. */
function asBatch(x: Tensor, matrices: Shape, lead: Shape): Tensor {
  const tail = matrices.slice(-2);
  const full = broadcastTo(reshape(x, matrices), [...lead, ...tail]);
  return reshape(full, [sizeOf(lead), ...tail]);
}

function misfit(x: Tensor, y: Tensor): RangeError {
  return new RangeError(
    `Cannot matmul: got x of shape ${formatShape(x.shape)} and y of shape ` +
      `${
        formatShape(y.shape)
      }, expected the last axis of x to equal the second-last of y (its only ` +
      `axis if it is a vector)`,
  );
}

/**
 * x · yᵀ for matrices that are stored as rows: what a linear layer computes, without a copy of y.
 *
 * Shapes: [*, k] and [n, k] → [*, n].
 */
export function matmulTransposed(x: Tensor, y: Tensor): Tensor {
  const [n, k] = y.shape;
  const lead = x.shape.slice(0, -1);
  const product = multiply(
    reshape(x, [1, sizeOf(lead), k]),
    reshape(y, [1, n, k]),
    false,
    true,
  );
  return reshape(product, [...lead, n]);
}
