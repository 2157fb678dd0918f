/**
 * Containers: order, names, state, what they refuse.
 */
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ones, tensor } from "../../autograd/mod.ts";
import * as nn from "../../nn/mod.ts";

Deno.test("Sequential runs its modules in order", () => {
  const net = new nn.Sequential(new nn.Flatten(0), new nn.ReLU());
  assertEquals(net.forward(tensor([[1, -2], [-3, 4]])).toArray(), [1, 0, 0, 4]);
});

Deno.test("Sequential without modules returns its input", () => {
  const x = ones([2]);
  assertStrictEquals(new nn.Sequential().forward(x), x);
});

Deno.test("Sequential takes names from a record, a Map or pairs", () => {
  const fc = new nn.Linear(2, 2);
  const act = new nn.ReLU();
  const expected = ["fc.weight", "fc.bias"];
  for (
    const named of [{ fc, act }, new Map<string, nn.Module>([["fc", fc], ["act", act]])]
  ) {
    assertEquals([...new nn.Sequential(named).stateDict().keys()], expected);
  }
  const net = new nn.Sequential([["fc", fc], ["act", act]]);
  assertEquals([...net.stateDict().keys()], expected);
  assertEquals(net.namedChildren().map(([name]) => name), ["fc", "act"]);
});

Deno.test("Sequential runs a module that it holds twice two times, and lists its parameters once", () => {
  const twice = new nn.Linear(1, 1, { bias: false });
  twice.weight.detach().copy_(3);
  const net = new nn.Sequential(twice, twice);
  assertEquals(net.length, 2);
  assertEquals(net.forward(ones([1, 1])).item(), 9);
  assertEquals(net.parameters().length, 1);
  assertEquals([...net.stateDict().keys()], ["0.weight", "1.weight"]);
});

Deno.test("Sequential and ModuleList can be indexed, iterated, extended and edited", () => {
  const [a, b, c] = [new nn.ReLU(), new nn.Tanh(), new nn.Sigmoid()];
  for (const row of [new nn.Sequential(a), new nn.ModuleList([a])]) {
    row.append(b).extend([c]);
    assertEquals(row.length, 3);
    assertStrictEquals(row.at(-1), c);
    assertStrictEquals(row.at(0), a);
    assertEquals([...row], [a, b, c]);
    const d = new nn.Identity();
    assertStrictEquals(row.set(1, d).at(1), d);
    assertEquals([...row], [a, d, c]);
    assertThrows(() => row.at(3), RangeError, "got index 3, expected one of -3 … 2");
    assertThrows(() => row.at(0.5), RangeError, "got index 0.5");
  }
});

Deno.test("containers refuse what is no module, and names that modules cannot have", () => {
  const wrong = 3 as never;
  assertThrows(() => new nn.Sequential(new nn.ReLU(), wrong), TypeError, "got number 3");
  assertThrows(() => new nn.Sequential({ a: wrong }), TypeError, "expected a Module");
  assertThrows(() => new nn.Sequential(wrong), TypeError, "expected modules by name");
  assertThrows(() => new nn.Sequential({ "a.b": new nn.ReLU() }), RangeError, "no dot");
  assertThrows(() => new nn.ModuleList([wrong]), TypeError, "Cannot fill ModuleList");
  assertThrows(() => new nn.ModuleList().append(wrong), TypeError, "expected a Module");
  assertThrows(() => new nn.ModuleDict([["a"]] as never), TypeError, "expected pairs");
  assertThrows(() => new nn.ModuleDict({ forward: new nn.ReLU() }), RangeError, "is taken");
});

Deno.test("ModuleDict finds, replaces and removes modules by name", () => {
  const [a, b] = [new nn.Linear(1, 1), new nn.Tanh()];
  const dict = new nn.ModuleDict({ a });
  dict.set("b", b);
  assertEquals([dict.size, [...dict.keys()]], [2, ["a", "b"]]);
  assert(dict.has("a"));
  assertStrictEquals(dict.get("b"), b);
  assertEquals([...dict.values()], [a, b]);
  assertEquals([...dict], [["a", a], ["b", b]]);
  dict.update({ a: b });
  assertStrictEquals(dict.get("a"), b);
  assert(dict.delete("a"));
  assert(!dict.delete("a"));
  assertThrows(() => dict.get("a"), RangeError, "got name a, expected one of b");
});

Deno.test("ModuleList and ModuleDict have no forward", () => {
  assertThrows(() => new nn.ModuleList().forward(ones([1])), TypeError, "expected a class that");
});

Deno.test("a mode set on a container reaches what it holds, at any depth", () => {
  const drop = new nn.Dropout();
  const net = new nn.Sequential(new nn.Sequential({ drop }), new nn.ModuleList([new nn.ReLU()]));
  net.eval();
  assert(net.modules().every((module) => !module.training));
  net.train();
  assert(drop.training);
});

Deno.test("a copied container runs as the original and shares nothing", () => {
  const net = new nn.Sequential(new nn.Linear(2, 2), new nn.ReLU());
  const copy = net.deepCopy();
  const x = ones([1, 2]);
  assertEquals(copy.forward(x).toArray(), net.forward(x).toArray());
  copy.parameters()[0].detach().copy_(100);
  assert(net.parameters()[0].data.every((v) => Math.abs(v) < 1));
});
