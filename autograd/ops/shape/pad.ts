/**
 * Values added around a tensor.
 */
import * as kernels from "../../kernels/mod.ts";
import { described, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import {
  assertIntegers,
  formatShape,
  sameShape,
  type Shape,
  shaped,
  stridesOf,
} from "../../shape.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { unshared } from "./clone.ts";
import { assertTensor, fromValues } from "../create/creation.ts";
import { selectAt } from "./index.ts";
import { quoted } from "../../check/describe.ts";
import { refuse } from "../../check/refuse.ts";
import { assertOptions, numberOption } from "../../check/options.ts";
import { uniform } from "../create/samples.ts";
import { part } from "./view.ts";

interface Frame {
  readonly shape: Shape;
  readonly before: readonly number[];
  readonly value: number;
}

const padPrimitive = /* @__PURE__ */ ownPrimitive<
  Unary<readonly [], Frame>
>({
  name: "pad",
  shape: (_, { shape }) => [shape],
  forward: ([x], [y], { shape, before, value }) => {
    const strides = stridesOf(shape);
    valuesOf(y).fill(value);
    kernels.placeStrided(
      valuesOf(x),
      valuesOf(y),
      x.shape,
      strides,
      before.reduce((offset, count, axis) => offset + count * strides[axis], 0),
    );
  },
  vjp: ([g], { attrs: { before }, inputShapes: [shape] }) => [
    before.reduce((inside, start, axis) => part(inside, axis, start, shape[axis]), g),
  ],
});

/* @__PURE__ */ described(padPrimitive, "x inside of a constant", (random) => [
  {
    inputs: [uniform(random, [2, 3], -1, 1)],
    attrs: { shape: [3, 5], before: [1, 0], value: 7 },
  },
]);

/** What lies around a tensor. */
export type PadMode = "constant" | "reflect" | "replicate" | "circular";

/** How {@linkcode pad} fills. */
export interface PadOptions {
  /** A constant (the default), a mirror image, the value at the edge, or the other end. */
  readonly mode?: PadMode;
  /** The constant; 0 where left out. */
  readonly value?: number | null;
}

/**
 * Values added before and after the last axes; negative sizes take away.
 *
 * `sizes` lists pairs from the last axis on: [left, right, top, bottom, front, back].
 *
 * Shapes: each axis d becomes before + d + after. Gradient: that of the values copied, added up.
 *
 * @param x The tensor. In modes other than "constant" it has one or two axes more than are padded.
 * @param sizes Two integers for each padded axis.
 * @param options `mode` and, for "constant", `value`.
 * @returns A copy.
 * @throws {RangeError} if the sizes do not fit `x` or the mode: a mirror image must be shorter than
 * the axis, a wrap no longer than it.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const { pad } = nn.functional;
 * const x = tensor([[1, 2, 3]]);
 * assertEquals(pad(x, [1, 2]).toArray(), [[0, 1, 2, 3, 0, 0]]);
 * assertEquals(pad(x, [2, -1], { mode: "reflect" }).toArray(), [[3, 2, 1, 2]]);
 * ```
 */
export function pad(x: Tensor, sizes: readonly number[], options: PadOptions = {}): Tensor {
  assertTensor("pad", x, "x");
  assertIntegers("pad", sizes, "sizes");
  assertOptions("pad", options, ["mode", "value"]);
  const mode = options.mode ?? "constant";
  const value = numberOption("pad", options.value ?? undefined, "value", 0);
  if (sizes.length % 2 !== 0 || sizes.length > 2 * x.ndim) {
    refuse(
      "pad",
      `${sizes.length} sizes for ${shaped("x", x)}`,
      `two for each padded dim, at most ${2 * x.ndim}`,
    );
  }
  const before = new Array<number>(x.ndim).fill(0);
  const after = new Array<number>(x.ndim).fill(0);
  for (let i = 0; i < sizes.length; i += 2) {
    before[x.ndim - 1 - i / 2] = sizes[i];
    after[x.ndim - 1 - i / 2] = sizes[i + 1];
  }
  if (mode === "constant") return constantPad(x, before, after, value);
  if (mode !== "reflect" && mode !== "replicate" && mode !== "circular") {
    refuse("pad", `mode ${quoted(mode)}`, '"constant", "reflect", "replicate" or "circular"');
  }
  if (value !== 0) refuse("pad", `value ${value} in mode "${mode}"`, "none");
  const padded = sizes.length / 2;
  const first = x.ndim - padded;
  if (padded < 1 || padded > 3 || (first !== 1 && first !== 2)) {
    refuse(
      "pad",
      `${sizes.length} sizes for ${shaped("x", x)} in mode "${mode}"`,
      "2, 4 or 6 of them and one or two dims that are not padded",
    );
  }
  assertPaddable(x, mode, before, after, first);
  return x.shape.reduce<Tensor>((y, size, axis) => {
    if (axis < first) return y;
    return selectAt(y, source(mode, size, before[axis], after[axis]), axis, null);
  }, x);
}

function constantPad(
  x: Tensor,
  before: readonly number[],
  after: readonly number[],
  value: number,
): Tensor {
  const left = x.shape.map((size, axis) => kept(size, before[axis], after[axis]));
  if (left.some((size) => size < 0)) {
    refuse("pad", framed(x, before, after), "no more taken away than there is");
  }
  const inside = left.reduce((y, size, axis) => part(y, axis, Math.max(0, -before[axis]), size), x);
  const shape = x.shape.map((size, axis) => before[axis] + size + after[axis]);
  if (sameShape(shape, inside.shape)) return unshared(inside, x);
  const start = before.map((count) => Math.max(0, count));
  return bind(padPrimitive, [inside], { shape, before: start, value })[0];
}

/** The operands as errors show them. */
function framed(x: Tensor, before: readonly number[], after: readonly number[]): string {
  return `${shaped("x", x)} and sizes ${formatShape(before)} before and ${
    formatShape(after)
  } after`;
}

/** Refuses what the modes other than "constant" refuse, before anything is computed. */
function assertPaddable(
  x: Tensor,
  mode: "reflect" | "replicate" | "circular",
  before: readonly number[],
  after: readonly number[],
  first: number,
): void {
  const { shape } = x;
  const sizes = shape.map((size, axis) => before[axis] + size + after[axis]);
  const wraps = mode === "circular";
  const fits = sizes.every((size, axis) => {
    if (axis < first) return true;
    const longest = mode === "reflect" ? shape[axis] - 1 : wraps ? shape[axis] : Infinity;
    return size >= 0 && before[axis] <= longest && after[axis] <= longest &&
      (wraps ? size === 0 || kept(shape[axis], before[axis], after[axis]) > 0 : shape[axis] > 0);
  });
  // The axis before the padded ones is no batch, and PyTorch lets some padded ones vanish, not all.
  if (!fits || (!wraps && (shape[first - 1] < 1 || sizes.slice(first).every((n) => n < 1)))) {
    refuse(
      "pad",
      `${framed(x, before, after)} in mode "${mode}"`,
      'elements to copy: fewer than the axis has for "reflect", no more for "circular"',
    );
  }
}

/** How many elements of an axis stay where both ends are cropped. */
function kept(size: number, before: number, after: number): number {
  return size - Math.max(0, -before) - Math.max(0, -after);
}

/** For each element of a padded axis, which element of the axis it repeats. */
function source(
  mode: "reflect" | "replicate" | "circular",
  size: number,
  before: number,
  after: number,
): Tensor {
  const index = new Float64Array(before + size + after);
  const first = Math.max(0, -before);
  const period = kept(size, before, after);
  for (let i = 0; i < index.length; i++) {
    const p = i - before;
    if (mode === "replicate") index[i] = Math.min(Math.max(p, 0), size - 1);
    else if (mode === "reflect") index[i] = p < 0 ? -p : p >= size ? 2 * (size - 1) - p : p;
    // What is taken away at one end is not wrapped to the other.
    else index[i] = first + (((p - first) % period) + period) % period;
  }
  return fromValues(index, [index.length]);
}
