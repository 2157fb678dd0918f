/**
 * The engine: tensors, the tape, the registry of primitives, and gradients of any order.
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@tapegrad/tapegrad/autograd";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([1, 2, 3], { requiresGrad: true });
 * const [gradient] = grad(x.mul(x).sum(), [x]);
 * assertEquals(gradient!.toArray(), [2, 4, 6]);
 * ```
 *
 * @module
 */
// First, so that a bundle begins with the packed kernels: behind code they cost half a kilobyte more.
import "./runtime/module.ts";
import { backward } from "./reverse/backward.ts";
import { copyInto, viewOf } from "./ops/shape/copy.ts";
import { TensorMethods } from "./methods.ts";
import { tieMethods } from "./tensor.ts";

// The one knot of the package: methods of Tensor call operations, which make Tensors.
tieMethods(TensorMethods.prototype, { backward, copyInto, viewOf });

export { detectAnomaly } from "./reverse/anomaly.ts";
export { type BackwardOptions, grad, type GradOptions } from "./reverse/backward.ts";
export { gradcheck, type GradcheckOptions } from "./reverse/gradcheck.ts";
export {
  type AnyPrimitive,
  type Binary,
  type Cotangents,
  definePrimitive,
  type Input,
  type Primitive,
  primitives,
  type Sample,
  type ShapesOf,
  type Unary,
  type VjpContext,
} from "./tape/primitive.ts";
export type { NestedArray } from "./print.ts";
export { defaultGenerator, Generator, manualSeed, type Seed } from "./random.ts";
export type { Dims, Shape } from "./shape.ts";
export { isStatsUpdateEnabled, noStatsUpdate } from "./statistics.ts";
export { bind, enableGrad, type GradHook, isGradEnabled, noGrad } from "./tape/tape.ts";
export type { TensorMethods } from "./methods.ts";
export { type HookHandle, Tensor, type TensorJson } from "./tensor.ts";
export {
  onWarning,
  silenceWarnings,
  type Warning,
  type WarningCode,
  type WarningHandler,
  WARNINGS,
} from "./warnings.ts";
export * from "./ops/mod.ts";
