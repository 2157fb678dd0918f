/**
 * Bell-shaped noise from additions alone. Engines differ in the last bit of logarithms and cosines, which
 * normal numbers are made of; a scene has to show the same bits in all of them.
 */
import { type Generator, rand, type Tensor } from "../library.ts";

/** Numbers around 0 with deviation 1: sums of four even ones. */
export function drawNoise(shape: readonly number[], generator?: Generator): Tensor {
  const even = rand([...shape, 4], generator === undefined ? {} : { generator });
  return even.sum({ dim: shape.length }).sub(2).mul(Math.sqrt(3));
}
