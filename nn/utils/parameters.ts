/**
 * All parameters at once: their gradients kept within bounds, their elements as one vector and back.
 */
import {
  assertIterable,
  assertOptions,
  assertTensor,
  formatShape,
  heldGradOf,
  norm,
  refuse,
  refuseKind,
  scaleKeeping,
  valuesOf,
} from "../../autograd/internal.ts";
import { cat, noGrad, reshape, Tensor, tensor } from "../../autograd/mod.ts";

/** How {@linkcode clipGradNorm_} measures. */
export interface ClipGradNormOptions {
  /** The p of the norm; ±Infinity for the largest or smallest absolute value, 2 where left out. */
  readonly normType?: number;
  /** Whether a norm that is NaN or infinite throws, before anything is scaled. */
  readonly errorIfNonfinite?: boolean;
}

/**
 * Scales the gradients of all parameters together so that their norm is at most `maxNorm`.
 *
 * ```text
 * g = g · min(1, maxNorm / (norm + 1e-6))
 * ```
 *
 * where the norm is that of the norms of the gradients, and the factor is always applied. Gradients of
 * `null` are ignored.
 *
 * @param params A tensor or an iterable of tensors.
 * @param maxNorm The bound, at least 0.
 * @param options See {@linkcode ClipGradNormOptions}.
 * @returns The norm before clipping, a scalar; 0 without gradients.
 * @throws {TypeError} for a wrong kind.
 * @throws {RangeError} if `maxNorm` is negative or NaN, `normType` is NaN, or the norm is not finite
 * with `errorIfNonfinite`.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const w = tensor([0, 0], { requiresGrad: true });
 * w.grad = tensor([3, 4]);
 * assertAlmostEquals(nn.utils.clipGradNorm_([w], 1).item(), 5);
 * assertAlmostEquals(w.grad.data[1], 0.8, 1e-6);
 * ```
 */
export function clipGradNorm_(
  params: Tensor | Iterable<Tensor>,
  maxNorm: number,
  options: ClipGradNormOptions = {},
): Tensor {
  const action = "run clipGradNorm_";
  assertOptions(action, options, ["normType", "errorIfNonfinite"]);
  const { normType = 2, errorIfNonfinite = false } = options;
  const bound = readBound(action, maxNorm, "maxNorm");
  if (typeof normType !== "number") refuseKind(action, "normType", normType, "a number");
  if (Number.isNaN(normType)) refuse(action, "normType NaN", "a number");
  const grads = gradientsOf(action, params);
  const norms = Float64Array.from(grads, (grad) => normOf(valuesOf(grad), normType));
  const before = grads.length === 0 ? 0 : normOf(norms, normType);
  if (errorIfNonfinite && !Number.isFinite(before)) {
    refuse(
      action,
      `gradients with a norm of ${before}`,
      "a finite one; errorIfNonfinite: false scales by it",
    );
  }
  const factor = Math.min(1, bound / (before + 1e-6));
  for (const grad of grads) {
    scaleKeeping(grad, (values) => {
      for (let i = 0; i < values.length; i++) values[i] *= factor;
    });
  }
  return tensor(before);
}

/**
 * Limits every element of the gradients to −clipValue … clipValue. Gradients of `null` are passed
 * over.
 *
 * @param params A tensor or an iterable of tensors.
 * @param clipValue The bound, at least 0.
 * @throws {TypeError} for a wrong kind. @throws {RangeError} if `clipValue` is negative or NaN.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const w = tensor([0, 0], { requiresGrad: true });
 * w.grad = tensor([-3, 0.5]);
 * nn.utils.clipGradValue_([w], 1);
 * assertEquals(w.grad.toArray(), [-1, 0.5]);
 * ```
 */
export function clipGradValue_(params: Tensor | Iterable<Tensor>, clipValue: number): void {
  const action = "run clipGradValue_";
  const bound = readBound(action, clipValue, "clipValue");
  for (const grad of gradientsOf(action, params)) {
    scaleKeeping(grad, (values) => {
      for (let i = 0; i < values.length; i++) {
        values[i] = Math.min(Math.max(values[i], -bound), bound);
      }
    });
  }
}

function readBound(action: string, value: unknown, name: string): number {
  const bound = value instanceof Tensor && value.size === 1 ? value.item() : value;
  if (typeof bound !== "number") refuseKind(action, name, value, "a number");
  if (!(bound >= 0)) refuse(action, `${name} ${bound}`, "a number of at least 0");
  return bound;
}

function gradientsOf(action: string, params: Tensor | Iterable<Tensor>): Tensor[] {
  const list = params instanceof Tensor ? [params] : readParams(action, params);
  return list.flatMap((param) => heldGradOf(param) ?? []);
}

function normOf(x: Float64Array, p: number): number {
  const out = new Float64Array(1);
  norm(x, out, x.length, p);
  return out[0];
}

/**
 * The elements of all parameters in one vector, on the tape.
 *
 * Shapes: any → [total number of elements]. Gradient: to each parameter its part.
 *
 * @param params An iterable of tensors, at least one.
 * @returns A copy.
 * @throws {TypeError} if something is not a tensor. @throws {RangeError} if there is none.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const vector = nn.utils.parametersToVector([tensor([[1, 2]]), tensor(3)]);
 * assertEquals(vector.toArray(), [1, 2, 3]);
 * ```
 */
export function parametersToVector(params: Iterable<Tensor>): Tensor {
  const list = readSome("run parametersToVector", params);
  return cat(list.map((param) => reshape(param, [-1])));
}

/**
 * Writes the parts of a vector into the parameters, in place: the inverse of
 * {@linkcode parametersToVector}.
 *
 * @param vector As many elements as all parameters have, in one axis.
 * @param params An iterable of tensors.
 * @throws {TypeError} if something is not a tensor. @throws {RangeError} if the length does not fit.
 *
 * @example
 * ```ts
 * import { nn, tensor, zeros } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * const w = zeros([2, 1]);
 * nn.utils.vectorToParameters(tensor([1, 2]), [w]);
 * assertEquals(w.toArray(), [[1], [2]]);
 * ```
 */
export function vectorToParameters(vector: Tensor, params: Iterable<Tensor>): void {
  const action = "run vectorToParameters";
  assertTensor(action, vector, "vector");
  const list = readSome(action, params);
  const total = list.reduce((sum, param) => sum + param.size, 0);
  if (vector.ndim !== 1 || vector.size !== total) {
    refuse(action, `vector of shape ${formatShape(vector.shape)}`, `[${total}]`);
  }
  const values = vector.data;
  let start = 0;
  for (const param of list) {
    const part = values.slice(start, start + param.size);
    noGrad(() => param.copy_(tensor(part, { shape: param.shape })));
    start += param.size;
  }
}

function readSome(action: string, params: Iterable<Tensor>): Tensor[] {
  const list = readParams(action, params);
  if (list.length === 0) refuse(action, "no params", "at least one");
  return list;
}

function readParams(action: string, params: Iterable<Tensor>): Tensor[] {
  assertIterable(action, params, "params", "tensors");
  const list = [...params];
  list.forEach((param, i) => assertTensor(action, param, `params[${i}]`));
  return list;
}
