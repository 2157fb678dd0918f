/**
 * Losses: gradients of two orders, kinds of targets, what is refused. Values against PyTorch are in
 * recorded_test.ts.
 */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Generator, grad, gradcheck, log, mul, ones, rand, sum } from "../../autograd/mod.ts";
import { randn, softmax, type Tensor, tensor } from "../../autograd/mod.ts";
import * as nn from "../../nn/mod.ts";

const {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  crossEntropy,
  gaussianNllLoss,
  huberLoss,
  klDiv,
  l1Loss,
  mseLoss,
  nllLoss,
  smoothL1Loss,
} = nn.functional;

const random = new Generator(11);

function normal(...shape: number[]): Tensor {
  return randn(shape, { generator: random, requiresGrad: true });
}

function probabilities(...shape: number[]): Tensor {
  const x = rand(shape, { generator: random });
  return tensor(x.data.map((v) => 0.1 + 0.8 * v), { shape, requiresGrad: true });
}

const signs = tensor([1, -1, 1]);
const f = nn.functional;
const checked: Record<string, [fn: (...xs: Tensor[]) => Tensor, inputs: Tensor[]]> = {
  crossEntropy: [(x) => crossEntropy(x, [0, 2]), [normal(2, 3)]],
  "crossEntropy of probabilities": [
    (x, t) => crossEntropy(x, t, { labelSmoothing: 0.1 }),
    [normal(2, 3), probabilities(2, 3)],
  ],
  nllLoss: [(x) => nllLoss(x, [0, 2]), [normal(2, 3)]],
  mseLoss: [(x, t) => mseLoss(x, t), [normal(2, 3), normal(2, 3)]],
  l1Loss: [(x, t) => l1Loss(x, t), [normal(2, 3), normal(2, 3)]],
  smoothL1Loss: [(x, t) => smoothL1Loss(x, t, { beta: 0.7 }), [normal(2, 3), normal(2, 3)]],
  huberLoss: [(x, t) => huberLoss(x, t, { delta: 0.7 }), [normal(2, 3), normal(2, 3)]],
  binaryCrossEntropy: [(x, t) => binaryCrossEntropy(x, t), [
    probabilities(2, 3),
    probabilities(2, 3),
  ]],
  binaryCrossEntropyWithLogits: [
    (x, t) => binaryCrossEntropyWithLogits(x, t, { posWeight: tensor([2, 0.5, 1]) }),
    [normal(2, 3), probabilities(2, 3)],
  ],
  klDiv: [(x, t) => klDiv(x, t), [normal(2, 3), probabilities(2, 3)]],
  gaussianNllLoss: [(x, t, v) => gaussianNllLoss(x, t, v), [
    normal(2, 3),
    normal(2, 3),
    probabilities(2, 3),
  ]],
  poissonNllLoss: [(x, t) => f.poissonNllLoss(x, t, { logInput: false }), [
    probabilities(2, 3),
    probabilities(2, 3),
  ]],
  hingeEmbeddingLoss: [(x) => f.hingeEmbeddingLoss(x, signs), [normal(3)]],
  cosineEmbeddingLoss: [(x, y) => f.cosineEmbeddingLoss(x, y, signs), [normal(3, 4), normal(3, 4)]],
  marginRankingLoss: [(x, y) => f.marginRankingLoss(x, y, signs), [normal(3), normal(3)]],
  tripletMarginLoss: [(a, p, n) => f.tripletMarginLoss(a, p, n), [
    normal(3, 4),
    normal(3, 4),
    normal(3, 4),
  ]],
  softMarginLoss: [(x) => f.softMarginLoss(x, signs), [normal(3)]],
  multiMarginLoss: [(x) => f.multiMarginLoss(x, [0, 2], { p: 2 }), [normal(2, 3)]],
  multilabelMarginLoss: [(x) => f.multilabelMarginLoss(x, [[0, -1, 0]]), [normal(1, 3)]],
  multilabelSoftMarginLoss: [(x) => f.multilabelSoftMarginLoss(x, ones([2, 3])), [normal(2, 3)]],
};

Deno.test("losses differentiate twice", () => {
  for (const [name, [fn, inputs]] of Object.entries(checked)) {
    assert(gradcheck(fn, inputs, { order: 2 }), name);
  }
});

Deno.test("crossEntropy() differentiates a third time", () => {
  assert(gradcheck((x) => crossEntropy(x, [0, 2]), [normal(2, 3)], { order: 3, atol: 1e-4 }));
});

Deno.test("crossEntropy() of a mean has the gradient (softmax − onehot) / N", () => {
  const x = normal(2, 3);
  const [dx] = grad([crossEntropy(x, [2, 0])], [x]);
  const p = softmax(x, 1).data;
  const expected = p.map((v, i) => (v - (i === 2 || i === 3 ? 1 : 0)) / 2);
  dx!.data.forEach((v, i) => assertAlmostEquals(v, expected[i], 1e-15));
});

Deno.test("crossEntropy() takes classes as an array, a number or a tensor", () => {
  const x = tensor([[1, 2, 3], [0, 0, 0]]);
  const expected = crossEntropy(x, tensor([2, 1])).item();
  assertEquals(crossEntropy(x, [2, 1]).item(), expected);
  assertAlmostEquals(crossEntropy(tensor([0, 0]), 1).item(), Math.log(2));
  const image = tensor([[[1, 2], [3, 4]]]);
  assertEquals(crossEntropy(image, [[0, 1]], { reduction: "none" }).shape, [1, 2]);
});

Deno.test("crossEntropy() of a one-hot target equals that of its class", () => {
  const x = normal(2, 3);
  const hot = tensor([[0, 0, 1], [1, 0, 0]]);
  assertAlmostEquals(crossEntropy(x, hot).item(), crossEntropy(x, [2, 0]).item(), 1e-15);
});

Deno.test("crossEntropy() is NaN without gradient if every target is ignored", () => {
  const x = normal(2, 3);
  const loss = crossEntropy(x, [-100, -100]);
  assert(Number.isNaN(loss.item()));
  assertEquals([...grad([loss], [x])[0]!.data], [0, 0, 0, 0, 0, 0]);
});

Deno.test("crossEntropy() of logits that overflow exp is finite", () => {
  assertEquals(crossEntropy(tensor([[1000, 0]]), [1]).item(), 1000);
});

Deno.test("losses refuse what they cannot use, naming it", () => {
  const x = tensor([[1, 2, 3], [4, 5, 6]]);
  const cases: [fn: () => unknown, type: ErrorConstructor, message: string][] = [
    [() => crossEntropy(x, [0, 3]), RangeError, "got target 3, expected an integer of 0 … 2"],
    [() => crossEntropy(x, [0, 0.5]), RangeError, "got target 0.5"],
    [() => crossEntropy(x, [0]), RangeError, "target of shape [1] for x of shape [2, 3]"],
    [() => crossEntropy(x, "0" as never), TypeError, "got target 0, expected a Tensor or an array"],
    [() => crossEntropy([1] as never, [0]), TypeError, "got x an array of 1, expected a Tensor"],
    [
      () => crossEntropy(x, [0, 1], { reduction: "average" as never }),
      RangeError,
      'got reduction "average", expected one of none, mean, sum',
    ],
    [() => crossEntropy(x, [0, 1], { labelSmoothing: 2 }), RangeError, "expected one in 0 … 1"],
    [() => crossEntropy(x, [0, 1], { weight: ones([2]) }), RangeError, "expected [3]"],
    [() => nllLoss(tensor(1), [0]), RangeError, "expected [C], [N, C] or [N, C, d1, …]"],
    [() => mseLoss(x, ones([4])), RangeError, "Cannot run mseLoss: shapes [2, 3] and [4]"],
    [() => mseLoss(x, 3 as never), TypeError, "got target number 3, expected a Tensor"],
    [() => huberLoss(x, x, { delta: 0 }), RangeError, "got delta 0, expected more than 0"],
    [() => smoothL1Loss(x, x, { beta: -1 }), RangeError, "got beta -1, expected at least 0"],
    [() => smoothL1Loss(x, x, { beta: "1" as never }), TypeError, "expected a number"],
    [() => binaryCrossEntropy(x, x), RangeError, "got x 2, expected probabilities in 0 … 1"],
    [() => binaryCrossEntropyWithLogits(x, ones([3])), RangeError, "expected equal shapes"],
    [() => klDiv(x, x, { reduction: "max" as never }), RangeError, "none, batchmean, sum, mean"],
    [() => gaussianNllLoss(x, x, -1), RangeError, "got variance -1, expected none below 0"],
    [() => f.tripletMarginLoss(x, x, x, { margin: 0 }), RangeError, "expected more than 0"],
    [() => f.tripletMarginLoss(x, x, ones([3])), RangeError, "expected as many dims each"],
    [() => f.multiMarginLoss(x, [0, 1], { p: 3 }), RangeError, "got p 3, expected 1 or 2"],
    [() => f.multilabelMarginLoss(x, [[0, 3, 0], [0, -1, 0]]), RangeError, "got target 3"],
    [
      () => f.cosineEmbeddingLoss(x, x, ones([2, 2])),
      RangeError,
      "expected [N, D], [N, D] and [N]",
    ],
  ];
  for (const [fn, type, message] of cases) {
    const error = assertThrows(fn, type, message);
    assert((error as Error).message.startsWith("Cannot run "), (error as Error).message);
  }
});

Deno.test("mseLoss() with weights is their weighted mean", () => {
  const x = tensor([1, 2]);
  const target = tensor([0, 0]);
  assertEquals(mseLoss(x, target, { weight: tensor([3, 1]) }).item(), (3 + 4) / 4);
});

Deno.test("binaryCrossEntropy() holds logarithms at −100 and its gradient finite", () => {
  const x = tensor([0, 1], { requiresGrad: true });
  const loss = binaryCrossEntropy(x, tensor([1, 0]), { reduction: "none" });
  assertEquals(loss.toArray(), [100, 100]);
  assert(grad([sum(loss)], [x])[0]!.data.every(Number.isFinite));
});

Deno.test("klDiv() counts targets of 0 as 0", () => {
  const x = log(tensor([0.5, 0.5]));
  const loss = klDiv(x, tensor([0, 1]), { reduction: "sum" });
  assertAlmostEquals(loss.item(), Math.log(2));
});

Deno.test("gaussianNllLoss() raises small variances without stopping their gradient", () => {
  const variance = tensor([0], { requiresGrad: true });
  const loss = gaussianNllLoss(tensor([1]), tensor([0]), variance, { eps: 0.5 });
  assertAlmostEquals(loss.item(), (Math.log(0.5) + 2) / 2);
  assertAlmostEquals(grad([loss], [variance])[0]!.item(), (1 / 0.5 - 1 / 0.25) / 2);
});

Deno.test("multiMarginLoss() and multilabelMarginLoss() do not pull at a score just outside the margin", () => {
  const x = tensor([[2, 1]], { requiresGrad: true });
  for (const loss of [f.multiMarginLoss(x, [0]), f.multilabelMarginLoss(x, [[0, -1]])]) {
    assertEquals(grad([loss], [x])[0]!.toArray(), [[0, 0]]);
  }
});

Deno.test("multiMarginLoss() and multilabelMarginLoss() take a scalar as the only class", () => {
  const x = tensor(3, { requiresGrad: true });
  for (const loss of [f.multiMarginLoss(x, 0), f.multilabelMarginLoss(x, 0)]) {
    assertEquals(loss.toArray(), 0);
    assertEquals(grad([loss], [x])[0]!.toArray(), 0);
  }
  assertThrows(() => f.multiMarginLoss(x, 1), RangeError, "got target 1");
});

Deno.test("weights of losses are buffers of the state under PyTorch's names", () => {
  const weight = tensor([1, 2]);
  const keys = (module: nn.Module) => [...module.stateDict().keys()];
  assertEquals(keys(new nn.CrossEntropyLoss({ weight })), ["weight"]);
  assertEquals(keys(new nn.BCEWithLogitsLoss({ weight, posWeight: weight })), [
    "weight",
    "pos_weight",
  ]);
  assertEquals(keys(new nn.NLLLoss()), []);
  assertEquals(new nn.MultiMarginLoss({ weight }).parameters(), []);
});

Deno.test("losses as layers equal the functions", () => {
  const [x, y, z] = [probabilities(3, 4), probabilities(3, 4), probabilities(3, 4)];
  const weight = tensor([1, 2, 3, 4]);
  const classes = [0, 3, 1];
  const pairs: [got: Tensor, expected: Tensor][] = [
    [new nn.CrossEntropyLoss({ weight }).forward(x, classes), crossEntropy(x, classes, { weight })],
    [
      new nn.NLLLoss({ weight, ignoreIndex: 3 }).forward(x, classes),
      nllLoss(x, classes, { weight, ignoreIndex: 3 }),
    ],
    [new nn.BCELoss({ weight }).forward(x, y), binaryCrossEntropy(x, y, { weight })],
    [
      new nn.BCEWithLogitsLoss({ posWeight: weight }).forward(x, y),
      binaryCrossEntropyWithLogits(x, y, { posWeight: weight }),
    ],
    [
      new nn.KLDivLoss({ reduction: "batchmean" }).forward(x, y),
      klDiv(x, y, { reduction: "batchmean" }),
    ],
    [new nn.MSELoss({ reduction: "sum" }).forward(x, y), mseLoss(x, y, { reduction: "sum" })],
    [new nn.L1Loss().forward(x, y), l1Loss(x, y)],
    [new nn.SmoothL1Loss({ beta: 0.1 }).forward(x, y), smoothL1Loss(x, y, { beta: 0.1 })],
    [new nn.HuberLoss({ delta: 0.1 }).forward(x, y), huberLoss(x, y, { delta: 0.1 })],
    [
      new nn.PoissonNLLLoss({ full: true }).forward(x, y),
      f.poissonNllLoss(x, y, { full: true }),
    ],
    [
      new nn.GaussianNLLLoss({ full: true }).forward(x, y, z),
      gaussianNllLoss(x, y, z, { full: true }),
    ],
    [
      new nn.HingeEmbeddingLoss({ margin: 2 }).forward(x, y),
      f.hingeEmbeddingLoss(x, y, { margin: 2 }),
    ],
    [
      new nn.CosineEmbeddingLoss({ margin: 0.1 }).forward(x, y, signs),
      f.cosineEmbeddingLoss(x, y, signs, { margin: 0.1 }),
    ],
    [
      new nn.MarginRankingLoss({ margin: 0.1 }).forward(x, y, z),
      f.marginRankingLoss(x, y, z, { margin: 0.1 }),
    ],
    [
      new nn.TripletMarginLoss({ p: 1, swap: true }).forward(x, y, z),
      f.tripletMarginLoss(x, y, z, { p: 1, swap: true }),
    ],
    [new nn.SoftMarginLoss().forward(x, y), f.softMarginLoss(x, y)],
    [
      new nn.MultiMarginLoss({ p: 2 }).forward(x, classes),
      f.multiMarginLoss(x, classes, { p: 2 }),
    ],
    [
      new nn.MultiLabelMarginLoss().forward(x, mul(ones([3, 4]), -1)),
      f.multilabelMarginLoss(x, mul(ones([3, 4]), -1)),
    ],
    [
      new nn.MultiLabelSoftMarginLoss({ weight }).forward(x, y),
      f.multilabelSoftMarginLoss(x, y, { weight }),
    ],
  ];
  for (const [got, expected] of pairs) assertEquals(got.item(), expected.item());
});
