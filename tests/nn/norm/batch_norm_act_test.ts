/** Batch norm with what follows it in one pass is batch norm, and what follows it, to the last bit. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  add,
  detectAnomaly,
  Generator,
  grad,
  gradcheck,
  nn,
  noGrad,
  ones,
  randn,
  type Tensor,
  tensor,
  zeros,
} from "../../../mod.ts";
import { setInspector } from "../../../autograd/tape/tape.ts";

const { functional: f } = nn;
const generator = new Generator(5);
const random = (shape: readonly number[]): Tensor => randn(shape, { generator });
const POOLS = [f.maxPool1d, f.maxPool2d, f.maxPool3d] as const;

type Then = "none" | "relu" | "relu-maxpool";

/** What follows, operation by operation. */
function followed(y: Tensor, then: Then, residual: Tensor | null): Tensor {
  const sum = residual === null ? y : add(y, residual);
  if (then === "none") return sum;
  return then === "relu" ? f.relu(sum) : POOLS[y.ndim - 3](f.relu(sum), 2) as Tensor;
}

function bits(tensors: readonly (Tensor | null)[]): number[][] {
  return tensors.map((t) => [...t!.data]);
}

const shapes = [[9, 7], [130, 33], [4, 3, 9], [3, 2, 8, 10], [9, 3, 7, 5], [5, 16, 28, 28], [
  3,
  2,
  4,
  2,
  3,
]];

for (const shape of shapes) {
  for (const then of ["none", "relu", "relu-maxpool"] as const) {
    if (then === "relu-maxpool" && shape.length < 3) continue;
    Deno.test(`batchNorm with then ${then} of [${shape}] has the bits of its steps`, () => {
      for (const training of [true, false]) {
        for (const added of [false, true]) {
          for (const masked of [false, true]) {
            const c = [shape[1]];
            const [x, residual] = [random(shape), random(shape)].map((t) => t.requiresGrad_());
            // Ties, and zeros of both signs.
            x.data.fill(0.5, 3, 9);
            const [w, b] = [random(c), random(c)].map((t) => t.requiresGrad_());
            const mask = masked ? random([shape[0], 1, ...shape.slice(2)]).gt(-1) : null;
            const [plain, fused] = [false, true].map((whole) => {
              const [mean, variance] = [zeros(c), ones(c)];
              const options = { training, mask };
              const y = whole
                ? f.batchNorm(x, mean, variance, w, b, {
                  ...options,
                  then,
                  residual: added ? residual : null,
                })
                : followed(
                  f.batchNorm(x, mean, variance, w, b, options),
                  then,
                  added ? residual : null,
                );
              const g = randn(y.shape, { generator: new Generator(3) });
              const inputs = added ? [x, w, b, residual] : [x, w, b];
              return bits([y, mean, variance, ...grad(y, inputs, { gradOutputs: g })]);
            });
            assertEquals(fused, plain, JSON.stringify({ training, added, masked }));
          }
        }
      }
    });
  }
}

Deno.test("NaN passes relu and wins its window, and infinities do as in the steps", () => {
  const x = random([2, 2, 4, 4]);
  x.data.set([NaN, Infinity, -Infinity, -0], 3);
  x.requiresGrad_();
  const [mean, variance] = [zeros([2]), ones([2])];
  for (const then of ["relu", "relu-maxpool"] as const) {
    const [plain, fused] = [
      followed(f.batchNorm(x, mean, variance), then, null),
      f.batchNorm(x, mean, variance, null, null, { then }),
    ].map((y) => bits([y, ...grad(y, x, { gradOutputs: ones(y.shape) })]));
    assertEquals(fused, plain);
  }
});

Deno.test("the third derivative of batchNorm with relu and pooling is that of the steps", () => {
  const x = random([2, 2, 2, 2]).requiresGrad_();
  gradcheck(
    (x) => f.batchNorm(x, null, null, null, null, { training: true, then: "relu-maxpool" }),
    [x],
    { order: 3, eps: 1e-5 },
  );
});

Deno.test("a second derivative that only the kinks would have is zero, not missing", () => {
  const x = random([4, 3]).requiresGrad_();
  const residual = random([4, 3]).requiresGrad_();
  const y = f.batchNorm(x, zeros([3]), ones([3]), null, null, { then: "relu", residual });
  const [dx] = grad(y.sum(), [x], { createGraph: true });
  const [toX, toResidual] = grad(dx!.sum(), [x, residual]);
  assertEquals([...toX!.data, ...toResidual!.data], new Array(24).fill(0));
});

Deno.test("batchNorm refuses what cannot follow", () => {
  const x = random([4, 3, 1, 5]);
  const run = (options: object) => f.batchNorm(x, null, null, null, null, options);
  assertThrows(() => run({ training: true, then: "gelu" }), RangeError, "one of none, relu");
  assertThrows(() => run({ training: true, then: 1 }), TypeError, "got then number 1");
  assertThrows(() => run({ training: true, then: "relu-maxpool" }), RangeError, "[4, 3, 1, 5]");
  assertThrows(() => run({ training: true, residual: zeros([3]) }), RangeError, "[3]");
  assertThrows(() => run({ training: true, residual: [1] }), TypeError, "residual");
});

Deno.test("BatchNormAct has a BatchNorm's state, modes and frozen forms", () => {
  const [layer, bn] = [new nn.BatchNormAct(3), new nn.BatchNorm2d(3)];
  assertEquals([...layer.stateDict().keys()], [...bn.stateDict().keys()]);
  const [x, residual] = [random([4, 3, 6, 6]), random([4, 3, 6, 6])];
  const compare = () => {
    const y = layer.forward(x, { residual });
    assertEquals([...y.data], [...bn.forward(x).add(residual).relu().data]);
    assertEquals(bits([...layer.stateDict().values()]), bits([...bn.stateDict().values()]));
  };
  compare();
  for (const change of ["eval", "train", "freeze", "unfreeze"] as const) {
    layer[change]();
    bn[change]();
    compare();
  }
  layer.loadStateDict(new nn.BatchNorm1d(3).stateDict());
  assertEquals(layer.runningMean!.toArray(), [0, 0, 0]);
  assert(layer.toString().endsWith("then=relu)"), layer.toString());
});

Deno.test("BatchNormAct pools, takes a mask, and runs ghost batches part by part", () => {
  const options = { virtualBatchSize: 2, then: "relu-maxpool" as const };
  const [layer, bn] = [
    new nn.BatchNormAct(2, options),
    new nn.BatchNorm2d(2, {
      virtualBatchSize: 2,
    }),
  ];
  const [x, residual] = [random([5, 2, 4, 4]), random([5, 2, 4, 4])];
  const mask = random([5, 1, 4, 4]).gt(-1);
  const expected = f.maxPool2d(bn.forward(x, { mask }).add(residual).relu(), 2);
  assertEquals([...layer.forward(x, { mask, residual }).data], [...expected.data]);
});

Deno.test("what would lose the activation of a BatchNormAct is refused", () => {
  const layer = new nn.BatchNormAct(3).eval();
  const conv = new nn.Conv2d(3, 3, 1).eval();
  assertThrows(() => nn.utils.fuseConvBnEval(conv, layer), RangeError, `then "relu"`);
  assertThrows(() => nn.SyncBatchNorm.convertSyncBatchnorm(layer), RangeError, `then "relu"`);
  assertThrows(() => new nn.BatchNormAct(3, { then: "gelu" as "relu" }), RangeError, "gelu");
  assertThrows(
    () => layer.forward(random([2, 3]), { residual: random([3]) }),
    RangeError,
    "residual of shape [3]",
  );
});

/** The names of the primitives that a forward leaves on the tape, from the output down. */
function namesOf(y: Tensor): string[] {
  const names: string[] = [];
  let node = (y as unknown as { node: { primitive: { name: string }; parents: unknown[] } }).node;
  while (node?.primitive !== undefined) {
    names.push(node.primitive.name);
    node = node.parents[0] as typeof node;
  }
  return names;
}

const net = () =>
  new nn.Sequential(
    new nn.Conv2d(2, 3, 3),
    new nn.BatchNorm2d(3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(3, 4, 1),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
  );
const images = random([3, 2, 9, 8]).requiresGrad_();

Deno.test("a Sequential runs a BatchNorm with what follows it in one pass, with the bits of its layers", () => {
  const row = net();
  const names = namesOf(row.forward(images));
  assertEquals(names, ["batchNormRelu", "conv", "batchNormRelu", "conv"]);
  const other = row.deepCopy();
  const run = (forward: (x: Tensor) => Tensor, module: nn.Module) => {
    const y = forward(images);
    const gradients = grad(y, [images, ...module.parameters()], { gradOutputs: ones(y.shape) });
    return bits([y, ...gradients, ...module.buffers()]);
  };
  const oneByOne = (x: Tensor) => [...other].reduce((x, layer) => layer.forward(x), x);
  for (const mode of [true, false]) {
    row.train(mode);
    other.train(mode);
    assertEquals(run((x) => row.forward(x), row), run(oneByOne, other));
  }
  assertEquals(noGrad(() => [...row.forward(images).data]), [...oneByOne(images).data]);
});

Deno.test("a Sequential runs layers one by one wherever somebody could see the difference", () => {
  const whole = (row: nn.Module) => namesOf(row.forward(images)).includes("maxPool");
  class Own extends nn.ReLU {}
  class Louder extends nn.ReLU {
    override forward(x: Tensor): Tensor {
      return super.forward(x).mul(2);
    }
  }
  class OwnNorm extends nn.BatchNorm2d {}
  const changes: Record<string, (row: nn.Sequential) => void> = {
    "a hook on the norm": (row) => row.at(1).registerForwardHook(() => {}),
    "a hook on relu": (row) => row.at(2).registerForwardHook(() => {}),
    "a hook before the pooling": (row) => row.at(3).registerForwardPreHook(() => {}),
    "a forward of its own": (row) => row.at(2).forward = (x: Tensor) => x.relu(),
    "a subclass of ReLU": (row) => row.set(2, new Own()),
    "a subclass with another forward": (row) => row.set(2, new Louder()),
    "a subclass of BatchNorm2d": (row) => row.set(1, new OwnNorm(3)),
    "another pooling": (row) => row.set(3, new nn.MaxPool2d(2, { ceilMode: true })),
    "overlapping windows": (row) => row.set(3, new nn.MaxPool2d(2, { stride: 1 })),
  };
  for (const [name, change] of Object.entries(changes)) {
    const row = net();
    change(row);
    assert(whole(row), name);
  }
  assert(!whole(net()));
  const before = setInspector({ forward: () => {}, backward: () => {} });
  try {
    assert(whole(net()));
  } finally {
    setInspector(before);
  }
});

Deno.test("a ReLU whose class was patched is called", () => {
  const row = net();
  const { forward } = nn.ReLU.prototype;
  let calls = 0;
  nn.ReLU.prototype.forward = function (x: Tensor): Tensor {
    calls++;
    return forward.call(this, x);
  };
  try {
    row.forward(images);
  } finally {
    nn.ReLU.prototype.forward = forward;
  }
  assertEquals(calls, 2);
});

Deno.test("faults name the layer and the operation that the user wrote", () => {
  const row = net();
  assertThrows(
    () => new nn.Sequential(new nn.BatchNorm2d(3), new nn.ReLU()).forward(images),
    RangeError,
    "in Sequential.0 (BatchNorm2d)",
  );
  noGrad(() => (row.at(1) as nn.BatchNorm2d).weight!.copy_(tensor([NaN, 1, 1])));
  assertThrows(() => detectAnomaly(() => row.forward(images)), Error, "forward of batchNorm ");
  const small = new nn.Sequential(new nn.BatchNorm2d(2), new nn.ReLU(), new nn.MaxPool2d(2));
  assertThrows(() => small.forward(random([4, 2, 1, 5])), RangeError, "maxPool2d");
});

Deno.test("an edit of the bias between forward and backward is as harmless as one by one", () => {
  const row = net();
  const y = row.forward(images);
  noGrad(() => (row.at(1) as nn.BatchNorm2d).bias!.copy_(5));
  y.sum().backward();
});
