/** Checks of lists that callers pass in. */
import { describe } from "./describe.ts";

function refuse(action: string, value: unknown, name: string, expected: string): never {
  throw new TypeError(`Cannot ${action}: got ${name} ${describe(value)}, expected ${expected}`);
}

/**
 * Checks that an argument is an array.
 *
 * @param of What it is a list of, as errors say.
 * @throws {TypeError} if not.
 */
export function assertList(
  action: string,
  value: unknown,
  name: string,
  of: string,
): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) refuse(action, value, name, `a list of ${of}`);
}

/**
 * Checks that an argument is an array or a typed array of numbers.
 *
 * @throws {TypeError} if not.
 */
export function assertNumbers(
  action: string,
  values: unknown,
  name: string,
): asserts values is readonly number[] {
  const isList = Array.isArray(values) ||
    (ArrayBuffer.isView(values) && !(values instanceof DataView));
  if (!isList) refuse(action, values, name, "a list of numbers");
  const list = values as ArrayLike<unknown>;
  for (let i = 0; i < list.length; i++) {
    if (typeof list[i] !== "number") refuse(action, list[i], `${name}[${i}]`, "a number");
  }
}

/**
 * Checks that an argument can be iterated over and is no text.
 *
 * @param of What it holds, as errors say.
 * @throws {TypeError} if not.
 */
export function assertIterable(action: string, value: unknown, name: string, of: string): void {
  const isIterable = typeof value === "object" && value !== null &&
    typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === "function";
  if (!isIterable) refuse(action, value, name, `a list or an iterable of ${of}`);
}
