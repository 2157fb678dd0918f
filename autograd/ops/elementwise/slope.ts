/**
 * Elementwise functions whose derivative is one fused pass: f and, as a primitive of its own,
 * (g, s) → g·f′, so that a backward runs one kernel and can be differentiated again.
 */
import {
  described,
  ownPrimitive,
  type Primitive,
  type Sample,
  type Unary,
} from "../../tape/primitive.ts";
import type { Generator } from "../../random.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { mul } from "./arithmetic.ts";
import { zerosLike } from "../create/creation.ts";
import { uniform } from "../create/samples.ts";
import { ofTensor } from "./declare.ts";

/** What there is to say about such a function. */
interface SlopeRule<Attrs> {
  readonly name: string;
  /** What f′ is computed from: the input x or the output y, whichever the rest keeps anyway. */
  readonly saves: "x" | "y";
  /** y = f(x) */
  forward(x: Float64Array, y: Float64Array, attrs: Attrs): void;
  /** out = g·f′, with s the saved tensor */
  backward(g: Float64Array, s: Float64Array, out: Float64Array, attrs: Attrs): void;
  /** The derivative of f′ by s, in operations; left out where it is 0 on both sides of every kink. */
  curvature?(s: Tensor, attrs: Attrs): Tensor;
}

type Backward<Attrs> = Primitive<
  readonly [g: Tensor, s: Tensor],
  readonly [out: Tensor],
  readonly [g: Tensor | null, s: Tensor],
  Attrs
>;

/** Registers f and its backward, and returns f. */
export function defineSlope<Attrs>(rule: SlopeRule<Attrs>): (x: Tensor, attrs: Attrs) => Tensor {
  const { name, curvature, saves } = rule;
  const backwardPrimitive: Backward<Attrs> = ownPrimitive<Backward<Attrs>>({
    name: `${name}Backward`,
    shape: ([g]) => [g],
    forward: ([g, s], [out], attrs) =>
      rule.backward(valuesOf(g), valuesOf(s), valuesOf(out), attrs),
    save: ([g, s], _, __, needs) => [needs[1] && curvature !== undefined ? g : null, s],
    // d(g·f′) = f′ dg + g·f″ ds
    vjp: ([v], { saved: [g, s], needs, attrs }) => [
      needs[0] ? backward(v, s, attrs) : null,
      !needs[1] ? null : g === null ? zerosLike(s) : mul(mul(v, g), curvature!(s, attrs)),
    ],
  });
  const forwardPrimitive = ownPrimitive<Unary<readonly [s: Tensor], Attrs>>({
    name,
    shape: ([x]) => [x],
    elementwise: (attrs) => (x, y) => rule.forward(x, y, attrs),
    forward: ([x], [y], attrs) => rule.forward(valuesOf(x), valuesOf(y), attrs),
    save: ([x], [y]) => [saves === "x" ? x : y],
    vjp: ([g], { saved: [s], attrs }) => [backward(g, s, attrs)],
  });
  function backward(g: Tensor, s: Tensor, attrs: Attrs): Tensor {
    return bind(backwardPrimitive, [g, s], attrs)[0];
  }
  return (x, attrs) => bind(forwardPrimitive, [x], attrs)[0];
}

/** The same for a function without constants, which is returned with its argument checked. */
export function unarySlope(rule: SlopeRule<undefined>): (x: Tensor) => Tensor {
  const f = defineSlope(rule);
  return ofTensor(rule.name, (x) => f(x, undefined));
}

/** {@linkcode described} for f and its backward. */
export function describedSlope<Attrs>(
  name: string,
  summary: string,
  samples: (random: Generator) => readonly Sample<readonly [x: Tensor], Attrs>[],
): void {
  described(name, summary, samples);
  described(
    `${name}Backward`,
    `g times the slope of ${name}`,
    (random) =>
      samples(random).map(({ inputs: [x], attrs }) => ({
        inputs: [uniform(random, x.shape, -1, 1), x],
        attrs,
      })),
  );
}
