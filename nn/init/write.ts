/** How initialisers write. */
import type { Generator, Tensor } from "../../autograd/mod.ts";
import { assertTensor, chooseGenerator, refuse, show, write } from "../../autograd/internal.ts";

/** What every initialiser that draws accepts. */
export interface InitOptions {
  /** Where the numbers come from; the default generator if left out. */
  readonly generator?: Generator | null;
}

/** Checks that `x` is a tensor and writes its values. */
export function fillValues<T extends Tensor>(
  action: string,
  x: T,
  fill: (values: Float64Array) => void,
): T {
  assertTensor(action, x, "tensor");
  write(x, fill);
  return x;
}

/** As {@linkcode write}, with the generator that the options name. */
export function drawInto<T extends Tensor>(
  action: string,
  x: T,
  options: InitOptions,
  fill: (random: Generator, values: Float64Array) => void,
): T {
  const random = chooseGenerator(action, options.generator);
  return fillValues(action, x, (values) => fill(random, values));
}

/**
 * Checks that an argument is a finite number.
 *
 * @throws {TypeError} if it is not a number. @throws {RangeError} if it is not finite.
 */
export function expectFinite(action: string, name: string, value: number): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot ${action}: got ${name} ${show(value)} (${typeof value}), expected a number`,
    );
  }
  if (!Number.isFinite(value)) {
    refuse(action, `${name} ${value}`, "a finite number");
  }
}
