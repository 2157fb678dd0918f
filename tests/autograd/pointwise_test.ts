import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as tg from "../../autograd/mod.ts";
import { erfcOf, erfOf } from "../../autograd/kernels/elementwise/pointwise_plain.ts";

const { tensor } = tg;

/** The gradient of the sum of f at a point. */
function slopes(f: (x: tg.Tensor) => tg.Tensor, values: number[]): number[] {
  const x = tensor(values, { requiresGrad: true });
  return [...tg.grad(tg.sum(f(x)), [x])[0]!.data];
}

/** The gradients of the sum of f at a pair of points. */
function pairSlopes(
  f: (x: tg.Tensor, y: tg.Tensor) => tg.Tensor,
  a: number[],
  b: number[],
): number[][] {
  const x = tensor(a, { requiresGrad: true });
  const y = tensor(b, { requiresGrad: true });
  return tg.grad(tg.sum(f(x, y)), [x, y]).map((g) => [...g!.data]);
}

Deno.test("erf and erfc agree with 40-digit arithmetic in every range", () => {
  for (
    const [x, expected] of [
      [0.1, 0.1124629160182849],
      [0.46875, 0.49261347321793797],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2.5, 0.999593047982555],
      [4, 0.9999999845827421],
      [4.5, 0.9999999998033839],
      [6, 1],
      [-0.3, -0.3286267594591274],
      [-1.75, -0.9866716712191824],
    ]
  ) assertAlmostEquals(erfOf(x) / expected, 1, 5e-16, `erf(${x})`);
  for (
    const [x, expected] of [
      [0.1, 0.887537083981715],
      [0.5, 0.4795001221869535],
      [1, 0.15729920705028513],
      [3.5, 7.430983723414128e-07],
      [5, 1.537459794428035e-12],
      [10, 2.088487583762545e-45],
      [20, 5.395865611607901e-176],
      [26, 5.663192408856143e-296],
      [-0.3, 1.3286267594591274],
      [-2, 1.9953222650189528],
    ]
  ) assertAlmostEquals(erfcOf(x) / expected, 1, 1e-15, `erfc(${x})`);
});

Deno.test("erf is odd, keeps the sign of zero, saturates and hands on NaN", () => {
  const y = tg.erf(tensor([-0, 0, 1e-300, 30, -30, Infinity, -Infinity, NaN])).data;
  assertEquals([...y.map((v, i) => i < 2 ? 1 / v : v)], [
    -Infinity,
    Infinity,
    1.1283791670955126e-300,
    1,
    -1,
    1,
    -1,
    NaN,
  ]);
});

Deno.test("abs and sign are flat at 0, and sign is 0 for NaN", () => {
  assertEquals(slopes(tg.abs, [-2, 0, -0, 3, NaN]), [-1, 0, 0, 1, 0]);
  assertEquals([...tg.sign(tensor([-Infinity, 0, 2, NaN])).data], [-1, 0, 1, 0]);
  assertEquals(slopes(tg.sign, [-1, 0, 2]), [0, 0, 0]);
});

Deno.test("expm1 and log1p keep their digits near 0", () => {
  assertEquals(tg.expm1(tensor(1e-20)).item(), 1e-20);
  assertEquals(tg.log1p(tensor(1e-20)).item(), 1e-20);
});

Deno.test("sqrt and log have infinite slopes at 0 and NaN below", () => {
  assertEquals(slopes(tg.sqrt, [0, -1]), [Infinity, NaN]);
  assertEquals([...tg.log(tensor([0, -1])).data], [-Infinity, NaN]);
  assertEquals(slopes(tg.log, [0]), [Infinity]);
});

Deno.test("pow: 1 to any power and any power of 0 are 1, NaN included", () => {
  const x = tensor([1, 1, -1, NaN, 0, -8]);
  const y = tensor([NaN, Infinity, -Infinity, 0, 0, 1 / 3]);
  assertEquals([...tg.pow(x, y).data], [1, 1, 1, 1, 1, NaN]);
});

Deno.test("pow has PyTorch's gradients at base 0 and exponent 0", () => {
  const [gx, gy] = pairSlopes(tg.pow, [0, 0, 0, -1, 2], [0, 1, -1, 2, 0]);
  assertEquals(gx, [0, 1, -Infinity, -2, 0]);
  assertEquals(gy, [0, 0, -Infinity, NaN, Math.log(2)]);
  assertEquals(slopes((x) => tg.pow(x, 0), [0, 3]), [0, 0]);
  assertEquals(slopes((x) => tg.pow(x, 2), [0, 3]), [0, 6]);
  assertEquals(slopes((x) => tg.pow(x, 0.5), [0, 4]), [Infinity, 0.25]);
  assertEquals(slopes((y) => tg.pow(0, y), [0, 1, -1]), [0, 0, -Infinity]);
});

Deno.test("pow wants a tensor on one side", () => {
  assertThrows(() => tg.pow(2, 3), TypeError, "Cannot pow: got x number 2, expected a Tensor");
});

Deno.test("div rounds towards 0 or down, without a gradient", () => {
  const x = tensor([7, -7, 7, -7, 1, 0, Infinity]);
  const y = tensor([2, 2, -2, -2, 0, 0, 2]);
  assertEquals([...tg.div(x, y, { roundingMode: "floor" }).data], [
    3,
    -4,
    -4,
    3,
    Infinity,
    NaN,
    NaN,
  ]);
  assertEquals([...tg.div(x, y, { roundingMode: "trunc" }).data], [
    3,
    -3,
    -3,
    3,
    Infinity,
    NaN,
    Infinity,
  ]);
  const trunc = (x: tg.Tensor, y: tg.Tensor) => tg.div(x, y, { roundingMode: "trunc" });
  assertEquals(pairSlopes(trunc, [1, 0], [0, 2]), [[0, 0], [0, 0]]);
});

Deno.test("div rounds down by the exact quotient, not by the rounded one", () => {
  // 1 / 0.1 rounds to 10, but 0.1 is a little more than a tenth.
  assertEquals(tg.div(tensor(1), 0.1, { roundingMode: "floor" }).item(), 9);
  assertEquals(Math.floor(1 / 0.1), 10);
});

Deno.test("div refuses another rounding mode", () => {
  assertThrows(
    () => tg.div(tensor(1), 2, { roundingMode: "round" as "floor" }),
    RangeError,
    'Cannot div: got roundingMode string round, expected "trunc", "floor" or null',
  );
});

Deno.test("add and sub scale y by alpha, tensor or number", () => {
  assertEquals(tg.add(tensor([1]), tensor([2]), { alpha: 3 }).toArray(), [7]);
  assertEquals(tg.sub(10, tensor([2]), { alpha: 3 }).toArray(), [4]);
});

Deno.test("maximum and minimum share a tie, and give all to both for NaN", () => {
  assertEquals([...tg.maximum(tensor([1, NaN, 2]), tensor([NaN, 1, 2])).data], [NaN, NaN, 2]);
  for (const f of [tg.maximum, tg.minimum]) {
    assertEquals(pairSlopes(f, [1, NaN, 2], [NaN, 1, 2]), [[1, 1, 0.5], [1, 1, 0.5]]);
  }
  assertEquals(pairSlopes(tg.maximum, [1, 5], [3, 2]), [[0, 1], [1, 0]]);
  assertEquals(pairSlopes(tg.minimum, [1, 5], [3, 2]), [[1, 0], [0, 1]]);
});

Deno.test("maximum wants tensors, as in PyTorch", () => {
  assertThrows(
    () => tg.maximum(tensor([1]), 2 as unknown as tg.Tensor),
    TypeError,
    "Cannot maximum: got y number 2, expected a Tensor",
  );
});

Deno.test("clamp passes the gradient at its bounds and none for NaN", () => {
  const f = (x: tg.Tensor) => tg.clamp(x, { min: 1, max: 2 });
  assertEquals([...f(tensor([0, 1, 2, 3, NaN])).data], [1, 1, 2, 2, NaN]);
  assertEquals(slopes(f, [0, 1, 2, 3, NaN]), [0, 1, 1, 0, 0]);
  assertEquals([...tg.clampMin(tensor([0, 5]), tensor(1)).data], [1, 5]);
  assertEquals([...tg.clampMax(tensor([0, 5]), tensor([1, 6])).data], [0, 5]);
  const one = 1 as unknown as tg.Tensor;
  const message = "Cannot clampMin: got min number 1, expected a Tensor; clamp(x, { min }) takes a";
  assertThrows(() => tg.clampMin(tensor([0, 5]), one), TypeError, message);
  assertThrows(() => tensor([0, 5]).clampMax(one), TypeError, "Cannot clampMax: got max number 1");
});

Deno.test("clamp: the upper bound wins where it is below the lower", () => {
  assertEquals([...tg.clamp(tensor([0, 3, 9]), { min: 4, max: 2 }).data], [2, 2, 2]);
});

Deno.test("clamp gives the gradient to the tensor bound that was taken", () => {
  const x = tensor([1, 2, 3, 0, 5, NaN, 1], { requiresGrad: true });
  const min = tensor([1, 0, 0, 1, 1, 1, 4], { requiresGrad: true });
  const max = tensor([4, 2, 2, 2, 2, 2, 2], { requiresGrad: true });
  const y = tg.clamp(x, { min, max });
  assertEquals([...y.data], [1, 2, 2, 1, 2, NaN, 2]);
  assertEquals(tg.grad(tg.sum(y), [x, min, max]).map((g) => [...g!.data]), [
    [1, 1, 0, 0, 0, 0, 0],
    [0, 0, 0, 1, 0, 0, 0],
    [0, 0, 1, 0, 1, 0, 1],
  ]);
});

Deno.test("clamp needs a bound", () => {
  assertThrows(
    () => tg.clamp(tensor([1]), {}),
    TypeError,
    "Cannot clamp: got neither min nor max, expected at least one of them",
  );
});

Deno.test("comparisons give masks without a gradient; NaN is unequal to itself", () => {
  const x = tensor([1, 2, NaN], { requiresGrad: true });
  const y = tensor([2, 2, NaN]);
  const masks = [tg.eq, tg.ne, tg.lt, tg.le, tg.gt, tg.ge].map((f) => [...f(x, y).data]);
  assertEquals(masks, [[0, 1, 0], [1, 0, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]]);
  assertEquals(tg.eq(x, 2).requiresGrad, false);
});

Deno.test("where chooses and splits the gradient; an infinite one does not leak", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const y = tensor(5, { requiresGrad: true });
  const out = tg.where(tensor([[1, 0], [0, 0]]), x, y);
  assertEquals(out.toArray(), [[1, 5], [5, 5]]);
  const gradOutputs = tensor([[1, Infinity], [2, 3]]);
  const [gx, gy] = tg.grad(out, [x, y], { gradOutputs });
  assertEquals([gx!.toArray(), gy!.toArray()], [[1, 0], Infinity]);
});

Deno.test("maskedFill broadcasts x, and its value may be a 0-d tensor on the tape", () => {
  const value = tensor(7, { requiresGrad: true });
  const y = tg.maskedFill(tensor([1, 2]), tensor([[1, 0], [1, 1]]), value);
  assertEquals(y.toArray(), [[7, 2], [7, 7]]);
  assertEquals(tg.grad(tg.sum(y), [value])[0]!.item(), 3);
  assertThrows(
    () => tg.maskedFill(tensor([1, 2]), tensor([1, 0]), tensor([3])),
    RangeError,
    "Cannot maskedFill: got value of shape [1], expected a number or a 0-d tensor",
  );
});

Deno.test("shapes that do not broadcast are refused by name", () => {
  assertThrows(
    () => tg.where(tensor([1, 0]), tensor([1, 2, 3]), 0),
    RangeError,
    "Cannot where: shapes [2] and [3] do not broadcast",
  );
  assertThrows(() => tg.pow(tensor([1, 2]), tensor([1, 2, 3])), RangeError, "Cannot pow: shapes");
});

Deno.test("elementwise functions keep empty tensors and scalars", () => {
  for (const f of [tg.exp, tg.log, tg.erf, tg.abs, tg.square, tg.reciprocal, tg.tanh]) {
    assertEquals(f(tg.ones([1, 0, 3])).shape, [1, 0, 3]);
    assertEquals(f(tensor(1)).shape, []);
  }
  assertEquals(tg.mul(tg.ones([0, 1, 3]), tg.ones([2, 3])).shape, [0, 2, 3]);
});
