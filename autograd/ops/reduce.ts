/**
 * Reductions over axes.
 */
import { type Dims, normalizeDims, reducedShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { sumTo } from "./broadcast.ts";
import { assertTensor } from "./creation.ts";
import { reshape } from "./shape.ts";

/** Which axes a reduction runs over. */
export interface ReduceOptions {
  /** One axis or several; all of them where left out. */
  readonly dim?: Dims | null;
  /** Whether reduced axes stay with size 1. */
  readonly keepdim?: boolean;
}

/**
 * The sum over axes; 0 for an empty one.
 *
 * Shapes: the reduced axes vanish, or stay as 1 with `keepdim`. Gradient: broadcast back.
 *
 * @throws {RangeError} if a dim is out of range or named twice.
 *
 * @example
 * ```ts
 * import { sum, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 2], [3, 4]]);
 * assertEquals(sum(x).item(), 10);
 * assertEquals(sum(x, { dim: -1 }).toArray(), [3, 7]);
 * ```
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  assertTensor("sum", x, "x");
  const dims = normalizeDims("sum", options.dim, x.ndim);
  if (dims.length === x.ndim && !options.keepdim) return sumTo(x, []);
  const total = sumTo(x, reducedShape(x.shape, dims, true));
  return options.keepdim ? total : reshape(total, reducedShape(x.shape, dims, false));
}
