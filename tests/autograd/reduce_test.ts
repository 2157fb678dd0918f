import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as tg from "../../autograd/mod.ts";

const { tensor } = tg;

function slopes(f: (x: tg.Tensor) => tg.Tensor, values: tg.NestedArray): number[] {
  const x = tensor(values, { requiresGrad: true });
  return [...tg.grad(tg.sum(f(x)), [x])[0]!.data];
}

/** The gradient of vᵀ∇f, with v all ones. */
function curvatures(f: (x: tg.Tensor) => tg.Tensor, values: tg.NestedArray): number[] {
  const x = tensor(values, { requiresGrad: true });
  const [g] = tg.grad(f(x), [x], { createGraph: true });
  return [...tg.grad(tg.sum(g!), [x])[0]!.data];
}

const empty = tg.zeros([0, 3]);

Deno.test("an empty reduction is 0, NaN, 1 or −∞ by its kind", () => {
  assertEquals(tg.sum(empty).item(), 0);
  assertEquals(tg.mean(empty).item(), NaN);
  assertEquals(tg.prod(empty).item(), 1);
  assertEquals(tg.variance(empty).item(), NaN);
  assertEquals(tg.logsumexp(empty).item(), -Infinity);
  assertEquals(tg.norm(empty).item(), 0);
  assertEquals(tg.mean(empty, { dim: 0 }).toArray(), [NaN, NaN, NaN]);
  assertEquals(tg.prod(empty, { dim: 0, keepdim: true }).toArray(), [[1, 1, 1]]);
  assertEquals(tg.sum(empty, { dim: 1 }).shape, [0]);
});

Deno.test("an empty product stays on the tape", () => {
  const x = tg.zeros([0, 3], { requiresGrad: true });
  assertEquals(tg.grad(tg.prod(x), [x])[0]!.shape, [0, 3]);
});

Deno.test("the extremes of nothing are refused", () => {
  for (const f of [tg.amax, tg.amin, tg.argmax, tg.argmin]) {
    assertThrows(() => f(empty), RangeError, "expected at least one element over dims [0, 1]");
    assertThrows(() => f(empty, { dim: 0 }), RangeError, "got x of shape [0, 3]");
    assertEquals(f(empty, { dim: 1 }).shape, [0]);
  }
  assertThrows(() => tg.max(empty), RangeError, "Cannot max: got x of shape [0, 3]");
  assertThrows(() => tg.min(empty, { dim: 0 }), RangeError, "got x of shape [0, 3]");
  assertEquals(tg.max(empty, { dim: 1, keepdim: true }).values.shape, [0, 1]);
});

Deno.test("an empty list of dims stands for all of them", () => {
  const x = tensor([[1, 2], [3, 4]]);
  for (const f of [tg.sum, tg.mean, tg.amax, tg.amin, tg.variance, tg.std, tg.norm]) {
    assertEquals(f(x, { dim: [] }).item(), f(x).item());
  }
});

Deno.test("dims are negative, several, each once, and in range", () => {
  const x = tg.ones([2, 3, 4]);
  assertEquals(tg.mean(x, { dim: [0, -1] }).shape, [3]);
  assertEquals(tg.variance(x, { dim: [-1, 0], keepdim: true }).shape, [1, 3, 1]);
  assertThrows(() => tg.mean(x, { dim: [0, -3] }), RangeError, "expected every dim once");
  assertThrows(() => tg.amax(x, { dim: 3 }), RangeError, "Cannot amax: got dim 3");
  assertThrows(() => tg.std(x, { dim: 0.5 }), TypeError, "Cannot std: got dim 0.5");
});

Deno.test("a scalar reduces over dim 0 and −1 to itself", () => {
  const x = tensor(3, { requiresGrad: true });
  for (const dim of [0, -1]) {
    for (const f of [tg.sum, tg.mean, tg.prod, tg.amax, tg.logsumexp]) {
      assertEquals([f(x, { dim, keepdim: true }).shape, f(x, { dim }).item()], [[], 3]);
    }
    assertEquals(tg.max(x, { dim }).indices.item(), 0);
  }
});

Deno.test("prod is differentiated twice through any number of zeros", () => {
  assertEquals(slopes(tg.prod, [0, 2, 3]), [6, 0, 0]);
  assertEquals(slopes(tg.prod, [0, 0, 3]), [0, 0, 0]);
  assertEquals(curvatures(tg.prod, [0, 2, 3]), [5, 3, 2]);
  assertEquals(curvatures(tg.prod, [0, 0, 3]), [3, 3, 0]);
  assertEquals(curvatures(tg.prod, [0, 0, 0, 3]), [0, 0, 0, 0]);
});

Deno.test("prod takes an odd number of factors, one and several dims", () => {
  for (let n = 1; n < 20; n++) {
    const values = Array.from({ length: n }, (_, i) => 1 + i / 7);
    const expected = values.reduce((product, v) => product * v);
    assertAlmostEquals(tg.prod(tensor(values)).item() / expected, 1, 1e-14);
  }
  const x = tensor([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]);
  assertEquals(tg.prod(x, { dim: [0, 2] }).toArray(), [60, 672]);
  assertEquals(tg.prod(x, { dim: 1, keepdim: true }).toArray(), [[[3, 8]], [[35, 48]]]);
});

Deno.test("variance divides by n − correction, whole, fractional, null, negative", () => {
  const x = tensor([1, 2, 3, 4]);
  const by = (correction: number | null) => tg.variance(x, { correction }).item();
  assertEquals([by(0), by(1), by(null), by(1.5), by(-1)], [1.25, 5 / 3, 5 / 3, 2, 1]);
});

Deno.test("variance divides by 0 where nothing is left, with PyTorch's gradients", () => {
  const at = (correction: number, dim?: number) => (x: tg.Tensor) =>
    tg.variance(x, { correction, dim });
  assertEquals(at(5)(tensor([1, 2])).item(), Infinity);
  assertEquals(at(1)(tensor([1])).item(), NaN);
  assertEquals(slopes(at(5, 0), [1, 2]), [1 / 3, -1 / 3]);
  assertEquals(slopes(at(5), [1, 2]), [Infinity, Infinity]);
  assertEquals(slopes(at(1), [1]), [NaN]);
});

Deno.test("variance keeps its digits at an offset of 1e8", () => {
  const x = tensor([0, 0.5, 1, 0.25].map((v) => 1e8 + v));
  assertAlmostEquals(tg.variance(x, { correction: 0 }).item(), 0.13671875, 1e-16);
});

Deno.test("std has slope 0 where it is 0", () => {
  const deviation = (x: tg.Tensor) => tg.std(x, { dim: 1 });
  assertEquals(slopes(deviation, [[1, 1], [3, 3]]), [0, 0, 0, 0]);
  assertAlmostEquals(slopes(deviation, [[2, 4]])[1], Math.SQRT1_2, 1e-15);
});

Deno.test("varMean and stdMean pair with the mean", () => {
  const x = tensor([[1, 3], [5, 9]]);
  const pairs = [tg.varMean, tg.stdMean].map((f) => f(x, { dim: 1, correction: 0 }));
  assertEquals(pairs.flat().map((y) => y.toArray()), [[1, 4], [2, 7], [1, 2], [2, 7]]);
});

Deno.test("amax shares its gradient equally among ties, max along a dim gives it to the first", () => {
  assertEquals(slopes((x) => tg.amax(x, { dim: 1 }), [[1, 2, 2], [3, 3, 3]]), [
    0,
    0.5,
    0.5,
    ...[1 / 3, 1 / 3, 1 / 3],
  ]);
  assertEquals(slopes((x) => tg.max(x), [1, 2, 2]), [0, 0.5, 0.5]);
  assertEquals(slopes((x) => tg.max(x, { dim: 0 }).values, [1, 2, 2]), [0, 1, 0]);
  assertEquals(slopes((x) => tg.min(x, { dim: 0 }).values, [1, 2, 1]), [1, 0, 0]);
});

Deno.test("NaN wins every extreme, the first of several", () => {
  const x = tensor([1, NaN, 5, NaN]);
  for (const f of [tg.amax, tg.amin]) assertEquals(f(x).item(), NaN);
  for (const f of [tg.argmax, tg.argmin]) assertEquals(f(x).item(), 1);
  for (const f of [tg.max, tg.min]) {
    const { values, indices } = f(x, { dim: 0 });
    assertEquals([values.item(), indices.item()], [NaN, 1]);
  }
  assertEquals(slopes((x) => tg.max(x), [1, NaN, 5, NaN]), [0, 0.5, 0, 0.5]);
  assertEquals(slopes((x) => tg.amax(x), [1, NaN, 5]), [NaN, NaN, NaN]);
});

Deno.test("argmax takes the first of ties, one dim or all elements", () => {
  const x = tensor([[1, 5, 5], [7, 2, 7]]);
  assertEquals(tg.argmax(x).item(), 3);
  assertEquals(tg.argmax(x, { keepdim: true }).shape, [1, 1]);
  assertEquals(tg.argmax(x, { dim: 1 }).toArray(), [1, 0]);
  assertEquals(tg.argmin(x, { dim: 0, keepdim: true }).toArray(), [[0, 1, 0]]);
  assertThrows(
    () => tg.argmax(x, { dim: [0] as unknown as number }),
    TypeError,
    "Cannot argmax: got dim 0, expected an integer",
  );
});

Deno.test("max of two tensors is maximum; anything else is refused", () => {
  assertEquals(tg.max(tensor([1, 5]), tensor([3, 2])).toArray(), [3, 5]);
  assertThrows(
    () => tg.max(tensor([1]), 2 as unknown as tg.Tensor),
    TypeError,
    "Cannot max: got number 2, expected a Tensor or options",
  );
  assertThrows(
    () => tg.max(tensor([1]), { keepdim: true } as { dim?: null }),
    TypeError,
    "Cannot max: got keepdim without dim",
  );
});

Deno.test("logsumexp neither overflows nor loses infinities", () => {
  assertEquals(tg.logsumexp(tensor([1000, 1000])).item(), 1000 + Math.LN2);
  assertEquals(tg.logsumexp(tensor([-Infinity, -Infinity])).item(), -Infinity);
  assertEquals(tg.logsumexp(tensor([Infinity, 1])).item(), Infinity);
  assertEquals(tg.logsumexp(tensor([NaN, 1])).item(), NaN);
  assertAlmostEquals(slopes((x) => tg.logsumexp(x), [-1000, -1000])[0], 0.5, 1e-12);
});

Deno.test("norm of every order, and 0 where its gradient is 0/0", () => {
  const x = [3, -4, 0];
  const of = (p: number) => tg.norm(tensor(x), { p }).item();
  assertEquals([of(0), of(1), of(2), of(Infinity), of(-Infinity), of(-1)], [2, 7, 5, 4, 0, 0]);
  assertAlmostEquals(of(3), 91 ** (1 / 3), 1e-14);
  const at = (p: number, values: number[]) => slopes((x) => tg.norm(x, { p }), values);
  for (const p of [0, 1, 1.5, 2, 3]) assertEquals(at(p, [0, 0]), [0, 0], `order ${p}`);
  assertEquals(at(2, x), [0.6, -0.8, 0]);
  assertEquals(at(0.5, [0, 1]), [0, 1]);
  assertEquals(at(Infinity, [1, -1, 0.5]), [0.5, -0.5, 0]);
  assertEquals(at(-Infinity, [1, 0.5, -0.5]), [0, 0.5, -0.5]);
  assertEquals(tg.norm(tensor(x), { p: "fro" }).item(), 5);
  assertEquals(tg.vectorNorm(tensor([x]), { ord: 1, dim: -1, keepdim: true }).toArray(), [[7]]);
});

Deno.test("norm refuses what has no value and what is no order", () => {
  assertThrows(
    () => tg.norm(empty, { p: Infinity }),
    RangeError,
    "Cannot norm: got x of shape [0, 3], expected at least one element",
  );
  assertThrows(() => tg.vectorNorm(empty, { ord: -1, dim: 0 }), RangeError, "vectorNorm");
  assertThrows(
    () => tg.norm(empty, { p: "nuc" as "fro" }),
    TypeError,
    'Cannot norm: got p string nuc, expected a number or "fro"',
  );
});

Deno.test("cumsum along each dim, of nothing and of a scalar; its gradient sums back", () => {
  const x = tensor([[1, 2], [3, 4]]);
  assertEquals(tg.cumsum(x, 0).toArray(), [[1, 2], [4, 6]]);
  assertEquals(tg.cumsum(x, -1).toArray(), [[1, 3], [3, 7]]);
  assertEquals(tg.cumsum(tg.zeros([0]), 0).shape, [0]);
  assertEquals(tg.cumsum(tensor(3), 0).item(), 3);
  assertEquals([...tg.cumsum(tensor([1, NaN, 2]), 0).data], [1, NaN, NaN]);
  assertEquals(slopes((x) => tg.cumsum(x, 0), [5, 5, 5]), [3, 2, 1]);
});
