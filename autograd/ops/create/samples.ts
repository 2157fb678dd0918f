/** Tensors for the samples of primitives. */
import { allocateUninitialised } from "../../runtime/memory.ts";
import type { Generator } from "../../random.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import { Tensor, valuesOf } from "../../tensor.ts";

/** A tensor that requires grad, with values drawn evenly from low to high. */
export function uniform(random: Generator, shape: Shape, low: number, high: number): Tensor {
  const storage = allocateUninitialised(sizeOf(shape));
  random.fillUniform(storage.values, low, high);
  return new Tensor(storage, shape).requiresGrad_();
}

/** As {@linkcode uniform}, kept at least `gap` away from the kinks given. */
export function uniformAwayFrom(
  random: Generator,
  shape: Shape,
  low: number,
  high: number,
  kinks: readonly number[],
  gap = 0.05,
): Tensor {
  const x = uniform(random, shape, low, high);
  const values = valuesOf(x);
  for (let i = 0; i < values.length; i++) {
    for (const kink of kinks) {
      if (Math.abs(values[i] - kink) < gap) values[i] = kink + (values[i] < kink ? -gap : gap);
    }
  }
  return x;
}
