/**
 * Distances between vectors.
 */
import { add, norm, sub, type Tensor } from "../../autograd/mod.ts";
import { assertOptions } from "../../autograd/internal.ts";
import { checkBroadcast, checkNumber } from "../loss/operands.ts";

/** Options of {@linkcode pairwiseDistance}. */
export interface PairwiseDistanceOptions {
  /** The order of the norm; 2 where left out. */
  readonly p?: number;
  /** Added to each difference; 1e-6 where left out. */
  readonly eps?: number;
  /** Whether the last axis stays with size 1. */
  readonly keepdim?: boolean;
}

/**
 * The p-norm of x1 − x2 + eps over the last axis.
 *
 * Shapes: x1 and x2 broadcastable → the broadcast shape without its last axis.
 *
 * @param x1 A tensor.
 * @param x2 A tensor.
 * @param options p = 2, eps = 1e-6, keepdim = false.
 * @returns The distances.
 * @throws {RangeError} if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const distance = nn.functional.pairwiseDistance(tensor([[0, 3]]), tensor([[4, 0]]));
 * assertAlmostEquals(distance.item(), 5, 1e-5);
 * ```
 */
export function pairwiseDistance(
  x1: Tensor,
  x2: Tensor,
  options: PairwiseDistanceOptions = {},
): Tensor {
  const action = "run pairwiseDistance";
  assertOptions(action, options, ["p", "eps", "keepdim"]);
  const { p = 2, eps = 1e-6, keepdim = false } = options;
  checkBroadcast(action, { x1, x2 });
  checkNumber(action, "p", p);
  checkNumber(action, "eps", eps);
  return norm(add(sub(x1, x2), eps), { p, dim: -1, keepdim });
}
