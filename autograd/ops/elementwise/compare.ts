/**
 * Comparisons: masks of 0 and 1 without a gradient.
 */
import * as kernels from "../../kernels/mod.ts";
import { assertNoOptions } from "../../check/options.ts";
import type { Tensor } from "../../tensor.ts";
import { assertTensor } from "../create/creation.ts";
import { binary, pairs } from "./declare.ts";

type Kernel = (x: Float64Array, y: Float64Array, out: Float64Array) => void;

function comparison(name: string, summary: string, forward: Kernel) {
  return binary({ name, summary, forward, samples: pairs(-1, 1) });
}

function assertOperand(name: string, y: unknown): void {
  if (typeof y !== "number") assertTensor(name, y, "y");
}

const equal = /* @__PURE__ */ comparison("eq", "1 where x = y", kernels.eq);
const different = /* @__PURE__ */ comparison("ne", "1 where x ≠ y", kernels.ne);
const less = /* @__PURE__ */ comparison("lt", "1 where x < y", kernels.lt);
const atMost = /* @__PURE__ */ comparison("le", "1 where x ≤ y", kernels.le);

/**
 * 1 where x = y, 0 elsewhere; NaN equals nothing.
 *
 * Shapes: x and y broadcastable → the broadcast shape. Gradient: none.
 *
 * @param x A tensor.
 * @param y A tensor or a number.
 * @returns A mask of 0 and 1.
 * @throws {RangeError} if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { eq, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(eq(tensor([1, 2, NaN]), tensor([1, 3, NaN])).toArray(), [1, 0, 0]);
 * ```
 */
export function eq(x: Tensor, y: Tensor | number): Tensor {
  assertNoOptions("eq", arguments, 2);
  assertTensor("eq", x, "x");
  return equal(x, y);
}

/** 1 where x ≠ y, 0 elsewhere. Shapes broadcast; no gradient. */
export function ne(x: Tensor, y: Tensor | number): Tensor {
  assertNoOptions("ne", arguments, 2);
  assertTensor("ne", x, "x");
  return different(x, y);
}

/** 1 where x < y, 0 elsewhere. Shapes broadcast; no gradient. */
export function lt(x: Tensor, y: Tensor | number): Tensor {
  assertNoOptions("lt", arguments, 2);
  assertTensor("lt", x, "x");
  return less(x, y);
}

/** 1 where x ≤ y, 0 elsewhere. Shapes broadcast; no gradient. */
export function le(x: Tensor, y: Tensor | number): Tensor {
  assertNoOptions("le", arguments, 2);
  assertTensor("le", x, "x");
  return atMost(x, y);
}

/** 1 where x > y, 0 elsewhere. Shapes broadcast; no gradient. */
export function gt(x: Tensor, y: Tensor | number): Tensor {
  assertNoOptions("gt", arguments, 2);
  assertTensor("gt", x, "x");
  assertOperand("gt", y);
  return less(y, x);
}

/** 1 where x ≥ y, 0 elsewhere. Shapes broadcast; no gradient. */
export function ge(x: Tensor, y: Tensor | number): Tensor {
  assertNoOptions("ge", arguments, 2);
  assertTensor("ge", x, "x");
  assertOperand("ge", y);
  return atMost(y, x);
}
