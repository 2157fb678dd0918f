import { within } from "../../assert_close.ts";
import { assert, assertEquals, assertFalse, assertStrictEquals, assertThrows } from "@std/assert";
import { Generator, nn, noGrad, randn, type Tensor } from "../../../mod.ts";

const { fuseConvBnEval, fuseLinearBnEval } = nn.utils;
const generator = new Generator(11);
const random = (shape: readonly number[]): Tensor => randn(shape, { generator });

/** A BatchNorm in evaluation with statistics and parameters that are not the first ones. */
function settled<Norm extends nn.BatchNorm>(bn: Norm): Norm {
  noGrad(() => {
    bn.weight?.copy_(random([bn.numFeatures]));
    bn.bias?.copy_(random([bn.numFeatures]));
    bn.runningMean?.copy_(random([bn.numFeatures]));
    bn.runningVar?.copy_(random([bn.numFeatures]).square().add(0.1));
    bn.numBatchesTracked?.copy_(5);
  });
  return bn.eval();
}

const assertClose = within(1e-12);

/** A layer with a bias or without, its BatchNorm, and the shape of an input. */
interface Pair {
  name: string;
  make: (bias: boolean) => Parameters<typeof fuseConvBnEval>[0];
  norm: new (channels: number) => nn.BatchNorm;
  shape: number[];
}

const pairs: Pair[] = [
  {
    name: "Conv1d",
    make: (bias) => new nn.Conv1d(2, 4, 3, { bias }),
    norm: nn.BatchNorm1d,
    shape: [3, 2, 5],
  },
  {
    name: "Conv2d",
    make: (bias) => new nn.Conv2d(2, 4, 3, { bias, padding: 1, stride: 2 }),
    norm: nn.BatchNorm2d,
    shape: [3, 2, 5, 5],
  },
  {
    name: "Conv2d in groups",
    make: (bias) => new nn.Conv2d(4, 6, 3, { bias, groups: 2 }),
    norm: nn.BatchNorm2d,
    shape: [3, 4, 5, 5],
  },
  {
    name: "Conv3d",
    make: (bias) => new nn.Conv3d(2, 3, 2, { bias }),
    norm: nn.BatchNorm3d,
    shape: [2, 2, 3, 3, 3],
  },
  {
    name: "ConvTranspose1d",
    make: (bias) => new nn.ConvTranspose1d(3, 4, 3, { bias, stride: 2 }),
    norm: nn.BatchNorm1d,
    shape: [2, 3, 4],
  },
  {
    name: "ConvTranspose2d",
    make: (bias) => new nn.ConvTranspose2d(3, 4, 3, { bias, padding: 1 }),
    norm: nn.BatchNorm2d,
    shape: [2, 3, 4, 4],
  },
  {
    name: "ConvTranspose2d in groups",
    make: (bias) => new nn.ConvTranspose2d(4, 6, 3, { bias, groups: 2 }),
    norm: nn.BatchNorm2d,
    shape: [2, 4, 4, 4],
  },
  {
    name: "ConvTranspose3d",
    make: (bias) => new nn.ConvTranspose3d(2, 3, 2, { bias }),
    norm: nn.BatchNorm3d,
    shape: [2, 2, 2, 2, 2],
  },
  {
    name: "Linear",
    make: (bias) => new nn.Linear(3, 4, { bias }),
    norm: nn.BatchNorm1d,
    shape: [5, 3],
  },
];

const flags = [true, false];

for (const { name, make, norm, shape } of pairs) {
  Deno.test(`${name} and its BatchNorm become one layer, with or without each of b, γ and β`, () => {
    for (const withBias of flags) {
      for (const withWeight of flags) {
        for (const withShift of flags) {
          const layer = make(withBias).eval();
          const x = random(shape);
          const bn = settled(new norm(noGrad(() => layer.forward(x)).shape[1]));
          if (!withWeight) bn.weight = null;
          if (!withShift) bn.bias = null;
          const fuse = layer instanceof nn.Linear ? fuseLinearBnEval : fuseConvBnEval;
          const fused = fuse(layer, bn);
          assertEquals(fused.constructor, layer.constructor);
          assertClose(fused.forward(x), bn.forward(layer.forward(x)));
        }
      }
    }
  });
}

Deno.test("a BatchNorm without affine fuses as with γ = 1 and β = 0", () => {
  const [linear, x] = [new nn.Linear(3, 4).eval(), random([5, 3])];
  const bn = settled(new nn.BatchNorm1d(4, { affine: false }));
  assertClose(fuseLinearBnEval(linear, bn).forward(x), bn.forward(linear.forward(x)));
});

Deno.test("fusing leaves both layers as they are; the result has a state of its own", () => {
  const conv = new nn.Conv2d(1, 2, 3, { bias: false }).eval();
  const bn = settled(new nn.BatchNorm2d(2));
  conv.forward(random([1, 1, 4, 4])).sum().backward();
  const state = (module: nn.Module) => [...module.stateDict()].map(([k, v]) => [k, v.toArray()]);
  const before = [state(conv), state(bn)];
  const fused = fuseConvBnEval(conv, bn);
  assertEquals([...fused.stateDict().keys()], ["weight", "bias"]);
  noGrad(() => fused.weight.copy_(0));
  assertEquals([state(conv), state(bn)], before);
  assertStrictEquals(conv.bias, null);
  // The gradient was that of another weight.
  assertStrictEquals(fused.weight.grad, null);
  assert(conv.weight.grad !== null);
});

Deno.test("what requires grad before fusing does so after it, as in PyTorch", () => {
  const bn = settled(new nn.BatchNorm1d(2));
  const run = (linear: nn.Linear) => {
    const { weight, bias } = fuseLinearBnEval(linear.eval(), bn);
    return [weight.requiresGrad, bias!.requiresGrad];
  };
  assertEquals(run(new nn.Linear(3, 2)), [true, true]);
  assertEquals(run(new nn.Linear(3, 2, { bias: false })), [true, false]);
  assertEquals(run(new nn.Linear(3, 2).requiresGrad_(false)), [false, false]);
});

Deno.test("fusing refuses training mode, missing statistics and other channels", () => {
  const conv = new nn.Conv2d(1, 2, 3).eval();
  const bn = settled(new nn.BatchNorm2d(2));
  assertThrows(() => fuseConvBnEval(conv.train(), bn), RangeError, "a layer in training mode");
  assertThrows(
    () => fuseConvBnEval(conv.eval(), new nn.BatchNorm2d(2)),
    RangeError,
    "a BatchNorm in training mode",
  );
  assertThrows(
    () => fuseConvBnEval(conv, new nn.BatchNorm2d(2, { trackRunningStats: false }).eval()),
    RangeError,
    "without running statistics",
  );
  assertThrows(
    () => fuseConvBnEval(conv, settled(new nn.BatchNorm2d(3))),
    RangeError,
    "got 2 output channels, expected 3",
  );
  assertFalse(bn.training);
});

Deno.test("a frozen BatchNorm fuses also in a model in training mode", () => {
  const bn = settled(new nn.BatchNorm1d(2)).freeze();
  const linear = new nn.Linear(3, 2).eval();
  bn.train();
  const x = random([4, 3]);
  assertClose(fuseLinearBnEval(linear, bn).forward(x), bn.forward(linear.forward(x)));
});
