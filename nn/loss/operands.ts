/** What losses compare, how they are reduced, and the checks of both. */
import {
  assertOptions,
  assertTensor,
  broadcastShapes,
  formatShape,
  refuse,
  refuseKind,
  sameShape,
} from "../../autograd/internal.ts";
import type { Defaults } from "../module/declared.ts";
import { mean, type Reduction, type Shape, sum, type Tensor } from "../../autograd/mod.ts";

/**
 * Checks that arguments are tensors.
 *
 * @throws {TypeError} if one is not.
 */
export function assertTensors(action: string, tensors: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(tensors)) assertTensor(action, value, name);
}

/**
 * Checks that tensors broadcast together.
 *
 * @returns The shape that they broadcast to.
 * @throws {TypeError} if one is not a tensor. @throws {RangeError} if they do not.
 */
export function checkBroadcast(action: string, tensors: Readonly<Record<string, Tensor>>): Shape {
  assertTensors(action, tensors);
  return Object.values(tensors).map((x) => x.shape)
    .reduce((a, b) => broadcastShapes(action, a, b));
}

/**
 * Checks that tensors have as many dims each.
 *
 * @throws {TypeError} if one is not a tensor. @throws {RangeError} if they have not.
 */
export function checkSameRank(action: string, tensors: Readonly<Record<string, Tensor>>): void {
  assertTensors(action, tensors);
  const ranks = new Set(Object.values(tensors).map((x) => x.ndim));
  if (ranks.size === 1) return;
  const shapes = Object.entries(tensors)
    .map(([name, { shape }]) => `${name} of shape ${formatShape(shape)}`);
  refuse(action, `${shapes.slice(0, -1).join(", ")} and ${shapes.at(-1)}`, "as many dims each");
}

/**
 * Checks that a tensor has the shape of x.
 *
 * @throws {TypeError} if it is not a tensor. @throws {RangeError} if it has another shape.
 */
export function checkShapeOf(action: string, x: Tensor, other: Tensor, name: string): void {
  assertTensor(action, x, "x");
  assertTensor(action, other, name);
  if (!sameShape(x.shape, other.shape)) {
    refuse(
      action,
      `${name} of shape ${formatShape(other.shape)} for x of shape ${formatShape(x.shape)}`,
      "equal shapes",
    );
  }
}

/**
 * Checks an optional weight: it broadcasts to the shape of the losses.
 *
 * @throws {TypeError} if it is not a tensor. @throws {RangeError} if it does not broadcast to it.
 */
export function checkWeight(
  action: string,
  weight: Tensor | null | undefined,
  shape: Shape,
  name = "weight",
): void {
  if (weight === null || weight === undefined) return;
  assertTensor(action, weight, name);
  if (!sameShape(broadcastShapes(action, weight.shape, shape), shape)) {
    refuse(
      action,
      `${name} of shape ${formatShape(weight.shape)}`,
      `one that broadcasts to ${formatShape(shape)}`,
    );
  }
}

/**
 * Checks a number.
 *
 * @throws {TypeError} if it is none.
 */
export function checkNumber(action: string, name: string, value: unknown): void {
  if (typeof value !== "number") {
    refuseKind(action, name, value, "a number");
  }
}

export type { Reduction };

/** The usual reductions. */
export const REDUCTIONS: readonly Reduction[] = ["none", "mean", "sum"];

/** What every loss accepts. */
export interface LossOptions {
  /** `"mean"` (the default) of the losses, their `"sum"`, or `"none"`: one loss for each element. */
  readonly reduction?: Reduction;
}

/**
 * The options of a loss, those that were left out at their defaults.
 *
 * @param words The reductions that there are.
 * @throws {TypeError} if they are no options, one is not the loss's, or one is no number where its
 * default is. @throws {RangeError} if the reduction is another.
 */
export function readOptions<Options extends { readonly reduction?: string }>(
  action: string,
  options: Options,
  defaults: Defaults<Options>,
  words: readonly string[] = REDUCTIONS,
): Required<Options> {
  const known = Object.keys(defaults) as (keyof Options & string)[];
  assertOptions(action, options, known);
  const values = {} as Required<Options>;
  for (const name of known) {
    const fallback = defaults[name];
    const value = (options[name] ?? fallback) as typeof fallback;
    if (typeof fallback === "number") checkNumber(action, name, value);
    values[name] = value;
  }
  const { reduction } = values;
  if (!words.includes(reduction as string)) {
    const expected = `one of ${words.join(", ")}`;
    if (typeof reduction !== "string") refuseKind(action, "reduction", reduction, expected);
    refuse(action, `reduction "${reduction}"`, expected);
  }
  return values;
}

/** The losses of single elements as the reduction wants them. */
export function reduce(losses: Tensor, reduction: Reduction): Tensor {
  return reduction === "none" ? losses : reduction === "sum" ? sum(losses) : mean(losses);
}
