/**
 * Choosing between tensors by a mask.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { broadcastShapes, shaped } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { aligned } from "../shape/broadcast.ts";
import { assertTensor, asTensor, fromValues } from "../create/creation.ts";
import { refuse } from "../../check/refuse.ts";
import { assertNoOptions } from "../../check/options.ts";
import { uniform } from "../create/samples.ts";

type Where = Primitive<
  readonly [condition: Tensor, x: Tensor, y: Tensor],
  readonly [out: Tensor],
  readonly [condition: Tensor]
>;

const wherePrimitive = /* @__PURE__ */ ownPrimitive<Where>({
  name: "where",
  shape: ([c, x, y]) => [broadcastShapes("where", broadcastShapes("where", c, x), y)],
  forward: ([c, x, y], [out]) =>
    kernels.where(
      aligned(c, out.shape),
      aligned(x, out.shape),
      aligned(y, out.shape),
      valuesOf(out),
    ),
  save: ([c]) => [c],
  // g goes where the value came from.
  vjp: (
    [g],
    { saved: [c], needs },
  ) => [null, needs[1] ? where(c, g, 0) : null, needs[2] ? where(c, 0, g) : null],
});

/* @__PURE__ */ described(
  wherePrimitive,
  "x where the condition is not 0, y elsewhere",
  (random) => {
    const mask = fromValues([1, 0, 1], [3]);
    return [
      { inputs: [mask, uniform(random, [2, 3], -1, 1), uniform(random, [3], -1, 1)] as const },
      { inputs: [mask, uniform(random, [2, 1], -1, 1), uniform(random, [], -1, 1)] as const },
    ].map(({ inputs }) => ({ inputs, attrs: undefined }));
  },
);

/**
 * x where the condition is not 0, y elsewhere.
 *
 * Shapes: all three broadcast together. Gradient: g to whichever was chosen, 0 to the other; none to
 * the condition.
 *
 * @param condition A tensor of 0 and 1.
 * @param x A tensor or a number.
 * @param y A tensor or a number.
 * @returns A tensor of the broadcast shape.
 * @throws {RangeError} if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { gt, tensor, where } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([-1, 2, -3]);
 * assertEquals(where(gt(x, 0), x, 0).toArray(), [0, 2, 0]);
 * ```
 */
export function where(condition: Tensor, x: Tensor | number, y: Tensor | number): Tensor {
  assertNoOptions("where", arguments, 3);
  assertTensor("where", condition, "condition");
  return bind(
    wherePrimitive,
    [condition, asTensor("where", x, "x"), asTensor("where", y, "y")],
    undefined,
  )[0];
}

/**
 * One value where the mask is not 0, x elsewhere.
 *
 * Shapes: x and mask broadcast together. Gradient: g to x where the mask is 0; the rest, summed, to a
 * value that is a tensor.
 *
 * @param x A tensor.
 * @param mask A tensor of 0 and 1.
 * @param value A number or a 0-d tensor.
 * @returns A tensor of the broadcast shape.
 * @throws {RangeError} if the shapes do not broadcast or the value has dims.
 *
 * @example
 * ```ts
 * import { maskedFill, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(maskedFill(tensor([1, 2]), tensor([0, 1]), -Infinity).toArray(), [1, -Infinity]);
 * ```
 */
export function maskedFill(x: Tensor, mask: Tensor, value: Tensor | number): Tensor {
  assertNoOptions("maskedFill", arguments, 3);
  assertTensor("maskedFill", x, "x");
  assertTensor("maskedFill", mask, "mask");
  const fill = asTensor("maskedFill", value, "value");
  if (fill.ndim !== 0) refuse("maskedFill", shaped("value", fill), "a number or a 0-d tensor");
  return where(mask, fill, x);
}
