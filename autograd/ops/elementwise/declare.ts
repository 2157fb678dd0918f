/**
 * Operations as declarations: the record of a regular family is the same but for its kernel, what it
 * saves and its derivative, and so is the public function that checks its arguments.
 *
 * @module
 */
import { assertNoOptions } from "../../check/options.ts";
import type { Generator } from "../../random.ts";
import { broadcastShapes } from "../../shape.ts";
import {
  type Binary,
  type Input,
  ownPrimitive,
  type Sample,
  type Unary,
} from "../../tape/primitive.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { assertTensor, asTensor } from "../create/creation.ts";
import { uniform, uniformAwayFrom } from "../create/samples.ts";
import { aligned } from "../shape/broadcast.ts";

/** Samples of one tensor between two bounds. */
export function between(low: number, high: number) {
  return (random: Generator): Sample<readonly [x: Tensor], undefined>[] => [
    { inputs: [uniform(random, [2, 3], low, high)], attrs: undefined },
  ];
}

/** One sample with both signs, away from 0. */
export function signed(random: Generator): Sample<readonly [x: Tensor], undefined>[] {
  return [{ inputs: [uniformAwayFrom(random, [2, 3], -1, 1, [0])], attrs: undefined }];
}

/** Samples of two tensors between two bounds: equal shapes, a broadcast and a scalar. */
export function pairs(low: number, high: number) {
  return (random: Generator): Sample<readonly [x: Tensor, y: Tensor], undefined>[] =>
    [[[2, 3], [2, 3]], [[2, 1, 3], [4, 1]], [[3], []]].map(([a, b]) => ({
      inputs: [uniform(random, a, low, high), uniform(random, b, low, high)] as const,
      attrs: undefined,
    }));
}

/** What there is to say about a function of one tensor, element by element. */
interface UnaryDeclaration {
  readonly name: string;
  readonly summary: string;
  /** y = f(x) */
  forward(x: Float64Array, y: Float64Array): void;
  /** What the derivative is computed from; nothing where left out. */
  readonly saves?: "x" | "y";
  /** g·f′, with s what was saved. */
  vjp(g: Tensor, s: Tensor): Tensor;
  samples(random: Generator): readonly Sample<readonly [x: Tensor], undefined>[];
}

/** Registers a function of one tensor and returns it, with its argument checked. */
export function unary(declaration: UnaryDeclaration): (x: Tensor) => Tensor {
  const { name, summary, forward, saves, vjp, samples } = declaration;
  const primitive = ownPrimitive<Unary<readonly Tensor[]>>({
    name,
    summary,
    shape: ([x]) => [x],
    elementwise: () => forward,
    forward: ([x], [y]) => forward(valuesOf(x), valuesOf(y)),
    save: saves === undefined ? undefined : saves === "x" ? ([x]) => [x] : (_, [y]) => [y],
    vjp: ([g], { saved: [s] }) => [vjp(g, s)],
    samples,
  });
  return function (x: Tensor): Tensor {
    assertNoOptions(name, arguments, 1);
    assertTensor(name, x, "x");
    return bind(primitive, [x], undefined)[0];
  };
}

/** What there is to say about a function of two tensors that broadcast. */
interface BinaryDeclaration<Saved extends readonly Input[]> {
  readonly name: string;
  readonly summary: string;
  /** out = f(x, y); each of x and y may be a single number. */
  forward(x: Float64Array, y: Float64Array, out: Float64Array): void;
  /** What the derivatives are computed from; nothing where left out. */
  save?(x: Tensor, y: Tensor, needs: readonly boolean[]): Saved;
  /** The cotangents of x and y; no gradient where left out. */
  vjp?(
    g: Tensor,
    saved: Saved,
    needs: readonly boolean[],
  ): readonly [dx: Tensor | null, dy: Tensor | null];
  samples(random: Generator): readonly Sample<readonly [x: Tensor, y: Tensor], undefined>[];
}

/** Registers a function of two tensors or numbers and returns it, with its arguments checked. */
export function binary<Saved extends readonly Input[] = readonly []>(
  declaration: BinaryDeclaration<Saved>,
): (x: Tensor | number, y: Tensor | number) => Tensor {
  const { name, summary, forward, save, vjp, samples } = declaration;
  const primitive = ownPrimitive<Binary<Saved>>({
    name,
    summary,
    shape: ([x, y]) => [broadcastShapes(name, x, y)],
    elementwise: () => forward,
    forward: ([x, y], [out]) =>
      forward(aligned(x, out.shape), aligned(y, out.shape), valuesOf(out)),
    save: save === undefined ? undefined : ([x, y], _outputs, _attrs, needs) => save(x, y, needs),
    vjp: vjp === undefined ? undefined : ([g], { saved, needs }) => vjp(g, saved, needs),
    samples,
  });
  return function (x: Tensor | number, y: Tensor | number): Tensor {
    assertNoOptions(name, arguments, 2);
    return bind(primitive, [asTensor(name, x, "x"), asTensor(name, y, "y")], undefined)[0];
  };
}
