/** What the random functions accept: seeds, bounds, moments and probabilities. */
import { refuse, refuseKind } from "../check/refuse.ts";
import { show } from "../check/describe.ts";

/** A seed: an integer in −2⁶³ … 2⁶⁴ − 1; as a number at most 2⁵³ − 1 in size. */
export type Seed = number | bigint;

/**
 * A seed as PyTorch counts it, 0 … 2⁶⁴ − 1: a negative one stands for seed + 2⁶⁴.
 *
 * @throws {TypeError} if it is neither a number nor a bigint.
 * @throws {RangeError} if it is not an integer or out of range.
 */
export function normalizeSeed(seed: Seed): bigint {
  if (typeof seed !== "number" && typeof seed !== "bigint") {
    throw new TypeError(
      `Cannot seed a generator: got seed ${show(seed)} (${typeof seed}), expected an integer`,
    );
  }
  if (typeof seed === "number" && !Number.isSafeInteger(seed)) {
    refuse(
      "seed a generator",
      `seed ${seed}`,
      `an integer${
        Number.isInteger(seed) ? " below 2^53 in size; pass a larger one as a bigint" : ""
      }`,
    );
  }
  const wide = BigInt(seed);
  if (wide < -(1n << 63n) || wide >= 1n << 64n) {
    refuse("seed a generator", `seed ${wide}`, "one in -2^63 … 2^64 - 1");
  }
  return BigInt.asUintN(64, wide);
}

/**
 * Checks the bounds of a uniform distribution.
 *
 * @throws {TypeError} if one is not a number.
 * @throws {RangeError} if they or their distance are not finite, or `high` is below `low`.
 */
export function validateBounds(low: number, high: number): void {
  const action = "draw uniform numbers";
  assertNumber(action, "low", low);
  assertNumber(action, "high", high);
  const isFinite = Number.isFinite(low) && Number.isFinite(high) && Number.isFinite(high - low);
  if (!isFinite) refuseRange(action, low, high, "finite bounds at a finite distance");
  if (high < low) refuseRange(action, low, high, "low ≤ high");
}

/**
 * Checks the moments of a normal distribution.
 *
 * @throws {TypeError} if one is not a number.
 * @throws {RangeError} if one is not finite or `std` is negative.
 */
export function validateMoments(mean: number, std: number): void {
  const action = "draw normal numbers";
  assertNumber(action, "mean", mean);
  assertNumber(action, "std", std);
  if (!Number.isFinite(mean) || !Number.isFinite(std) || std < 0) {
    refuse(action, `mean ${mean} and std ${std}`, "finite numbers and a std of at least 0");
  }
}

/**
 * Checks the range low … high − 1 of integers.
 *
 * @throws {TypeError} if a bound is not a number.
 * @throws {RangeError} if one is no safe integer, `high` is not above `low`, or they are more than 2⁵³
 * apart.
 */
export function validateIntegers(low: number, high: number): void {
  const action = "draw integers";
  assertNumber(action, "low", low);
  assertNumber(action, "high", high);
  const isSafe = Number.isSafeInteger(low) && Number.isSafeInteger(high);
  if (!isSafe) refuseRange(action, low, high, "integers below 2^53 in size");
  if (high <= low) refuseRange(action, low, high, "low < high");
  // high − low itself may be rounded.
  if (high - 2 ** 53 > low) refuseRange(action, low, high, "at most 2^53 between them");
}

function refuseRange(action: string, low: number, high: number, expected: string): never {
  refuse(action, `low ${low} and high ${high}`, expected);
}

/**
 * Checks a probability.
 *
 * @throws {TypeError} if it is not a number.
 * @throws {RangeError} if it is not in 0 … 1.
 */
export function validateProbability(p: number): void {
  assertNumber("draw Bernoulli numbers", "p", p);
  if (!(p >= 0 && p <= 1)) refuse("draw Bernoulli numbers", `p ${p}`, "a probability in 0 … 1");
}

/**
 * Checks what is to be filled.
 *
 * @throws {TypeError} if it is not a Float64Array.
 */
export function validateOut(action: string, out: unknown): void {
  if (!(out instanceof Float64Array)) refuseKind(action, "out", out, "a Float64Array");
}

function assertNumber(action: string, name: string, value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot ${action}: got ${name} ${show(value)} (${typeof value}), expected a number`,
    );
  }
}
