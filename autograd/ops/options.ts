/** Checks of options that are numbers. */
import { describe } from "./creation.ts";

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
