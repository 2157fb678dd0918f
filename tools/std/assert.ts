/**
 * A stand-in for the part of `@std/assert` that the tests use, for machines that cannot reach JSR.
 *
 * Names, argument order and meaning are those of `@std/assert`; the comparing is done by
 * `node:assert/strict`. `deno task std` decides whether it is needed.
 *
 * @module
 */
import strict from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";

/** What a failed assertion throws. */
export class AssertionError extends Error {
  /** @param message What was expected and what was found. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

// deno-lint-ignore no-explicit-any
type Constructor<T> = abstract new (...args: any[]) => T;

function reject(what: string, message?: string): never {
  throw new AssertionError(message === undefined ? `${what}.` : `${what}: ${message}`);
}

/** How a value reads in a message. */
function show(value: unknown): string {
  return Deno.inspect(value, { depth: 6, sorted: true, trailingComma: true, compact: true });
}

// node:assert tells 0 from -0 and @std/assert does not, so a comparison that failed is made once
// more with every -0 replaced by 0.
function withoutNegativeZero(value: unknown, seen: Map<unknown, unknown> = new Map()): unknown {
  if (typeof value === "number") return value === 0 ? 0 : value;
  if (typeof value !== "object" || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const remember = <T>(copy: T): T => {
    seen.set(value, copy);
    return copy;
  };
  if (value instanceof Float64Array || value instanceof Float32Array) {
    return remember(value.map((v) => (v === 0 ? 0 : v)));
  }
  if (Array.isArray(value)) {
    const copy: unknown[] = remember([]);
    for (const v of value) copy.push(withoutNegativeZero(v, seen));
    return copy;
  }
  if (value instanceof Map) {
    const copy = remember(new Map());
    for (const [k, v] of value) copy.set(k, withoutNegativeZero(v, seen));
    return copy;
  }
  if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null) {
    const copy: Record<PropertyKey, unknown> = remember(
      Object.create(Object.getPrototypeOf(value)),
    );
    for (const key of Reflect.ownKeys(value)) {
      copy[key] = withoutNegativeZero((value as Record<PropertyKey, unknown>)[key], seen);
    }
    return copy;
  }
  return value;
}

/** Whether two values are deeply equal, 0 and -0 taken as the same, NaN as equal to itself. */
export function equal(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b) ||
    isDeepStrictEqual(withoutNegativeZero(a), withoutNegativeZero(b));
}

/** Fails unless `condition` is true. */
export function assert(condition: unknown, message = ""): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Fails unless `condition` is false. */
export function assertFalse(condition: unknown, message?: string): void {
  if (condition) reject("Expected a falsy value", message);
}

/** Fails, always. */
export function fail(message?: string): never {
  reject("Failed assertion", message);
}

/** Fails when it is reached. */
export function unreachable(message?: string): never {
  reject("Unreachable", message);
}

/** Fails unless both values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  if (equal(actual, expected)) return;
  try {
    strict.deepStrictEqual(actual, expected);
  } catch (cause) {
    reject((cause as Error).message, message);
  }
}

/** Fails if both values are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  if (equal(actual, expected)) {
    reject(`Expected actual: ${show(actual)} not to be: ${show(expected)}`, message);
  }
}

/** Fails unless `Object.is(actual, expected)`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) {
    reject(`Values are not strictly equal: ${show(actual)} and ${show(expected)}`, message);
  }
}

/** Fails if `Object.is(actual, expected)`. */
export function assertNotStrictEquals<T>(actual: T, expected: T, message?: string): void {
  if (Object.is(actual, expected)) {
    reject(`Expected "actual" not to be strictly equal to: ${show(actual)}`, message);
  }
}

/** Fails unless the numbers lie within `tolerance` (1e-7 of `expected` by default). */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
): void {
  if (Object.is(actual, expected)) return;
  const limit = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const delta = Math.abs(expected - actual);
  if (delta <= limit) return;
  reject(`Expected actual: "${actual}" to be close to "${expected}": delta "${delta}"`, message);
}

function compare(holds: boolean, a: unknown, relation: string, b: unknown, message?: string): void {
  if (!holds) reject(`Expect ${show(a)} ${relation} ${show(b)}`, message);
}

/** Fails unless `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  compare(actual > expected, actual, ">", expected, message);
}

/** Fails unless `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  compare(actual >= expected, actual, ">=", expected, message);
}

/** Fails unless `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  compare(actual < expected, actual, "<", expected, message);
}

/** Fails unless `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  compare(actual <= expected, actual, "<=", expected, message);
}

/** Fails if the value is null or undefined. */
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    reject(`Expected actual: "${actual}" to not be null or undefined`, message);
  }
}

/** Fails unless the value is an instance of `type`. */
export function assertInstanceOf<T>(
  actual: unknown,
  type: Constructor<T>,
  message?: string,
): asserts actual is T {
  if (!(actual instanceof type)) {
    reject(`Expected object to be an instance of "${type.name}" but was ${show(actual)}`, message);
  }
}

/** Fails if the value is an instance of `type`. */
export function assertNotInstanceOf<A, T>(
  actual: A,
  type: Constructor<T>,
  message?: string,
): asserts actual is Exclude<A, T> {
  if (actual instanceof type) {
    reject(`Expected object to not be an instance of "${type.name}"`, message);
  }
}

/** Fails unless the text matches. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (!expected.test(actual)) {
    reject(`Expected actual: "${actual}" to match: "${expected}"`, message);
  }
}

/** Fails if the text matches. */
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void {
  if (expected.test(actual)) {
    reject(`Expected actual: "${actual}" to not match: "${expected}"`, message);
  }
}

/** Fails unless the text contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (!actual.includes(expected)) {
    reject(`Expected actual: "${actual}" to contain: "${expected}"`, message);
  }
}

/** Fails unless every value of `expected` occurs in `actual`. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  message?: string,
): void {
  const missing = Array.from(expected).filter((e) => !Array.from(actual).some((a) => equal(a, e)));
  if (missing.length === 0) return;
  reject(`Expected actual: ${show(actual)} to include: ${show(expected)}`, message);
}

function matches(actual: unknown, expected: unknown): boolean {
  if (typeof expected !== "object" || expected === null) return equal(actual, expected);
  if (typeof actual !== "object" || actual === null) return false;
  const plain = Array.isArray(expected) || Object.getPrototypeOf(expected) === Object.prototype;
  if (!plain) return equal(actual, expected);
  return Object.entries(expected).every(([key, value]) =>
    matches((actual as Record<string, unknown>)[key], value)
  );
}

/** Fails unless `actual` has every property that `expected` has, deeply. */
export function assertObjectMatch(
  actual: object,
  expected: Record<PropertyKey, unknown>,
  message?: string,
): void {
  if (!matches(actual, expected)) {
    reject(`Expected ${show(actual)} to match ${show(expected)}`, message);
  }
}

/** Fails unless the value is an error of the class, with the text in its message. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  type?: Constructor<E>,
  includes?: string | RegExp,
  message?: string,
): asserts error is E {
  if (!(error instanceof Error)) {
    reject(`Expected "error" to be an Error object, but it is ${show(error)}`, message);
  }
  if (type !== undefined && !(error instanceof type)) {
    reject(
      `Expected error to be instance of "${type.name}", but was "${error.constructor.name}" (${error.message})`,
      message,
    );
  }
  const found = includes === undefined ||
    (typeof includes === "string"
      ? error.message.includes(includes)
      : includes.test(error.message));
  if (!found) {
    reject(
      `Expected error message to include ${show(includes)}, but got ${show(error.message)}`,
      message,
    );
  }
}

type ErrorClass<E> = Constructor<E> | string | undefined;

// The two forms are (fn, message?) and (fn, ErrorClass, messageIncludes?, message?).
function checkThrown<E extends Error>(
  error: unknown,
  typeOrMessage: ErrorClass<E>,
  includes?: string,
  message?: string,
): unknown {
  if (typeof typeOrMessage === "function") {
    assertIsError(error, typeOrMessage, includes, message);
  }
  return error;
}

/** Fails unless `fn` throws; returns what it threw. */
export function assertThrows(fn: () => unknown, message?: string): unknown;
/** Fails unless `fn` throws an error of the class, with the text in its message; returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  type: Constructor<E>,
  includes?: string,
  message?: string,
): E;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  typeOrMessage?: ErrorClass<E>,
  includes?: string,
  message?: string,
): unknown {
  try {
    fn();
  } catch (error) {
    return checkThrown(error, typeOrMessage, includes, message);
  }
  reject(
    "Expected function to throw",
    typeof typeOrMessage === "string" ? typeOrMessage : message,
  );
}

/** Fails unless `fn` rejects; returns what it was rejected with. */
export function assertRejects(fn: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
/** Fails unless `fn` rejects with an error of the class and text; returns it. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  type: Constructor<E>,
  includes?: string,
  message?: string,
): Promise<E>;
export async function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  typeOrMessage?: ErrorClass<E>,
  includes?: string,
  message?: string,
): Promise<unknown> {
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch {
    reject("Function throws when expected to reject", message);
  }
  try {
    await promise;
  } catch (error) {
    return checkThrown(error, typeOrMessage, includes, message);
  }
  reject(
    "Expected function to reject",
    typeof typeOrMessage === "string" ? typeOrMessage : message,
  );
}
