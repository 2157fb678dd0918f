import { assert, assertEquals, assertNotStrictEquals, assertThrows } from "@std/assert";
import {
  arange,
  broadcastTo,
  cat,
  chunk,
  diagonal,
  expand,
  flatten,
  flip,
  gather,
  grad,
  indexSelect,
  narrow,
  noGrad,
  ones,
  permute,
  repeat,
  reshape,
  roll,
  scatterAdd,
  select,
  split,
  squeeze,
  stack,
  sum,
  t,
  type Tensor,
  tensor,
  tile,
  transpose,
  tril,
  triu,
  unbind,
  unfold,
  unsqueeze,
  zeros,
} from "../../autograd/mod.ts";
import { embedding, oneHot, pad } from "../../nn/functional.ts";

const matrix = () => tensor([[1, 2, 3], [4, 5, 6]], { requiresGrad: true });

Deno.test("methods are the functions", () => {
  const x = matrix();
  const index = tensor([[0, 1, 1]]);
  const pairs: [Tensor | Tensor[], Tensor | Tensor[]][] = [
    [x.reshape([3, -1]), reshape(x, [3, -1])],
    [x.view([6]), reshape(x, [6])],
    [x.flatten({ startDim: 1 }), flatten(x, { startDim: 1 })],
    [x.unsqueeze(1).squeeze(1), squeeze(unsqueeze(x, 1), 1)],
    [x.permute([1, 0]), permute(x, [1, 0])],
    [x.transpose(0, 1), transpose(x, 0, 1)],
    [x.t(), t(x)],
    [x.expand([2, -1, 3]), expand(x, [2, -1, 3])],
    [x.broadcastTo([2, 2, 3]), expand(x, [2, 2, 3])],
    [x.repeat([1, 2]), repeat(x, [1, 2])],
    [x.tile([2]), tile(x, [2])],
    [x.narrow(1, 1, 2), narrow(x, 1, 1, 2)],
    [x.select(0, 1), select(x, 0, 1)],
    [x.flip([0]), flip(x, [0])],
    [x.roll(1, 0), roll(x, 1, 0)],
    [x.diagonal({ offset: 1 }), diagonal(x, { offset: 1 })],
    [x.unfold(1, 2, 1), unfold(x, 1, 2, 1)],
    [x.split(2, { dim: 1 }), split(x, 2, { dim: 1 })],
    [x.chunk(2), chunk(x, 2)],
    [x.unbind({ dim: 1 }), unbind(x, { dim: 1 })],
    [x.gather(0, index), gather(x, 0, index)],
    [x.scatterAdd(0, index, ones([1, 3])), scatterAdd(x, 0, index, ones([1, 3]))],
    [x.indexSelect(0, [1]), indexSelect(x, 0, [1])],
    [x.tril(), tril(x)],
    [x.triu(1), triu(x, 1)],
  ];
  pairs.forEach(([method, fn], i) => {
    const values = (y: Tensor | Tensor[]) => [y].flat().map((z) => [[...z.shape], [...z.data]]);
    assertEquals(values(method), values(fn), `pair ${i}`);
  });
});

Deno.test("views share their values, copies do not", () => {
  const x = zeros([2, 2]);
  const seen = [reshape(x, [4]), flatten(x), squeeze(unsqueeze(x, 0))];
  const copied = [flip(x, []), roll(x, 0, 0), repeat(x, [1, 1]), tile(x, [])];
  const padded = pad(x, [0, 0]);
  noGrad(() => x.copy_(1));
  for (const view of seen) assertEquals([...view.data], [1, 1, 1, 1]);
  for (const copy of [...copied, padded]) assertEquals([...copy.data], [0, 0, 0, 0]);
  assertNotStrictEquals(copied[0], x);
});

Deno.test("reshape() works out one -1", () => {
  assertEquals(reshape(zeros([0]), [-1]).shape, [0]);
  assertEquals(reshape(zeros([2, 0]), [-1, 5]).shape, [0, 5]);
  assertEquals(reshape(tensor(3), [1, 1]).shape, [1, 1]);
  for (const shape of [[4, -1], [-1, -1], [-2, -3], [7], [0, -1], []]) {
    assertThrows(() => reshape(arange(6), shape), RangeError, "Cannot reshape");
  }
  assertThrows(() => reshape(zeros([0, 5]), [0, -1]), RangeError, "worked out");
  assertThrows(() => reshape(zeros([4]), 4 as unknown as number[]), TypeError, "a list");
  assertThrows(() => reshape(zeros([4]), [2, "2"] as unknown as number[]), TypeError, "integer");
});

Deno.test("permute(), transpose() and flatten() refuse axes that do not fit", () => {
  assertEquals(flatten(tensor(2)).shape, [1]);
  assertThrows(() => flatten(matrix(), { startDim: 1, endDim: 0 }), RangeError, "come first");
  assertThrows(() => flatten(matrix(), { startDim: 2 }), RangeError, "startDim 2");
  assertThrows(() => permute(matrix(), [0, 0]), RangeError, "every dim once");
  assertThrows(() => permute(matrix(), [0]), RangeError, "every dim once");
  assertThrows(() => permute(matrix(), 1 as unknown as number[]), TypeError, "dims 1");
  assertThrows(() => transpose(matrix(), 0, 2), RangeError, "dim1 2");
  assertThrows(() => unsqueeze(matrix(), 3), RangeError, "dim 3");
  assertThrows(() => reshape(1 as unknown as Tensor, [1]), TypeError, "x number 1");
});

Deno.test("squeeze() keeps axes that are not 1 and takes an empty list literally", () => {
  const x = zeros([1, 3, 1]);
  assertEquals(squeeze(x, [0, 1]).shape, [3, 1]);
  assertEquals(squeeze(x, []).shape, [1, 3, 1]);
  assertEquals(squeeze(tensor(1), -1).shape, []);
  assertThrows(() => squeeze(x, [0, -3]), RangeError, "once");
  assertThrows(() => squeeze(x, 3), RangeError, "expected one of -3 … 2");
});

Deno.test("cat() passes over empty vectors and says which tensor does not fit", () => {
  const empty = zeros([0], { requiresGrad: true });
  const x = ones([2, 2], { requiresGrad: true });
  const joined = cat([empty, x, x], { dim: 1 });
  assertEquals(joined.shape, [2, 4]);
  const [gEmpty, gx] = grad(sum(joined), [empty, x]);
  assertEquals([...gEmpty!.shape], [0]);
  assertEquals([...gx!.data], [2, 2, 2, 2]);
  assertEquals(cat([empty, empty]).shape, [0]);
  assertThrows(() => cat([]), RangeError, "at least one");
  assertThrows(() => cat([tensor(1)]), RangeError, "use stack");
  assertThrows(() => cat([x, zeros([3, 3])]), RangeError, "tensors[1] of shape [3, 3]");
  assertThrows(() => cat([x, zeros([2])]), RangeError, "tensors[1]");
  assertThrows(() => cat([x, 1 as unknown as Tensor]), TypeError, "tensors[1] number 1");
  assertThrows(() => cat(x as unknown as Tensor[]), TypeError, "a list of Tensors");
  assertThrows(() => stack([x, zeros([2])]), RangeError, "tensors[1] of shape [2]");
});

Deno.test("an unused part of a split gets zeros", () => {
  const x = matrix();
  const [, last] = split(x, [1, 2], { dim: 1 });
  assertEquals(grad(sum(last), x)[0]!.toArray(), [[0, 1, 1], [0, 1, 1]]);
});

Deno.test("split() and chunk() refuse sizes that do not come out", () => {
  assertEquals(split(zeros([0]), 0).map((part) => part.size), [0]);
  assertEquals(chunk(zeros([0]), 3).length, 3);
  assertThrows(() => split(arange(3), 0), RangeError, "at least 1");
  assertThrows(() => split(arange(3), [1, 1]), RangeError, "add up");
  assertThrows(() => split(arange(3), [4, -1]), RangeError, "at least 0");
  assertThrows(() => split(tensor(1), 1), RangeError, "at least one dim");
  assertThrows(() => chunk(arange(3), 0), RangeError, "at least 1");
  assertThrows(() => chunk(arange(3), 1.5), TypeError, "integer");
});

Deno.test("narrow() counts a negative start from the end and takes a 0-d tensor", () => {
  assertEquals(narrow(arange(4), 0, tensor(-2), 2).toArray(), [2, 3]);
  assertEquals(narrow(arange(4), 0, 4, 0).toArray(), []);
  assertThrows(() => narrow(tensor(1), 0, 0, 1), RangeError, "at least one dim");
  assertThrows(() => narrow(arange(4), 0, 3, 2), RangeError, "4 elements");
  assertThrows(() => narrow(arange(4), 0, 0, -1), RangeError, "length -1");
  assertThrows(() => narrow(arange(4), 0, tensor([1]), 1), RangeError, "0-d");
  assertThrows(() => narrow(arange(4), 0, tensor(0.5), 1), TypeError, "0.5 in start");
  assertThrows(() => select(arange(4), 0, 4), RangeError, "-4 … 3");
});

Deno.test("roll() wants as many shifts as dims", () => {
  assertEquals(roll(arange(3), -4).toArray(), [1, 2, 0]);
  assertEquals(roll(matrix(), [1, 1], [0, 1]).toArray(), [[6, 4, 5], [3, 1, 2]]);
  assertThrows(() => roll(matrix(), [1, 2], 0), RangeError, "one shift for each dim");
  assertThrows(() => roll(matrix(), [1, 2]), RangeError, "one shift for each dim");
  assertThrows(() => roll(tensor(1), 1, 0), RangeError, "none for a scalar");
  assertEquals(roll(tensor(1), 3).item(), 1);
});

Deno.test("flip(), diagonal() and unfold() refuse dims named twice or out of range", () => {
  assertThrows(() => flip(matrix(), [0, -2]), RangeError, "every dim once");
  assertThrows(() => flip(matrix(), [2]), RangeError, "dims 2");
  assertThrows(() => diagonal(matrix(), { dim1: 1, dim2: -1 }), RangeError, "two different axes");
  assertThrows(() => diagonal(matrix(), { dim2: 2 }), RangeError, "dim2 2");
  assertEquals(diagonal(matrix(), { offset: 9 }).shape, [0]);
  assertThrows(() => unfold(matrix(), 1, 4, 1), RangeError, "0 … 3");
  assertThrows(() => unfold(matrix(), 1, 2, 0), RangeError, "step of at least 1");
  assertEquals(unfold(tensor(5), 0, 1, 1).toArray(), [5]);
  assertThrows(() => tril(arange(3)), RangeError, "at least 2 dims");
  assertThrows(() => t(zeros([1, 1, 1])), RangeError, "at most 2 dims");
});

Deno.test("triu() clears NaN below the diagonal, and its gradient there", () => {
  const x = tensor([[1, 2], [NaN, 3]], { requiresGrad: true });
  const y = triu(x);
  assertEquals(y.toArray(), [[1, 2], [0, 3]]);
  assertEquals(grad(y, x, { gradOutputs: tensor([[1, 1], [NaN, 1]]) })[0]!.toArray(), [
    [1, 1],
    [0, 1],
  ]);
});

Deno.test("expand() and broadcastTo() take -1 for axes that exist only", () => {
  assertEquals(expand(ones([2, 1]), [3, -1, 4]).shape, [3, 2, 4]);
  assertThrows(() => expand(ones([2]), [-1, 2]), RangeError, "Cannot expand");
  assertThrows(() => expand(ones([2]), [3]), RangeError, "Cannot expand");
  assertThrows(() => expand(ones([2, 2]), [2]), RangeError, "Cannot expand");
  assertEquals(broadcastTo(ones([2, 1]), [3, -1, 4]).shape, [3, 2, 4]);
  assertEquals(broadcastTo(ones([2, 1]), [-1, -1]).shape, [2, 1]);
  assertThrows(() => broadcastTo(ones([2]), [-1, 2]), RangeError, "Cannot broadcastTo");
  assertThrows(() => repeat(ones([2, 2]), [2]), RangeError, "at least 2 sizes");
  assertThrows(() => repeat(ones([2]), [-1]), RangeError, "at least 0");
});

Deno.test("indices are integers inside of the axis", () => {
  const x = matrix();
  assertEquals(indexSelect(x, 1, 2).toArray(), [[3], [6]]);
  assertEquals(indexSelect(tensor(7), 0, [0]).shape, []);
  for (const index of [[-1], [3], [0.5], [NaN]]) {
    assertThrows(() => indexSelect(x, 1, index), RangeError, "integers of 0 … 2");
    assertThrows(() => gather(x, 1, [index]), RangeError, "integers of 0 … 2");
    assertThrows(() => scatterAdd(x, 1, [index], ones([1, 1])), RangeError, "0 … 2");
  }
  assertThrows(() => indexSelect(x, 0, [[0]]), RangeError, "a vector or a scalar");
  assertThrows(() => indexSelect(tensor(7), 0, [0, 0]), RangeError, "expected one");
  assertThrows(() => gather(x, 0, [0]), RangeError, "as many dims");
  assertThrows(() => gather(x, 1, [[0], [0], [0]]), RangeError, "index of shape [3, 1]");
  assertThrows(() => indexSelect(x, 0, "0" as unknown as number), TypeError, "index string 0");
  assertEquals(gather(x, 0, zeros([0])).shape, [0]);
});

Deno.test("editing an index between forward and backward is noticed", () => {
  const x = matrix();
  const index = tensor([0, 1]);
  const y = sum(indexSelect(x, 0, index));
  index.copy_(0);
  assertThrows(() => y.backward(), Error, "edited in place");
});

Deno.test("embedding() gives its padding row no gradient, of any order", () => {
  const weight = tensor([[1, 2], [3, 4], [5, 6]], { requiresGrad: true });
  const y = embedding([[0, 1], [1, 2]], weight, { paddingIdx: -2 });
  assertEquals(y.toArray(), [[[1, 2], [3, 4]], [[3, 4], [5, 6]]]);
  const [first] = grad(sum(y.mul(y)), weight, { createGraph: true });
  assertEquals(first!.toArray(), [[2, 4], [0, 0], [10, 12]]);
  assertEquals(grad(sum(first!), weight)[0]!.toArray(), [[2, 2], [0, 0], [2, 2]]);
  assertThrows(() => embedding([3], weight), RangeError, "0 … 2");
  assertThrows(() => embedding([0], weight, { paddingIdx: 3 }), RangeError, "paddingIdx 3");
  assertThrows(() => embedding([0], arange(3)), RangeError, "a matrix");
});

Deno.test("oneHot() counts the classes itself where it is not told", () => {
  assertEquals(oneHot([[2], [0]]).toArray(), [[[0, 0, 1]], [[1, 0, 0]]]);
  assertEquals(oneHot(zeros([0]), 3).shape, [0, 3]);
  assert(!oneHot(tensor([1], { requiresGrad: true })).requiresGrad);
  assertThrows(() => oneHot([3], 3), RangeError, "0 … 2");
  assertThrows(() => oneHot([-1]), RangeError, "-1 in index");
  assertThrows(() => oneHot(zeros([0])), RangeError, "numClasses of at least 1");
  assertThrows(() => oneHot([0], -2), RangeError, "numClasses -2");
});

Deno.test("pad() refuses what its mode cannot fill", () => {
  const x = tensor([[[1, 2, 3]]]);
  assertEquals(pad(x, [-1, 1], { value: 9 }).toArray(), [[[2, 3, 9]]]);
  assertEquals(pad(x, [1, 0], { value: -Infinity }).toArray(), [[[-Infinity, 1, 2, 3]]]);
  assertEquals(pad(x, [-3, 0]).shape, [1, 1, 0]);
  assertEquals(pad(tensor([[1, 2, 3]]), [2, 0], { mode: "circular" }).toArray(), [[2, 3, 1, 2, 3]]);
  assertThrows(() => pad(x, [1]), RangeError, "two for each padded dim");
  assertThrows(() => pad(x, [1, 1, 1, 1, 1, 1, 1, 1]), RangeError, "at most 6");
  assertThrows(() => pad(x, [-4, 4]), RangeError, "no more taken away");
  assertThrows(() => pad(x, [3, 0], { mode: "reflect" }), RangeError, "fewer than the axis has");
  assertThrows(() => pad(x, [4, 0], { mode: "circular" }), RangeError, "Cannot pad");
  assertThrows(() => pad(x, [-2, -1], { mode: "replicate" }), RangeError, "Cannot pad");
  assertThrows(() => pad(x, [1, 1], { mode: "reflect", value: 1 }), RangeError, "value 1");
  assertThrows(() => pad(arange(3), [1, 1], { mode: "reflect" }), RangeError, "not padded");
  assertThrows(() => pad(zeros([1, 0, 3]), [1, 1], { mode: "replicate" }), RangeError, "elements");
  assertThrows(() => pad(x, [1, 1], { mode: "zeros" as "reflect" }), RangeError, 'mode "zeros"');
  assertThrows(() => pad(x, [1, 1], { value: "1" as unknown as number }), TypeError, "value");
});
