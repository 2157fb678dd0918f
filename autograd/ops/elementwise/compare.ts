/**
 * Comparisons: masks of 0 and 1 without a gradient.
 */
import * as kernels from "../../kernels/mod.ts";
import { assertNoOptions } from "../../check/options.ts";
import type { Generator } from "../../random.ts";
import { described } from "../../tape/primitive.ts";
import type { Tensor } from "../../tensor.ts";
import { assertTensor } from "../create/creation.ts";
import { pairs } from "../create/samples.ts";
import { binary } from "./declare.ts";

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
