import { storageOf } from "../../../autograd/tensor.ts";
import { assert, assertEquals } from "@std/assert";
import { Generator, nn, noGrad, randn, silenceWarnings, tensor } from "../../../mod.ts";

// Batches that are small enough to compute by hand are what is warned of.
silenceWarnings();

const { BatchNorm1d, BatchNorm2d, healthReport } = nn;

function found(model: nn.Module): [string, string, readonly number[]][] {
  return healthReport(model).map(({ code, name, channels }) => [code, name, channels]);
}

function trained(): nn.BatchNorm1d {
  const bn = new BatchNorm1d(3);
  bn.forward(randn([64, 3], { generator: new Generator(1) }));
  return bn;
}

Deno.test("a healthy network has no findings", () => {
  const model = new nn.Sequential(
    new nn.Conv2d(1, 3, 3, { bias: false }),
    new BatchNorm2d(3),
    new nn.Flatten(),
    new nn.Linear(3, 2),
  );
  assertEquals(found(model), []);
  assertEquals(found(trained()), []);
  assertEquals(found(new nn.Linear(2, 2)), []);
});

Deno.test("a channel that never varies is dead", () => {
  const bn = new BatchNorm1d(3, { momentum: 1 });
  bn.forward(tensor([[1, 5, 2], [2, 5, 4], [3, 5, 6]]));
  assertEquals(found(bn), [["dead-channel", "", [1]]]);
  assert(healthReport(bn)[0].message.startsWith("1 of 3 channels never vary"));
});

Deno.test("γ near zero is judged against the layer's largest", () => {
  const bn = trained();
  noGrad(() => bn.weight!.copy_(tensor([10, -0.009, 0.02])));
  assertEquals(found(bn), [["gamma-near-zero", "", [1]]]);
  noGrad(() => bn.weight!.copy_(1e-6));
  // All small alike is a scale, and no channel passes less than another.
  assertEquals(found(bn), []);
  noGrad(() => bn.weight!.copy_(0));
  assertEquals(found(bn), [["gamma-near-zero", "", [0, 1, 2]]]);
});

Deno.test("a variance far below eps, but not 0, is named", () => {
  const bn = new BatchNorm1d(3);
  bn.runningVar!.copy_(tensor([1, 1e-8, 1e-6]));
  assertEquals(found(bn), [["variance-below-eps", "", [1]]]);
});

Deno.test("a bias before a BatchNorm of as many channels is redundant, at any depth", () => {
  const model = new nn.Sequential(
    new nn.Sequential(new nn.Conv2d(1, 4, 3), new BatchNorm2d(4)),
    new nn.ConvTranspose2d(4, 2, 3),
    new BatchNorm2d(2),
    new nn.Linear(4, 3),
    new nn.ReLU(),
    new BatchNorm1d(3),
  );
  assertEquals(found(model), [
    ["redundant-bias", "1", []],
    ["redundant-bias", "0.0", []],
  ]);
});

Deno.test("a bias is not redundant before another width or another norm, or when it is missing", () => {
  const model = new nn.Sequential(
    new nn.Linear(2, 6),
    new BatchNorm1d(3),
    new nn.Linear(6, 4),
    new nn.LayerNorm(4),
    new nn.Linear(4, 4, { bias: false }),
    new BatchNorm1d(4),
    new BatchNorm1d(4),
  );
  assertEquals(found(model), []);
});

Deno.test("layers without γ or statistics are read for what they have", () => {
  const bn = new BatchNorm1d(2, { affine: false, trackRunningStats: false });
  assertEquals(found(bn), []);
  const half = new BatchNorm1d(2, { affine: false, momentum: 1 });
  half.forward(tensor([[1, 1], [1, 2], [1, 3]]));
  assertEquals(found(half), [["dead-channel", "", [0]]]);
});

Deno.test("the report reads only", () => {
  const model = new nn.Sequential(new nn.Linear(3, 3), trained());
  const state = () => [
    [...model.stateDict()].map((
      [name, value],
    ) => [name, value.toArray(), storageOf(value).version]),
    model.modules().map((module) => module.training),
  ];
  const before = state();
  healthReport(model);
  assertEquals(state(), before);
});
