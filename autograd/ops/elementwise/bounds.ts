/**
 * The larger, the smaller, and values held between bounds.
 */
import * as kernels from "../../kernels/mod.ts";
import {
  type Binary,
  described,
  type Input,
  ownPrimitive,
  type Primitive,
} from "../../tape/primitive.ts";
import { broadcastShapes } from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { Tensor, valuesOf } from "../../tensor.ts";
import { mul } from "./arithmetic.ts";
import { aligned } from "../shape/broadcast.ts";
import { eq, ge, gt, le, lt, where } from "./compare.ts";
import { assertArguments, assertTensor, asTensor, fromValues } from "../create/creation.ts";
import { refuseKind } from "../../check/refuse.ts";
import { assertNoOptions, type Known } from "../../check/options.ts";
import { uniform, uniformAwayFrom } from "../create/samples.ts";
import { defineSlope, describedSlope } from "./slope.ts";
import type { Generator } from "../../random.ts";

/** Pairs that are nowhere near a tie. */
function apart(random: Generator) {
  return [
    {
      inputs: [
        uniform(random, [2, 3], -0.4, 0.4),
        fromValues([-1, 1, -1], [3]).requiresGrad_(),
      ] as const,
      attrs: undefined,
    },
    {
      inputs: [
        uniform(random, [], -0.4, 0.4),
        fromValues([1, -1, 1, 1], [2, 2]).requiresGrad_(),
      ] as const,
      attrs: undefined,
    },
  ];
}

/** g where x won, g/2 where it tied, 0 where it lost; g for NaN. */
function share(g: Tensor, lost: Tensor, x: Tensor, y: Tensor): Tensor {
  return where(lost, 0, where(eq(x, y), mul(g, 0.5), g));
}

/** Registers the larger or the smaller of two tensors and returns it, with its arguments checked. */
function extreme(
  name: string,
  kernel: typeof kernels.maximum,
  lost: (x: Tensor, y: Tensor) => Tensor,
): (x: Tensor, y: Tensor) => Tensor {
  const primitive = ownPrimitive<Binary<readonly [x: Tensor, y: Tensor]>>({
    name,
    shape: ([x, y]) => [broadcastShapes(name, x, y)],
    forward: ([x, y], [out]) => kernel(aligned(x, out.shape), aligned(y, out.shape), valuesOf(out)),
    save: ([x, y]) => [x, y],
    vjp: ([g], { saved: [x, y], needs }) => [
      needs[0] ? share(g, lost(x, y), x, y) : null,
      needs[1] ? share(g, lost(y, x), x, y) : null,
    ],
  });
  return function (x: Tensor, y: Tensor): Tensor {
    assertNoOptions(name, arguments, 2);
    assertTensor(name, x, "x");
    assertTensor(name, y, "y");
    return bind(primitive, [x, y], undefined)[0];
  };
}

const clampNumbers = /* @__PURE__ */ defineSlope<{ readonly low: number; readonly high: number }>({
  name: "clamp",
  saves: "x",
  forward: (x, y, { low, high }) => kernels.clamp(x, y, low, high),
  // g where low ≤ x ≤ high
  backward: (g, x, out, { low, high }) => kernels.clampBackward(g, x, out, low, high),
});
/* @__PURE__ */ describedSlope(
  "clamp",
  "min(max(x, low), high)",
  (random) =>
    [[-0.5, 0.5], [0.5, Infinity], [-Infinity, -0.5]].map(([low, high]) => ({
      inputs: [uniformAwayFrom(random, [6], -1, 1, [-0.5, 0.5])],
      attrs: { low, high },
    })),
);

type ClampTensor = Primitive<
  readonly [x: Tensor, low: Input, high: Input],
  readonly [y: Tensor],
  readonly [x: Tensor, low: Input, high: Input]
>;

const NO_LOW = Float64Array.of(-Infinity);
const NO_HIGH = Float64Array.of(Infinity);

const clampTensorPrimitive = /* @__PURE__ */ ownPrimitive<ClampTensor>({
  name: "clampTensor",
  shape: ([x, low, high]) => {
    const shape = low === null ? x : broadcastShapes("clamp", x, low);
    return [high === null ? shape : broadcastShapes("clamp", shape, high)];
  },
  forward: ([x, low, high], [y]) => {
    const out = valuesOf(y);
    const least = low === null ? NO_LOW : aligned(low, y.shape);
    kernels.maximum(aligned(x, y.shape), least, out);
    kernels.minimum(out, high === null ? NO_HIGH : aligned(high, y.shape), out);
  },
  save: (inputs) => inputs,
  vjp: ([g], { saved: [x, low, high], needs }) => [
    needs[0] ? toInside(g, x, low, high) : null,
    needs[1] ? toLow(g, x, low!, high) : null,
    needs[2] ? toHigh(g, x, low, high!) : null,
  ],
});

/* @__PURE__ */ described(
  clampTensorPrimitive,
  "min(max(x, low), high) with tensors as bounds",
  (random) => {
    const low = fromValues([-1.5, 1.5, -3], [3]).requiresGrad_();
    const high = fromValues([1.5, 3, -1.5], [3]).requiresGrad_();
    return ([[low, high], [low, null], [null, high]] as const).map(([low, high]) => ({
      inputs: [uniform(random, [2, 3], -0.4, 0.4), low, high],
      attrs: undefined,
    }));
  },
);

/** g where low ≤ x ≤ high */
function toInside(g: Tensor, x: Tensor, low: Input, high: Input): Tensor {
  const above = low === null ? g : where(ge(x, low), g, 0);
  return high === null ? above : where(le(x, high), above, 0);
}

/** g where x < low, unless high < low takes its place */
function toLow(g: Tensor, x: Tensor, low: Tensor, high: Input): Tensor {
  const below = where(lt(x, low), g, 0);
  return high === null ? below : where(lt(low, high), below, 0);
}

/** g where x > high or low > high */
function toHigh(g: Tensor, x: Tensor, low: Input, high: Tensor): Tensor {
  const above = where(gt(x, high), g, 0);
  return low === null ? above : where(lt(high, low), g, above);
}

/**
 * The larger of x and y, element by element; NaN if either is.
 *
 * Shapes: x and y broadcastable → the broadcast shape. Gradient: g to the larger; half to each in a
 * tie.
 *
 * @throws {TypeError} if x or y is not a tensor (as in PyTorch; `clamp` takes a number).
 * @throws {RangeError} if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { maximum, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(maximum(tensor([1, 5]), tensor([3, 2])).toArray(), [3, 5]);
 * ```
 */
export const maximum: (x: Tensor, y: Tensor) => Tensor = /* @__PURE__ */ extreme(
  "maximum",
  kernels.maximum,
  lt,
);
/* @__PURE__ */ described("maximum", "the larger of x and y", apart);

/**
 * The smaller of x and y, element by element; NaN if either is.
 *
 * Shapes: x and y broadcastable → the broadcast shape. Gradient: g to the smaller; half to each in a
 * tie.
 *
 * @throws {TypeError} if x or y is not a tensor (as in PyTorch; `clamp` takes a number).
 * @throws {RangeError} if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { minimum, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(minimum(tensor([1, 5]), tensor([3, 2])).toArray(), [1, 2]);
 * ```
 */
export const minimum: (x: Tensor, y: Tensor) => Tensor = /* @__PURE__ */ extreme(
  "minimum",
  kernels.minimum,
  gt,
);
/* @__PURE__ */ described("minimum", "the smaller of x and y", apart);

/** The bounds of {@linkcode clamp}. */
export interface ClampOptions {
  /** The lower bound; none where left out. */
  readonly min?: Tensor | number | null;
  /** The upper bound; none where left out. It wins where it is below `min`. */
  readonly max?: Tensor | number | null;
}

const CLAMP: Known<ClampOptions> = ["min", "max"];

/**
 * min(max(x, min), max), element by element; NaN stays.
 *
 * Shapes: x and bounds that are tensors broadcast together. Gradient: g to x where it lies between
 * the bounds, on them included; elsewhere g to a bound that is a tensor.
 *
 * @param x A tensor.
 * @param options `min` and `max`: numbers or tensors, at least one of them.
 * @returns The tensor, held between the bounds.
 * @throws {TypeError} if both bounds are left out.
 * @throws {RangeError} if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { clamp, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(clamp(tensor([-2, 0.5, 3]), { min: 0, max: 1 }).toArray(), [0, 0.5, 1]);
 * ```
 */
export function clamp(x: Tensor, options: ClampOptions): Tensor {
  assertArguments("clamp", x, options, CLAMP);
  const { min = null, max = null } = options;
  if (min === null && max === null) {
    throw new TypeError(`Cannot clamp: got neither min nor max, expected at least one of them`);
  }
  const numbers = (min === null || typeof min === "number") &&
    (max === null || typeof max === "number");
  if (numbers) {
    return clampNumbers(x, { low: min ?? -Infinity, high: max ?? Infinity });
  }
  return bind(clampTensorPrimitive, [
    x,
    min === null ? null : asTensor("clamp", min, "min"),
    max === null ? null : asTensor("clamp", max, "max"),
  ], undefined)[0];
}

/**
 * max(x, min) with a tensor as the bound, as {@linkcode clamp} with a lower bound alone.
 *
 * @throws {TypeError} if `min` is not a tensor; a number goes into `clamp(x, { min })`.
 */
export function clampMin(x: Tensor, min: Tensor): Tensor {
  assertNoOptions("clampMin", arguments, 2);
  assertBound("min", min);
  return clamp(x, { min });
}

/**
 * min(x, max) with a tensor as the bound, as {@linkcode clamp} with an upper bound alone.
 *
 * @throws {TypeError} if `max` is not a tensor; a number goes into `clamp(x, { max })`.
 */
export function clampMax(x: Tensor, max: Tensor): Tensor {
  assertNoOptions("clampMax", arguments, 2);
  assertBound("max", max);
  return clamp(x, { max });
}

function assertBound(name: "min" | "max", bound: unknown): void {
  if (bound instanceof Tensor) return;
  refuseKind(
    `clamp${name === "min" ? "Min" : "Max"}`,
    name,
    bound,
    `a Tensor; clamp(x, { ${name} }) takes a number`,
  );
}
