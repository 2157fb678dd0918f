/**
 * Copies of modules that share nothing with the original.
 */
import { kindOf } from "../../autograd/internal.ts";
import { Generator, noGrad, Tensor } from "../../autograd/mod.ts";
import { hasFieldForward } from "./forward.ts";
import type { Module } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";

/**
 * Copies a module with everything that it holds. Tensors become leaves of their own class; one that
 * is held twice is copied once; functions are shared, and so are built-in objects like dates, whose
 * inside cannot be seen.
 *
 * @param plainCopy The method that modules have by themselves; another one answers for its class.
 * @throws {TypeError} if a module's `forward` is a field.
 */
export function deepCopy<T extends Module>(original: T, plainCopy: Module["deepCopy"]): T {
  for (const [name, module] of original.namedModules()) {
    const fault = faultOf(module, plainCopy);
    if (fault === null) continue;
    const place = name === "" ? "" : ` at ${name}`;
    throw new TypeError(`Cannot deepCopy ${kindOf(module)}${place}: got ${fault}`);
  }
  return copyValue(original, new Map()) as T;
}

/** Why a module cannot be copied part by part; `null` if it can. */
function faultOf(module: Module, plainCopy: Module["deepCopy"]): string | null {
  if (hasFieldForward(module)) {
    return "a forward that is a field and belongs to the original, expected a method";
  }
  // The package's own layers hold functions that callers gave them, and share these.
  const fields = Object.hasOwn(module.constructor, "kind") ? [] : Object.entries(module);
  const [holder] = fields.find(([, value]) => holdsFunction(value, new Set())) ?? [];
  if (holder !== undefined) {
    return `a function in field ${holder}, which may go on using the original, expected a method`;
  }
  const hidden = module.deepCopy === plainCopy ? privateField(module) : undefined;
  return hidden === undefined
    ? null
    : `a class with the private field ${hidden}, which a copy would lack, expected public fields or ` +
      `a deepCopy of its own`;
}

/** Whether a function may use what it was made beside: all but classes and plain functions without `this`. */
function mayHold(fn: (...args: never[]) => unknown): boolean {
  const source = Function.prototype.toString.call(fn);
  if (source.startsWith("class")) return false;
  return fn.prototype === undefined || /\b(this|self|that)\b/.test(source);
}

/** Whether a field is or holds a function that may use the original; modules answer for themselves. */
function holdsFunction(value: unknown, seen: Set<unknown>): boolean {
  if (typeof value === "function") return mayHold(value as () => unknown);
  if (typeof value !== "object" || value === null || seen.has(value)) return false;
  seen.add(value);
  if ("deepCopy" in value || value instanceof Tensor) return false;
  const items = value instanceof Map || value instanceof Set
    ? value.values()
    : Object.values(value);
  return [...items].some((item) => holdsFunction(item, seen));
}

/** A `#private` field of a module's classes: copies are made without the constructors that add those. */
function privateField(module: Module): string | undefined {
  let { constructor } = module;
  for (; typeof constructor === "function"; constructor = Object.getPrototypeOf(constructor)) {
    const source = Function.prototype.toString.call(constructor);
    const field = /(?:^|[{;}\s])(#[A-Za-z_$][\w$]*)\s*(?:=|;|\n)/.exec(source)?.[1];
    if (field !== undefined) return field;
  }
  return undefined;
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
