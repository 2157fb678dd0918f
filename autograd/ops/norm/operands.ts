/**
 * What normalisations accept, and how they refuse the rest.
 */
import { refuse, refuseKind } from "../../check/refuse.ts";
import type { ChannelSizes } from "../../kernels/mod.ts";
import { formatShape, sameShape, type Shape, shaped, sizeOf } from "../../shape.ts";
import { Tensor, valuesOf } from "../../tensor.ts";
import { tensor } from "../create/creation.ts";
import { add, mul } from "../elementwise/arithmetic.ts";
import { clone } from "../shape/clone.ts";
import { reshape } from "../shape/shape.ts";
import type { BatchNormOperands } from "./batch_norm.ts";

type Optional = Readonly<Record<string, Tensor | null>>;

/** [n, c, s] of a tensor whose axis 1 is the channel. */
export function channelSizes(shape: Shape): ChannelSizes {
  return { n: shape[0], c: shape[1], s: sizeOf(shape.slice(2)) };
}

/** @throws {TypeError} if `value` is not a number. @throws {RangeError} if it is NaN. */
export function assertNumber(action: string, name: string, value: unknown): void {
  if (typeof value !== "number") {
    refuseKind(action, name, value, "a number");
  }
  if (Number.isNaN(value)) {
    refuse(action, `${name} NaN`, "a number");
  }
}

/** @throws {TypeError} if `value` is not a boolean. */
export function assertFlag(action: string, name: string, value: unknown): void {
  if (typeof value === "boolean") return;
  refuseKind(action, name, value, "true or false");
}

/** @throws {TypeError} if x is not a tensor, or an optional operand neither one nor `null`. */
export function assertTensors(action: string, x: unknown, optional: Optional): void {
  for (const [name, value] of [["x", x], ...Object.entries(optional)] as [string, unknown][]) {
    if (value instanceof Tensor || (value === null && name !== "x")) continue;
    refuseKind(action, name, value, name === "x" ? "a Tensor" : "a Tensor or null");
  }
}

/** Checks kinds and the number of axes of a batch norm, before sizes are compared. */
export function assertBatch({ x, ...optional }: BatchNormOperands, eps: number): void {
  const action = "run batchNorm";
  assertTensors(action, x, optional);
  assertNumber(action, "eps", eps);
  if (x.ndim < 2 && x.size > 0) {
    refuse(action, shaped("x", x), "[N, C, …]");
  }
}

/** Checks that the operands fit the channels of x and that running statistics are off the tape. */
export function assertChannels(operands: BatchNormOperands): void {
  const { x, runningMean, runningVar, weight, bias } = operands;
  const channels = x.shape[1];
  const check = (name: string, key: string, value: Tensor | null): void => {
    if (value === null || value.size === channels) return;
    refuse(
      "run batchNorm",
      shaped(name, value),
      `[${channels}] (${key} should contain ${channels} elements not ${value.size})`,
    );
  };
  // With nothing to normalise the running statistics are not read, so their size does not matter.
  if (x.size > 0) {
    check("runningMean", "running_mean", runningMean);
    check("runningVar", "running_var", runningVar);
  }
  check("weight", "weight", weight);
  check("bias", "bias", bias);
  assertOffTape("run batchNorm", { runningMean, runningVar });
}

/** @throws {RangeError} if running statistics require grad: they are written in place. */
export function assertOffTape(action: string, running: Optional): void {
  for (const [name, value] of Object.entries(running)) {
    if (!value?.requiresGrad) continue;
    refuse(action, `${name} that requires grad`, "a buffer off the tape");
  }
}

/** Checks [N, C, …] with optional operands [C], and returns C. */
export function channelsOf(action: string, x: Tensor, optional: Optional): number {
  assertTensors(action, x, optional);
  if (x.ndim < 2) {
    refuse(action, shaped("x", x), "at least 2 dims, [N, C, …]");
  }
  assertShapes(action, optional, [x.shape[1]], "");
  return x.shape[1];
}

/** Checks that x ends with `normalizedShape`, which optional operands have, and returns it as a list. */
export function normalizedShapeOf(
  action: string,
  x: Tensor,
  normalizedShape: Shape | number,
  optional: Optional,
): Shape {
  assertTensors(action, x, optional);
  const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  if (!Array.isArray(shape)) {
    refuseKind(action, "normalizedShape", shape, "a size or a list of sizes");
  }
  if (shape.length === 0 || !sameShape(x.shape.slice(-shape.length), shape)) {
    refuse(
      action,
      shaped("x", x),
      `one that ends with normalizedShape ${formatShape(shape)} of at least one axis`,
    );
  }
  assertShapes(action, optional, shape, "normalizedShape ");
  return shape;
}

/** @throws {RangeError} if an optional operand has another shape. */
export function assertShapes(
  action: string,
  optional: Optional,
  shape: Shape,
  label: string,
): void {
  for (const [name, value] of Object.entries(optional)) {
    if (value === null || sameShape(value.shape, shape)) continue;
    refuse(action, shaped(name, value), `${label}${formatShape(shape)}`);
  }
}

/** The output for an x without elements: weight and bias stay on the tape, with gradients of 0. */
export function scaleEmpty(x: Tensor, weight: Tensor | null, bias: Tensor | null): Tensor {
  const scaled = weight === null ? clone(x) : mul(x, weight);
  return bias === null ? scaled : add(scaled, bias);
}

/** The mask with as many axes as x, its channel axis 1, and how many ones it has. */
export function alignMask(x: Tensor, mask: unknown): { mask: Tensor; count: number } {
  if (!(mask instanceof Tensor)) {
    refuseKind("run batchNorm", "mask", mask, "a Tensor");
  }
  const wanted = x.shape.map((size, i) => i === 1 ? 1 : size);
  const without = wanted.filter((_, i) => i !== 1);
  if (!sameShape(mask.shape, wanted) && !sameShape(mask.shape, without)) {
    refuse(
      "run batchNorm",
      `${shaped("mask", mask)} for ${shaped("x", x)}`,
      `${formatShape(wanted)} or ${formatShape(without)}`,
    );
  }
  let count = 0;
  for (const value of valuesOf(mask)) {
    if (value !== 0 && value !== 1) {
      refuse("run batchNorm", `a mask that holds ${value}`, "0 and 1");
    }
    count += value;
  }
  return { mask: reshape(mask.detach(), wanted), count };
}

/** The values of x where a mask is 1, [count, C], off the tape. */
export function maskedRows(x: Tensor, mask: Tensor): Tensor {
  const valid = valuesOf(alignMask(x, mask).mask);
  const [n, channels] = x.shape;
  const positions = valid.length / Math.max(n, 1);
  const values = valuesOf(x);
  const taken: number[] = [];
  for (let at = 0; at < valid.length; at++) {
    if (valid[at] === 0) continue;
    const sample = Math.floor(at / positions);
    const start = sample * channels * positions + at % positions;
    for (let c = 0; c < channels; c++) taken.push(values[start + c * positions]);
  }
  return tensor(taken, { shape: [taken.length / channels, channels] });
}
