import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ones, Tensor, tensor, zeros } from "../../mod.ts";

Deno.test("a tensor tells its shape, size and number of axes", () => {
  const x = zeros([2, 0, 3]);
  assertEquals([x.ndim, x.size, [...x.shape]], [3, 0, [2, 0, 3]]);
});

Deno.test("item() needs exactly one element", () => {
  assertEquals(tensor([[7]]).item(), 7);
  assertThrows(() => ones([2]).item(), RangeError, "got shape [2], expected one element");
});

Deno.test("a tensor of one element is a number where one is asked for", () => {
  assertEquals(Number(tensor([7])), 7);
  assertEquals(`${tensor([7])}`, "tensor([7])");
  assertThrows(() => Number(ones([2])), RangeError, "expected one element");
});

Deno.test("toArray() nests by axis", () => {
  assertEquals(tensor(5).toArray(), 5);
  assertEquals(tensor([[[1], [2]]]).toArray(), [[[1], [2]]]);
  assertEquals(zeros([2, 0]).toArray(), [[], []]);
});

Deno.test("toString() prints rows under each other", () => {
  assertEquals(tensor([[1, 2], [3, 4]]).toString(), "tensor([[1, 2],\n        [3, 4]])");
  assertEquals(tensor(2.5, { requiresGrad: true }).toString(), "tensor(2.5, requiresGrad)");
  assertEquals(tensor([-0, NaN, Infinity, 1 / 3]).toString(), "tensor([-0, nan, inf, 0.33333])");
  assertEquals(zeros([0]).toString(), "tensor([])");
  assertEquals(zeros([2, 0]).toString(), "tensor([], shape=[2, 0])");
});

Deno.test("toString() separates matrices by a blank line", () => {
  assertEquals(
    tensor([[[1], [2]], [[3], [4]]]).toString(),
    "tensor([[[1],\n         [2]],\n\n        [[3],\n         [4]]])",
  );
});

Deno.test("toString() shortens long axes to their ends", () => {
  const text = tensor(Array.from({ length: 20 }, (_, i) => i)).toString();
  assertEquals(text, "tensor([0, 1, 2, 3, …, 16, 17, 18, 19])");
});

Deno.test("the console shows a tensor as toString() does", () => {
  const x = tensor([1, 2]);
  assertEquals(Deno.inspect(x), x.toString());
});

Deno.test("detach() shares values, clone() does not", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const [shared, copy] = [x.detach(), x.clone()];
  assertEquals([shared.requiresGrad, copy.requiresGrad], [false, true]);
  shared.copy_(tensor([5, 6]));
  assertEquals(x.toArray(), [5, 6]);
  assertEquals(copy.toArray(), [1, 2]);
});

Deno.test("data is the same array at every look, and writing into it shows", () => {
  for (const size of [3, 100_000]) {
    const x = zeros([size]);
    x.data[1] = 4;
    assertStrictEquals(x.data, x.data);
    assertEquals(x.add(1).data[1], 5);
  }
});

Deno.test("methods are the functions", () => {
  const x = tensor([[1, -2], [3, -4]]);
  assertEquals(x.add(1).mul(2).neg().abs().sum({ dim: 0 }).toArray(), [12, 8]);
  assertEquals(x.t().matmul(x).toArray(), [[10, -14], [-14, 20]]);
  assertEquals(x.relu().flatten().max().item(), 3);
  assertEquals(x.max({ dim: 1 }).indices.toArray(), [0, 0]);
});

const x = () => tensor([[4, 1], [2, 8]]);

/** Every method with the arguments of a typical call and what it gives, as text. */
const calls: [string, (x: Tensor) => Tensor | readonly Tensor[], string][] = [
  ["sub", (x) => x.sub(1, { alpha: 2 }), "[[2,-1],[0,6]]"],
  ["div", (x) => x.div(2, { roundingMode: "floor" }), "[[2,0],[1,4]]"],
  ["pow", (x) => x.pow(2), "[[16,1],[4,64]]"],
  ["sqrt", (x) => x.square().sqrt(), "[[4,1],[2,8]]"],
  ["rsqrt", (x) => x.rsqrt().pow(-2).div(1, { roundingMode: "floor" }).sign(), "[[1,1],[1,1]]"],
  ["clamp", (x) => x.clamp({ min: 2, max: 4 }), "[[4,2],[2,4]]"],
  ["maximum", (x) => x.maximum(x.t()), "[[4,2],[2,8]]"],
  ["minimum", (x) => x.minimum(x.t()), "[[4,1],[1,8]]"],
  ["eq", (x) => x.eq(4), "[[1,0],[0,0]]"],
  ["ne", (x) => x.ne(4), "[[0,1],[1,1]]"],
  ["lt", (x) => x.lt(2), "[[0,1],[0,0]]"],
  ["le", (x) => x.le(2), "[[0,1],[1,0]]"],
  ["gt", (x) => x.gt(2), "[[1,0],[0,1]]"],
  ["ge", (x) => x.ge(2), "[[1,0],[1,1]]"],
  ["maskedFill", (x) => x.maskedFill(x.gt(3), 0), "[[0,1],[2,0]]"],
  ["mean", (x) => x.mean({ dim: 1 }), "[2.5,5]"],
  ["prod", (x) => x.prod({ dim: 0 }), "[8,8]"],
  ["var", (x) => x.var({ dim: 0 }), "[2,24.5]"],
  ["std", (x) => x.std({ dim: 0, correction: 0 }), "[1,3.5]"],
  ["amax", (x) => x.amax({ dim: 0 }), "[4,8]"],
  ["amin", (x) => x.amin({ dim: 0 }), "[2,1]"],
  ["argmax", (x) => x.argmax({ dim: 0 }), "[0,1]"],
  ["argmin", (x) => x.argmin(), "1"],
  ["cumsum", (x) => x.cumsum(1), "[[4,5],[2,10]]"],
  ["norm", (x) => x.sub(x).norm(), "0"],
  ["reshape", (x) => x.reshape([-1]), "[4,1,2,8]"],
  ["permute", (x) => x.permute([1, 0]), "[[4,2],[1,8]]"],
  ["transpose", (x) => x.transpose(0, 1), "[[4,2],[1,8]]"],
  ["unsqueeze", (x) => x.unsqueeze(0), "[[[4,1],[2,8]]]"],
  ["squeeze", (x) => x.unsqueeze(0).squeeze(), "[[4,1],[2,8]]"],
  ["expand", (x) => x.narrow(0, 0, 1).expand([2, -1]), "[[4,1],[4,1]]"],
  ["broadcastTo", (x) => x.narrow(1, 1, 1).broadcastTo([2, 2]), "[[1,1],[8,8]]"],
  ["flip", (x) => x.flip([0]), "[[2,8],[4,1]]"],
  ["roll", (x) => x.roll(1), "[[8,4],[1,2]]"],
  ["repeat", (x) => x.repeat([1, 2]), "[[4,1,4,1],[2,8,2,8]]"],
  ["tile", (x) => x.tile([2]), "[[4,1,4,1],[2,8,2,8]]"],
  ["tril", (x) => x.tril(), "[[4,0],[2,8]]"],
  ["triu", (x) => x.triu(1), "[[0,1],[0,0]]"],
  ["diagonal", (x) => x.diagonal(), "[4,8]"],
  ["gather", (x) => x.gather(1, tensor([[1], [0]])), "[[1],[2]]"],
  ["indexSelect", (x) => x.indexSelect(0, tensor([1, 1])), "[[2,8],[2,8]]"],
  ["mm", (x) => x.mm(x), "[[18,12],[24,66]]"],
  ["mv", (x) => x.mv(tensor([1, 1])), "[5,10]"],
  ["dot", (x) => x.flatten().dot(tensor([1, 1, 1, 1])), "15"],
  ["outer", (x) => x.diagonal().outer(tensor([1, 2])), "[[4,8],[8,16]]"],
  ["addmm", (x) => x.addmm(x, x), "[[22,13],[26,74]]"],
  ["bmm", (x) => x.unsqueeze(0).bmm(x.unsqueeze(0)), "[[[18,12],[24,66]]]"],
  ["split", (x) => x.split(1), "[[4,1]] [[2,8]]"],
  ["chunk", (x) => x.chunk(2, { dim: 1 }), "[[4],[2]] [[1],[8]]"],
  ["softmax", (x) => x.sub(x).softmax(1), "[[0.5,0.5],[0.5,0.5]]"],
  ["logSoftmax", (x) => x.sub(x).logSoftmax(0).exp(), "[[0.5,0.5],[0.5,0.5]]"],
  ["logsumexp", (x) => x.sub(x).logsumexp({ dim: [0, 1] }).exp(), "4"],
  ["where", (x) => x.where(x.gt(3), 0), "[[4,0],[0,8]]"],
];

for (const [name, call, expected] of calls) {
  Deno.test(`Tensor.${name}()`, () => {
    const result = call(x());
    const parts = result instanceof Tensor ? [result] : result;
    assertEquals(parts.map((part) => JSON.stringify(part.toArray())).join(" "), expected);
  });
}
