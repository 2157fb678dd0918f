/**
 * What layers print, in PyTorch's layout.
 */
import { assertEquals } from "@std/assert";
import * as nn from "../../nn/mod.ts";
import { findPython, pythonTest, runPython } from "../io/python.ts";

// What is printed, which is also how Python makes it.
const same: [string, nn.Module][] = [
  ["Linear(in_features=4, out_features=3, bias=True)", new nn.Linear(4, 3)],
  ["Linear(in_features=4, out_features=3, bias=False)", new nn.Linear(4, 3, { bias: false })],
  [
    "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)",
    new nn.Bilinear(2, 3, 4),
  ],
  [
    "Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)",
    new nn.Conv2d(1, 4, 3, { padding: 1, bias: false }),
  ],
  [
    "Conv1d(2, 4, kernel_size=(3,), stride=(1,), padding=same, dilation=(2,), groups=2, " +
    "padding_mode=reflect)",
    new nn.Conv1d(2, 4, 3, {
      padding: "same",
      dilation: 2,
      groups: 2,
      paddingMode: "reflect",
    }),
  ],
  [
    "Conv3d(2, 4, kernel_size=(1, 2, 3), stride=(2, 2, 2))",
    new nn.Conv3d(2, 4, [1, 2, 3], { stride: 2 }),
  ],
  [
    "ConvTranspose2d(2, 4, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 1), bias=False)",
    new nn.ConvTranspose2d(2, 4, 3, { stride: 2, outputPadding: 1, bias: false }),
  ],
  [
    "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
    new nn.MaxPool2d(2),
  ],
  [
    "MaxPool1d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=True)",
    new nn.MaxPool1d(3, { stride: 2, padding: 1, ceilMode: true }),
  ],
  [
    "MaxPool3d(kernel_size=(2, 3, 1), stride=1, padding=0, dilation=1, ceil_mode=False)",
    new nn.MaxPool3d([2, 3, 1], { stride: 1 }),
  ],
  ["AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))", new nn.AvgPool1d(2)],
  ["AvgPool2d(kernel_size=(2, 3), stride=(2, 3), padding=0)", new nn.AvgPool2d([2, 3])],
  ["AdaptiveAvgPool2d(output_size=(None, 3))", new nn.AdaptiveAvgPool2d([null, 3])],
  ["AdaptiveAvgPool1d(output_size=3)", new nn.AdaptiveAvgPool1d(3)],
  ["AdaptiveMaxPool2d(output_size=(3, 4))", new nn.AdaptiveMaxPool2d([3, 4])],
  ["ReLU()", new nn.ReLU()],
  ["ReLU6()", new nn.ReLU6()],
  ["GELU(approximate='none')", new nn.GELU()],
  ["GELU(approximate='tanh')", new nn.GELU("tanh")],
  ["SiLU()", new nn.SiLU()],
  ["LeakyReLU(negative_slope=0.01)", new nn.LeakyReLU()],
  ["LeakyReLU(negative_slope=1e-05)", new nn.LeakyReLU({ negativeSlope: 1e-5 })],
  ["ELU(alpha=1.0)", new nn.ELU()],
  ["CELU(alpha=0.5)", new nn.CELU(0.5)],
  ["SELU()", new nn.SELU()],
  ["Hardtanh(min_val=-1.0, max_val=1.0)", new nn.Hardtanh()],
  ["Hardswish()", new nn.Hardswish()],
  ["Hardsigmoid()", new nn.Hardsigmoid()],
  ["Mish()", new nn.Mish()],
  ["PReLU(num_parameters=1)", new nn.PReLU()],
  ["PReLU(num_parameters=3)", new nn.PReLU(3)],
  ["GLU(dim=-1)", new nn.GLU()],
  ["Sigmoid()", new nn.Sigmoid()],
  ["LogSigmoid()", new nn.LogSigmoid()],
  ["Tanh()", new nn.Tanh()],
  ["Softsign()", new nn.Softsign()],
  ["Tanhshrink()", new nn.Tanhshrink()],
  ["Hardshrink(0.5)", new nn.Hardshrink()],
  ["Softshrink(0.25)", new nn.Softshrink({ lambd: 0.25 })],
  ["Threshold(threshold=0.1, value=20.0)", new nn.Threshold(0.1, 20)],
  ["Softmax(dim=None)", new nn.Softmax()],
  ["Softmax(dim=-1)", new nn.Softmax(-1)],
  ["LogSoftmax(dim=1)", new nn.LogSoftmax({ dim: 1 })],
  ["Softmin(dim=1)", new nn.Softmin(1)],
  ["Dropout(p=0.2, inplace=False)", new nn.Dropout(0.2)],
  ["Dropout2d(p=0.5, inplace=False)", new nn.Dropout2d()],
  ["AlphaDropout(p=0.5, inplace=False)", new nn.AlphaDropout()],
  ["Embedding(4, 3)", new nn.Embedding(4, 3)],
  ["Embedding(4, 3, padding_idx=3)", new nn.Embedding(4, 3, { paddingIdx: -1 })],
  ["Flatten(start_dim=1, end_dim=-1)", new nn.Flatten()],
  ["Unflatten(dim=1, unflattened_size=(2, 3))", new nn.Unflatten(1, [2, 3])],
  ["Identity()", new nn.Identity(54, "ignored")],
  ["ZeroPad2d((1, 1, 1, 1))", new nn.ZeroPad2d(1)],
  ["ConstantPad2d(padding=(1, 2, 3, 4), value=3.5)", new nn.ConstantPad2d([1, 2, 3, 4], 3.5)],
  ["ReflectionPad1d((2, 2))", new nn.ReflectionPad1d(2)],
  ["ReplicationPad3d((1, 1, 1, 1, 1, 1))", new nn.ReplicationPad3d(1)],
  ["LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)", new nn.LocalResponseNorm(2)],
  ["Unfold(kernel_size=3, dilation=1, padding=0, stride=1)", new nn.Unfold(3)],
  [
    "Fold(output_size=(4, 5), kernel_size=3, dilation=1, padding=0, stride=1)",
    new nn.Fold([4, 5], 3),
  ],
  ["PairwiseDistance()", new nn.PairwiseDistance()],
  ["CosineSimilarity()", new nn.CosineSimilarity()],
  ["CrossEntropyLoss()", new nn.CrossEntropyLoss({ labelSmoothing: 0.1 })],
  ["NLLLoss()", new nn.NLLLoss()],
  ["MSELoss()", new nn.MSELoss()],
  ["L1Loss()", new nn.L1Loss()],
  ["SmoothL1Loss()", new nn.SmoothL1Loss()],
  ["HuberLoss()", new nn.HuberLoss()],
  ["BCELoss()", new nn.BCELoss()],
  ["BCEWithLogitsLoss()", new nn.BCEWithLogitsLoss()],
  ["KLDivLoss()", new nn.KLDivLoss()],
  ["Sequential()", new nn.Sequential()],
  ["ModuleList()", new nn.ModuleList()],
  ["ModuleDict()", new nn.ModuleDict()],
];

Deno.test("layers print as PyTorch's", () => {
  for (const [text, module] of same) assertEquals(String(module), text);
});

Deno.test("layers print floats where PyTorch 2 does", () => {
  assertEquals(String(new nn.Softplus()), "Softplus(beta=1.0, threshold=20.0)");
  assertEquals(
    String(new nn.Upsample({ scaleFactor: 2 })),
    "Upsample(scale_factor=2.0, mode='nearest')",
  );
  assertEquals(
    String(new nn.Upsample({ scaleFactor: [2] })),
    "Upsample(scale_factor=(2.0,), mode='nearest')",
  );
  assertEquals(
    String(new nn.Upsample({ size: [3, 4], mode: "bilinear" })),
    "Upsample(size=(3, 4), mode='bilinear')",
  );
});

Deno.test("containers print their modules, indented; lists put neighbours together", () => {
  const inner = new nn.Sequential(new nn.ReLU(), new nn.Flatten());
  const net = new nn.Sequential({ fc: new nn.Linear(2, 2), inner });
  assertEquals(
    String(net),
    `Sequential(
  (fc): Linear(in_features=2, out_features=2, bias=True)
  (inner): Sequential(
    (0): ReLU()
    (1): Flatten(start_dim=1, end_dim=-1)
  )
)`,
  );
  const block = () => new nn.Sequential(new nn.ReLU());
  assertEquals(
    String(new nn.ModuleList([block(), block(), new nn.Tanh()])),
    `ModuleList(
  (0-1): 2 x Sequential(
    (0): ReLU()
  )
  (2): Tanh()
)`,
  );
  assertEquals(
    String(new nn.ModuleDict({ a: new nn.Tanh() })),
    "ModuleDict(\n  (a): Tanh()\n)",
  );
});

// These do not print what their constructors take.
const silent = /^(\w+Loss|Sequential|ModuleList|ModuleDict|PairwiseDistance|CosineSimilarity)\(/;

const python = await findPython(["torch"]);

pythonTest(
  "PyTorch makes of what is printed here a layer that prints the same",
  python,
  ["torch"],
  async (command) => {
    const texts = same.map(([text]) => text).filter((text) => !silent.test(text));
    const program = `
from torch import nn
same, reflect = "same", "reflect"
texts = json.loads(sys.argv[1])
print(json.dumps([str(eval("nn." + text.replace(", inplace=False", ""))) for text in texts]))
`;
    assertEquals(await runPython(command, program, [JSON.stringify(texts)]), texts);
  },
);
