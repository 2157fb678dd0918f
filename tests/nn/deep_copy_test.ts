import { storageOf } from "../../autograd/tensor.ts";
import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Generator, nn, noGrad, ones, randn, type Tensor, tensor, zeros } from "../../mod.ts";

const { BatchNorm1d, Linear, Module, Sequential } = nn;
const batch = (shape: number[], seed = 1) => randn(shape, { generator: new Generator(seed) });

class Net extends Module {
  fc1 = new Linear(3, 4);
  bn1 = new BatchNorm1d(4);
  again = this.fc1;
  fc2 = new Linear(4, 4);
  scale = new nn.Parameter(ones([1]), false);
  offset = new nn.Buffer(zeros([1]), { persistent: false });
  settings = { depth: 2, names: ["a", "b"], sizes: new Map([["a", [1, 2]]]) };
  seen = new Set(["x"]);

  constructor() {
    super();
    this.fc2.weight = new nn.Parameter(ones([4, 4]));
  }

  override forward(x: Tensor): Tensor {
    const h = this.bn1.forward(this.fc1.forward(x));
    return this.fc2.forward(h).mul(this.scale).add(this.offset);
  }
}

function trained(): Net {
  const net = new Net();
  net.forward(batch([8, 3])).square().sum().backward();
  return net;
}

function state(module: nn.Module): unknown {
  return [...module.namedParameters(), ...module.namedBuffers()].map(([name, value]) => [
    name,
    value.toArray(),
    value.requiresGrad,
    value.constructor.name,
    value.grad?.toArray() ?? null,
  ]);
}

Deno.test("deepCopy() copies parameters, buffers, gradients and modes", () => {
  const net = trained();
  net.bn1.eval();
  const copy = net.deepCopy();
  assertInstanceOf(copy, Net);
  assertEquals(state(copy), state(net));
  assertEquals(
    copy.modules().map((module) => module.training),
    net.modules().map((module) => module.training),
  );
  assertEquals(copy.toString(), net.toString());
  const x = batch([5, 3], 2);
  assertEquals(copy.forward(x).toArray(), net.forward(x).toArray());
});

Deno.test("deepCopy() shares no tensor and no memory with the original", () => {
  const net = trained();
  const copy = net.deepCopy();
  const before = state(net);
  const own = new Set([...net.parameters(), ...net.buffers()].map((value) => storageOf(value)));
  for (const value of [...copy.parameters(), ...copy.buffers()]) {
    assertFalse(own.has(storageOf(value)));
    noGrad(() => value.copy_(7));
    value.grad?.copy_(7);
  }
  assertEquals(state(net), before);
  copy.train().forward(batch([8, 3], 3)).sum().backward();
  assertEquals(state(net), before);
});

Deno.test("deepCopy() keeps what is shared shared, within the copy", () => {
  const net = new Net();
  net.fc2.weight = net.fc1.weight;
  const copy = net.deepCopy();
  assertStrictEquals(copy.again, copy.fc1);
  assertNotStrictEquals(copy.fc1, net.fc1);
  assertStrictEquals(copy.fc2.weight, copy.fc1.weight);
  assertEquals(copy.parameters().length, net.parameters().length);
});

Deno.test("deepCopy() copies other fields, at any depth", () => {
  const net = new Net();
  const copy = net.deepCopy();
  copy.settings.names.push("c");
  copy.settings.sizes.get("a")!.push(3);
  copy.seen.add("y");
  copy.settings.depth = 5;
  assertEquals([net.settings.names, net.settings.depth], [["a", "b"], 2]);
  assertEquals([...net.settings.sizes], [["a", [1, 2]]]);
  assertEquals([[...net.seen], [...copy.seen]], [["x"], ["x", "y"]]);
});

Deno.test("deepCopy() leaves hooks with the original, and can be hooked itself", () => {
  const net = new nn.ReLU();
  let calls = 0;
  net.registerForwardHook(() => void calls++);
  const copy = net.deepCopy();
  copy.forward(ones([1]));
  assertEquals(calls, 0);
  copy.registerForwardHook(() => void (calls += 10));
  copy.forward(ones([1]));
  assertEquals(calls, 10);
  net.forward(ones([1]));
  assertEquals(calls, 11);
});

Deno.test("deepCopy() keeps freezing and what accumulateStats() has gathered", () => {
  const bn = new BatchNorm1d(2).accumulateStats(2);
  bn.forward(batch([8, 2]));
  const copy = bn.deepCopy();
  assertEquals(copy.numBatchesTracked!.item(), 0);
  for (const layer of [bn, copy]) layer.forward(batch([8, 2], 2));
  assertEquals(copy.runningMean!.toArray(), bn.runningMean!.toArray());
  assertEquals(copy.numBatchesTracked!.item(), 1);
  copy.freeze({ affine: true });
  const frozen = copy.deepCopy().train();
  assertEquals([frozen.frozen, frozen.training, frozen.weight!.requiresGrad], [true, false, false]);
  assertEquals([bn.frozen, bn.training], [false, true]);
  assert(frozen.unfreeze().training);
});

Deno.test("deepCopy() gives a layer's generator a stream of its own from the same place", () => {
  class Noise extends Module {
    generator = new Generator(3);
    override forward(x: Tensor): Tensor {
      return x.add(randn(x.shape, { generator: this.generator }));
    }
  }
  const noise = new Noise();
  noise.forward(zeros([3]));
  const copy = noise.deepCopy();
  assertEquals(copy.forward(zeros([3])).toArray(), noise.forward(zeros([3])).toArray());
});

Deno.test("deepCopy() keeps the classes of collections, and state dicts with their versions", () => {
  class Row extends Array<number> {}
  class Holder extends Module {
    state = new BatchNorm1d(1).stateDict();
    row = Row.from([1, 2]);
    since = new Date(0);
    values = Float64Array.of(1, 2);
  }
  const holder = new Holder();
  const copy = holder.deepCopy();
  assertInstanceOf(copy.state, nn.StateDict);
  assertEquals([...copy.state.metadata], [["", { version: 2 }]]);
  assertNotStrictEquals(copy.state.get("weight"), holder.state.get("weight"));
  assertInstanceOf(copy.row, Row);
  assertEquals([...copy.row], [1, 2]);
  assertEquals(copy.since.getTime(), 0);
  copy.values[0] = 9;
  assertEquals(holder.values[0], 1);
});

Deno.test("deepCopy() of a module that holds itself", () => {
  class Node extends Module {
    next: { of: Node } = { of: this };
    weight = new nn.Parameter(tensor([1]));
  }
  const copy = new Node().deepCopy();
  assertStrictEquals(copy.next.of, copy);
});

Deno.test("deepCopy() refuses a forward that is a field: it would run the original", () => {
  class Arrow extends Module {
    fc = new Linear(2, 2);
    override forward = (x: Tensor): Tensor => this.fc.forward(x);
  }
  const net = new Sequential(new nn.ReLU(), new Arrow());
  assertThrows(() => net.deepCopy(), TypeError, "Cannot deepCopy Arrow at 1");
  net.at(1).registerForwardHook(() => {});
  assertThrows(() => net.deepCopy(), TypeError, "expected a method");
});

Deno.test("a class with # fields copies itself by overriding deepCopy()", () => {
  class Private extends Module {
    #layer = this.registerModule("layer", new Linear(2, 2));
    override forward(x: Tensor): Tensor {
      return this.#layer.forward(x);
    }
    override deepCopy(): this {
      const copy = new Private();
      copy.loadStateDict(this.stateDict());
      return copy.train(this.training) as this;
    }
  }
  const net = new Private().eval();
  const copy = net.deepCopy();
  const x = batch([2, 2]);
  assertEquals(copy.forward(x).toArray(), net.forward(x).toArray());
  assertFalse(copy.training);
});

Deno.test("deepCopy() of a graph's output is a leaf with its values", () => {
  class Cached extends Module {
    weight = new nn.Parameter(tensor([2]));
    last: Tensor | null = null;
    override forward(x: Tensor): Tensor {
      return this.last = x.mul(this.weight);
    }
  }
  const net = new Cached();
  net.forward(tensor([3]));
  const copy = net.deepCopy();
  assertEquals([copy.last!.item(), copy.last!.isLeaf], [6, true]);
});
