/** Checks of functions that callers pass in. */
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
