import { assertAlmostEquals, assertEquals, assertNotStrictEquals, assertThrows } from "@std/assert";
import {
  arange,
  eye,
  full,
  linspace,
  type NestedArray,
  ones,
  onesLike,
  tensor,
  zeros,
  zerosLike,
} from "../../mod.ts";

const wrong = (value: unknown) => value as NestedArray;

Deno.test("tensor() takes numbers, nested arrays and typed arrays", () => {
  assertEquals(tensor(3).shape, []);
  assertEquals(tensor([[1, 2], [3, 4], [5, 6]]).shape, [3, 2]);
  assertEquals(tensor([]).shape, [0]);
  assertEquals(tensor([[], []]).shape, [2, 0]);
  assertEquals(tensor([1, 2, 3, 4], { shape: [2, 2] }).toArray(), [[1, 2], [3, 4]]);
  for (const kind of [Float64Array, Float32Array, Int32Array, Uint8Array, Int16Array]) {
    assertEquals(tensor(kind.from([1, 2, 3])).toArray(), [1, 2, 3]);
  }
});

Deno.test("tensor() copies what it is given", () => {
  const values = new Float64Array([1, 2]);
  const x = tensor(values);
  values[0] = 9;
  assertEquals(x.toArray(), [1, 2]);
  assertNotStrictEquals(x.data, values);
});

Deno.test("tensor() tells where nested arrays are ragged", () => {
  assertThrows(() => tensor([[1, 2], [3]]), RangeError, "1 elements at values[1]");
  assertThrows(() => tensor(wrong([[1], 2])), RangeError, "a number at values[1]");
  assertThrows(() => tensor(wrong([1, [2]])), RangeError, "an array at values[1]");
});

Deno.test("tensor() refuses what is no number", () => {
  assertThrows(() => tensor(wrong(["1"])), TypeError, "string 1 at values[0]");
  assertThrows(() => tensor(wrong([[1, null]])), TypeError, "null at values[0][1]");
  assertThrows(() => tensor(wrong("1")), TypeError, "string 1");
  assertThrows(() => tensor(wrong(null)), TypeError, "null");
  assertThrows(() => tensor(wrong({})), TypeError, "an Object");
  assertThrows(() => tensor(wrong([[1], "x"])), TypeError, "string x at values[1]");
  assertThrows(() => tensor(wrong(new BigInt64Array(1))), TypeError, "BigInt64Array");
});

Deno.test("a shape must be a list of integers that holds the values", () => {
  assertThrows(() => tensor([1, 2], { shape: [3] }), RangeError, "got 2 values, expected 3");
  assertThrows(() => zeros([-1]), RangeError, "[-1]");
  assertThrows(() => zeros([1.5]), RangeError, "[1.5]");
  assertThrows(() => zeros([NaN]), RangeError, "[NaN]");
  assertThrows(() => zeros(3 as unknown as number[]), TypeError, "expected a list of sizes");
  assertThrows(() => zeros(["2"] as unknown as number[]), TypeError, "size 2");
  assertThrows(() => zeros(Array.from({ length: 65 }, () => 1)), RangeError, "at most 64");
});

Deno.test("zeros, ones, full and their likes", () => {
  assertEquals(zeros([2, 1]).toArray(), [[0], [0]]);
  assertEquals(ones([2], { requiresGrad: true }).requiresGrad, true);
  assertEquals(full([2], -0.5).toArray(), [-0.5, -0.5]);
  assertEquals(zerosLike(ones([3])).toArray(), [0, 0, 0]);
  assertEquals(onesLike(zeros([0, 2])).shape, [0, 2]);
  assertThrows(() => full([2], "1" as unknown as number), TypeError, "value string 1");
  assertThrows(() => zerosLike([1] as never), TypeError, "expected a Tensor");
});

Deno.test("arange counts like PyTorch", () => {
  assertEquals(arange(4).toArray(), [0, 1, 2, 3]);
  assertEquals(arange(1, 4).toArray(), [1, 2, 3]);
  assertEquals(arange(1, 2.5, 0.5).toArray(), [1, 1.5, 2]);
  assertEquals(arange(3, 0, -1).toArray(), [3, 2, 1]);
  assertEquals(arange(0).shape, [0]);
  assertThrows(() => arange(0, 3, 0), RangeError, "step 0");
  assertThrows(() => arange(3, 0), RangeError, "leads from start to end");
  assertThrows(() => arange(NaN), RangeError, "finite");
});

Deno.test("linspace includes both ends, exactly", () => {
  assertEquals(linspace(0, 1, 5).toArray(), [0, 0.25, 0.5, 0.75, 1]);
  assertEquals(linspace(2, 3, 1).toArray(), [2]);
  assertEquals(linspace(2, 3, 0).shape, [0]);
  assertEquals(linspace(-0.3, 0.3, 7).data[6], 0.3);
  assertAlmostEquals(linspace(-0.3, 0.3, 7).data[3], 0, 1e-16);
  assertThrows(() => linspace(0, 1, 2.5), RangeError, "[2.5]");
  const none = undefined as unknown as number;
  assertThrows(() => linspace(0, none, 3), TypeError, "Cannot make linspace: got end undefined");
});

Deno.test("eye has ones on its diagonal", () => {
  assertEquals(eye(2).toArray(), [[1, 0], [0, 1]]);
  assertEquals(eye(2, 3).toArray(), [[1, 0, 0], [0, 1, 0]]);
});
