/**
 * Comparisons, masks of 0 and 1 without a gradient; and choices between tensors by a mask.
 */
import * as kernels from "../../kernels/mod.ts";
import { assertNoOptions } from "../../check/options.ts";
import type { Generator } from "../../random.ts";
import { described, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { assertTensor, asTensor, fromValues } from "../create/creation.ts";
import { pairs, uniform } from "../create/samples.ts";
import { binary } from "./declare.ts";
import { broadcastShapes, shaped } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { aligned } from "../shape/broadcast.ts";
import { refuse } from "../../check/refuse.ts";

type Comparison = (x: Tensor, y: Tensor | number) => Tensor;

const equal = /* @__PURE__ */ binary({ name: "eq", forward: kernels.eq });
const different = /* @__PURE__ */ binary({ name: "ne", forward: kernels.ne });
const less = /* @__PURE__ */ binary({ name: "lt", forward: kernels.lt });
const atMost = /* @__PURE__ */ binary({ name: "le", forward: kernels.le });

/* @__PURE__ */ described("eq", "1 where x = y", anyPairs);
/* @__PURE__ */ described("ne", "1 where x ≠ y", anyPairs);
/* @__PURE__ */ described("lt", "1 where x < y", anyPairs);
/* @__PURE__ */ described("le", "1 where x ≤ y", anyPairs);

function anyPairs(random: Generator) {
  return pairs(random, -1, 1);
}

/** A comparison with its arguments checked under its own name, whichever primitive it runs. */
function comparison(name: string, compare: Comparison): Comparison {
  return function (x: Tensor, y: Tensor | number): Tensor {
    assertNoOptions(name, arguments, 2);
    assertTensor(name, x, "x");
    if (typeof y !== "number") assertTensor(name, y, "y");
    return compare(x, y);
  };
}

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
export const eq: (x: Tensor, y: Tensor | number) => Tensor = /* @__PURE__ */ comparison(
  "eq",
  equal,
);

/** 1 where x ≠ y, 0 elsewhere. Shapes broadcast; no gradient. */
export const ne: (x: Tensor, y: Tensor | number) => Tensor = /* @__PURE__ */ comparison(
  "ne",
  different,
);

/** 1 where x < y, 0 elsewhere. Shapes broadcast; no gradient. */
export const lt: (x: Tensor, y: Tensor | number) => Tensor = /* @__PURE__ */ comparison("lt", less);

/** 1 where x ≤ y, 0 elsewhere. Shapes broadcast; no gradient. */
export const le: (x: Tensor, y: Tensor | number) => Tensor = /* @__PURE__ */ comparison(
  "le",
  atMost,
);

/** 1 where x > y, 0 elsewhere. Shapes broadcast; no gradient. */
export const gt: (x: Tensor, y: Tensor | number) => Tensor = /* @__PURE__ */ comparison(
  "gt",
  (x, y) => less(y, x),
);

/** 1 where x ≥ y, 0 elsewhere. Shapes broadcast; no gradient. */
export const ge: (x: Tensor, y: Tensor | number) => Tensor = /* @__PURE__ */ comparison(
  "ge",
  (x, y) => atMost(y, x),
);

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
