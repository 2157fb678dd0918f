/**
 * Layers: what constructors accept and refuse, and what is not covered by PyTorch's recorded results.
 */
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { Generator, grad, manualSeed, ones, randn, tensor, zeros } from "../../autograd/mod.ts";
import type { Tensor } from "../../autograd/mod.ts";
import * as nn from "../../nn/mod.ts";

Deno.test("a lone number or string stands for the first option", () => {
  assertEquals(new nn.Softmax(1).dim, new nn.Softmax({ dim: 1 }).dim);
  assertEquals(new nn.LeakyReLU(0.1).negativeSlope, 0.1);
  assertEquals(new nn.ELU(2).alpha, 2);
  assertEquals(new nn.GELU("tanh").approximate, "tanh");
  assertEquals(new nn.Dropout(0.1).p, 0.1);
  assertEquals(new nn.PReLU(3).weight.shape, [3]);
  assertEquals(new nn.Flatten(0).startDim, 0);
});

Deno.test("constructors refuse arguments of the wrong kind or range, naming them", () => {
  const no = (value: unknown) => value as never;
  const cases: [fn: () => unknown, type: ErrorConstructor, message: string][] = [
    [() => new nn.Linear(no("4"), 3), TypeError, "Linear: got inFeatures string 4"],
    [() => new nn.Linear(4, -1), RangeError, "Linear: got outFeatures -1, expected an integer"],
    [() => new nn.Linear(4.5, 1), RangeError, "Linear: got inFeatures 4.5"],
    [() => new nn.Linear(4, 3, no(false)), TypeError, "Linear: got boolean false in place of"],
    [() => new nn.Linear(4, 3, { bias: no(1) }), TypeError, "got bias number 1, expected true"],
    [() => new nn.Conv2d(3, 4, 0), RangeError, "got kernelSize 0, expected an integer of at"],
    [() => new nn.Conv2d(3, 4, [3, 3, 3]), RangeError, "Conv2d: got kernelSize [3, 3, 3]"],
    [() => new nn.Conv2d(3, 4, 3, { groups: 2 }), RangeError, "got inChannels 3 and groups 2"],
    [() => new nn.Conv2d(4, 3, 3, { groups: 2 }), RangeError, "got outChannels 3 and groups 2"],
    [() => new nn.Conv2d(3, 4, 3, { stride: 0 }), RangeError, "got stride 0"],
    [
      () => new nn.Conv2d(3, 4, 3, { padding: "same", stride: 2 }),
      RangeError,
      'got padding "same" and stride [2, 2]',
    ],
    [() => new nn.Conv2d(3, 4, 3, { padding: no("full") }), RangeError, 'got padding "full"'],
    [
      () => new nn.Conv1d(3, 4, 3, { paddingMode: no("mirror") }),
      RangeError,
      'got paddingMode "mirror", expected one of zeros, reflect, replicate, circular',
    ],
    [
      () => new nn.ConvTranspose1d(3, 4, 3, { paddingMode: no("reflect") }),
      RangeError,
      "expected one of zeros",
    ],
    [() => new nn.ConvTranspose1d(3, 4, 3, { outputPadding: -1 }), RangeError, "outputPadding -1"],
    [
      () => new nn.ConvTranspose1d(3, 4, 3, { padding: no("same") }),
      TypeError,
      "got padding string same, expected a number or 1 of them",
    ],
    [() => new nn.MaxPool2d(no("2")), TypeError, "MaxPool2d: got kernelSize string 2"],
    [() => new nn.MaxPool2d(2, no(2)), TypeError, "such as { stride: … }"],
    [() => new nn.MaxPool2d(2, { ceilMode: no(1) }), TypeError, "got ceilMode number 1"],
    [() => new nn.AvgPool1d(2, { stride: 0 }), RangeError, "got stride 0"],
    [() => new nn.ELU(NaN), RangeError, "got alpha NaN, expected a number"],
    [() => new nn.ELU(no("1")), TypeError, "got alpha string 1"],
    [() => new nn.ELU(no([1])), TypeError, "expected an object such as { alpha: … }"],
    [() => new nn.GELU(no("erf")), RangeError, 'got approximate "erf", expected one of none, tanh'],
    [() => new nn.Hardtanh({ minVal: 1, maxVal: 1 }), RangeError, "expected minVal < maxVal"],
    [() => new nn.PReLU(0), RangeError, "got numParameters 0, expected an integer of at least"],
    [() => new nn.Softmax(0.5), RangeError, "got dim 0.5, expected an integer"],
    [() => new nn.Dropout(1.5), RangeError, "got p 1.5, expected a probability in 0 … 1"],
    [() => new nn.Embedding(3, 2, { paddingIdx: 3 }), RangeError, "got paddingIdx 3, expected one"],
    [() => nn.Embedding.fromPretrained(ones([3])), RangeError, "expected a matrix"],
    [() => new nn.ZeroPad2d([1, 2]), RangeError, "got padding [1, 2], expected a number or 4"],
    [() => new nn.ZeroPad2d(no("1")), TypeError, "got padding string 1"],
    [() => new nn.ConstantPad1d(1, no("0")), TypeError, "got value string 0"],
    [() => new nn.Unflatten(1, no(3)), TypeError, "got unflattenedSize 3, expected a list"],
    [() => new nn.MSELoss(no("sum")), TypeError, "MSELoss: got string sum in place of the"],
    [() => new nn.MSELoss({ reduction: no("avg") }), RangeError, 'got reduction "avg"'],
    [() => new nn.CrossEntropyLoss({ weight: no([1]) }), TypeError, "got weight an array of 1"],
    [() => new nn.KLDivLoss({ logTarget: no(1) }), TypeError, "got logTarget number 1"],
    [() => new nn.LocalResponseNorm(0), RangeError, "got size 0"],
  ];
  for (const [fn, type, message] of cases) {
    const error = assertThrows(fn, type, message) as Error;
    assert(error.message.startsWith("Cannot make "), error.message);
  }
});

Deno.test("a generator of a layer's own draws its first weights", () => {
  const first = new nn.Linear(3, 2, { generator: new Generator(5) });
  manualSeed(0);
  const again = new nn.Linear(3, 2, { generator: new Generator(5) });
  assertEquals(first.weight.toArray(), again.weight.toArray());
  manualSeed(5);
  assertEquals(new nn.Linear(3, 2).weight.toArray(), first.weight.toArray());
});

Deno.test("resetParameters() draws weights anew and keeps the tensors", () => {
  const layer = new nn.Conv2d(1, 2, 3);
  const { weight } = layer;
  const before = weight.toArray();
  layer.resetParameters();
  assert(layer.weight === weight);
  assertNotEquals(weight.toArray(), before);
  const prelu = new nn.PReLU({ init: 0.5 });
  prelu.weight.detach().copy_(9);
  prelu.resetParameters();
  assertEquals(prelu.weight.toArray(), [0.5]);
  new nn.Bilinear(2, 2, 1).resetParameters();
  new nn.Embedding(2, 2).resetParameters();
});

Deno.test("layers with no weights at all can be made", () => {
  assertEquals(new nn.Linear(0, 3).forward(zeros([2, 0])).shape, [2, 3]);
  assertEquals(new nn.Embedding(0, 3).weight.shape, [0, 3]);
});

Deno.test("MaxPool2d with returnIndices gives output and indices", () => {
  const pool = new nn.MaxPool2d(2, { returnIndices: true });
  const [y, indices] = pool.forward(tensor([[[1, 3], [2, 0]]]));
  assertEquals([y.toArray(), indices.toArray()], [[[[3]]], [[[1]]]]);
  const [, where] = new nn.AdaptiveMaxPool2d(1, { returnIndices: true })
    .forward(tensor([[[1, 3], [2, 0]]]));
  assertEquals(where.item(), 1);
});

Deno.test("ConvTranspose2d reaches the output size asked for, and no other", () => {
  const layer = new nn.ConvTranspose2d(1, 1, 3, { stride: 2, padding: 1 });
  const x = zeros([1, 1, 4, 4]);
  for (const size of [7, 8]) {
    assertEquals(layer.forward(x, { outputSize: [size, 8] }).shape, [1, 1, size, 8]);
  }
  assertThrows(
    () => layer.forward(x, { outputSize: [9, 8] }),
    RangeError,
    "got outputSize [9, 8] for x of shape [1, 1, 4, 4], expected from [7, 7] to [8, 8]",
  );
});

Deno.test("Embedding.fromPretrained shares its table and does not learn unless told", () => {
  const table = tensor([[1, 2], [3, 4]]);
  const frozen = nn.Embedding.fromPretrained(table);
  assertEquals(frozen.forward([1]).toArray(), [[3, 4]]);
  assert(!frozen.weight.requiresGrad);
  assertEquals([...frozen.stateDict().keys()], ["weight"]);
  const learning = nn.Embedding.fromPretrained(table, { freeze: false, paddingIdx: -1 });
  const [g] = grad([learning.forward([0, 1]).sum()], [learning.weight]);
  assertEquals(g!.toArray(), [[1, 1], [0, 0]]);
  assertEquals(String(learning), "Embedding(2, 2, padding_idx=1)");
});

Deno.test("dropout keeps the expectation, and everything in evaluation", () => {
  const layer = new nn.Dropout({ p: 0.3, generator: new Generator(2) });
  const x = ones([20_000]);
  const y = layer.forward(x);
  const kept = y.data.filter((v) => v !== 0).length / y.size;
  // Five standard deviations of the share that stays.
  assert(Math.abs(kept - 0.7) < 5 * Math.sqrt(0.3 * 0.7 / y.size), `${kept}`);
  assert(y.data.every((v) => v === 0 || v === 1 / 0.7));
  assert(layer.eval().forward(x) === x);
});

Deno.test("dropout passes gradients where it let values through", () => {
  const x = randn([50], { requiresGrad: true });
  const y = nn.functional.dropout(x, { p: 0.5, generator: new Generator(1) });
  const [g] = grad([y.sum()], [x]);
  assertEquals([...g!.data], [...y.data].map((v) => v === 0 ? 0 : 2));
});

Deno.test("dropout2d drops whole channels", () => {
  const y = nn.functional.dropout2d(ones([4, 8, 3, 3]), { generator: new Generator(3) });
  for (let i = 0; i < y.size; i += 9) assertEquals(new Set(y.data.slice(i, i + 9)).size, 1);
  assertEquals(new Set(y.data), new Set([0, 2]));
});

Deno.test("dropout refuses probabilities outside 0 … 1 and inputs without channels", () => {
  const { dropout, dropout2d } = nn.functional;
  assertThrows(() => dropout(ones([2]), { p: -0.1 }), RangeError, "got p -0.1");
  assertThrows(() => dropout(ones([2]), { p: NaN }), RangeError, "got p NaN");
  assertThrows(() => dropout(ones([2]), { training: 1 as never }), TypeError, "got training 1");
  assertThrows(() => dropout2d(ones([2, 2])), RangeError, "expected 3 or 4 dims");
});

Deno.test("Unflatten refuses sizes that do not make up the axis", () => {
  assertThrows(
    () => new nn.Unflatten(1, [2, 2]).forward(ones([1, 6])),
    RangeError,
    "got x of shape [1, 6], dim 1 and unflattenedSize [2, 2]",
  );
  assertEquals(new nn.Unflatten(-1, [2, -1]).forward(ones([1, 6])).shape, [1, 2, 3]);
});

Deno.test("resizing and distance layers equal their functions", () => {
  const x = randn([1, 2, 4, 4]);
  const f = nn.functional;
  assertEquals(
    new nn.Upsample({ scaleFactor: 2 }).forward(x).toArray(),
    f.interpolate(x, { scaleFactor: 2 }).toArray(),
  );
  const columns = new nn.Unfold(2, { stride: 2 }).forward(x);
  assertEquals(columns.toArray(), f.unfold(x, 2, { stride: 2 }).toArray());
  assertEquals(new nn.Fold(4, 2, { stride: 2 }).forward(columns).toArray(), x.toArray());
  const [a, b] = [randn([3, 2]), randn([3, 2])];
  assertEquals(
    new nn.PairwiseDistance(1).forward(a, b).toArray(),
    f.pairwiseDistance(a, b, { p: 1 }).toArray(),
  );
  assertEquals(
    new nn.CosineSimilarity(1).forward(a, b).toArray(),
    f.cosineSimilarity(a, b).toArray(),
  );
});

Deno.test("activations and paddings as layers equal their functions", () => {
  const f = nn.functional;
  const x = randn([2, 4, 3]);
  const volume = randn([1, 2, 2, 3, 4]);
  const pairs: [got: Tensor, expected: Tensor][] = [
    [new nn.SELU().forward(x), f.selu(x)],
    [new nn.Mish().forward(x), f.mish(x)],
    [new nn.Hardswish().forward(x), f.hardswish(x)],
    [new nn.LogSigmoid().forward(x), f.logsigmoid(x)],
    [new nn.LeakyReLU(0.3).forward(x), f.leakyRelu(x, { negativeSlope: 0.3 })],
    [
      new nn.Hardtanh({ minVal: -0.1, maxVal: 0.2 }).forward(x),
      f.hardtanh(x, { minVal: -0.1, maxVal: 0.2 }),
    ],
    [new nn.GELU("tanh").forward(x), f.gelu(x, { approximate: "tanh" })],
    [new nn.CELU(0.5).forward(x), f.celu(x, { alpha: 0.5 })],
    [new nn.Hardsigmoid().forward(x), f.hardsigmoid(x)],
    [new nn.Softsign().forward(x), f.softsign(x)],
    [new nn.Tanhshrink().forward(x), f.tanhshrink(x)],
    [new nn.Hardshrink(0.2).forward(x), f.hardshrink(x, { lambd: 0.2 })],
    [new nn.Softshrink(0.2).forward(x), f.softshrink(x, { lambd: 0.2 })],
    [new nn.Threshold(0.1, 7).forward(x), f.threshold(x, 0.1, 7)],
    [new nn.Softmax().forward(x), f.softmax(x, 0)],
    [new nn.LogSoftmax().forward(volume), f.logSoftmax(volume, 1)],
    [new nn.AdaptiveAvgPool1d(2).forward(x), f.adaptiveAvgPool1d(x, 2)],
    [new nn.AdaptiveMaxPool1d(2).forward(x), f.adaptiveMaxPool1d(x, 2)],
    [new nn.MaxPool3d(2).forward(volume), f.maxPool3d(volume, 2)],
    [new nn.AvgPool3d(2).forward(volume), f.avgPool3d(volume, 2)],
    [new nn.ZeroPad1d(1).forward(x), f.pad(x, [1, 1])],
    [new nn.ZeroPad3d(1).forward(volume), f.pad(volume, [1, 1, 1, 1, 1, 1])],
    [new nn.ConstantPad2d(1, 2).forward(x), f.pad(x, [1, 1, 1, 1], { value: 2 })],
    [
      new nn.ConstantPad3d([1, 0, 0, 0, 0, 2], 3).forward(volume),
      f.pad(volume, [1, 0, 0, 0, 0, 2], { value: 3 }),
    ],
    [new nn.ReflectionPad2d(1).forward(x), f.pad(x, [1, 1, 1, 1], { mode: "reflect" })],
    [
      new nn.ReflectionPad3d(1).forward(volume),
      f.pad(volume, [1, 1, 1, 1, 1, 1], { mode: "reflect" }),
    ],
    [new nn.ReplicationPad1d(2).forward(x), f.pad(x, [2, 2], { mode: "replicate" })],
    [new nn.CircularPad1d(2).forward(x), f.pad(x, [2, 2], { mode: "circular" })],
    [new nn.CircularPad2d(1).forward(x), f.pad(x, [1, 1, 1, 1], { mode: "circular" })],
    [
      new nn.CircularPad3d(1).forward(volume),
      f.pad(volume, [1, 1, 1, 1, 1, 1], { mode: "circular" }),
    ],
    [new nn.Identity().forward(x), x],
  ];
  for (const [i, [got, expected]] of pairs.entries()) {
    assertEquals(got.toArray(), expected.toArray(), `pair ${i}`);
  }
});
