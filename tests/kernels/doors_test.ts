/**
 * Every vectorised kernel runs when an operation is called that has one. A door whose line is dropped,
 * memory that no array lies in, or a path that is switched off would leave results as they are: the
 * plain kernels are right too. So calls of the module's exports are counted.
 */
import { assert, assertEquals } from "@std/assert";
import {
  Generator,
  kernels,
  nn,
  optim,
  randn,
  silenceWarnings,
  type Tensor,
  tensor,
} from "../../mod.ts";
import * as tg from "../../mod.ts";
import * as doors from "../../autograd/kernels/mod.ts";
import { type Kernels, observeKernels, useBuild } from "../../autograd/runtime/instance.ts";
import type { KernelName } from "../../autograd/runtime/module.ts";
import { numbers, testBuilds } from "./pooled.ts";

silenceWarnings();

const calls = new Map<string, number>();

// Counts calls, and lets the kernels do their work.
observeKernels((exports) => {
  const counted: Record<string, (...args: number[]) => number> = {};
  for (const [name, kernel] of Object.entries(exports) as [string, Kernels[KernelName]][]) {
    if (typeof kernel !== "function") continue;
    counted[name] = (...args) => {
      calls.set(name, (calls.get(name) ?? 0) + 1);
      return kernel(...args);
    };
  }
  return counted as unknown as Kernels;
});

const { functional: f } = nn;

function values(shape: readonly number[], seed = 1): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(numbers(count, seed), { shape, requiresGrad: true });
}

/** The gradients of Σ c·y by the inputs, with c that differs from element to element. */
function gradients(inputs: readonly Tensor[], run: (...inputs: Tensor[]) => Tensor): Tensor[] {
  const y = run(...inputs);
  const c = randn(y.shape, { generator: new Generator(5) });
  return tg.grad(y, inputs, { gradOutputs: c }) as Tensor[];
}

const [x, y] = [values([4, 48]), values([4, 48], 2)];
const positive = x.detach().abs().add(0.1);
const images = values([2, 3, 8, 10]);

function optimizerStep(make: (params: Tensor[]) => optim.Optimizer): Tensor {
  const p = tensor(numbers(64, 3), { requiresGrad: true });
  const optimizer = make([p]);
  p.grad = tensor(numbers(64, 4));
  optimizer.step();
  return p.detach();
}

/** What only other kernels call, or what tells how much memory one needs. */
type Inner =
  | "repeatRow"
  | "sumOf"
  | "addToRuns"
  | "blockScratchBytes"
  | "convScratchBytes"
  | "convWeightScratchBytes"
  | "gemmScratchBytes"
  | "gemmPack"
  | "gemmRows"
  | "winogradBlock"
  | "winogradScratchBytes"
  | "winogradSumBytes"
  | "winogradWeightBytes"
  | "winogradWeightEnd"
  | "winogradWeightScratchBytes"
  | "winogradWeights";

/** For each kernel an operation that reaches it. */
const operations: Record<Exclude<KernelName, Inner>, () => Tensor | readonly Tensor[]> = {
  abs: () => tg.abs(x),
  adamStep: () => optimizerStep((params) => new optim.Adam(params, { lr: 0.1 })),
  add: () => tg.add(x, y),
  addRow: () => f.linear(x, values([32, 48]), values([32])),
  avgPoolWindows: () => f.avgPool2d(images, 3),
  avgPoolWindowsBack: () => gradients([images], (x) => f.avgPool2d(x, 3)),
  batchNormBackward: () =>
    gradients([images], (x) => f.batchNorm(x, null, null, null, null, { training: true })),
  batchNormForward: () => f.batchNorm(images, null, null, null, null, { training: true }),
  convForward: () => f.conv2d(images, values([4, 3, 3, 3])),
  convWeightGradient: () => gradients([values([4, 3, 3, 3])], (w) => f.conv2d(images, w)),
  crossEntropyGradient: () => gradients([x], (x) => f.crossEntropy(x, [0, 5, 47, 3])),
  crossEntropyLosses: () => f.crossEntropy(x, [0, 5, 47, 3]),
  div: () => tg.div(x, positive),
  erf: () => tg.erf(x),
  exp: () => tg.exp(x),
  gelu: () => f.gelu(x),
  geluBackward: () => gradients([x], (x) => f.gelu(x)),
  gemmBatched: () => tg.matmul(x, values([48, 40])),
  imageAffine: () => f.groupNorm(images, 3),
  imageCotangentSums: () => gradients([images], (x) => f.groupNorm(x, 3)),
  imageInputGradient: () => gradients([images], (x) => f.groupNorm(x, 3)),
  imageStatistics: () => f.groupNorm(images, 3),
  log: () => tg.log(positive),
  logSoftmaxBackwardRows: () => gradients([x], (x) => f.logSoftmax(x, 1)),
  logSoftmaxRows: () => f.logSoftmax(x, 1),
  maxPoolPairs: () => f.maxPool2d(images, 2),
  maxPoolWindows: () => f.maxPool2d(images, 3),
  mul: () => tg.mul(x, y),
  neg: () => tg.neg(x),
  normRows: () => f.layerNorm(x, [48]),
  normRowsGradient: () => gradients([x], (x) => f.layerNorm(x, [48])),
  relu: () => f.relu(x),
  reluBackward: () => gradients([x], (x) => f.relu(x)),
  rsqrt: () => tg.rsqrt(positive),
  scaleRows: () => f.rmsNorm(x, [48]),
  scatterPlanes: () => gradients([images], (x) => f.maxPool2d(x, 2)),
  sgdStep: () => optimizerStep((params) => new optim.SGD(params, { lr: 0.1, momentum: 0.9 })),
  sigmoid: () => tg.sigmoid(x),
  sigmoidBackward: () => gradients([x], (x) => tg.sigmoid(x)),
  silu: () => f.silu(x),
  softmaxBackwardRows: () => gradients([x], (x) => f.softmax(x, 1)),
  softmaxRows: () => f.softmax(x, 1),
  sqrtOf: () => tg.sqrt(positive),
  square: () => tg.square(x),
  sub: () => tg.sub(x, y),
  sumChannels: () => gradients([values([3, 1, 1])], (w) => tg.mul(images, w)),
  sumColumns: () => tg.sum(x, { dim: 0 }),
  sumRows: () => tg.sum(x, { dim: 1 }),
  tanh: () => tg.tanh(x),
  tanhBackward: () => gradients([x], (x) => tg.tanh(x)),
  winogradForward: () => f.conv2d(values([2, 8, 8, 10]), values([8, 8, 3, 3]), values([8])),
  winogradWeightSums: () =>
    gradients([values([8, 8, 3, 3])], (w) => f.conv2d(values([2, 8, 8, 10]), w)),
};

function flat(result: Tensor | readonly Tensor[]): number[] {
  return [result].flat().flatMap((part) => [...(part as Tensor).data]);
}

testBuilds("every vectorised kernel runs, and agrees with the plain one", (build) => {
  for (const [name, run] of Object.entries(operations)) {
    calls.delete(name);
    const actual = flat(run());
    assert(calls.has(name), `${name} did not run`);
    useBuild("plain");
    const expected = flat(run());
    useBuild(build);
    assertEquals(actual.length, expected.length);
    actual.forEach((value, i) =>
      assert(
        Math.abs(value - expected[i]) <= 1e-12 * (1 + Math.abs(expected[i])),
        `${name}[${i}]: ${value}, plain ${expected[i]}`,
      )
    );
  }
});

Deno.test("threads pack once and take rows of a large product", async () => {
  await kernels.setThreads(2);
  try {
    const [a, b] = [values([128, 96]), values([96, 128])];
    calls.clear();
    const actual = flat(tg.matmul(a, b));
    assert(calls.has("gemmPack") || calls.has("gemmRows"), [...calls.keys()].join());
    await kernels.setThreads(1);
    assertEquals(actual, flat(tg.matmul(a, b)));
  } finally {
    await kernels.setThreads(1);
  }
});

/** The kernel behind each door whose name is another. */
const kernelOfDoor: Readonly<Record<string, keyof typeof operations>> = {
  avgPool: "avgPoolWindows",
  avgPoolTranspose: "avgPoolWindowsBack",
  batchNormReluBackward: "batchNormBackward",
  batchNormReluForward: "batchNormForward",
  batchStatistics: "imageStatistics",
  channelAffine: "imageAffine",
  channelGradient: "imageInputGradient",
  cotangentSums: "imageCotangentSums",
  crossEntropy: "crossEntropyLosses",
  crossEntropyBackward: "crossEntropyGradient",
  logSoftmax: "logSoftmaxRows",
  logSoftmaxBackward: "logSoftmaxBackwardRows",
  matmul: "gemmBatched",
  maxPool: "maxPoolWindows",
  powNumber: "square",
  rowAffine: "normRows",
  rowGradient: "normRowsGradient",
  rowScale: "scaleRows",
  rowScaleGradient: "normRowsGradient",
  scatterStrided: "sumRows",
  softmax: "softmaxRows",
  softmaxBackward: "softmaxBackwardRows",
  sqrt: "sqrtOf",
};

function normAndRelu(x: Tensor): Tensor {
  return f.batchNorm(x, null, null, null, null, { training: true, then: "relu" });
}

/** An operation for each door that shares its kernel with another one. */
const operationOfDoor: Readonly<Record<string, () => Tensor | readonly Tensor[]>> = {
  batchNormReluBackward: () => gradients([images], normAndRelu),
  batchNormReluForward: () => normAndRelu(images),
  rowScaleGradient: () => gradients([x], (x) => f.rmsNorm(x, [48])),
};

testBuilds("behind every door of the tables a vectorised kernel runs", () => {
  const vectorised = Object.entries(doors).filter(([, kernel]) =>
    typeof kernel === "function" && "plain" in kernel
  );
  // Fewer lines than this would mean that doors were dropped.
  assert(vectorised.length >= 40, vectorised.map(([name]) => name).join());
  for (const [door, kernel] of vectorised) {
    assert(typeof (kernel as { plain: unknown }).plain === "function", door);
    const name = kernelOfDoor[door] ?? door as keyof typeof operations;
    const run = operationOfDoor[door] ?? operations[name];
    assert(run !== undefined, `no operation is known that goes through ${door}`);
    calls.delete(name);
    flat(run());
    assert(calls.has(name), `${door} did not run ${name}`);
  }
});

testBuilds("a convolution's gradient by its input is a packed convolution too", () => {
  calls.clear();
  gradients([images], (x) => f.conv2d(x, values([4, 3, 3, 3])));
  assertEquals(calls.get("convForward"), 2);
});

testBuilds(
  "8 channels and their gradients take fewer multiplications, unless told otherwise",
  () => {
    const names = ["winogradForward", "winogradWeightEnd", "convForward", "convWeightGradient"];
    const run = () => {
      calls.clear();
      gradients([values([2, 8, 8, 10]), values([8, 8, 3, 3])], (x, w) => f.conv2d(x, w));
      return names.map((name) => calls.get(name));
    };
    assertEquals(run(), [2, 1, undefined, undefined]);
    for (const options of [{ conv: "direct" }, { deterministic: true }] as const) {
      kernels.configure(options);
      assertEquals(kernels.info().conv, "direct");
      assertEquals(run(), [undefined, undefined, 2, 1]);
    }
    kernels.configure({});
    assertEquals(kernels.info().conv, "auto");
  },
);

testBuilds("a convolution's bias has its gradient from the pass that makes the weight's", () => {
  const run = () => {
    calls.clear();
    gradients([values([8, 8, 3, 3]), values([8])], (w, b) => f.conv2d(values([2, 8, 8, 10]), w, b));
    return [calls.has("winogradWeightEnd"), calls.has("sumChannels")];
  };
  assertEquals(run(), [true, false]);
  kernels.configure({ conv: "direct" });
  assertEquals(run(), [false, true]);
  kernels.configure({});
});
