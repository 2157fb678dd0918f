/**
 * Wrong calls, thousands of them: each argument of each public function replaced by values of every
 * kind. A call may succeed; if it throws, then with a message in the library's own words, never the
 * engine's.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import * as tg from "../../mod.ts";
import { callWrongly, isOwn, type Tally } from "./wrong_calls.ts";

tg.silenceWarnings();

const { nn, optim } = tg;
const f = nn.functional;
const x = tg.tensor([[1, 2], [3, 4]]);
const v = tg.tensor([1, 2]);
const image = tg.ones([1, 2, 4, 4]);
const line = tg.ones([1, 2, 4]);
const volume = tg.ones([1, 2, 4, 4, 4]);
const kernel = tg.ones([2, 2, 2, 2]);
const leaf = () => tg.tensor([1, 2], { requiresGrad: true });

// A call that is right, for each function; its arguments are replaced one by one.
const calls: Readonly<Record<string, readonly unknown[]>> = {
  tensor: [[1, 2], { requiresGrad: true }],
  zeros: [[2, 3], {}],
  ones: [[2, 3], {}],
  full: [[2, 3], 1, {}],
  arange: [1, 5, 2],
  linspace: [0, 1, 3],
  eye: [2, 3],
  zerosLike: [x],
  onesLike: [x],
  rand: [[2], {}],
  randn: [[2], {}],
  randint: [0, 5, [2], {}],
  randperm: [3, {}],
  manualSeed: [3],
  noGrad: [() => 1],
  enableGrad: [() => 1],
  noStatsUpdate: [() => 1],
  detectAnomaly: [() => 1],
  grad: [leaf().sum(), [leaf()], {}],
  gradcheck: [(a: tg.Tensor) => a.mul(2), [leaf()], {}],
  ...Object.fromEntries(
    ["add", "sub", "div"].map((name) => [name, [x, v, {}]]),
  ),
  ...Object.fromEntries(
    ["mul", "pow", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge"].map((
      name,
    ) => [name, [x, v]]),
  ),
  ...Object.fromEntries(
    [
      "neg",
      "abs",
      "exp",
      "expm1",
      "log",
      "log1p",
      "sqrt",
      "rsqrt",
      "square",
      "reciprocal",
      "sin",
      "cos",
      "tanh",
      "sigmoid",
      "erf",
      "sign",
    ].map((name) => [name, [x]]),
  ),
  clamp: [x, { min: 0, max: 1 }],
  where: [x, x, v],
  maskedFill: [x, x, 1],
  ...Object.fromEntries(
    ["sum", "mean", "prod", "variance", "std", "amax", "amin", "logsumexp", "max", "min", "norm"]
      .map(
        (name) => [name, [x, { dim: 0, keepdim: true }]],
      ),
  ),
  argmax: [x, { dim: 0 }],
  argmin: [x, { dim: 0 }],
  cumsum: [x, 0],
  reshape: [x, [4]],
  permute: [x, [1, 0]],
  transpose: [x, 0, 1],
  t: [x],
  expand: [v, [2, 2]],
  broadcastTo: [v, [2, 2]],
  flatten: [x, { startDim: 0 }],
  squeeze: [x, 0],
  unsqueeze: [x, 0],
  cat: [[x, x], { dim: 0 }],
  stack: [[x, x], { dim: 0 }],
  chunk: [x, 2, { dim: 0 }],
  split: [x, 1, { dim: 0 }],
  narrow: [x, 0, 0, 1],
  gather: [x, 0, [[0, 1]]],
  indexSelect: [x, 0, [0]],
  flip: [x, [0]],
  roll: [x, 1, 0],
  repeat: [x, [1, 2]],
  tile: [x, [2]],
  tril: [x, 0],
  triu: [x, 0],
  diagonal: [x, { offset: 0 }],
  matmul: [x, x],
  mm: [x, x],
  bmm: [line, tg.ones([1, 4, 2])],
  mv: [x, v],
  dot: [v, v],
  outer: [v, v],
  einsum: ["ij,jk->ik", [x, x]],
  addmm: [x, x, x, { alpha: 2 }],
  linear: [x, x, v],
  conv1d: [line, tg.ones([2, 2, 2]), v, { stride: 1 }],
  conv2d: [image, kernel, v, { stride: 1 }],
  conv3d: [volume, tg.ones([2, 2, 2, 2, 2]), v, { padding: 1 }],
  convTranspose2d: [image, kernel, v, { stride: 1 }],
  maxPool2d: [image, 2, { stride: 2 }],
  avgPool2d: [image, 2, { stride: 2 }],
  adaptiveAvgPool2d: [image, 2],
  adaptiveMaxPool2d: [image, 2, {}],
  batchNorm: [x, v, v, v, v, { training: true }],
  instanceNorm: [image, {}],
  layerNorm: [x, [2], v, v, { eps: 1e-5 }],
  groupNorm: [image, 2, v, v, {}],
  rmsNorm: [x, [2], v, {}],
  normalize: [x, { p: 2 }],
  relu: [x],
  gelu: [x, { approximate: "none" }],
  silu: [x],
  leakyRelu: [x, { negativeSlope: 0.1 }],
  elu: [x, { alpha: 1 }],
  softplus: [x, { beta: 1 }],
  hardtanh: [x, { minVal: -1 }],
  glu: [x, { dim: 1 }],
  prelu: [x, v],
  softmax: [x, 0],
  logSoftmax: [x, 0],
  dropout: [x, { p: 0.5 }],
  pad: [x, [1, 1], { value: 0 }],
  embedding: [[0, 1], x, {}],
  oneHot: [[0, 1], 2],
  crossEntropy: [x, [0, 1], { reduction: "mean" }],
  nllLoss: [x, [0, 1], {}],
  mseLoss: [x, x, { reduction: "mean" }],
  l1Loss: [x, x, {}],
  smoothL1Loss: [x, x, { beta: 1 }],
  huberLoss: [x, x, { delta: 1 }],
  binaryCrossEntropyWithLogits: [x, x, {}],
  klDiv: [x, x, {}],
  scaledDotProductAttention: [line, line, line, {}],
  interpolate: [image, { size: 8 }],
  fold: [tg.ones([1, 8, 9]), [4, 4], 2, {}],
  unfold: [image, 2, {}],
  ...Object.fromEntries(
    ["Linear", "Conv2d", "BatchNorm1d", "LayerNorm", "Dropout", "Embedding", "MaxPool2d"].map((
      name,
    ) => [`new ${name}`, name === "Dropout" ? [0.5, {}] : [2, 2, 2, {}].slice(0, 4)]),
  ),
  "new Sequential": [new nn.ReLU(), new nn.ReLU()],
  "new SGD": [[leaf()], { lr: 0.1 }],
  "new Adam": [[leaf()], { lr: 0.1 }],
  clipGradNorm_: [[leaf()], 1, {}],
  parametersToVector: [[leaf()]],
  updateBn: [[x], new nn.BatchNorm1d(2), {}],
  batches: [new tg.TensorDataset(x), { batchSize: 1 }],
  "new TensorDataset": [x, x],
  stackSamples: [[1, 2]],
  "linear.forward": [x],
  "norm.forward": [x],
  "sequential.forward": [x],
  reorder: [x, [1, 0]],
  definePrimitive: [{ name: "mul" }],
  alphaDropout: [x, {}],
  dirac_: [tg.ones([2, 2, 2]), { groups: 1 }],
  "new CrossEntropyLoss": [{ weight: v }],
  "new NLLLoss": [{ weight: v }],
  "new HuberLoss": [{ delta: 1 }],
  "new TripletMarginLoss": [{ margin: 1 }],
  formatAudit: [[]],
  "new StateDict": [[["weight", v]]],
  "new LayerNorm": [[2], {}],
  "new RMSNorm": [[2], {}],
  "new ModuleList": [[new nn.ReLU()]],
  "new ModuleDict": [[["act", new nn.ReLU()]]],
  "new Parameter": [v],
  "new Buffer": [v, {}],
  "new ConstantPad1d": [[1, 1], 0],
  "unflatten.forward": [x],
  "net.extend": [[new nn.ReLU()]],
  "net.set": [0, new nn.ReLU()],
  "data.rows": [[0, 1]],
  "generator.fillUniform": [new Float64Array(2), 0, 1],
  "generator.fillNormal": [new Float64Array(2), 0, 1],
  "generator.fillIntegers": [new Float64Array(2), 0, 5],
  "generator.fillPermutation": [new Float64Array(2)],
  "generator.fillBernoulli": [new Float64Array(2), 0.5],
  getEmaAvgFn: [0.9],
  "net.loadStateDict": [new Map(), { strict: false }],
  "net.apply": [() => {}],
  "net.train": [true],
  "net.registerBuffer": ["fresh", v, {}],
  "net.replaceModule": ["0", new nn.ReLU()],
};

const net = () => new nn.Sequential(new nn.Linear(2, 2));

function callable(name: string): (...args: unknown[]) => unknown {
  const constructors = { ...nn, ...optim, TensorDataset: tg.TensorDataset } as unknown as Record<
    string,
    new (...args: unknown[]) => unknown
  >;
  if (name.startsWith("new ")) return (...args) => new constructors[name.slice(4)](...args);
  const objects: Readonly<Record<string, () => unknown>> = {
    linear: () => new nn.Linear(2, 2),
    norm: () => new nn.BatchNorm1d(2),
    sequential: net,
    net,
    unflatten: () => new nn.Unflatten(1, [1, 2]),
    data: () => new tg.TensorDataset(x),
    generator: () => new tg.Generator(),
  };
  const [object, method] = name.split(".");
  if (method !== undefined) {
    const target = objects[object]() as Record<string, (...args: unknown[]) => unknown>;
    return (...args) => target[method](...args);
  }
  const rooms = { ...nn, ...nn.init, ...tg, ...nn.utils, ...optim.swa, ...f } as unknown as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  return rooms[name];
}

Deno.test("a wrong call ends in the library's own words", async () => {
  const tally: Tally = { made: 0, engine: [] };
  for (const [name, right] of Object.entries(calls)) {
    const call = callable(name);
    assertEquals(typeof call, "function", name);
    await callWrongly(
      name,
      (...args: unknown[]) => {
        const result: unknown = tg.noGrad(() => call(...args));
        if (result instanceof Promise) result.catch(() => {});
      },
      () => right,
      tally,
    );
  }
  assert(tally.made > 5000, `${tally.made} calls`);
  assertEquals(
    tally.engine,
    [],
    `${tally.engine.length} of ${tally.made} end in the engine's words`,
  );
});

function assertOwn(calls: Readonly<Record<string, () => unknown>>): void {
  for (const [name, call] of Object.entries(calls)) {
    const error: Error = assertThrows(call, Error, undefined, name);
    assert(isOwn(error), `${name}: ${error}`);
  }
}

const nameless = Object.create(null);
const endless: unknown[] = [];
endless.push(endless);

// Wrong values in fields, in options, and where a call looks deeper than at its arguments.
const deeper: Readonly<Record<string, () => unknown>> = {
  "a momentum field": () => Object.assign(new nn.BatchNorm1d(2), { momentum: 3n }).forward(x),
  "a counter field": () =>
    Object.assign(new nn.BatchNorm1d(2), { numBatchesTracked: {} }).forward(x),
  "a lazy weight": () =>
    Object.assign(new nn.LazyBatchNorm1d() as { forward(x: tg.Tensor): unknown }, {
      weight: undefined,
    }).forward(x),
  "padding sizes": () => new nn.ZeroPad1d([nameless] as never),
  "a forward count": () => new nn.BatchNorm1d(2).accumulateStats(nameless),
  "groups of dirac_": () => nn.init.dirac_(tg.ones([2, 2, 2]), { groups: Symbol("s") as never }),
  "a rate": () => new optim.SGD([leaf()], { lr: endless as never }),
  "a decay": () => optim.swa.getEmaAvgFn([Symbol("s")] as never),
  "a mode": () => tg.pad(x, [1, 1], { mode: 3n as never }),
  "a way of resizing": () => tg.interpolate(image, { size: 8, mode: nameless }),
  "a tolerance": () => tg.gradcheck((a) => a.mul(2), [leaf()], { atol: 3n as never }),
  "kernels": () => tg.kernels.configure(undefined as never),
  "a kernel's algorithm": () => tg.kernels.configure({ conv: 3n as never }),
  "parts of an empty axis": () => tg.chunk(tg.zeros([0]), 2 ** 40),
  "no primitive": () => tg.bind({} as never, [x], {}),
  "no tensor of a primitive": () => tg.bind(tg.primitives.get("mul")!, [{} as never, x], {}),
  "no inputs of a primitive": () => tg.bind(tg.primitives.get("mul")!, 3 as never, {}),
};

Deno.test("a wrong value in a field or an option is refused in the library's words", () => {
  assertOwn(deeper);
});

Deno.test("a proxy that was revoked is refused where a tensor, a module or options are expected", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const calls: Readonly<Record<string, () => unknown>> = {
    tensor: () => tg.add(proxy as never, x),
    module: () => optim.swa.updateBn([x], proxy as never),
    options: () => tg.sum(x, proxy),
    number: () => tg.argmax(x, { dim: proxy as never }),
  };
  assertOwn(calls);
});

Deno.test("a field that cannot be asked what it is hides no other", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const layer = Object.assign(new nn.Linear(2, 2), { extra: proxy });
  assertEquals([...layer.stateDict().keys()], ["weight", "bias"]);
  assertEquals(layer.forward(x).shape, [2, 2]);
});

Deno.test("modules that are added together are added all or none", () => {
  const list = new nn.ModuleList([new nn.ReLU()]);
  assertThrows(() => list.extend([new nn.ReLU(), 3 as never]), TypeError);
  assertEquals(list.length, 1);
});
