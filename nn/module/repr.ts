/**
 * Values as Python prints them, for `toString()` in PyTorch's layout.
 */

import { show } from "../../autograd/internal.ts";

/** `1e-05`, `0.1`, `1.0`, `inf`; an integer is taken for a float. */
export function pythonFloat(value: number): string {
  if (typeof value !== "number") return show(value);
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  const magnitude = Math.abs(value);
  if (value !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    // Python writes at least two digits of exponent.
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** `True` or `False`. */
export function pythonBoolean(value: boolean): string {
  return value ? "True" : "False";
}

/** `(3, 3)`, and `(3,)` for a single element. */
export function pythonTuple(values: readonly (number | string)[]): string {
  return values.length === 1 ? `(${values[0]},)` : `(${values.join(", ")})`;
}

/** One size for all axes as it is, a list of sizes as a tuple. */
export function pythonSizes(sizes: number | readonly number[]): string {
  return typeof sizes === "number" ? String(sizes) : pythonTuple(sizes);
}

/** `Name(extra)`, or an indented line for each part of a module that has some. */
export function pythonModule(name: string, extra: string, parts: readonly string[]): string {
  if (parts.length === 0) return `${name}(${extra})`;
  const lines = extra === "" ? parts : [extra, ...parts];
  return `${name}(\n  ${lines.join("\n").replaceAll("\n", "\n  ")}\n)`;
}
