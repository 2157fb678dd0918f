/**
 * Matrix products.
 */
import { refuse } from "../../check/refuse.ts";
import * as kernels from "../../kernels/mod.ts";
import { described, type Input, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { broadcastShapes, sameShape, type Shape, shaped, sizeOf } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { spread } from "../shape/broadcast.ts";
import { assertTensor } from "../create/creation.ts";
import { assertNoOptions } from "../../check/options.ts";
import { uniform } from "../create/samples.ts";
import { reshape } from "../shape/shape.ts";

/** Which operands are stored transposed. */
interface Transposes {
  readonly transA: boolean;
  readonly transB: boolean;
}

const matmulPrimitive = /* @__PURE__ */ ownPrimitive<
  Primitive<
    readonly [a: Tensor, b: Tensor, bias: Input],
    readonly [out: Tensor],
    readonly [a: Input, b: Input],
    Transposes
  >
>({
  name: "matmul",
  shape: ([a, b], { transA, transB }) => {
    const last = a.length - 1;
    const shape = a.slice();
    shape[last - 1] = a[transA ? last : last - 1];
    shape[last] = b[transB ? last - 1 : last];
    return [shape];
  },
  forward: ([a, b, bias], [out], { transA, transB }) => {
    const last = a.shape.length - 1;
    let batch = 1;
    for (let i = 0; i < last - 1; i++) batch *= a.shape[i];
    kernels.matmul(valuesOf(a), valuesOf(b), valuesOf(out), {
      batch,
      m: out.shape[last - 1],
      n: out.shape[last],
      k: a.shape[transA ? last - 1 : last],
      transA,
      transB,
    });
    if (bias !== null) kernels.addRow(valuesOf(bias), valuesOf(out));
  },
  save: ([a, b], _, __, needs) => [needs[1] ? a : null, needs[0] ? b : null],
  // out = A·B + c: dA = g·Bᵀ, dB = Aᵀ·g, dc = Σ rows of g; a factor stored transposed gets the
  // transpose of that.
  vjp: ([g], { saved: [a, b], attrs: { transA, transB } }) => [
    b === null ? null : transA ? multiply(b, g, transB, true) : multiply(g, b, false, !transB),
    a === null ? null : transB ? multiply(g, a, true, transA) : multiply(a, g, !transA, false),
    g,
  ],
});

/* @__PURE__ */ described(
  matmulPrimitive,
  "A·B + bias, over equal leading axes; either factor may be stored transposed",
  (random) => [
    ...[[false, false], [true, false], [false, true], [true, true]].map(([transA, transB]) => ({
      inputs: [
        uniform(random, transA ? [2, 4, 3] : [2, 3, 4], -1, 1),
        uniform(random, transB ? [2, 2, 4] : [2, 4, 2], -1, 1),
        null,
      ] as const,
      attrs: { transA, transB },
    })),
    {
      inputs: [
        uniform(random, [3, 4], -1, 1),
        uniform(random, [2, 4], -1, 1),
        uniform(random, [2], -1, 1),
      ],
      attrs: { transA: false, transB: true },
    },
  ],
);

/**
 * A·B + bias for factors of two or more axes, equal up to the last two; checked by the caller. The
 * bias is a row of the result.
 */
export function multiply(
  a: Tensor,
  b: Tensor,
  transA = false,
  transB = false,
  bias: Tensor | null = null,
): Tensor {
  return bind(matmulPrimitive, [a, b, bias], { transA, transB })[0];
}

/**
 * The matrix product x · y.
 *
 * Shapes: two vectors [k] give a scalar; a matrix and a vector a vector; otherwise [*, m, k] and
 * [*, k, n] give [*, m, n], the leading axes broadcast. Gradient: g · yᵀ to x, xᵀ · g to y. Cost:
 * 2·m·n·k operations for each matrix.
 *
 * @param x The left factor.
 * @param y The right factor.
 * @returns The product.
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
  assertNoOptions("matmul", arguments, 2);
  assertTensor("matmul", x, "x");
  assertTensor("matmul", y, "y");
  if (x.ndim === 2 && y.ndim === 2 && x.shape[1] === y.shape[0]) {
    return multiply(x, y);
  }
  const left = x.ndim === 1 ? [1, x.size] : x.shape;
  const right = y.ndim === 1 ? [y.size, 1] : y.shape;
  const [m, k] = left.slice(-2);
  const [rows, n] = right.slice(-2);
  if (x.ndim === 0 || y.ndim === 0 || rows !== k) {
    refuse(
      "matmul",
      `${shaped("x", x)} and ${shaped("y", y)}`,
      "the last axis of x to equal the second-last of y (its only axis if it is a vector)",
    );
  }
  const leadX = left.slice(0, -2);
  const leadY = right.slice(0, -2);
  const lead = broadcastShapes("matmul", leadX, leadY);
  let product: Tensor;
  if (sameShape(leadX, leadY)) {
    product = multiply(reshape(x, left), reshape(y, right));
  } else if (sizeOf(leadY) === 1) {
    // One right factor for all: the rows of every left matrix are the rows of a single product.
    const all = multiply(reshape(x, [sizeOf(leadX) * m, k]), reshape(y, [k, n]));
    product = reshape(all, [...lead, m, n]);
  } else {
    const a = spread(reshape(x, left), [...lead, m, k]);
    product = multiply(a, spread(reshape(y, right), [...lead, k, n]));
  }
  if (x.ndim > 1 && y.ndim > 1) return product;
  // Without the axes that stood in for those that a vector lacks.
  return reshape(product, [...lead, ...(x.ndim === 1 ? [] : [m]), ...(y.ndim === 1 ? [] : [n])]);
}

/**
 * x · yᵀ + bias for a matrix y that is stored as rows: what a linear layer computes, without a copy
 * of y. Checked by the caller.
 *
 * Shapes: [*, k], [n, k] and [n] → [*, n].
 */
export function matmulTransposed(x: Tensor, y: Tensor, bias: Tensor | null = null): Tensor {
  if (x.ndim === 2) return multiply(x, y, false, true, bias);
  const lead: Shape = x.shape.slice(0, -1);
  const [n, k] = y.shape;
  const product = multiply(reshape(x, [sizeOf(lead), k]), y, false, true, bias);
  return reshape(product, [...lead, n]);
}
