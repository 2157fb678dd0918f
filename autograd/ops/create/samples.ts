/** Samples of primitives, and tensors for them. */
import { allocateUninitialised } from "../../runtime/memory.ts";
import type { Generator } from "../../random.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import type { Sample } from "../../tape/primitive.ts";
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

type Of<Inputs extends readonly Tensor[]> = readonly Sample<Inputs, undefined>[];

/** One sample of a tensor between two bounds. */
export function between(random: Generator, low: number, high: number): Of<readonly [x: Tensor]> {
  return [{ inputs: [uniform(random, [2, 3], low, high)], attrs: undefined }];
}

/** One sample with both signs, away from 0. */
export function signed(random: Generator): Of<readonly [x: Tensor]> {
  return [{ inputs: [uniformAwayFrom(random, [2, 3], -1, 1, [0])], attrs: undefined }];
}

/** Samples of two tensors between two bounds: equal shapes, a broadcast and a scalar. */
export function pairs(
  random: Generator,
  low: number,
  high: number,
): Of<readonly [x: Tensor, y: Tensor]> {
  return [[[2, 3], [2, 3]], [[2, 1, 3], [4, 1]], [[3], []]].map(([a, b]) => ({
    inputs: [uniform(random, a, low, high), uniform(random, b, low, high)],
    attrs: undefined,
  }));
}
