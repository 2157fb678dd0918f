/**
 * Hyperparameters: plain numbers or tensors of one element, and the checks they pass.
 */
import { noGrad, Tensor } from "../autograd/mod.ts";
import { describe, valuesOf } from "../autograd/internal.ts";

/** A number, or a tensor of one element that holds it. */
export type Scalar = number | Tensor;

/** The number that a hyperparameter stands for. */
export function valueOf(scalar: Scalar): number {
  return typeof scalar === "number" ? scalar : valuesOf(scalar)[0];
}

/** Sets a hyperparameter of a group: into its tensor where it is one, so that other holders see it. */
export function assignScalar<Key extends string>(
  group: { [key in Key]: Scalar },
  key: Key,
  value: number,
): void {
  const current: Scalar = group[key];
  if (typeof current === "number") (group as Record<string, Scalar>)[key] = value;
  else noGrad(() => current.copy_(value));
}

/** A value as errors show it: numbers bare, lists with what they hold. */
function show(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Tensor && value.size === 1) return `a Tensor of ${value.item()}`;
  if (Array.isArray(value) && value.length <= 16) {
    // A list in it is only described: it may hold itself.
    return `[${value.map((item) => Array.isArray(item) ? describe(item) : show(item)).join(", ")}]`;
  }
  return describe(value);
}

/** Checks the hyperparameters of one group; the first fault throws. */
export class HyperparameterCheck {
  readonly #action: string;
  readonly #where: string;
  readonly #values: Readonly<Record<string, unknown>>;

  /**
   * A check of one group.
   *
   * @param action What is being done, as errors begin.
   * @param where Which group it is, as errors name it; empty for the defaults.
   * @param values The group.
   */
  constructor(action: string, where: string, values: object) {
    this.#action = action;
    this.#where = where;
    this.#values = values as Readonly<Record<string, unknown>>;
  }

  /** What went wrong, in one line. */
  fault(key: string, expected: string, value: unknown = this.#values[key]): string {
    return `Cannot ${this.#action}: got ${key} ${show(value)}${this.#where}, expected ${expected}`;
  }

  /**
   * The number behind a hyperparameter.
   *
   * @throws {TypeError} if it is neither a number nor a tensor.
   * @throws {RangeError} if it is a tensor of more than one element.
   */
  number(key: string, value: unknown = this.#values[key]): number {
    if (typeof value === "number") return value;
    const expected = "a number or a Tensor of one element";
    if (!(value instanceof Tensor)) throw new TypeError(this.fault(key, expected, value));
    this.#demand(value.size === 1, key, expected, value);
    return value.item();
  }

  /** Throws a RangeError unless a value fits. */
  #demand(fits: boolean, key: string, expected: string, value?: unknown): void {
    if (!fits) throw new RangeError(this.fault(key, expected, value));
  }

  /** Checks for numbers of at least 0. @throws {RangeError} for others, NaN included. */
  atLeastZero(...keys: string[]): void {
    for (const key of keys) this.#demand(this.number(key) >= 0, key, "a number of at least 0");
  }

  /** Checks for a number that is not NaN. @throws {RangeError} for NaN. */
  noNaN(...keys: string[]): void {
    for (const key of keys) this.#demand(!Number.isNaN(this.number(key)), key, "a number");
  }

  /** Checks for a number above 0. @throws {RangeError} for others, NaN included. */
  aboveZero(key: string): void {
    this.#demand(this.number(key) > 0, key, "a number above 0");
  }

  /**
   * Checks for a number in 0 … 1, both included; `open` leaves out 0.
   *
   * @throws {RangeError} for others.
   */
  fraction(key: string, { open = false }: { readonly open?: boolean } = {}): void {
    const value = this.number(key);
    const expected = open ? "a number above 0 and at most 1" : "a number in 0 … 1";
    this.#demand(value <= 1 && (open ? value > 0 : value >= 0), key, expected);
  }

  /** An integer of at least 1. @throws {TypeError} if it is not a number. @throws {RangeError} otherwise. */
  count(key: string): number {
    const value = this.#values[key];
    if (typeof value !== "number") throw new TypeError(this.fault(key, "a number"));
    this.#demand(Number.isSafeInteger(value) && value >= 1, key, "an integer of at least 1");
    return value;
  }

  /**
   * Checks for a list of integers of at least 0.
   *
   * @throws {TypeError} if it is not a list of numbers. @throws {RangeError} for other numbers.
   */
  wholeNumbers(key: string): void {
    const value = this.#values[key];
    if (!Array.isArray(value) || !value.every((item) => typeof item === "number")) {
      throw new TypeError(this.fault(key, "a list of numbers"));
    }
    const fits = value.every((item) => Number.isSafeInteger(item) && item >= 0);
    this.#demand(fits, key, "integers of at least 0");
  }

  /**
   * The two numbers behind a pair.
   *
   * @throws {TypeError} if it is not a list. @throws {RangeError} if it has another length.
   */
  pair(key: string): [number, number] {
    const value = this.#values[key];
    if (!Array.isArray(value)) throw new TypeError(this.fault(key, "a pair of numbers"));
    this.#demand(value.length === 2, key, "a pair of numbers");
    return [this.number(`${key}[0]`, value[0]), this.number(`${key}[1]`, value[1])];
  }

  /** Checks the decay rates of moments: 0 ≤ β < 1. @throws {RangeError} for others. */
  betas(): void {
    this.pair("betas").forEach((beta, i) => {
      const expected = "a number of at least 0 and below 1";
      this.#demand(beta >= 0 && beta < 1, `betas[${i}]`, expected, beta);
    });
  }

  /** @internal Checks for one of some words. @throws {RangeError} for others. */
  oneOf(key: string, ...words: string[]): void {
    const fits = words.some((word) => word === this.#values[key]);
    this.#demand(fits, key, words.map((word) => `"${word}"`).join(" or "));
  }

  /** Checks for booleans. @throws {TypeError} for others. */
  flags(...keys: string[]): void {
    for (const key of keys) {
      if (typeof this.#values[key] !== "boolean") {
        throw new TypeError(this.fault(key, "true or false"));
      }
    }
  }
}
