/**
 * Products of given ranks, and linear maps.
 */
import { refuse } from "../../check/refuse.ts";
import { broadcastsTo, formatShape, shaped } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { add, mul } from "../elementwise/arithmetic.ts";
import { sumTo } from "../shape/broadcast.ts";
import { assertTensor } from "../create/creation.ts";
import { einsum } from "./einsum.ts";
import { matmul, matmulTransposed, multiply } from "./matmul.ts";
import { assertNoOptions, assertOptions, numberOption } from "../../check/options.ts";
import { reshape } from "../shape/shape.ts";
import { part } from "../shape/view.ts";

/** What two factors must be: their ranks, and which axis of the one equals which of the other. */
interface Factors {
  readonly ndims: readonly [number, number];
  readonly agreeing: readonly (readonly [number, number])[];
}

function assertFactors(
  action: string,
  x: Tensor,
  y: Tensor,
  { ndims, agreeing }: Factors,
  nameX = "x",
  nameY = "y",
): void {
  assertTensor(action, x, nameX);
  assertTensor(action, y, nameY);
  const fits = x.ndim === ndims[0] && y.ndim === ndims[1] &&
    agreeing.every(([i, j]) => x.shape[i] === y.shape[j]);
  if (!fits) {
    const axes = agreeing.map(([i, j]) => `, axis ${i} of ${nameX} equal to axis ${j} of ${nameY}`);
    refuse(
      action,
      `${shaped(nameX, x)} and ${shaped(nameY, y)}`,
      `${ndims.join(" dims and ")}${axes.join("")}`,
    );
  }
}

/** Declares a product of two tensors, which checks its factors. */
function product(
  action: string,
  factors: Factors,
  run: (x: Tensor, y: Tensor) => Tensor,
): (x: Tensor, y: Tensor) => Tensor {
  return function (x: Tensor, y: Tensor): Tensor {
    assertNoOptions(action, arguments, 2);
    assertFactors(action, x, y, factors);
    return run(x, y);
  };
}

/**
 * The product of two matrices.
 *
 * Shapes: [m, k], [k, n] → [m, n]. Gradient: g · yᵀ to x, xᵀ · g to y.
 *
 * @throws {RangeError} if a factor is no matrix or the shapes do not fit.
 *
 * @example
 * ```ts
 * import { eye, mm, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mm(tensor([[1, 2], [3, 4]]), eye(2)).toArray(), [[1, 2], [3, 4]]);
 * ```
 */
export const mm: (x: Tensor, y: Tensor) => Tensor = /* @__PURE__ */ product("mm", {
  ndims: [2, 2],
  agreeing: [[1, 0]],
}, (x, y) => multiply(x, y));

/**
 * The products of two batches of matrices.
 *
 * Shapes: [b, m, k], [b, k, n] → [b, m, n]. Gradient: g · yᵀ to x, xᵀ · g to y, matrix by matrix.
 *
 * @throws {RangeError} if a factor is no batch of matrices or the shapes do not fit.
 *
 * @example
 * ```ts
 * import { bmm, ones } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(bmm(ones([2, 1, 3]), ones([2, 3, 1])).toArray(), [[[3]], [[3]]]);
 * ```
 */
export const bmm: (x: Tensor, y: Tensor) => Tensor = /* @__PURE__ */ product("bmm", {
  ndims: [3, 3],
  agreeing: [[0, 0], [2, 1]],
}, (x, y) => multiply(x, y));

/**
 * The product of a matrix and a vector.
 *
 * Shapes: [m, k], [k] → [m]. Gradient: the outer product of g and y to x, xᵀ · g to y.
 *
 * @throws {RangeError} if `x` is no matrix, `y` no vector, or the shapes do not fit.
 *
 * @example
 * ```ts
 * import { mv, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mv(tensor([[1, 2], [3, 4]]), tensor([1, 0])).toArray(), [1, 3]);
 * ```
 */
export const mv: (x: Tensor, y: Tensor) => Tensor = /* @__PURE__ */ product("mv", {
  ndims: [2, 1],
  agreeing: [[1, 0]],
}, matmul);

/**
 * The inner product of two vectors.
 *
 * Shapes: [k], [k] → []. Gradient: g · y to x, g · x to y.
 *
 * @throws {RangeError} if an operand is no vector or the lengths differ.
 *
 * @example
 * ```ts
 * import { dot, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(dot(tensor([1, 2]), tensor([3, 4])).item(), 11);
 * ```
 */
export const dot: (x: Tensor, y: Tensor) => Tensor = /* @__PURE__ */ product("dot", {
  ndims: [1, 1],
  agreeing: [[0, 0]],
}, matmul);

/**
 * The products of every element of one vector with every element of another.
 *
 * Shapes: [m], [n] → [m, n]. Gradient: g · y to x, gᵀ · x to y.
 *
 * @throws {RangeError} if an operand is no vector.
 *
 * @example
 * ```ts
 * import { outer, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(outer(tensor([1, 2]), tensor([3, 4])).toArray(), [[3, 4], [6, 8]]);
 * ```
 */
export const outer: (x: Tensor, y: Tensor) => Tensor = /* @__PURE__ */ product("outer", {
  ndims: [1, 1],
  agreeing: [],
}, (x, y) => multiply(reshape(x, [x.size, 1]), reshape(y, [1, y.size])));

/** How {@linkcode addmm} weighs its two terms. */
export interface AddmmOptions {
  /** The weight of `input`; at 0 it is not looked at, not even for NaN. */
  readonly beta?: number;
  /** The weight of the product. */
  readonly alpha?: number;
}

/**
 * beta · input + alpha · a · b.
 *
 * Shapes: input broadcastable to [m, n]; [m, k], [k, n] → [m, n]. Gradient: beta · g to input,
 * alpha · g · bᵀ to a, alpha · aᵀ · g to b.
 *
 * @param input What is added.
 * @param a The left factor.
 * @param b The right factor.
 * @param options Both weights are 1 where left out.
 * @returns The weighted sum.
 * @throws {RangeError} if a factor is no matrix or the shapes do not fit.
 *
 * @example
 * ```ts
 * import { addmm, ones, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const product = addmm(tensor([1, 2]), ones([1, 3]), ones([3, 2]), { beta: 10 });
 * assertEquals(product.toArray(), [[13, 23]]);
 * ```
 */
export function addmm(input: Tensor, a: Tensor, b: Tensor, options: AddmmOptions = {}): Tensor {
  assertTensor("addmm", input, "input");
  assertFactors("addmm", a, b, { ndims: [2, 2], agreeing: [[1, 0]] }, "a", "b");
  assertOptions("addmm", options, ["beta", "alpha"]);
  const beta = numberOption("addmm", options.beta, "beta", 1);
  const alpha = numberOption("addmm", options.alpha, "alpha", 1);
  const shape = [a.shape[0], b.shape[1]];
  if (!broadcastsTo(input.shape, shape)) {
    refuse(
      "addmm",
      shaped("input", input),
      `one that broadcasts to that of the product, ${formatShape(shape)}`,
    );
  }
  const product = multiply(a, b);
  const weighted = alpha === 1 ? product : mul(product, alpha);
  // Without the values of `input`, but on its tape: the sum over none of them.
  if (beta === 0) return add(sumTo(part(reshape(input, [input.size]), 0, 0, 0), []), weighted);
  return add(beta === 1 ? input : mul(input, beta), weighted);
}

/**
 * The linear map x · weightᵀ + bias.
 *
 * Shapes: x [*, in], weight [out, in], bias [out] → [*, out]; a weight [in] gives [*]. Gradient:
 * g · weight to x, gᵀ · x to the weight, the sum of g to the bias.
 *
 * @param x The inputs, rows of features.
 * @param weight One row for each output.
 * @param bias Added to each row of outputs.
 * @returns The outputs.
 * @throws {RangeError} if the shapes do not fit.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const weight = tensor([[1, 2], [3, 4], [5, 6]]);
 * const y = nn.functional.linear(tensor([[1, 1]]), weight, tensor([0, 0, 1]));
 * assertEquals(y.toArray(), [[3, 7, 12]]);
 * ```
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  assertTensor("linear", x, "x");
  assertTensor("linear", weight, "weight");
  if (bias !== undefined && bias !== null) assertTensor("linear", bias, "bias");
  const features = x.shape[x.ndim - 1];
  const single = weight.ndim === 1;
  if (
    x.ndim === 0 || weight.ndim === 0 || weight.ndim > 2 ||
    weight.shape[weight.ndim - 1] !== features
  ) {
    refuse("linear", `${shaped("x", x)} and ${shaped("weight", weight)}`, "[*, in] and [out, in]");
  }
  const shape = [...x.shape.slice(0, -1), ...(single ? [] : [weight.shape[0]])];
  if (bias && !broadcastsTo(bias.shape, shape)) {
    refuse("linear", shaped("bias", bias), formatShape(weight.shape.slice(0, -1)));
  }
  const row = bias && !single && bias.ndim === 1 && bias.shape[0] === weight.shape[0];
  if (row) return matmulTransposed(x, weight, bias);
  const product = single ? matmul(x, weight) : matmulTransposed(x, weight);
  return bias ? add(product, bias) : product;
}

/**
 * The bilinear map y_o = Σᵢⱼ x1ᵢ · weight_oij · x2ⱼ + bias_o.
 *
 * Shapes: x1 [*, in1], x2 [*, in2], weight [out, in1, in2], bias [out] → [*, out]. Gradient: that of
 * the sum, to all four.
 *
 * @param x1 The left inputs, rows of features.
 * @param x2 The right inputs, as many rows.
 * @param weight One matrix for each output.
 * @param bias Added to each row of outputs.
 * @returns The outputs.
 * @throws {RangeError} if the shapes do not fit.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const y = nn.functional.bilinear(tensor([[2, 0]]), tensor([[3]]), tensor([[[1], [1]]]));
 * assertEquals(y.toArray(), [[6]]);
 * ```
 */
export function bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  assertTensor("bilinear", x1, "x1");
  assertTensor("bilinear", x2, "x2");
  assertTensor("bilinear", weight, "weight");
  if (bias !== undefined && bias !== null) assertTensor("bilinear", bias, "bias");
  const lead = x1.shape.slice(0, -1);
  const fits = x1.ndim > 0 && x1.ndim === x2.ndim && weight.ndim === 3 &&
    lead.every((size, i) => size === x2.shape[i]) &&
    x1.shape[lead.length] === weight.shape[1] && x2.shape[lead.length] === weight.shape[2];
  if (!fits) {
    refuse(
      "bilinear",
      `${shaped("x1", x1)}, ${shaped("x2", x2)} and ${shaped("weight", weight)}`,
      "[*, in1], [*, in2] and [out, in1, in2]",
    );
  }
  if (bias && (bias.ndim !== 1 || bias.shape[0] !== weight.shape[0])) {
    refuse("bilinear", shaped("bias", bias), formatShape([weight.shape[0]]));
  }
  const product = einsum("...i,oij,...j->...o", [x1, weight, x2]);
  return bias ? add(product, bias) : product;
}
