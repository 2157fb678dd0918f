/** Checks of options. */
import { describe } from "./creation.ts";

/**
 * Refuses anything in the place of the options but an object: `sum(x, 1)` is not `sum(x, { dim: 1 })`.
 * PyTorch's `out` is refused too, where passing it over would leave that tensor as it was.
 *
 * @throws {TypeError} naming a key that the function takes.
 */
export function assertOptions(action: string, options: unknown, key: string): void {
  if (typeof options === "object" && options !== null && !Array.isArray(options)) {
    if (!("out" in options)) return;
    throw new TypeError(
      `Cannot ${action}: got an option out, expected none: a result is always a new tensor`,
    );
  }
  throw new TypeError(
    `Cannot ${action}: got ${describe(options)} in place of the options, expected an object such ` +
      `as { ${key}: … }`,
  );
}

/**
 * An option that is a number, or its default where it was left out.
 *
 * @throws {TypeError} if it is something else.
 */
export function numberOption(
  action: string,
  value: number | undefined,
  name: string,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== "number") {
    throw new TypeError(`Cannot ${action}: got ${name} ${describe(value)}, expected a number`);
  }
  return value;
}
