/**
 * Copies of modules that share nothing with the original.
 */
import { kindOf } from "../../autograd/internal.ts";
import { Generator, noGrad, Tensor } from "../../autograd/mod.ts";
import { hasFieldForward } from "./hooks.ts";
import type { Module } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";

/**
 * Copies a module with everything that it holds. Tensors become leaves of their own class; one that
 * is held twice is copied once; functions are shared, and so are built-in objects like dates, whose
 * inside cannot be seen.
 *
 * @throws {TypeError} if a module's `forward` is a field.
 */
export function deepCopy<T extends Module>(original: T): T {
  for (const [name, module] of original.namedModules()) {
    if (hasFieldForward(module)) {
      throw new TypeError(
        `Cannot deepCopy ${kindOf(module)}${name === "" ? "" : ` at ${name}`}: got a ` +
          `forward that is a field and belongs to the original, expected a method`,
      );
    }
  }
  return copyValue(original, new Map()) as T;
}

function copyValue(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  const copy = emptyCopy(value);
  copies.set(value, copy);
  if (copy === value) return copy;
  if (copy instanceof Tensor) {
    const { grad } = value as Tensor;
    if (grad !== null) copy.grad = copyValue(grad, copies) as Tensor;
    return copy;
  }
  if (copy instanceof Generator || ArrayBuffer.isView(copy)) return copy;
  if (copy instanceof Map) {
    for (const [key, item] of value as Map<unknown, unknown>) {
      copy.set(copyValue(key, copies), copyValue(item, copies));
    }
  } else if (copy instanceof Set) {
    for (const item of value as Set<unknown>) copy.add(copyValue(item, copies));
  }
  for (const [key, item] of Object.entries(value)) {
    (copy as Record<string, unknown>)[key] = copyValue(item, copies);
  }
  return copy;
}

/** A copy of what cannot be copied part by part, and nothing else in it yet. */
function emptyCopy(value: object): object {
  if (value instanceof Tensor) return copyTensor(value);
  if (value instanceof Generator) return value.clone();
  if (ArrayBuffer.isView(value)) return structuredClone(value);
  const { constructor } = value;
  for (const kind of [Array, Map, Set]) {
    // The kind of object with the class of the original, whose constructor does not run.
    if (value instanceof kind) return Reflect.construct(kind, [], constructor);
  }
  return Object.prototype.toString.call(value) === "[object Object]"
    ? Object.create(Object.getPrototypeOf(value))
    : value;
}

function copyTensor(original: Tensor): Tensor {
  const copy = noGrad(() => original.clone());
  if (original instanceof Parameter) return new Parameter(copy, original.requiresGrad);
  if (original instanceof Buffer) return new Buffer(copy, { persistent: original.persistent });
  return copy.requiresGrad_(original.requiresGrad);
}
