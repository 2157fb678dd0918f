/**
 * Values as Python prints them, for `toString()` in PyTorch's layout.
 */

import { show } from "../../autograd/internal.ts";

/** `1e-05`, `0.1`, `1.0`, `inf`, `None`; an integer is taken for a float. */
export function pythonFloat(value: number | null): string {
  if (value === null) return "None";
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

/** `negativeSlope` → `negative_slope`. */
export function pythonName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `True`, `None`, `3`, `(3, 3)`; text as it is, a number as an integer: floats come as text. */
function pythonValue(value: unknown): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === null) return "None";
  return Array.isArray(value) ? pythonTuple(value) : String(value);
}

/** `(3, 3)`, and `(3,)` for a single element. */
export function pythonTuple(values: readonly unknown[]): string {
  const items = values.map(pythonValue).join(", ");
  return values.length === 1 ? `(${items},)` : `(${items})`;
}

/** Arguments by name: `eps=1e-05, affine=True`. */
export function pythonArguments(named: Readonly<Record<string, unknown>>): string {
  return Object.entries(named).map(([name, value]) => `${name}=${pythonValue(value)}`).join(", ");
}

/** `Name(extra)`, or an indented line for each part of a module that has some. */
export function pythonModule(name: string, extra: string, parts: readonly string[]): string {
  if (parts.length === 0) return `${name}(${extra})`;
  const lines = extra === "" ? parts : [extra, ...parts];
  return `${name}(\n  ${lines.join("\n").replaceAll("\n", "\n  ")}\n)`;
}
