import { assert, assertAlmostEquals, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { manualSeed, nn, randn, tensor } from "../../mod.ts";
import { numberOf, tapeOf } from "../../scope/mod.ts";

function example() {
  manualSeed(0);
  const net = new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3), new nn.Tanh());
  const x = randn([8, 4]);
  return { net, x, loss: net.forward(x).square().sum() };
}

Deno.test("a tape lists calls with shapes, modules, what they keep, and their gradients", () => {
  const { net, loss } = example();
  const { calls, leaves, groups, output, savedBytes } = tapeOf(loss, {
    model: net,
    gradients: true,
  }).toJSON();
  assertEquals(calls.map(({ primitive, module }) => [primitive, module]), [
    ["matmul", "0"],
    ["batchNorm", "1"],
    ["tanh", null],
    ["powNumber", null],
    ["sumTo", null],
  ]);
  assertEquals(output, 5);
  assertEquals(calls[1].inputs[0], { from: 1, shape: [8, 3] });
  assertEquals(leaves.map(({ name }) => name), ["0.weight", "0.bias", "1.weight", "1.bias"]);
  assertEquals(groups.map(({ module, calls }) => [module, calls]), [["0", [1]], ["1", [
    2,
    3,
    4,
    5,
  ]]]);
  assertEquals(savedBytes, calls.reduce((sum, { savedBytes }) => sum + savedBytes, 0));
  // tanh keeps its output, 8 × 3 float64.
  assertEquals([calls[2].saved, calls[2].savedBytes], [[[8, 3]], 192]);
  assertEquals(calls[4].gradNorm, 1);

  assertEquals(net.parameters().map(({ grad }) => grad), [null, null, null, null]);
  loss.backward();
  for (const [i, parameter] of net.parameters().entries()) {
    assertAlmostEquals(numberOf(leaves[i].gradNorm!), parameter.grad!.norm().item(), 1e-12);
  }
  // The norms that were shown are gone with the hooks: a second look shows the gradients that are held.
  assertEquals(tapeOf(loss, { model: net }).toJSON().calls[2].state, "freed");
  assertThrows(() => tapeOf(loss, { gradients: true }), Error, "second time");
});

Deno.test("memory that several calls keep counts once", () => {
  const x = tensor([1, 2, 3], { requiresGrad: true });
  const y = x.exp();
  const { calls } = tapeOf(y.mul(y)).toJSON();
  assertEquals(calls.map(({ savedBytes }) => savedBytes), [24, 0]);
});

Deno.test("a leaf and a constant have tapes without calls", () => {
  const leaf = tapeOf(tensor([1], { requiresGrad: true })).toJSON();
  assertEquals([leaf.output, leaf.calls, leaf.leaves.length], ["leaf 1", [], 1]);
  assertEquals(tapeOf(tensor([1])).toJSON().output, null);
});

Deno.test("a tape as text, Mermaid and DOT", () => {
  const { net, loss } = example();
  const tape = tapeOf(loss, { model: net, gradients: true });
  const text = tape.toText().split("\n");
  assertMatch(text[0], /^\[\]: 5 calls, 4 leaves, \S+ k?B kept for the backward pass$/);
  assertMatch(text[1], /^0: 1 call, /);
  assertMatch(
    text[2],
    /^ {2}1 {2}matmul +\[8, 4\], 0\.weight \[3, 4\], 0\.bias \[3\] → \[8, 3\] +keeps .* gradient /,
  );
  const mermaid = tape.toMermaid();
  assert(mermaid.startsWith("flowchart TD\n"));
  assert(mermaid.includes('  c1 -->|"[8, 3]"| c2'));
  assert(mermaid.includes('  leaf1(["0.weight<br>[3, 4]<br>gradient '));
  const dot = tape.toDot();
  assert(dot.startsWith("digraph tape {") && dot.endsWith("}"));
  assert(dot.includes('  "1" -> "2" [label="[8, 3]"]'));
});

Deno.test("names in a drawing stay text", () => {
  const net = new nn.ModuleDict({ 'a"]<b>': new nn.Linear(1, 1) });
  const [layer] = net.children() as nn.Linear[];
  const tape = tapeOf(layer.forward(tensor([[1]])), { model: net });
  assert(!/<b>|a"\]/.test(tape.toMermaid().replaceAll("<br>", "")));
  assert(tape.toDot().includes('a\\"]<b>'));
});
