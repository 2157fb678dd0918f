// What a program outside the package does to add an operation: only the package's name is imported.
import {
  bind,
  definePrimitive,
  grad,
  gradcheck,
  mul,
  neg,
  type Primitive,
  primitives,
  type Shape,
  sub,
  sum,
  type Tensor,
  tensor,
} from "@tapegrad/tapegrad";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";

// Two inputs, two outputs and attributes: sinh and cosh of scale·(x − y).
const hyperbolic = definePrimitive<
  Primitive<
    readonly [x: Tensor, y: Tensor],
    readonly [sinh: Tensor, cosh: Tensor],
    readonly [sinh: Tensor, cosh: Tensor],
    { scale: number }
  >
>({
  name: "test.hyperbolic",
  shape: ([x]): readonly [Shape, Shape] => [x, x],
  forward([x, y], [sinh, cosh], { scale }) {
    const a = x.data, b = y.data;
    sinh.data.set(a.map((v, i) => Math.sinh(scale * (v - b[i]))));
    cosh.data.set(a.map((v, i) => Math.cosh(scale * (v - b[i]))));
  },
  save: (_, outputs) => outputs,
  // d sinh = scale·cosh (dx − dy), d cosh = scale·sinh (dx − dy)
  vjp([gs, gc], { saved: [sinh, cosh], attrs: { scale } }) {
    const dx = mul(gs.mul(cosh).add(gc.mul(sinh)), scale);
    return [dx, neg(dx)];
  },
  samples: () => [{
    inputs: [tensor([0.3, -1], { requiresGrad: true }), tensor([1, 0.5], { requiresGrad: true })],
    attrs: { scale: 0.5 },
  }],
});

Deno.test("a primitive that a user registers is differentiated to the second order", () => {
  const [sample] = hyperbolic.samples!(undefined as never);
  for (const output of [0, 1] as const) {
    const fn = (x: Tensor, y: Tensor) => bind(hyperbolic, [x, y], sample.attrs)[output];
    assertEquals(gradcheck(fn, [...sample.inputs], { order: 2 }), true);
  }
});

Deno.test("a primitive that a user registers works together with the package's own", () => {
  const x = tensor([0.25, 2], { requiresGrad: true });
  const [sinh, cosh] = bind(hyperbolic, [x, tensor([0, 0])], { scale: 1 });
  // cosh² − sinh² = 1, whatever x is.
  const one = sub(mul(cosh, cosh), mul(sinh, sinh));
  const [gradient] = grad(sum(one), [x]);
  for (const value of gradient!.data) assertEquals(Math.abs(value) < 1e-12, true);
});

Deno.test("the registry shows what users register, and holds each name once", () => {
  assertStrictEquals(primitives.get("test.hyperbolic"), hyperbolic);
  assertThrows(() => definePrimitive(hyperbolic), RangeError, "test.hyperbolic");
});
