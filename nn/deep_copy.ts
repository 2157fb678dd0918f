/**
 * Copies of modules that share nothing with the original.
 */
import { noGrad, Tensor } from "../autograd/mod.ts";
import { Buffer, Parameter } from "./parameter.ts";

/**
 * Copies an object with everything that it holds. Tensors become leaves of their own class; one that
 * is held twice is copied once; functions are shared.
 */
export function deepCopy<T extends object>(original: T): T {
  return copyValue(original, new Map()) as T;
}

function copyValue(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  if (value instanceof Tensor) {
    const copy = copyTensor(value);
    copies.set(value, copy);
    if (value.grad !== null) copy.grad = copyValue(value.grad, copies) as Tensor;
    return copy;
  }
  if (ArrayBuffer.isView(value)) return structuredClone(value);
  const copy: object = Array.isArray(value)
    ? []
    : value instanceof Map
    ? new Map()
    : value instanceof Set
    ? new Set()
    : Object.create(Object.getPrototypeOf(value));
  copies.set(value, copy);
  if (value instanceof Map) {
    for (const [key, item] of value) {
      (copy as Map<unknown, unknown>).set(copyValue(key, copies), copyValue(item, copies));
    }
  } else if (!(value instanceof Set)) {
    // Sets hold hooks, which belong to the original; only enumerable fields are state.
    for (const [key, item] of Object.entries(value)) {
      (copy as Record<string, unknown>)[key] = copyValue(item, copies);
    }
  }
  return copy;
}

function copyTensor(original: Tensor): Tensor {
  const copy = noGrad(() => original.clone());
  if (original instanceof Parameter) return new Parameter(copy, original.requiresGrad);
  if (original instanceof Buffer) return new Buffer(copy, { persistent: original.persistent });
  return copy.requiresGrad_(original.requiresGrad);
}
