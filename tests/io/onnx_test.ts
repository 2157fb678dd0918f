/**
 * Exported models in ONNX Runtime against the models themselves.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { env, InferenceSession, Tensor as OnnxTensor } from "npm:onnxruntime-web@1.22.0";
import {
  cat,
  Generator,
  manualSeed,
  nn,
  noGrad,
  ones,
  randn,
  silenceWarnings,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { encodeOnnx, type OnnxOptions } from "../../io/mod.ts";

env.wasm.numThreads = 1;
env.logLevel = "error";
// Fresh models are enough here.
silenceWarnings();

const { functional: F } = nn;

/** A model from a function. */
class Formula extends nn.Module {
  readonly formula: (x: Tensor) => Tensor;

  constructor(formula: (x: Tensor) => Tensor) {
    super();
    this.formula = formula;
  }
  override forward(x: Tensor): Tensor {
    return this.formula(x);
  }
}

/** A skip connection and an output that is looked at twice. */
class Residual extends nn.Module {
  conv1 = new nn.Conv2d(3, 3, 3, { padding: 1, bias: false });
  bn1 = new nn.BatchNorm2d(3);
  conv2 = new nn.Conv2d(3, 3, 3, { padding: 1 });
  head = new nn.Linear(3, 4);
  override forward(x: Tensor): Tensor {
    const y = this.conv2.forward(F.relu(this.bn1.forward(this.conv1.forward(x)))).add(x);
    return F.logSoftmax(this.head.forward(F.relu(y).mean({ dim: [2, 3] })), 1);
  }
}

type Case = [name: string, make: () => nn.Module, shape: number[]];
const of = (formula: (x: Tensor) => Tensor) => (): nn.Module => new Formula(formula);

const both: Case[] = [
  ["Linear", () => new nn.Linear(4, 3), [2, 4]],
  ["Linear without bias on three axes", () => new nn.Linear(4, 3, { bias: false }), [2, 5, 4]],
  ["Conv1d", () => new nn.Conv1d(2, 4, 3, { stride: 2, padding: 1 }), [2, 2, 9]],
  ["Conv1d, same, even kernel", () => new nn.Conv1d(2, 3, 4, { padding: "same" }), [1, 2, 7]],
  [
    "Conv2d with groups and dilation",
    () => new nn.Conv2d(4, 6, [3, 2], { groups: 2, dilation: [1, 2], padding: [1, 0] }),
    [2, 4, 6, 7],
  ],
  ["Conv2d that leaves a rest", () => new nn.Conv2d(1, 2, 3, { stride: 2, bias: false }), [
    1,
    1,
    6,
    8,
  ]],
  ["Conv3d", () => new nn.Conv3d(2, 2, 2, { padding: 1 }), [1, 2, 3, 4, 3]],
  ["Conv2d, reflected", () => new nn.Conv2d(1, 2, 3, { padding: 1, paddingMode: "reflect" }), [
    1,
    1,
    5,
    5,
  ]],
  ["BatchNorm1d", () => new nn.BatchNorm1d(3), [4, 3]],
  ["BatchNormAct", () => new nn.BatchNormAct(3), [4, 3, 5]],
  ["BatchNormAct with pooling", () => new nn.BatchNormAct(3, { then: "relu-maxpool" }), [
    2,
    3,
    5,
    4,
  ]],
  [
    "BatchNormAct with a residual",
    of((x) =>
      F.batchNorm(x, zeros([3]), ones([3]), null, null, { then: "relu", residual: x.mul(2) })
    ),
    [2, 3, 4],
  ],
  ["BatchNorm2d without affine", () => new nn.BatchNorm2d(3, { affine: false, eps: 0.1 }), [
    2,
    3,
    2,
    2,
  ]],
  ["BatchNorm2d without statistics", () => new nn.BatchNorm2d(3, { trackRunningStats: false }), [
    4,
    3,
    2,
    2,
  ]],
  ["GroupNorm", () => new nn.GroupNorm(2, 4), [2, 4, 3]],
  ["LayerNorm", () => new nn.LayerNorm([3, 4]), [2, 3, 4]],
  ["InstanceNorm2d", () => new nn.InstanceNorm2d(2, { affine: true }), [2, 2, 3, 3]],
  ["RMSNorm", () => new nn.RMSNorm(4), [2, 4]],
  ["MaxPool1d", () => new nn.MaxPool1d(3, { stride: 2, padding: 1 }), [1, 2, 8]],
  ["MaxPool2d", () => new nn.MaxPool2d(2), [2, 1, 6, 4]],
  [
    "MaxPool2d, dilated and padded",
    () => new nn.MaxPool2d(3, { stride: 1, padding: 1, dilation: 2 }),
    [1, 1, 7, 7],
  ],
  ["MaxPool2d, ceil", () => new nn.MaxPool2d(3, { stride: 2, ceilMode: true }), [1, 1, 6, 8]],
  ["AvgPool2d", () => new nn.AvgPool2d(2), [1, 2, 4, 6]],
  ["AvgPool2d, padded", () => new nn.AvgPool2d(3, { stride: 2, padding: 1 }), [1, 1, 6, 7]],
  [
    "AvgPool2d, padding not counted",
    () => new nn.AvgPool2d(3, { padding: 1, countIncludePad: false }),
    [1, 1, 6, 7],
  ],
  ["AvgPool2d with a divisor", () => new nn.AvgPool2d(2, { divisorOverride: 3 }), [1, 1, 4, 4]],
  ["AvgPool1d, ceil", () => new nn.AvgPool1d(3, { stride: 2, ceilMode: true }), [1, 1, 8]],
  ["AvgPool3d", () => new nn.AvgPool3d(2), [1, 1, 4, 2, 4]],
  ["AdaptiveAvgPool2d to 1", () => new nn.AdaptiveAvgPool2d(1), [2, 3, 5, 4]],
  ["AdaptiveAvgPool2d, uneven", () => new nn.AdaptiveAvgPool2d([2, 3]), [1, 2, 5, 7]],
  ["AdaptiveMaxPool2d, uneven", () => new nn.AdaptiveMaxPool2d([2, 3]), [1, 2, 5, 7]],
  ["Flatten", () => new nn.Flatten(), [2, 3, 4]],
  ["Softmax", () => new nn.Softmax(1), [2, 5]],
  ["LogSoftmax", () => new nn.LogSoftmax(-1), [2, 3, 4]],
  ["Dropout, Identity", () => new nn.Sequential(new nn.Dropout(0.5), new nn.Identity()), [2, 3]],
  ["ZeroPad2d", () => new nn.ZeroPad2d(1), [1, 1, 2, 3]],
  ["ReLU6", () => new nn.ReLU6(), [3, 5]],
  ["SiLU", () => new nn.SiLU(), [3, 5]],
  ["LeakyReLU", () => new nn.LeakyReLU({ negativeSlope: 0.1 }), [3, 5]],
  ["PReLU", () => new nn.PReLU(5), [3, 5]],
  ["ELU", () => new nn.ELU({ alpha: 1.3 }), [3, 5]],
  ["SELU", () => new nn.SELU(), [3, 5]],
  ["Softplus", () => new nn.Softplus({ beta: 2, threshold: 1 }), [3, 5]],
  ["Hardtanh", () => new nn.Hardtanh(), [3, 5]],
  ["Hardswish", () => new nn.Hardswish(), [3, 5]],
  ["Mish", () => new nn.Mish(), [3, 5]],
  ["GLU", () => new nn.GLU(), [3, 4]],
  ["Sigmoid, Tanh", () => new nn.Sequential(new nn.Sigmoid(), new nn.Tanh()), [3, 5]],
  ["GELU by tanh", () => new nn.GELU({ approximate: "tanh" }), [3, 5]],
  ["logsigmoid", of((x) => F.logsigmoid(x)), [3, 5]],
  ["arithmetic", of((x) => x.add(x.relu()).mul(2).sub(1).div(x.square().add(1))), [3, 5]],
  ["functions", of((x) => x.abs().add(1).log().exp().sqrt().rsqrt().sin().expm1().log1p()), [3, 5]],
  ["choices", of((x) => F.relu(x).maximum(tensor(0.3)).minimum(tensor(0.9)).where(x.gt(0), x)), [
    3,
    5,
  ]],
  ["sums", of((x) => x.sum({ dim: 1, keepdim: true }).add(x.mean({ dim: 2 }).unsqueeze(2))), [
    2,
    3,
    4,
  ]],
  ["spreads", of((x) => x.std({ dim: 1 }).add(x.var({ dim: 1, correction: 0 }))), [3, 5]],
  ["extremes", of((x) => x.amax({ dim: 1 }).add(x.amin({ dim: 1 })).add(x.argmax({ dim: 1 }))), [
    3,
    5,
  ]],
  ["logsumexp and norms", of((x) => x.logsumexp({ dim: 1 }).add(x.norm({ dim: 1 }))), [3, 5]],
  ["slices", of((x) => cat([x.narrow(1, 1, 2), x.flip([1])], { dim: 1 })), [3, 5]],
  ["axes", of((x) => x.transpose(1, 2).reshape([-1, 8]).chunk(2, { dim: 1 })[1]), [2, 2, 4]],
  ["attention", of((x) => F.scaledDotProductAttention(x, x, x)), [1, 2, 3, 4]],
  ["a detached value", of((x) => x.relu().detach().exp()), [3, 5]],
  ["a running total", of((x) => x.cumsum(1)), [3, 5]],
  ["nothing at all", of((x) => x), [3, 5]],
  ["Residual", () => new Residual(), [2, 3, 5, 5]],
  [
    "a small network",
    () =>
      new nn.Sequential(
        new nn.Conv2d(1, 4, 3, { padding: 1, bias: false }),
        new nn.BatchNorm2d(4),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Conv2d(4, 6, 3, { stride: 2, padding: 1 }),
        new nn.BatchNorm2d(6, { momentum: 0.3 }),
        new nn.ReLU(),
        new nn.Flatten(),
        new nn.Linear(24, 5),
        new nn.Softmax(1),
      ),
    [2, 1, 8, 8],
  ],
];

// ONNX Runtime has these for float32 alone.
const float32Only: Case[] = [
  ["GELU", () => new nn.GELU(), [3, 5]],
  ["cos", of((x) => x.cos()), [3, 5]],
  [
    "ConvTranspose2d",
    () => new nn.ConvTranspose2d(2, 3, 3, { stride: 2, padding: 1, outputPadding: 1 }),
    [1, 2, 4, 5],
  ],
  [
    "ConvTranspose1d with groups",
    () => new nn.ConvTranspose1d(4, 2, 2, { groups: 2, dilation: 2 }),
    [1, 4, 5],
  ],
];

/** The model with statistics of its own, in evaluation mode. */
function prepared(make: () => nn.Module, shape: readonly number[]): nn.Module {
  manualSeed(12);
  const model = make();
  const random = new Generator(3);
  noGrad(() => {
    for (const [name, buffer] of model.namedBuffers()) {
      if (!name.endsWith("num_batches_tracked")) {
        buffer.copy_(randn(buffer.shape, { generator: random }).square().add(0.5));
      }
    }
  });
  model.forward(randn(shape, { generator: random }));
  return model.eval();
}

async function runOnnx(
  bytes: Uint8Array,
  x: Tensor,
  dtype: "F32" | "F64",
): Promise<{ shape: readonly number[]; data: Float64Array }> {
  const session = await InferenceSession.create(bytes);
  try {
    const input = dtype === "F64"
      ? new OnnxTensor("float64", new Float64Array(x.data), x.shape)
      : new OnnxTensor("float32", new Float32Array(x.data), x.shape);
    const { [session.outputNames[0]]: output } = await session.run({
      [session.inputNames[0]]: input,
    });
    return { shape: output.dims, data: Float64Array.from(output.data as Float64Array) };
  } finally {
    await session.release();
  }
}

async function compare(model: nn.Module, shape: number[], dtype: "F32" | "F64"): Promise<void> {
  const tolerance = dtype === "F64" ? 1e-12 : 3e-6;
  const bytes = encodeOnnx(model, randn(shape), { dtype });
  // The second has another batch, which the file leaves open.
  for (const batch of [shape[0], shape[0] + 1]) {
    const x = randn([batch, ...shape.slice(1)], { generator: new Generator(batch) });
    const expected: Tensor = noGrad(() => model.forward(x));
    const actual = await runOnnx(bytes, x, dtype);
    assertEquals(actual.shape, [...expected.shape]);
    expected.data.forEach((value, i) =>
      assert(
        Math.abs(actual.data[i] - value) <= tolerance * (1 + Math.abs(value)),
        `${dtype}, at ${i}: ${actual.data[i]}, expected ${value}`,
      )
    );
  }
}

for (const [name, make, shape] of both) {
  Deno.test(`ONNX: ${name}`, async () => {
    const model = prepared(make, shape);
    await compare(model, shape, "F64");
    await compare(model, shape, "F32");
  });
}

for (const [name, make, shape] of float32Only) {
  Deno.test(`ONNX, float32: ${name}`, async () => {
    await compare(prepared(make, shape), shape, "F32");
  });
}

/** Whether a file has a name, which stands behind its length. */
function mentions(bytes: Uint8Array, name: string): boolean {
  const text = new TextDecoder("latin1").decode(bytes);
  return text.includes(String.fromCharCode(name.length) + name);
}

Deno.test("layers are ONNX's own in float32, and parameters keep their names", () => {
  const [, make, shape] = both[both.length - 1];
  const bytes = encodeOnnx(make(), randn(shape), { dtype: "F32" });
  for (const operator of ["Conv", "BatchNormalization", "Relu", "MaxPool", "Gemm", "Softmax"]) {
    assert(mentions(bytes, operator), operator);
  }
  for (const name of ["0.weight", "1.running_mean", "8.bias"]) assert(mentions(bytes, name), name);
});

Deno.test("an export leaves the model's modes and statistics", () => {
  const model = new nn.Sequential(new nn.BatchNorm1d(3), new nn.Dropout(0.5));
  model.children()[1].eval();
  const before = [...model.stateDict()].map(([, x]) => [...x.data]);
  encodeOnnx(model, randn([4, 3]));
  assertEquals(model.modules().map(({ training }) => training), [true, true, false]);
  assertEquals([...model.stateDict()].map(([, x]) => [...x.data]), before);
});

Deno.test("what depends on the batch keeps its size", async () => {
  const model = new Formula((x) => x.reshape([-1]).unsqueeze(0));
  const bytes = encodeOnnx(model, randn([2, 3]));
  const x = randn([2, 3]);
  assertEquals((await runOnnx(bytes, x, "F64")).data, x.data);
  let refused = false;
  await runOnnx(bytes, randn([4, 3]), "F64").catch(() => refused = true);
  assert(refused);
});

Deno.test("inputs and outputs are named as asked", async () => {
  class Two extends nn.Module {
    override forward(a: Tensor, b: Tensor): Tensor[] {
      return [a.add(b), a.sub(b)];
    }
  }
  const options: OnnxOptions = { inputNames: ["a", "b"], outputNames: ["sum", "difference"] };
  const session = await InferenceSession.create(
    encodeOnnx(new Two(), [randn([1, 2]), randn([1, 2])], options),
  );
  assertEquals([...session.inputNames, ...session.outputNames], ["a", "b", "sum", "difference"]);
  await session.release();
});

Deno.test("an operation without a counterpart is named", () => {
  assertThrows(
    () => encodeOnnx(new Formula((x) => x.tril()), randn([2, 2])),
    TypeError,
    "Cannot export to ONNX: got a call of triangle on [2, 2], expected operations that ONNX has",
  );
  assertThrows(
    () => encodeOnnx(new Formula(() => 3 as never), randn([2, 2])),
    TypeError,
    "got number 3 from the model, expected tensors",
  );
  assertThrows(
    () => encodeOnnx(new nn.MaxPool2d(2, { returnIndices: true }), randn([1, 1, 4, 4])),
    TypeError,
    "Cannot export to ONNX: got a model that uses an output that ONNX lacks",
  );
});
