/**
 * Arithmetic on pairs of tensors that broadcast, and its unary relatives.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, type Input, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import { broadcastShapes } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { aligned } from "../shape/broadcast.ts";
import { asTensor, zeros } from "../create/creation.ts";
import { describe } from "../../check/describe.ts";
import { refuse } from "../../check/refuse.ts";
import { assertOptions, type Known } from "../../check/options.ts";
import { pairs, signed, uniform, uniformAwayFrom } from "../create/samples.ts";
import { binary, unary } from "./declare.ts";

const sum = /* @__PURE__ */ binary({
  name: "add",
  forward: kernels.add,
  // d(x + y) = dx + dy
  vjp: (g) => [g, g],
});
/* @__PURE__ */ described("add", "x + y", (random) => pairs(random, -1, 1));

const difference = /* @__PURE__ */ binary({
  name: "sub",
  forward: kernels.sub,
  // d(x − y) = dx − dy
  vjp: (g, _, needs) => [needs[0] ? g : null, needs[1] ? neg(g) : null],
});
/* @__PURE__ */ described("sub", "x − y", (random) => pairs(random, -1, 1));

const quotient = /* @__PURE__ */ binary<readonly [x: Input, y: Tensor]>({
  name: "div",
  forward: kernels.div,
  save: (x, y, needs) => [needs[1] ? x : null, y],
  // d(x/y) = dx/y − (x/y)/y dy
  vjp: (g, [x, y], needs) => [
    needs[0] ? div(g, y) : null,
    x === null ? null : mul(neg(g), div(div(x, y), y)),
  ],
});
/* @__PURE__ */ described("div", "x / y", (random) => pairs(random, 0.5, 2));

/** How {@linkcode div} rounds its quotient. */
export type RoundingMode = "trunc" | "floor";

const divRoundedPrimitive = /* @__PURE__ */ ownPrimitive<
  Primitive<
    readonly [x: Tensor, y: Tensor],
    readonly [out: Tensor],
    readonly [],
    { readonly mode: RoundingMode }
  >
>({
  name: "divRounded",
  shape: ([x, y]) => [broadcastShapes("div", x, y)],
  forward: ([x, y], [out], { mode }) => {
    const divide = mode === "trunc" ? kernels.divTrunc : kernels.divFloor;
    divide(aligned(x, out.shape), aligned(y, out.shape), valuesOf(out));
  },
  // Flat between the steps.
  vjp: (_, { inputShapes, needs }) => [
    needs[0] ? zeros(inputShapes[0]) : null,
    needs[1] ? zeros(inputShapes[1]) : null,
  ],
});

/* @__PURE__ */ described(
  divRoundedPrimitive,
  "x / y rounded towards 0 or down",
  (random) =>
    (["trunc", "floor"] as const).map((mode) => ({
      inputs: [
        uniformAwayFrom(random, [2, 3], -0.95, 0.95, [0]),
        uniform(random, [3], 1, 1.5),
      ],
      attrs: { mode },
    })),
);

const ALPHA: Known<{ readonly alpha?: number }> = ["alpha"];

/**
 * x + alpha · y, with broadcasting.
 *
 * Shapes: x and y broadcastable → the broadcast shape. Gradient: g to x, alpha · g to y.
 *
 * @param x A tensor or a number.
 * @param y A tensor or a number.
 * @param options `alpha` scales y.
 * @returns The sum.
 * @throws {RangeError} if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { add, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(add(tensor([[1], [2]]), tensor([10, 20])).toArray(), [[11, 21], [12, 22]]);
 * assertEquals(add(tensor([1, 2]), 3, { alpha: 2 }).toArray(), [7, 8]);
 * ```
 */
export function add(
  x: Tensor | number,
  y: Tensor | number,
  options?: { readonly alpha?: number },
): Tensor {
  if (options !== undefined) assertOptions("add", options, ALPHA);
  const alpha = options?.alpha ?? 1;
  return sum(x, alpha === 1 ? y : mul(asTensor("add", y, "y"), alpha));
}

/**
 * x − alpha · y, with broadcasting.
 *
 * Shapes: x and y broadcastable → the broadcast shape. Gradient: g to x, −alpha · g to y.
 *
 * @throws {RangeError} if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { sub, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sub(tensor([3, 4]), 1).toArray(), [2, 3]);
 * ```
 */
export function sub(
  x: Tensor | number,
  y: Tensor | number,
  options?: { readonly alpha?: number },
): Tensor {
  if (options !== undefined) assertOptions("sub", options, ALPHA);
  const alpha = options?.alpha ?? 1;
  return difference(x, alpha === 1 ? y : mul(asTensor("sub", y, "y"), alpha));
}

/**
 * x · y element by element, with broadcasting.
 *
 * Shapes: x and y broadcastable → the broadcast shape. Gradient: g · y to x, g · x to y.
 *
 * @throws {RangeError} if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { mul, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mul(tensor([1, 2]), tensor([3, 4])).toArray(), [3, 8]);
 * ```
 */
export const mul: (x: Tensor | number, y: Tensor | number) => Tensor = /* @__PURE__ */ binary<
  readonly [x: Input, y: Input]
>({
  name: "mul",
  forward: kernels.mul,
  save: (x, y, needs) => [needs[1] ? x : null, needs[0] ? y : null],
  // d(x·y) = y dx + x dy
  vjp: (g, [x, y]) => [y === null ? null : mul(g, y), x === null ? null : mul(g, x)],
});
/* @__PURE__ */ described("mul", "x · y", (random) => pairs(random, -1, 1));

/**
 * x / y element by element, with broadcasting; rounded where `roundingMode` says so.
 *
 * Shapes: x and y broadcastable → the broadcast shape. Gradient: g / y to x, −g · x / y² to y; 0 with
 * a rounding mode.
 *
 * @param x A tensor or a number.
 * @param y A tensor or a number.
 * @param options `roundingMode`: "trunc" rounds towards 0, "floor" down.
 * @returns The quotient.
 * @throws {RangeError} if the shapes do not broadcast or the rounding mode is another.
 *
 * @example
 * ```ts
 * import { div, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(div(tensor([1, -3]), 2).toArray(), [0.5, -1.5]);
 * assertEquals(div(tensor([1, -3]), 2, { roundingMode: "floor" }).toArray(), [0, -2]);
 * ```
 */
export function div(
  x: Tensor | number,
  y: Tensor | number,
  options?: { readonly roundingMode?: RoundingMode | null },
): Tensor {
  if (options !== undefined) assertOptions("div", options, ["roundingMode"]);
  const mode = options?.roundingMode ?? null;
  if (mode === null) return quotient(x, y);
  if (mode !== "trunc" && mode !== "floor") {
    refuse("div", `roundingMode ${describe(mode)}`, `"trunc", "floor" or null`);
  }
  const inputs = [asTensor("div", x, "x"), asTensor("div", y, "y")] as const;
  return bind(divRoundedPrimitive, inputs, { mode })[0];
}

/** −x. Gradient: −g. */
export const neg: (x: Tensor) => Tensor = /* @__PURE__ */ unary({
  name: "neg",
  forward: kernels.neg,
  // d(−x) = −dx
  vjp: (g) => neg(g),
});
/* @__PURE__ */ described("neg", "−x", signed);
