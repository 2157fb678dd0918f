/** Who shares values with whom: results, views and their edits on the tape, gradients. */
import { assert, assertEquals, assertNotStrictEquals, assertThrows } from "@std/assert";
import * as tg from "../../mod.ts";
import { type Tensor, tensor } from "../../mod.ts";
import { storageOf } from "../../autograd/tensor.ts";

const leaf = (values: Parameters<typeof tensor>[0]): Tensor =>
  tensor(values, { requiresGrad: true });

const x = tensor([[1, 2, 3], [4, 5, 6]]);
const vector = tensor([1, 2]);

// With arguments that change nothing.
const copies: readonly [name: string, result: () => Tensor, of: Tensor][] = [
  ["narrow", () => tg.narrow(x, 0, 0, 2), x],
  ["permute", () => tg.permute(x, [0, 1]), x],
  ["transpose", () => tg.transpose(x, 1, 1), x],
  ["t", () => tg.t(vector), vector],
  ["expand", () => tg.expand(x, [2, 3]), x],
  ["expand by -1", () => tg.expand(x, [-1, -1]), x],
  ["broadcastTo", () => tg.broadcastTo(x, [2, 3]), x],
  ["einsum", () => tg.einsum("ij->ij", [x]), x],
  ["select", () => tg.select(tg.reshape(x, [1, 6]), 0, 0), x],
  ["split", () => tg.split(x, 2)[0], x],
  ["chunk", () => tg.chunk(x, 1)[0], x],
  ["unbind", () => tg.unbind(tg.reshape(x, [1, 6]))[0], x],
  ["cat", () => tg.cat([x]), x],
  ["stack", () => tg.stack([x]), x],
  ["flip", () => tg.flip(x, []), x],
  ["roll", () => tg.roll(x, 0, 0), x],
  ["repeat", () => tg.repeat(x, [1, 1]), x],
  ["tile", () => tg.tile(x, []), x],
  ["tril", () => tg.tril(x, 9), x],
  ["sum", () => tg.sum(x.reshape([1, 6]), { dim: 0 }), x],
  ["sum of a scalar", () => tg.sum(vector.select(0, 0)), vector],
  ["mean", () => tg.mean(x.reshape([1, 6]), { dim: 0 }), x],
  ["prod", () => tg.prod(x.reshape([1, 6]), { dim: 0 }), x],
  ["amax", () => tg.amax(x.reshape([1, 6]), { dim: 0 }), x],
  ["max", () => tg.max(x.reshape([1, 6]), { dim: 0 }).values, x],
  ["cumsum", () => tg.cumsum(x.reshape([1, 6]), 0), x],
  ["clamp", () => tg.clamp(x, { min: -9 }), x],
  ["pow", () => tg.pow(x, 1), x],
  ["indexSelect", () => tg.indexSelect(x, 0, [0, 1]), x],
  ["pad", () => tg.nn.functional.pad(x, [0, 0]), x],
  ["clone", () => x.clone(), x],
];

for (const [name, result, of] of copies) {
  Deno.test(`${name} that changes nothing is a copy`, () => {
    const y = result();
    assert(storageOf(y) !== storageOf(of));
    const before = of.toArray();
    y.copy_(y.mul(0));
    assertEquals(of.toArray(), before);
  });
}

for (
  const [name, view] of [
    ["reshape", () => tg.reshape(x, [2, 3])],
    ["view", () => x.view([2, 3])],
    ["flatten", () => tg.flatten(x, { startDim: 1 })],
    ["squeeze", () => tg.squeeze(x)],
    ["squeeze of no axes", () => tg.squeeze(x, [])],
    ["unsqueeze", () => tg.unsqueeze(x, 0)],
    ["detach", () => x.detach()],
  ] as const
) {
  Deno.test(`${name} is a tensor of its own over the same values`, () => {
    assertNotStrictEquals(view(), x);
    assertEquals(storageOf(view()), storageOf(x));
  });
}

Deno.test("an edit through a view moves the tensor that it is a view of, on the tape", () => {
  const [a, z] = [leaf([1, 2, 3, 4]), leaf([[5, 6], [7, 8]])];
  const y = a.mul(2);
  y.reshape([2, 2]).copy_(z);
  y.sum().backward();
  assertEquals([a.grad!.toArray(), z.grad!.toArray()], [[0, 0, 0, 0], [[1, 1], [1, 1]]]);
});

Deno.test("an edit moves the views of a tensor, and their views", () => {
  const [a, z] = [leaf([1, 2, 3, 4]), leaf([5, 6, 7, 8])];
  const y = a.mul(2);
  const column = y.reshape([2, 2]).unsqueeze(0).flatten().reshape([4, 1]);
  y.copy_(z.mul(3));
  column.mul(column).sum().backward();
  assertEquals([a.grad!.toArray(), z.grad!.toArray()], [[0, 0, 0, 0], [90, 108, 126, 144]]);
});

Deno.test("a plain tensor comes onto the tape by an edit of its view", () => {
  const z = leaf([5, 6]);
  const plain = tensor([[1], [2]]);
  plain.flatten().copy_(z.mul(3));
  assert(plain.requiresGrad && !plain.isLeaf);
  plain.sum().backward();
  assertEquals(z.grad!.toArray(), [3, 3]);
});

Deno.test("two edits through different views: the last one counts", () => {
  const [first, last] = [leaf([1, 2]), leaf([[3], [4]])];
  const y = tensor([0, 0]);
  const view = y.reshape([2, 1]);
  y.copy_(first);
  view.copy_(last);
  y.mul(5).sum().backward();
  assertEquals([first.grad!.toArray(), last.grad!.toArray()], [[0, 0], [[5], [5]]]);
});

Deno.test("a leaf that requires grad cannot be edited through its view while recording", () => {
  const a = leaf([1, 2, 3, 4]);
  assertThrows(() => a.reshape([2, 2]).copy_(tensor(0)), Error, "a view of a leaf");
  assertEquals(a.toArray(), [1, 2, 3, 4]);
  tg.noGrad(() => a.reshape([2, 2]).copy_(tensor(0)));
  assertEquals(a.toArray(), [0, 0, 0, 0]);
  assert(a.isLeaf && a.requiresGrad);
});

Deno.test("a detached tensor stays off the tape when its origin is edited", () => {
  const y = leaf([1, 2]).mul(2);
  const apart = y.detach();
  y.copy_(leaf([3, 4]));
  assert(!apart.requiresGrad);
  assertEquals(apart.toArray(), [3, 4]);
});

Deno.test("leaves never share a gradient, createGraph or not", () => {
  for (const createGraph of [false, true]) {
    const [a, b, c] = [leaf([1, 2]), leaf([3, 4]), leaf([[5, 6]])];
    a.add(b).add(c.flatten()).sum().backward(undefined, { createGraph });
    const storages = new Set([a, b, c].map(({ grad }) => storageOf(grad!)));
    assertEquals(storages.size, 3);
    tg.nn.utils.clipGradNorm_([a, b], 1);
    assert(Math.abs(a.grad!.data[0] - 0.5) < 1e-6, `${a.grad}`);
    assertEquals(c.grad!.toArray(), [[1, 1]]);
  }
});

Deno.test("grad() returns tensors that share with nothing", () => {
  const [a, b] = [leaf([1, 2]), leaf([3, 4])];
  const weight = tensor([1, 1]);
  const results = tg.grad(a.add(b), [a, b], { gradOutputs: weight }) as Tensor[];
  assertEquals(new Set([...results, weight].map(storageOf)).size, 3);
  const [same] = tg.grad(a.reshape([2, 1]), [a], { gradOutputs: tensor([[7], [8]]) });
  assertEquals(same!.toArray(), [7, 8]);
});

Deno.test("a start of backward is copied into a leaf's grad", () => {
  const a = leaf([1, 2]);
  const start = tensor([5, 6]);
  a.backward(start);
  assert(storageOf(a.grad!) !== storageOf(start));
});
