/** What modules refuse, keep and say where a program is unusual. */
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  batches,
  nn,
  noGrad,
  optim,
  silenceWarnings,
  stackSamples,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";

silenceWarnings();

class WithArrow extends nn.Module {
  bn = new nn.BatchNorm1d(1);
  run = (x: Tensor) => this.bn.forward(x);
  override forward(x: Tensor): Tensor {
    return this.run(x);
  }
}

class WithClosure extends nn.Module {
  bn = new nn.BatchNorm1d(1);
  steps: { run?: (x: Tensor) => Tensor } = {};
  constructor() {
    super();
    // deno-lint-ignore no-this-alias -- the mistake that is tested.
    const self = this;
    this.steps.run = function (x: Tensor) {
      return self.bn.forward(x);
    };
  }
}

class WithPrivate extends nn.Module {
  #bn = new nn.BatchNorm1d(1);
  override forward(x: Tensor): Tensor {
    return this.#bn.forward(x);
  }
}

Deno.test("a copy is refused where a function of a field would go on using the original", () => {
  assertThrows(() => new WithArrow().deepCopy(), TypeError, "got a function in field run");
  assertThrows(() => new WithClosure().deepCopy(), TypeError, "got a function in field steps");
  assertThrows(() => new nn.Sequential(new WithArrow()).deepCopy(), TypeError, "WithArrow at 0");
  assertThrows(() => new optim.swa.AveragedModel(new WithArrow()), TypeError, "field run");
});

Deno.test("a copy of a class with private fields is refused by name", () => {
  assertThrows(() => new WithPrivate().deepCopy(), TypeError, "the private field #bn");
});

Deno.test("a parameter's place takes a Parameter or null, not a plain tensor", () => {
  const fc = new nn.Linear(1, 1);
  fc.weight = tensor([[0.01]]);
  assertThrows(
    () => fc.parameters(),
    TypeError,
    "assigned to weight, expected a Parameter or null",
  );
  fc.weight = new nn.Parameter(tensor([[0.01]]));
  assertEquals(fc.parameters().length, 2);

  class Scale extends nn.Module {
    w: Tensor = new nn.Parameter(tensor([2]));
    override forward(x: Tensor): Tensor {
      return x.mul(this.w);
    }
  }
  const scale = new Scale();
  scale.forward(tensor([1]));
  scale.w = noGrad(() => scale.w.mul(0.5));
  assertThrows(() => scale.parameters(), TypeError, "assigned to w");
});

Deno.test("a buffer's place stays a buffer", () => {
  class Counter extends nn.Module {
    seen: Tensor = new nn.Buffer(tensor(0));
    override forward(x: Tensor): Tensor {
      this.seen = this.seen.add(1);
      return x;
    }
  }
  const counter = new Counter();
  counter.forward(tensor([1]));
  counter.forward(tensor([1]));
  assertEquals([...counter.stateDict()].map(([name, x]) => [name, x.item()]), [["seen", 2]]);
});

Deno.test("set() replaces the place that was asked for, also of a module that is held twice", () => {
  const [a, b] = [new nn.ReLU(), new nn.Tanh()];
  for (const row of [new nn.Sequential(a, a, a), new nn.ModuleList([a, a, a])]) {
    row.set(1, b);
    assertEquals([...row].map((module) => module === b), [false, true, false]);
    row.set(-1, b);
    assertEquals([...row].map((module) => module === b), [false, true, true]);
  }
});

Deno.test("a name whose field holds something else is refused at registration", () => {
  class Norm extends nn.Module {
    maxNorm = 3;
    constructor() {
      super();
      this.registerBuffer("max_norm", zeros([2]));
    }
  }
  assertThrows(() => new Norm(), RangeError, "whose field maxNorm holds number 3");
});

Deno.test("parameters are listed in the order in which they came", () => {
  class Mixed extends nn.Module {
    a = new nn.Parameter(zeros([1]));
    declare c: Tensor;
    constructor() {
      super();
      this.registerParameter("b", zeros([2], { requiresGrad: true }));
      this.c = new nn.Parameter(zeros([3]));
    }
  }
  assertEquals(new Mixed().namedParameters().map(([name]) => name), ["a", "b", "c"]);
});

Deno.test("number-like names of an object are refused, those of pairs are kept in order", () => {
  const [a, b] = [new nn.ReLU(), new nn.Tanh()];
  assertThrows(() => new nn.ModuleDict({ "10": a, "2": b }), RangeError, "expected a Map or pairs");
  assertEquals([...new nn.ModuleDict([["10", a], ["2", b]]).keys()], ["10", "2"]);
});

Deno.test("a pre-hook that returns one tensor has replaced the only input", () => {
  const layer = new nn.Identity();
  layer.registerForwardPreHook((_, [x]) => x.mul(2));
  assertEquals(layer.forward(tensor([3])).toArray(), [6]);
});

Deno.test("hooks that are no functions, and arguments behind them, are refused", () => {
  const layer = new nn.Identity() as unknown as Record<string, (...args: unknown[]) => unknown>;
  assertThrows(() => layer.registerForwardHook(3), TypeError, "got hook number 3");
  assertThrows(() => layer.registerForwardPreHook(), TypeError, "got hook undefined");
  assertThrows(() => layer.registerForwardHook(() => {}, true), TypeError, "the hook alone");
  assertThrows(() => layer.apply(undefined), TypeError, "got fn undefined");
});

Deno.test("a prefix with PyTorch's dot and one without are the same", () => {
  const layer = new nn.Linear(1, 1);
  for (const prefix of ["net", "net."]) {
    assertEquals([...layer.stateDict({ prefix }).keys()], ["net.weight", "net.bias"]);
    assertEquals(layer.namedParameters({ prefix })[0][0], "net.weight");
  }
});

Deno.test("a module survives JSON", () => {
  const [from, to] = [new nn.BatchNorm1d(2), new nn.BatchNorm1d(2)];
  from.forward(tensor([[1, 2], [3, 5]]));
  to.loadStateDict(JSON.parse(JSON.stringify(from)));
  assertEquals(to.runningMean!.toArray(), from.runningMean!.toArray());
  const copy = from.stateDict().clone();
  from.forward(tensor([[9, 9], [8, 8]]));
  assertFalse(copy.get("running_mean")!.data[0] === from.runningMean!.data[0]);
  assert(copy.metadata.size > 0);
});

Deno.test("typed arrays, booleans and maps become tensors, what cannot be is refused", () => {
  const batch = stackSamples([
    { x: new Float32Array([1, 2]), ok: true, at: new Map([["y", 1]]) },
    { x: new Float32Array([3, 4]), ok: false, at: new Map([["y", 2]]) },
  ]) as unknown as { x: Tensor; ok: Tensor; at: Map<string, Tensor> };
  assertEquals(batch.x.toArray(), [[1, 2], [3, 4]]);
  assertEquals(batch.ok.toArray(), [1, 0]);
  assertEquals(batch.at.get("y")!.toArray(), [1, 2]);
  for (const value of [Promise.resolve(1), new Date(), new Set([1])]) {
    assertThrows(() => stackSamples([value, value]), TypeError, "Cannot stack samples");
  }
  const data = { length: 2, get: (i: number) => [new Uint8Array([i, i]), i] as const };
  const [[x, y]] = [...batches(data, { batchSize: 2 })] as unknown as [Tensor, Tensor][];
  assertEquals([x.toArray(), y.toArray()], [[[0, 0], [1, 1]], [0, 1]]);
});
