/** How functions refuse what they are given: `Cannot <action>: got <what>, expected <what>`. */
import { describe } from "./describe.ts";

/** @throws {RangeError} always: a value, a shape or an index does not fit. */
export function refuse(action: string, got: string, expected: string): never {
  throw new RangeError(`Cannot ${action}: got ${got}, expected ${expected}`);
}

/** @throws {TypeError} always: the argument `name` is of another kind. */
export function refuseKind(action: string, name: string, value: unknown, expected: string): never {
  throw new TypeError(`Cannot ${action}: got ${name} ${describe(value)}, expected ${expected}`);
}
