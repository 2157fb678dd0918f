/**
 * Values repeated along axes.
 */
import { refuse } from "../../check/refuse.ts";
import { assertIntegers, formatShape, type Shape, shaped, validateShape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { broadcastTo, keptSizes } from "./broadcast.ts";
import { clone } from "./clone.ts";
import { assertTensor } from "../create/creation.ts";
import { reshape } from "./shape.ts";

/**
 * Repeats axes of size 1, and adds leading axes, until the tensor has the given shape; a size of −1
 * keeps the axis as it is.
 *
 * Shapes: x broadcastable to `shape` → `shape`. Gradient: summed over the repeats.
 *
 * @param x The tensor.
 * @param shape The shape to reach.
 * @returns A tensor of that shape; `x` itself where it has it already.
 * @throws {RangeError} if `x` does not broadcast to it, or if a new axis has size −1.
 *
 * @example
 * ```ts
 * import { expand, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(expand(tensor([[1], [2]]), [-1, 3]).toArray(), [[1, 1, 1], [2, 2, 2]]);
 * ```
 */
export function expand(x: Tensor, shape: Shape): Tensor {
  assertTensor("expand", x, "x");
  assertIntegers("expand", shape, "shape");
  const lead = shape.length - x.ndim;
  const sizes = keptSizes(x.shape, shape);
  const fits = lead >= 0 &&
    sizes.every((size, i) =>
      size >= 0 && (i < lead || x.shape[i - lead] === 1 || x.shape[i - lead] === size)
    );
  if (!fits) {
    refuse(
      "expand",
      `${shaped("x", x)} and shape ${formatShape(shape)}`,
      "sizes equal to those of x where x has no 1, and −1 only for axes that x has",
    );
  }
  return broadcastTo(x, sizes);
}

/**
 * The tensor laid out `sizes[i]` times along each axis; more sizes than axes add leading ones.
 *
 * Shapes: [d₀, …], sizes [r₀, …] → [r₀·d₀, …]. Gradient: summed over the repeats.
 *
 * @param x The tensor.
 * @param sizes How often along each axis; 0 leaves nothing.
 * @returns A copy.
 * @throws {RangeError} if there are fewer sizes than axes, or one is negative.
 *
 * @example
 * ```ts
 * import { repeat, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(repeat(tensor([1, 2]), [2, 2]).toArray(), [[1, 2, 1, 2], [1, 2, 1, 2]]);
 * ```
 */
export function repeat(x: Tensor, sizes: readonly number[]): Tensor {
  assertTensor("repeat", x, "x");
  validateShape("repeat", sizes);
  if (sizes.length < x.ndim) {
    refuse(
      "repeat",
      `sizes ${formatShape(sizes)} for ${shaped("x", x)}`,
      `at least ${x.ndim} sizes`,
    );
  }
  return tiled(x, sizes);
}

/**
 * As {@linkcode repeat}, where missing leading sizes count as 1.
 *
 * @throws {RangeError} if a size is negative.
 *
 * @example
 * ```ts
 * import { tensor, tile } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tile(tensor([[1], [2]]), [2]).toArray(), [[1, 1], [2, 2]]);
 * ```
 */
export function tile(x: Tensor, sizes: readonly number[]): Tensor {
  assertTensor("tile", x, "x");
  validateShape("tile", sizes);
  const missing = Math.max(0, x.ndim - sizes.length);
  return tiled(x, [...new Array<number>(missing).fill(1), ...sizes]);
}

function tiled(x: Tensor, sizes: readonly number[]): Tensor {
  if (sizes.every((size) => size === 1)) {
    return reshape(clone(x), [...sizes.slice(x.ndim), ...x.shape]);
  }
  const lead = sizes.length - x.ndim;
  // [d₀, d₁] → [1, d₀, 1, d₁] → [r₀, d₀, r₁, d₁] → [r₀·d₀, r₁·d₁]: one copy.
  const apart: number[] = [];
  const repeated: number[] = [];
  const joined: number[] = [];
  sizes.forEach((count, i) => {
    const size = i < lead ? 1 : x.shape[i - lead];
    apart.push(1, size);
    repeated.push(count, size);
    joined.push(count * size);
  });
  return reshape(broadcastTo(reshape(x, apart), repeated), joined);
}
