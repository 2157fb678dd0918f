/**
 * The trailing options object: what may stand in its place, and PyTorch's two spellings of a
 * correction.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { nn, ones, std, stdMean, type Tensor, tensor, variance, varMean } from "../../mod.ts";
import * as entry from "../../mod.ts";

type AnyFunction = (...args: unknown[]) => unknown;

const x = tensor([[1, 2], [3, 4]]);
const images = ones([1, 1, 4, 4]);
const kernel = ones([1, 1, 2, 2]);

// Each as one would write it in Python, with the first option by its place.
const misplaced: [name: string, args: unknown[], key: string][] = [
  ...["sum", "mean", "prod", "logsumexp", "amax", "amin", "argmax", "argmin", "variance", "std"]
    .map(
      (name): [string, unknown[], string] => [name, [x, 1], "dim"],
    ),
  ["norm", [x, 1], "p"],
  ["cat", [[x, x], 1], "dim"],
  ["stack", [[x, x], 1], "dim"],
  ["chunk", [x, 2, 1], "dim"],
  ["split", [x, 1, 1], "dim"],
  ["flatten", [x, 0], "startDim"],
  ["diagonal", [x, 1], "offset"],
  ["hardtanh", [x, -2], "minVal"],
  ["leakyRelu", [x, 0.2], "negativeSlope"],
  ["elu", [x, 0.2], "alpha"],
  ["gelu", [x, "tanh"], "approximate"],
  ["softplus", [x, 2], "beta"],
  ["glu", [x, 0], "dim"],
  ["maxPool2d", [images, 2, 1], "stride"],
  ["avgPool2d", [images, 2, [1, 1]], "stride"],
  ["conv2d", [images, kernel, null, 2], "stride"],
  ["convTranspose2d", [images, kernel, null, null], "stride"],
  ["dropout", [x, 0.1], "p"],
  ["add", [x, x, 2], "alpha"],
  ["sub", [x, x, 2], "alpha"],
  ["div", [x, x, "floor"], "roundingMode"],
  ["addmm", [x, x, x, 2], "beta"],
  ["clamp", [x, 0], "min"],
  ["interpolate", [images, 2], "size"],
  ["pad", [x, [1, 1], "reflect"], "mode"],
  ["embedding", [[0], x, 0], "paddingIdx"],
  ["unfold", [images, 2, 1], "dilation"],
  ["normalize", [x, 2], "p"],
  ["cosineSimilarity", [x, x, 1], "dim"],
  ["pairwiseDistance", [x, x, 2], "p"],
  ["batchNorm", [x, null, null, null, null, true], "training"],
  ["instanceNorm", [images, null], "runningMean"],
  ["layerNorm", [x, [2], null, null, 1e-5], "eps"],
  ["groupNorm", [x, 1, null, null, 1e-5], "eps"],
  ["rmsNorm", [x, [2], null, 1e-5], "eps"],
  ["localResponseNorm", [images, 2, 1e-4], "alpha"],
  ["scaledDotProductAttention", [x, x, x, x], "attnMask"],
  ["mseLoss", [x, x, "sum"], "reduction"],
  ["l1Loss", [x, x, "sum"], "reduction"],
  ["smoothL1Loss", [x, x, "sum"], "reduction"],
  ["huberLoss", [x, x, "sum"], "reduction"],
  ["crossEntropy", [x, [0, 1], ones([2])], "weight"],
  ["nllLoss", [x, [0, 1], ones([2])], "weight"],
  ["binaryCrossEntropy", [x, x, x], "weight"],
  ["binaryCrossEntropyWithLogits", [x, x, x], "weight"],
  ["klDiv", [x, x, "sum"], "reduction"],
  ["poissonNllLoss", [x, x, false], "logInput"],
  ["gaussianNllLoss", [x, x, x, true], "full"],
  ["hingeEmbeddingLoss", [x, x, 1], "margin"],
  ["cosineEmbeddingLoss", [x, x, ones([2]), 1], "margin"],
  ["marginRankingLoss", [x, x, x, 1], "margin"],
  ["tripletMarginLoss", [x, x, x, 1], "margin"],
  ["multiMarginLoss", [x, [0, 1], 1], "p"],
  ["softMarginLoss", [x, x, "sum"], "reduction"],
  ["multilabelMarginLoss", [x, [[0, -1], [1, -1]], "sum"], "reduction"],
  ["multilabelSoftMarginLoss", [x, x, x], "weight"],
  ["grad", [x, x, x], "gradOutputs"],
  ["rand", [[2], 1], "generator"],
  ["zeros", [[2], true], "requiresGrad"],
];

Deno.test("an option by its place is refused, naming the key that is meant", () => {
  const rooms = { ...entry, ...nn.functional } as unknown as Record<string, AnyFunction>;
  for (const [name, args, key] of misplaced) {
    assertThrows(() => rooms[name](...args), TypeError, `an object such as { ${key}: … }`, name);
  }
});

Deno.test("unbiased is a correction of 1 or 0, in functions and methods", () => {
  for (const moment of [variance, std]) {
    assertEquals(moment(x, { unbiased: true }).item(), moment(x).item());
    assertEquals(
      moment(x, { dim: 0, unbiased: false }).toArray(),
      moment(x, { dim: 0, correction: 0 }).toArray(),
    );
  }
  assertEquals(x.var({ unbiased: false }).item(), 1.25);
  assertEquals(varMean(x, { unbiased: false }).map((m: Tensor) => m.item()), [1.25, 2.5]);
  assertEquals(stdMean(x, { unbiased: false })[0].item(), Math.sqrt(1.25));
  assertThrows(
    () => variance(x, { correction: 0, unbiased: false }),
    RangeError,
    "Cannot variance: got both correction and unbiased",
  );
  const one = 1 as unknown as boolean;
  assertThrows(() => std(x, { unbiased: one }), TypeError, "Cannot std: got unbiased number 1");
});

Deno.test("an unknown option is refused by name, one that is absent is not", () => {
  const rooms = { ...entry, ...nn.functional } as unknown as Record<string, AnyFunction>;
  for (const [name, args, key] of misplaced) {
    const given = args.slice(0, -1);
    const unknown = () => rooms[name](...given, { keepDim: true });
    assertThrows(unknown, TypeError, `got an option keepDim, expected`, name);
    assertThrows(unknown, TypeError, key, name);
  }
  assertThrows(
    () => entry.sum(x, { keepDim: true } as object),
    TypeError,
    "Cannot sum: got an option keepDim, expected one of dim, keepdim",
  );
  const absent = { keepdim: undefined, dtype: undefined, sizeAverage: null } as object;
  assertEquals(entry.sum(x, absent).item(), 10);
});

Deno.test("what all objects inherit is no option that was asked for", () => {
  const prototype = Object.prototype as { shared?: () => void };
  prototype.shared = () => {};
  try {
    assertEquals(entry.sum(x, { dim: 0 }).toArray(), [4, 6]);
  } finally {
    delete prototype.shared;
  }
  // Known options may be inherited.
  assertEquals(entry.sum(x, Object.create({ dim: 0 })).toArray(), [4, 6]);
});

Deno.test("the kernels refuse an option that they do not know", () => {
  assertThrows(
    () => entry.kernels.configure({ determinstic: true } as object),
    TypeError,
    "Cannot configure the kernels: got an option determinstic, expected one of deterministic, plain, conv",
  );
  assertThrows(
    () => entry.kernels.configure({ conv: "winograd" } as object),
    TypeError,
    'Cannot configure the kernels: got conv "winograd", expected "auto" or "direct"',
  );
});

Deno.test("an option that asks for what is so anyway may stand, one that asks for more may not", () => {
  const { relu, softmax } = nn.functional as unknown as Record<string, AnyFunction>;
  relu(x, { inplace: false });
  softmax(x, 0, { dtype: "float64" });
  assertThrows(() => relu(x, { inplace: true }), TypeError, "got an option inplace");
  assertThrows(() => softmax(x, 0, { dtype: "float32" }), TypeError, "got an option dtype");
});

// Arguments that each takes, without options.
const plain: [args: unknown[], names: string][] = [
  [[x], "neg abs sign exp expm1 log log1p sqrt rsqrt square reciprocal sin cos tanh sigmoid erf"],
  [[x, x], "mul pow maximum minimum eq ne lt le gt ge matmul mm clampMin clampMax"],
  [[x, 0], "cumsum tril triu softmax logSoftmax"],
  [[x, 0, [0]], "indexSelect"],
  [[x, 0, [[0]]], "gather"],
  [[x, 0, [[0]], x], "scatterAdd"],
  [[x, x, x], "where"],
  [[ones([1, 2, 2]), ones([1, 2, 2])], "bmm"],
  [[x, ones([2])], "mv"],
  [[ones([2]), ones([2])], "dot outer"],
  [[0, 3, 1], "arange linspace"],
  [[2, 2], "eye"],
  [[x], "relu relu6 selu silu mish hardswish hardsigmoid logsigmoid softsign tanhshrink"],
  [[x, ones([1])], "prelu"],
  [[x, 0], "softmin"],
  [[x, x, 0], "maskedFill"],
  [[x, 1, 0], "threshold"],
];

Deno.test("an option out is refused instead of left as it was", () => {
  const out = ones([2, 2]);
  const rooms = entry as unknown as Record<string, AnyFunction>;
  for (const [args, names] of plain) {
    for (const name of names.split(" ")) {
      rooms[name](...args, { out: undefined });
      const call = () => rooms[name](...args, { out });
      assertThrows(call, TypeError, "got an option out, expected none", name);
    }
  }
  assertThrows(() => rooms.cat([x, x], { dim: 0, out }), TypeError, "got an option out");
  assertThrows(() => rooms.max(x, { dim: 0, out }), TypeError, "got an option out");
  assertThrows(() => rooms.mul(x, x, out), TypeError, "got a Tensor of shape [2, 2] in place of");
});

Deno.test("what map and reduce hand on with each element is no option", () => {
  const list = [x, x, x];
  assertEquals(list.map(entry.neg)[2].toArray(), [[-1, -2], [-3, -4]]);
  assertEquals(list.reduce(entry.mul).toArray(), [[1, 8], [27, 64]]);
});
