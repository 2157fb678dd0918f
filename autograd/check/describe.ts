/** Values as errors show them. */
import { formatShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";

/** A value as errors show it. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (value instanceof Tensor) return `a Tensor of shape ${formatShape(value.shape)}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" || typeof value === "function") {
    return `a ${value.constructor?.name ?? typeof value}`;
  }
  return `${typeof value} ${String(value)}`;
}

/**
 * The name of an object's class. Layers and schedules have it in a static `kind` of their own, because
 * minifiers rename classes; a user's class goes by its `name`.
 */
export function kindOf(instance: object): string {
  const { constructor } = instance as { constructor: { kind?: string; name: string } };
  return Object.hasOwn(constructor, "kind") ? constructor.kind! : constructor.name;
}
