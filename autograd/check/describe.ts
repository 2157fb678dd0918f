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
