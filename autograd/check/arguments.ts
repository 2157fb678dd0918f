/** Checks of functions and lists that callers pass in. */
import { refuseKind } from "./refuse.ts";

/**
 * Checks that an argument is a function.
 *
 * @throws {TypeError} if not, naming the function and the argument.
 */
export function assertFunction(action: string, fn: unknown, name: string): void {
  if (typeof fn !== "function") refuseKind(action, name, fn, "a function");
}

/**
 * Calls a function whose whole work is to be done under some condition. Work that a promise or a
 * generator puts off would be done without it.
 *
 * @throws {TypeError} if `fn` is not a function, or returns a promise or a generator.
 */
export function callSynchronously<T>(action: string, fn: () => T): T {
  assertFunction(action, fn, "fn");
  const result = fn();
  if (typeof result === "object" && result !== null) {
    const { then, next, [Symbol.toStringTag]: tag } = result as Record<PropertyKey, unknown>;
    const later = typeof then === "function"
      ? "a promise"
      : typeof next === "function" && /Generator$/.test(String(tag))
      ? "a generator"
      : null;
    if (later !== null) {
      throw new TypeError(
        `Cannot ${action}: got a function that returns ${later}, expected a synchronous one: what ` +
          `runs later would not be covered`,
      );
    }
  }
  return result;
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
  if (!Array.isArray(value)) refuseKind(action, name, value, `a list of ${of}`);
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
  if (!isList) refuseKind(action, name, values, "a list of numbers");
  const list = values as ArrayLike<unknown>;
  for (let i = 0; i < list.length; i++) {
    if (typeof list[i] !== "number") refuseKind(action, `${name}[${i}]`, list[i], "a number");
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
  if (!isIterable) refuseKind(action, name, value, `a list or an iterable of ${of}`);
}
