/**
 * Arithmetic on pairs of tensors that broadcast, and its unary relatives.
 */
import * as kernels from "../../kernels/mod.ts";
import {
  type Binary,
  type Input,
  ownPrimitive,
  type Primitive,
  type Unary,
} from "../../tape/primitive.ts";
import { broadcastShapes } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { aligned } from "../shape/broadcast.ts";
import { assertTensor, asTensor, describe, zeros } from "../create/creation.ts";
import { assertNoOptions, assertOptions, type Known } from "../../check/options.ts";
import { uniform, uniformAwayFrom } from "../create/samples.ts";
import type { Generator } from "../../random.ts";

/** Samples of a binary operation: equal shapes, a broadcast and a scalar. */
function pairs(low: number, high: number) {
  return (random: Generator) =>
    [[[2, 3], [2, 3]], [[2, 1, 3], [4, 1]], [[3], []]].map(([a, b]) => ({
      inputs: [uniform(random, a, low, high), uniform(random, b, low, high)] as const,
      attrs: undefined,
    }));
}

const addPrimitive = ownPrimitive<Binary>({
  name: "add",
  summary: "x + y",
  shape: ([x, y]) => [broadcastShapes("add", x, y)],
  forward: ([x, y], [out]) =>
    kernels.add(aligned(x, out.shape), aligned(y, out.shape), valuesOf(out)),
  // d(x + y) = dx + dy
  vjp: ([g]) => [g, g],
  samples: pairs(-1, 1),
});

const subPrimitive = ownPrimitive<Binary>({
  name: "sub",
  summary: "x − y",
  shape: ([x, y]) => [broadcastShapes("sub", x, y)],
  forward: ([x, y], [out]) =>
    kernels.sub(aligned(x, out.shape), aligned(y, out.shape), valuesOf(out)),
  // d(x − y) = dx − dy
  vjp: ([g], { needs }) => [needs[0] ? g : null, needs[1] ? neg(g) : null],
  samples: pairs(-1, 1),
});

const mulPrimitive = ownPrimitive<Binary<readonly [x: Input, y: Input]>>({
  name: "mul",
  summary: "x · y",
  shape: ([x, y]) => [broadcastShapes("mul", x, y)],
  forward: ([x, y], [out]) =>
    kernels.mul(aligned(x, out.shape), aligned(y, out.shape), valuesOf(out)),
  save: ([x, y], _, __, needs) => [needs[1] ? x : null, needs[0] ? y : null],
  // d(x·y) = y dx + x dy
  vjp: ([g], { saved: [x, y] }) => [y === null ? null : mul(g, y), x === null ? null : mul(g, x)],
  samples: pairs(-1, 1),
});

const divPrimitive = ownPrimitive<Binary<readonly [x: Input, y: Tensor]>>({
  name: "div",
  summary: "x / y",
  shape: ([x, y]) => [broadcastShapes("div", x, y)],
  forward: ([x, y], [out]) =>
    kernels.div(aligned(x, out.shape), aligned(y, out.shape), valuesOf(out)),
  save: ([x, y], _, __, needs) => [needs[1] ? x : null, y],
  // d(x/y) = dx/y − (x/y)/y dy
  vjp: ([g], { saved: [x, y], needs }) => [
    needs[0] ? div(g, y) : null,
    x === null ? null : mul(neg(g), div(div(x, y), y)),
  ],
  samples: pairs(0.5, 2),
});

/** How {@linkcode div} rounds its quotient. */
export type RoundingMode = "trunc" | "floor";

const divRoundedPrimitive = ownPrimitive<
  Primitive<
    readonly [x: Tensor, y: Tensor],
    readonly [out: Tensor],
    readonly [],
    { readonly mode: RoundingMode }
  >
>({
  name: "divRounded",
  summary: "x / y rounded towards 0 or down",
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
  samples: (random) =>
    (["trunc", "floor"] as const).map((mode) => ({
      inputs: [
        uniformAwayFrom(random, [2, 3], -0.95, 0.95, [0]),
        uniform(random, [3], 1, 1.5),
      ],
      attrs: { mode },
    })),
});

const negPrimitive = ownPrimitive<Unary>({
  name: "neg",
  summary: "−x",
  shape: ([x]) => [x],
  forward: ([x], [y]) => kernels.neg(valuesOf(x), valuesOf(y)),
  // d(−x) = −dx
  vjp: ([g]) => [neg(g)],
  samples: (
    random,
  ) => [{ inputs: [uniformAwayFrom(random, [2, 3], -1, 1, [0])], attrs: undefined }],
});

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
  const a = asTensor("add", x, "x");
  const b = asTensor("add", y, "y");
  const alpha = options?.alpha ?? 1;
  return bind(addPrimitive, [a, alpha === 1 ? b : mul(b, alpha)], undefined)[0];
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
  const a = asTensor("sub", x, "x");
  const b = asTensor("sub", y, "y");
  const alpha = options?.alpha ?? 1;
  return bind(subPrimitive, [a, alpha === 1 ? b : mul(b, alpha)], undefined)[0];
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
export function mul(x: Tensor | number, y: Tensor | number): Tensor {
  assertNoOptions("mul", arguments, 2);
  return bind(mulPrimitive, [asTensor("mul", x, "x"), asTensor("mul", y, "y")], undefined)[0];
}

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
  const inputs = [asTensor("div", x, "x"), asTensor("div", y, "y")] as const;
  const mode = options?.roundingMode ?? null;
  if (mode === null) return bind(divPrimitive, inputs, undefined)[0];
  if (mode !== "trunc" && mode !== "floor") {
    throw new RangeError(
      `Cannot div: got roundingMode ${describe(mode)}, expected "trunc", "floor" or null`,
    );
  }
  return bind(divRoundedPrimitive, inputs, { mode })[0];
}

/** −x. Gradient: −g. */
export function neg(x: Tensor): Tensor {
  assertNoOptions("neg", arguments, 1);
  assertTensor("neg", x, "x");
  return bind(negPrimitive, [x], undefined)[0];
}
