/**
 * The one comparison of numbers in tests: a failure says which value, both numbers and the tolerance.
 *
 * @module
 */
import { fail } from "@std/assert";
import { Tensor } from "../mod.ts";

/** What can be compared: a tensor, or numbers in order. */
export type Comparable = Tensor | ArrayLike<number>;

function valuesOf(x: Comparable): ArrayLike<number> {
  return x instanceof Tensor ? x.data : x;
}

/**
 * Fails unless |actual − expected| ≤ absolute + relative · |expected| for every value. NaN equals NaN, and
 * with a tolerance of 0 the sign of 0 counts too. Two tensors have to have one shape.
 */
export function assertClose(
  actual: Comparable,
  expected: Comparable,
  relative: number,
  absolute: number,
  what: string,
): void {
  const [a, e] = [valuesOf(actual), valuesOf(expected)];
  if (actual instanceof Tensor && expected instanceof Tensor) {
    const [got, wanted] = [actual.shape.join(), expected.shape.join()];
    if (got !== wanted) fail(`${what}: got shape [${got}], expected [${wanted}]`);
  }
  if (a.length !== e.length) fail(`${what}: got ${a.length} values, expected ${e.length}`);
  for (let i = 0; i < a.length; i++) {
    const tolerance = absolute + relative * Math.abs(e[i]);
    const same = Object.is(a[i], e[i]) || (a[i] === e[i] && relative + absolute > 0);
    if (!same && !(Math.abs(a[i] - e[i]) <= tolerance)) {
      fail(`${what}[${i}]: got ${a[i]}, expected ${e[i]} within ${tolerance}`);
    }
  }
}

/**
 * A comparison with a tolerance of its own, absolute below 1 and relative above. A call may name what it
 * compares, and give another tolerance.
 */
export function within(
  tolerance: number,
): (actual: Comparable, expected: Comparable, ...other: (number | string)[]) => void {
  return (actual, expected, ...other) => {
    const given = other.find((value) => typeof value === "number") ?? tolerance;
    const what = other.find((value) => typeof value === "string") ?? "value";
    assertClose(actual, expected, given, given, what);
  };
}
