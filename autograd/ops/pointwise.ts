/**
 * Functions of one tensor, element by element.
 */
import * as kernels from "../kernels/mod.ts";
import { definePrimitive, type Unary } from "../primitive.ts";
import { bind } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";
import { assertTensor } from "./creation.ts";
import { uniform } from "./samples.ts";

const expPrimitive = definePrimitive<Unary<readonly [y: Tensor]>>({
  name: "exp",
  summary: "eˣ",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.exp(x.storage.values, y.storage.values),
  save: (_, [y]) => [y],
  // d exp(x) = exp(x) dx
  vjp: ([g], { saved: [y] }) => [mul(g, y)],
  samples: (random) => [{ inputs: [uniform(random, [2, 3], -1, 1)], attrs: undefined }],
});

/**
 * eˣ element by element.
 *
 * Gradient: g · eˣ, from the saved output.
 *
 * @example
 * ```ts
 * import { exp, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(exp(tensor([0, 1])).toArray(), [1, Math.E]);
 * ```
 */
export function exp(x: Tensor): Tensor {
  assertTensor("exp", x, "x");
  return bind(expPrimitive, [x], undefined)[0];
}
