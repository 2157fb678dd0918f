/**
 * Operations as declarations: the record of a regular family is the same but for its kernel, what it
 * saves and its derivative, and so is the public function that checks its arguments.
 *
 * @module
 */
import { assertNoOptions } from "../../check/options.ts";
import { broadcastShapes } from "../../shape.ts";
import { type Binary, type Input, ownPrimitive, type Unary } from "../../tape/primitive.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf } from "../../tensor.ts";
import { assertTensor, asTensor } from "../create/creation.ts";
import { aligned } from "../shape/broadcast.ts";

/** A function of one tensor and nothing else, with its argument checked. */
export function ofTensor(name: string, of: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  return function (x: Tensor): Tensor {
    assertNoOptions(name, arguments, 1);
    assertTensor(name, x, "x");
    return of(x);
  };
}

/** What there is to say about a function of one tensor, element by element. */
interface UnaryDeclaration {
  readonly name: string;
  /** y = f(x) */
  forward(x: Float64Array, y: Float64Array): void;
  /** What the derivative is computed from; nothing where left out. */
  readonly saves?: "x" | "y";
  /** g·f′, with s what was saved. */
  vjp(g: Tensor, s: Tensor): Tensor;
}

/** Registers a function of one tensor and returns it, with its argument checked. */
export function unary({ name, forward, saves, vjp }: UnaryDeclaration): (x: Tensor) => Tensor {
  const primitive = ownPrimitive<Unary<readonly Tensor[]>>({
    name,
    shape: ([x]) => [x],
    elementwise: () => forward,
    forward: ([x], [y]) => forward(valuesOf(x), valuesOf(y)),
    save: saves === undefined ? undefined : saves === "x" ? ([x]) => [x] : (_, [y]) => [y],
    vjp: ([g], { saved: [s] }) => [vjp(g, s)],
  });
  return ofTensor(name, (x) => bind(primitive, [x], undefined)[0]);
}

/** What there is to say about a function of two tensors that broadcast. */
interface BinaryDeclaration<Saved extends readonly Input[]> {
  readonly name: string;
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
}

/** Registers a function of two tensors or numbers and returns it, with its arguments checked. */
export function binary<Saved extends readonly Input[] = readonly []>(
  { name, forward, save, vjp }: BinaryDeclaration<Saved>,
): (x: Tensor | number, y: Tensor | number) => Tensor {
  const primitive = ownPrimitive<Binary<Saved>>({
    name,
    shape: ([x, y]) => [broadcastShapes(name, x, y)],
    elementwise: () => forward,
    forward: ([x, y], [out]) =>
      forward(aligned(x, out.shape), aligned(y, out.shape), valuesOf(out)),
    save: save === undefined ? undefined : ([x, y], _outputs, _attrs, needs) => save(x, y, needs),
    vjp: vjp === undefined ? undefined : ([g], { saved, needs }) => vjp(g, saved, needs),
  });
  return function (x: Tensor | number, y: Tensor | number): Tensor {
    assertNoOptions(name, arguments, 2);
    return bind(primitive, [asTensor(name, x, "x"), asTensor(name, y, "y")], undefined)[0];
  };
}
