import { storageOf } from "../../autograd/tensor.ts";
import { assert, assertEquals, assertFalse, assertStrictEquals, assertThrows } from "@std/assert";
import {
  Generator,
  nn,
  ones,
  randn,
  silenceWarnings,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";

// Batches that are small enough to compute by hand are what is warned of.
silenceWarnings();

const { BatchNorm1d, Linear, Module, Sequential } = nn;
const batch = (shape: number[], seed = 1) => randn(shape, { generator: new Generator(seed) });

class Net extends Module {
  fc1 = new Linear(4, 3);
  bn1 = new BatchNorm1d(3);
  fc2 = new Linear(3, 2, { bias: false });
  label = "a field that is no module";

  override forward(x: Tensor): Tensor {
    return this.fc2.forward(this.bn1.forward(this.fc1.forward(x)).relu());
  }
}

// deno-lint-ignore no-explicit-any -- registration is tried with values that its types refuse.
type Loose = any;

Deno.test("modules, parameters and buffers in public fields are found in the order of declaration", () => {
  const net = new Net();
  assertEquals(net.namedChildren().map(([name]) => name), ["fc1", "bn1", "fc2"]);
  assertEquals(net.namedModules().map(([name]) => name), ["", "fc1", "bn1", "fc2"]);
  assertEquals(net.namedParameters().map(([name]) => name), [
    "fc1.weight",
    "fc1.bias",
    "bn1.weight",
    "bn1.bias",
    "fc2.weight",
  ]);
  assertEquals(net.namedBuffers().map(([name]) => name), [
    "bn1.running_mean",
    "bn1.running_var",
    "bn1.num_batches_tracked",
  ]);
  assertEquals(net.parameters({ recurse: false }), []);
  assertEquals(net.namedParameters({ prefix: "net" })[0][0], "net.fc1.weight");
});

Deno.test("a Parameter in a field learns, a plain tensor in a field does not", () => {
  class Scaled extends Module {
    scale = new nn.Parameter(ones([1]));
    constant = ones([1], { requiresGrad: true });
    shift = new nn.Buffer(zeros([1]));
  }
  const net = new Scaled();
  assertEquals(net.namedParameters().map(([name]) => name), ["scale"]);
  assertEquals(net.namedBuffers().map(([name]) => name), ["shift"]);
});

Deno.test("a registered name follows the field of the same name, also in camelCase", () => {
  class Tracked extends Module {
    runningMean: Tensor | null = this.registerBuffer("running_mean", zeros([2]));
  }
  const net = new Tracked();
  net.runningMean = tensor([1, 2]);
  assertStrictEquals(net.buffers()[0], net.runningMean);
  net.runningMean = null;
  assertEquals(net.buffers(), []);
});

Deno.test("what is registered works from private fields", () => {
  class Private extends Module {
    #weight = this.registerParameter("weight", ones([2]));
    #layer = this.registerModule("layer", new Linear(2, 2));
    override forward(x: Tensor): Tensor {
      return this.#layer.forward(x).mul(this.#weight);
    }
  }
  const net = new Private();
  assertEquals([...net.stateDict().keys()], ["weight", "layer.weight", "layer.bias"]);
  net.forward(ones([1, 2])).sum().backward();
  assert(net.parameters().every(({ grad }) => grad !== null));
});

Deno.test("registration returns the value; parameters require grad, buffers do not", () => {
  const net = new Module();
  const weight = net.registerParameter("weight", ones([2]));
  assert(weight.requiresGrad && weight.isLeaf);
  const frozen = net.registerParameter("frozen", new nn.Parameter(ones([2]), false));
  assertFalse(frozen.requiresGrad);
  assertFalse(net.registerBuffer("buffer", ones([2])).requiresGrad);
  assertStrictEquals(net.registerParameter("bias", null), null);
  assertStrictEquals(net.registerBuffer("mean", null), null);
  assertStrictEquals(net.registerModule("child", null), null);
  assertEquals([...net.stateDict().keys()], ["weight", "frozen", "buffer"]);
});

for (const kind of ["Parameter", "Buffer", "Module"] as const) {
  const register = (net: nn.Module, name: unknown, value: unknown) => () =>
    (net as Loose)[`register${kind}`](name, value);
  const valid = () => kind === "Module" ? new nn.ReLU() : ones([1]);

  Deno.test(`register${kind}() refuses names that are empty, have a dot, are taken or no strings`, () => {
    const net = new Net();
    assertThrows(register(net, "", valid()), RangeError, "not empty");
    assertThrows(register(net, "a.b", valid()), RangeError, 'got name "a.b"');
    assertThrows(register(net, 5, valid()), TypeError, "expected a string");
    for (const taken of ["fc1", "forward", "training", "label"]) {
      assertThrows(register(net, taken, valid()), RangeError, `"${taken}" is taken`);
    }
    register(net, "fresh", valid())();
    for (const other of ["Parameter", "Buffer", "Module"]) {
      assertThrows(
        () => (net as Loose)[`register${other}`]("fresh", other === "Module" ? net : ones([1])),
        RangeError,
        `"fresh" is taken`,
      );
    }
  });

  Deno.test(`register${kind}() refuses what is no ${kind === "Module" ? "module" : "tensor"}`, () => {
    const wrong = kind === "Module" ? ones([1]) : new nn.ReLU();
    for (const value of [5, "x", [1], {}, undefined, wrong]) {
      const net = new Module();
      assertThrows(register(net, "name", value), TypeError, "Cannot register");
      // A name that was refused is free.
      register(net, "name", valid())();
    }
  });
}

Deno.test("a parameter must be a leaf", () => {
  const made = ones([2], { requiresGrad: true }).mul(2);
  assertThrows(() => new Module().registerParameter("weight", made), RangeError, "expected a leaf");
});

Deno.test("a Module has no forward of its own", () => {
  assertThrows(() => new Module().forward(ones([1])), TypeError, "Module has none");
});

Deno.test("train() and eval() reach everything below and refuse what is no boolean", () => {
  const net = new Sequential(new Net(), new nn.Dropout());
  assert(net.modules().every((module) => module.training));
  assertStrictEquals(net.eval(), net);
  assert(net.modules().every((module) => !module.training));
  (net.at(0) as Net).bn1.train();
  assertEquals(net.modules().filter((module) => module.training).length, 1);
  net.train();
  assert(net.modules().every((module) => module.training));
  for (const mode of [1, null, "false"]) {
    assertThrows(() => net.train(mode as unknown as boolean), TypeError, "true or false");
  }
});

Deno.test("a train() of one's own can hold a part in evaluation", () => {
  class Held extends Module {
    body = new BatchNorm1d(2);
    head = new Linear(2, 2);
    override train(mode = true): this {
      super.train(mode);
      this.body.eval();
      return this;
    }
  }
  const net = new Sequential(new Held()).train();
  assertEquals(net.modules().map((module) => module.training), [true, true, false, true]);
});

Deno.test("apply() calls with every module, children first", () => {
  const names: string[] = [];
  const net = new Sequential(new Net(), new nn.ReLU());
  assertStrictEquals(net.apply((module) => void names.push(module.constructor.name)), net);
  assertEquals(names, ["Linear", "BatchNorm1d", "Linear", "Net", "ReLU", "Sequential"]);
});

Deno.test("zeroGrad() clears to null, or to zeros in place", () => {
  const net = new Net();
  net.forward(batch([4, 4])).sum().backward();
  const { grad } = net.fc1.weight;
  net.zeroGrad({ setToNone: false });
  assertEquals(net.fc1.weight.grad!.toArray(), zeros([3, 4]).toArray());
  assertStrictEquals(storageOf(net.fc1.weight.grad!), storageOf(grad!));
  net.zeroGrad();
  assert(net.parameters().every((parameter) => parameter.grad === null));
});

Deno.test("zeroGrad({ setToNone: false }) takes a gradient that has a graph off the tape", () => {
  const net = new Linear(2, 1, { bias: false });
  net.forward(ones([1, 2])).square().sum().backward(null, { createGraph: true });
  assert(net.weight.grad!.requiresGrad);
  net.zeroGrad({ setToNone: false });
  assertFalse(net.weight.grad!.requiresGrad);
});

Deno.test("requiresGrad_() freezes all parameters and thaws them", () => {
  const net = new Net();
  assertStrictEquals(net.requiresGrad_(false), net);
  assertFalse(net.forward(batch([4, 4])).requiresGrad);
  net.requiresGrad_();
  assert(net.parameters().every((parameter) => parameter.requiresGrad));
});

Deno.test("forward hooks see inputs and output, may replace it, and go in order", () => {
  const net = new Linear(2, 2);
  const x = ones([1, 2]);
  const seen: unknown[] = [];
  const plain = net.forward(x).toArray();
  const first = net.registerForwardHook((module, inputs, output) => {
    seen.push([module === net, inputs[0] === x, output.toArray()]);
    return output.mul(2);
  });
  const second = net.registerForwardHook((_, __, output) => {
    seen.push(output.toArray());
  });
  const doubled = net.forward(x).toArray();
  assertEquals(seen, [[true, true, plain], doubled]);
  first.remove();
  assertEquals(net.forward(x).toArray(), plain);
  second.remove();
  second.remove();
  assertEquals(net.forward(x).toArray(), plain);
  assertEquals(seen.length, 3);
  assertFalse(Object.hasOwn(net, "forward"));
});

Deno.test("pre-hooks see inputs and may replace them as a list", () => {
  const net = new nn.ReLU();
  const handle = net.registerForwardPreHook((_, [x]) => [x.neg()]);
  assertEquals(net.forward(tensor([1, -2])).toArray(), [0, 2]);
  const other = net.registerForwardPreHook(() => {});
  assertEquals(net.forward(tensor([1, -2])).toArray(), [0, 2]);
  handle.remove();
  assertEquals(net.forward(tensor([1, -2])).toArray(), [1, 0]);
  other.remove();
});

Deno.test("hooks of inner modules run when the outer one does, in training and under hooks of its own", () => {
  const net = new Net();
  const order: string[] = [];
  for (const [name, module] of net.namedModules()) {
    module.registerForwardHook(() => void order.push(name));
  }
  net.forward(batch([4, 4]));
  assertEquals(order, ["fc1", "bn1", "fc2", ""]);
});

Deno.test("a hook that is removed while hooks run does not disturb the others", () => {
  const net = new nn.ReLU();
  const order: number[] = [];
  const first = net.registerForwardHook(() => {
    order.push(1);
    first.remove();
  });
  net.registerForwardHook(() => void order.push(2));
  net.forward(ones([1]));
  net.forward(ones([1]));
  assertEquals(order, [1, 2, 2]);
});

Deno.test("a forward that is a field has hooks too", () => {
  class Arrow extends Module {
    fc = new Linear(2, 2);
    override forward = (x: Tensor): Tensor => this.fc.forward(x).mul(0);
  }
  const net = new Arrow();
  const handle = net.registerForwardHook((_, __, output) => output.add(1));
  assertEquals(net.forward(ones([1, 2])).toArray(), [[1, 1]]);
  handle.remove();
  assertEquals(net.forward(ones([1, 2])).toArray(), [[0, 0]]);
  const once = net.registerForwardPreHook(() => once.remove());
  assertEquals(net.forward(ones([1, 2])).toArray(), [[0, 0]]);
});

Deno.test("a lazy layer with hooks calls them once also in its first forward", () => {
  const lazy = new nn.LazyBatchNorm1d();
  let calls = 0;
  lazy.registerForwardHook(() => void calls++);
  lazy.forward(batch([8, 3]));
  assertEquals([calls, lazy.numBatchesTracked!.item()], [1, 1]);
  lazy.forward(batch([8, 3]));
  assertEquals([calls, lazy.numBatchesTracked!.item()], [2, 2]);
});

Deno.test("toString() nests as in PyTorch", () => {
  const net = new Sequential(
    new Net(),
    new Sequential(new nn.ReLU(), new Sequential(new nn.Identity())),
  );
  assertEquals(
    net.toString(),
    `Sequential(
  (0): Net(
    (fc1): Linear(in_features=4, out_features=3, bias=True)
    (bn1): BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
    (fc2): Linear(in_features=3, out_features=2, bias=False)
  )
  (1): Sequential(
    (0): ReLU()
    (1): Sequential(
      (0): Identity()
    )
  )
)`,
  );
  assertEquals(Deno.inspect(net), net.toString());
  assertEquals(new Module().toString(), "Module()");
});

Deno.test("extraRepr() stands before the submodules", () => {
  class Scaled extends Module {
    fc = new nn.Identity();
    override extraRepr(): string {
      return "scale=2";
    }
  }
  assertEquals(new Scaled().toString(), "Scaled(\n  scale=2\n  (fc): Identity()\n)");
});

Deno.test("replaceModule() puts another module in a field, a registration or a container", () => {
  const net = new Net();
  net.replaceModule("bn1", new nn.Identity());
  assertEquals(net.namedChildren().map(([name, { constructor }]) => [name, constructor.name]), [
    ["fc1", "Linear"],
    ["bn1", "Identity"],
    ["fc2", "Linear"],
  ]);
  const list = new Sequential(new nn.ReLU());
  list.replaceModule("0", new nn.Tanh());
  assertEquals(list.at(0).constructor.name, "Tanh");
  assertThrows(() => net.replaceModule("fc9", list), RangeError, "has none of that name");
});

Deno.test("a module that is held twice is one: it trains, applies and counts once", () => {
  const shared = new BatchNorm1d(2);
  class Twice extends Module {
    a = shared;
    b = shared;
  }
  const net = new Twice();
  let calls = 0;
  net.apply(() => void calls++);
  assertEquals(calls, 2);
  assertEquals(net.children(), [shared]);
  assertEquals(net.namedModules({ removeDuplicate: false }).map(([name]) => name), ["", "a", "b"]);
  assertEquals(net.toString().match(/BatchNorm1d/g)!.length, 2);
});

Deno.test("an audit puts modes back, also that of a frozen layer", () => {
  const net = new Net();
  net.fc2.eval();
  net.bn1.freeze();
  nn.auditTrainEval(net, batch([8, 4]));
  assertEquals(net.modules().map((module) => module.training), [true, true, false, false]);
  assert(net.bn1.unfreeze().training);
});
