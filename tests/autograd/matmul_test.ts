import { within } from "../assert_close.ts";
import { nodeOf } from "../../autograd/tensor.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  add,
  addmm,
  bmm,
  dot,
  einsum,
  Generator,
  grad,
  gradcheck,
  matmul,
  mm,
  mul,
  mv,
  ones,
  outer,
  primitives,
  randn,
  sum,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "../../autograd/mod.ts";
import { bilinear, cosineSimilarity, linear, normalize } from "../../nn/functional.ts";

const random = new Generator(3);
const normal = (...shape: number[]) => randn(shape, { generator: random, requiresGrad: true });

const assertClose = within(1e-12);

Deno.test("products refuse other ranks than their own", () => {
  const [vector, matrix, batch] = [ones([3]), ones([3, 3]), ones([2, 3, 3])];
  assertThrows(() => mm(matrix, vector), RangeError, "Cannot mm: got x of shape [3, 3] and y");
  assertThrows(() => mm(batch, matrix), RangeError, "expected 2 dims and 2");
  assertThrows(() => mm(ones([2, 3]), ones([2, 3])), RangeError, "axis 1 of x equal to axis 0");
  assertThrows(() => bmm(batch, matrix), RangeError, "expected 3 dims and 3");
  assertThrows(() => bmm(batch, ones([1, 3, 3])), RangeError, "axis 0 of x");
  assertThrows(() => mv(matrix, matrix), RangeError, "Cannot mv");
  assertThrows(() => dot(vector, ones([2])), RangeError, "Cannot dot");
  assertThrows(() => dot(matrix, matrix), RangeError, "Cannot dot");
  assertThrows(() => outer(vector, matrix), RangeError, "Cannot outer");
  assertThrows(() => matmul(tensor(1), vector), RangeError, "Cannot matmul");
  assertThrows(() => matmul(ones([2, 3]), ones([2, 3])), RangeError, "shape [2, 3]");
  assertThrows(() => matmul(ones([2, 1, 3]), ones([3, 3, 1])), RangeError, "do not broadcast");
  assertThrows(() => matmul(matrix, 2 as unknown as Tensor), TypeError, "y number 2");
});

Deno.test("a product over nothing is zero and has gradients of nothing", () => {
  const x = zeros([2, 0], { requiresGrad: true });
  const y = zeros([0, 3], { requiresGrad: true });
  const product = matmul(x, y);
  assertEquals(product.toArray(), [[0, 0, 0], [0, 0, 0]]);
  const [gx, gy] = grad(sum(product), [x, y]);
  assertEquals([[...gx!.shape], [...gy!.shape]], [[2, 0], [0, 3]]);
  assertEquals(dot(zeros([0]), zeros([0])).item(), 0);
  assertEquals(matmul(zeros([0, 2, 3]), ones([3])).shape, [0, 2]);
});

Deno.test("linear() with a bias is one call of one primitive", () => {
  const x = normal(4, 3);
  const y = linear(x, normal(2, 3), normal(2));
  assert(nodeOf(y)!.primitive === primitives.get("matmul"));
  assertEquals(nodeOf(y)!.parents[0], x);
});

Deno.test("linear() equals the product with the transpose plus the bias", () => {
  for (const lead of [[], [4], [2, 4], [0]]) {
    const [x, w, b] = [normal(...lead, 3), normal(2, 3), normal(2)];
    const fused = linear(x, w, b);
    const composed = add(matmul(x, transpose(w, 0, 1)), b);
    assertClose(fused, composed);
    const g = randn([...lead, 2], { generator: random });
    const expected = grad(composed, [x, w, b], { gradOutputs: g });
    grad(fused, [x, w, b], { gradOutputs: g }).forEach((d, i) => assertClose(d!, expected[i]!));
  }
  gradcheck((x, w, b) => linear(x, w, b), [normal(2, 3), normal(2, 3), normal(2)], { order: 2 });
  assertEquals(linear(ones([2, 3]), ones([3])).toArray(), [3, 3]);
  assertEquals(linear(ones([1, 3]), ones([2, 3]), tensor(1)).toArray(), [[4, 4]]);
  assertThrows(() => linear(ones([2, 3]), ones([2, 4])), RangeError, "[*, in] and [out, in]");
  assertThrows(() => linear(ones([2, 3]), ones([4, 3]), ones([3])), RangeError, "expected [4]");
  assertThrows(() => linear(tensor(1), ones([4, 3])), RangeError, "Cannot linear");
});

Deno.test("bilinear() equals its sum", () => {
  const [x1, x2, w, b] = [normal(2, 3), normal(2, 4), normal(5, 3, 4), normal(5)];
  assertClose(bilinear(x1, x2, w, b), add(einsum("ni,oij,nj->no", [x1, w, x2]), b));
  gradcheck(bilinear, [normal(2, 2), normal(2, 2), normal(2, 2, 2), normal(2)], { order: 2 });
  assertThrows(() => bilinear(x1, x1, w), RangeError, "Cannot bilinear");
  assertThrows(() => bilinear(x1, x2, w, ones([4])), RangeError, "bias of shape [4]");
});

Deno.test("addmm() with beta 0 does not look at its input, but hands it a zero gradient", () => {
  const input = tensor([NaN, NaN], { requiresGrad: true });
  const [a, b] = [normal(2, 3), normal(3, 2)];
  const y = addmm(input, a, b, { beta: 0, alpha: 2 });
  assertClose(y, mul(mm(a, b), 2));
  assertEquals(grad(sum(y), input)[0]!.toArray(), [0, 0]);
  assertThrows(() => addmm(ones([3]), a, b), RangeError, "input of shape [3]");
  assertThrows(() => addmm(ones([2]), a, a), RangeError, "Cannot addmm");
  assertThrows(() => addmm(ones([2]), a, b, { beta: "1" as unknown as number }), TypeError, "beta");
});

Deno.test("einsum() reads ellipses, repeated letters and what is implied", () => {
  const x = tensor([[1, 2], [3, 4]]);
  assertEquals(einsum("ii->i", [x]).toArray(), [1, 4]);
  assertEquals(einsum("ba", [x]).toArray(), [[1, 3], [2, 4]]);
  assertEquals(einsum("aB", [x]).toArray(), [[1, 3], [2, 4]]);
  assertEquals(einsum("i j ->", [x]).item(), 10);
  assertEquals(einsum("...j->...", [x]).toArray(), [3, 7]);
  assertEquals(einsum("...i->i", [x]).toArray(), [4, 6]);
  assertEquals(einsum("...,...", [x, tensor([10, 100])]).toArray(), [[10, 200], [30, 400]]);
  assertEquals(einsum("i->...i", [tensor([1, 2])]).toArray(), [1, 2]);
  assertEquals(einsum(",", [tensor(2), tensor(3)]).item(), 6);
  assertEquals(einsum("ij,jk->ik", [ones([2, 1]), x]).toArray(), [[4, 6], [4, 6]]);
});

Deno.test("einsum() says what it cannot read", () => {
  const x = ones([2, 2]);
  const refused: [string, Tensor[], string][] = [
    ["ij->k", [x], 'no "k" on the right'],
    ["ij->ii", [x], '"i" on the right once'],
    ["i", [x], "to name the axes"],
    ["ijk", [x], "to name the axes"],
    ["i.j", [x], 'not "i.j"'],
    ["......", [x], "at most one"],
    ["i1", [x], 'not "i1"'],
    ["i->j->k", [x], "at most once"],
    ["ij", [x, x], "one term for each of the 2 tensors"],
    ["", [], "one term for each of the 0 tensors"],
    ["ij,jk", [x, ones([3, 2])], 'sizes 2 and 3 for "j"'],
    ["ii", [ones([1, 2])], "of one tensor"],
    ["...,...", [ones([2]), ones([3])], "sizes 2 and 3"],
  ];
  for (const [equation, tensors, message] of refused) {
    assertThrows(() => einsum(equation, tensors), RangeError, message);
  }
  assertThrows(() => einsum(x as unknown as string, [x]), TypeError, "equation");
  assertThrows(() => einsum("ij", x as unknown as Tensor[]), TypeError, "a list of Tensors");
});

Deno.test("einsum() differentiates twice", () => {
  for (
    const [equation, shapes] of [
      ["bij,bjk->bik", [[2, 2, 3], [2, 3, 2]]],
      ["iij,j->i", [[2, 2, 3], [3]]],
      ["...i,ij,j", [[2, 3], [3, 2], [2]]],
      ["ik,jk->ji", [[2, 3], [2, 3]]],
      ["ki,kj->ij", [[3, 2], [3, 2]]],
      ["a,b->ba", [[2], [3]]],
      ["ij,ij->ij", [[2, 2], [1, 2]]],
    ] as const
  ) {
    gradcheck((...xs) => einsum(equation, xs), shapes.map((shape) => normal(...shape)), {
      order: 2,
    });
  }
});

Deno.test("cosineSimilarity() and normalize() guard against zero", () => {
  const zero = zeros([1, 2], { requiresGrad: true });
  const y = cosineSimilarity(zero, ones([1, 2]));
  assertEquals(y.toArray(), [0]);
  assert(grad(y, zero)[0]!.data.every(Number.isFinite));
  assertEquals(normalize(zero).toArray(), [[0, 0]]);
  assertEquals(normalize(tensor([3, 4]), { dim: 0, eps: 10 }).toArray(), [0.3, 0.4]);
  assertThrows(() => normalize(tensor([3, 4])), RangeError, "dim 1");
  assertThrows(() => cosineSimilarity(ones([2]), ones([3])), RangeError, "do not broadcast");
  gradcheck((a, b) => cosineSimilarity(a, b), [normal(2, 3), normal(1, 3)], { order: 2 });
});
