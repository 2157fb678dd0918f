/**
 * Options of layers, optimizers and schedules: an unknown one is refused by name, one that is given by
 * its place with the key that is meant.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { nn, ones, optim, tensor } from "../../mod.ts";

type AnyClass = new (...args: unknown[]) => unknown;

// The arguments in front of the options, and the layers that take them.
const layers: [args: unknown[], names: string][] = [
  [[], "LeakyReLU ELU CELU GELU Softplus Hardtanh Hardshrink Softshrink PReLU GLU Softmax Softmin"],
  [[], "LogSoftmax Flatten PairwiseDistance CosineSimilarity Upsample"],
  [[], "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout"],
  [[], "MSELoss L1Loss SmoothL1Loss HuberLoss PoissonNLLLoss GaussianNLLLoss KLDivLoss NLLLoss"],
  [[], "CrossEntropyLoss BCELoss BCEWithLogitsLoss HingeEmbeddingLoss CosineEmbeddingLoss"],
  [[], "MarginRankingLoss TripletMarginLoss SoftMarginLoss MultiMarginLoss MultiLabelMarginLoss"],
  [[], "MultiLabelSoftMarginLoss LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d"],
  [[2], "BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm InstanceNorm1d InstanceNorm2d"],
  [[2], "InstanceNorm3d LayerNorm RMSNorm LocalResponseNorm Unfold"],
  [[2], "MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d"],
  [[2], "AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d"],
  [[2, 2], "Linear Embedding GroupNorm Fold"],
  [[2, 2, 2], "Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d"],
];

Deno.test("layers refuse unknown options, and options by their place", () => {
  const classes = nn as unknown as Record<string, AnyClass>;
  for (const [args, names] of layers) {
    for (const name of names.split(" ")) {
      const unknown = () => new classes[name](...args, { momentun: 0.1 });
      assertThrows(unknown, TypeError, `Cannot make ${name}: got an option momentun, expected`);
      const byPlace = () => new classes[name](...args, true);
      assertThrows(byPlace, TypeError, `Cannot make ${name}: got boolean true in place of the opt`);
      new classes[name](...args, name === "Upsample" ? { size: 2 } : { momentun: undefined });
    }
  }
  assertThrows(
    () => new nn.BatchNorm1d(3, { momentun: 0.1 } as object),
    TypeError,
    "Cannot make BatchNorm1d: got an option momentun, expected one of eps, momentum, affine, " +
      "trackRunningStats, virtualBatchSize, nonFinite",
  );
});

const weight = () => [ones([2]).requiresGrad_()];

Deno.test("optimizers refuse unknown options, and options by their place", () => {
  const names = "SGD Adam AdamW RMSprop Adagrad NAdam RAdam Adadelta Adamax ASGD Rprop".split(" ");
  const classes = optim as unknown as Record<string, AnyClass>;
  for (const name of names) {
    const unknown = () => new classes[name](weight(), { momentun: 0.1 });
    assertThrows(unknown, TypeError, `Cannot make ${name}: got an option momentun, expected`);
    const byPlace = () => new classes[name](weight(), 0.1);
    assertThrows(byPlace, TypeError, `Cannot make ${name}: got options number 0.1`);
  }
});

Deno.test("schedules refuse unknown options, and options by their place", () => {
  const classes = optim.lrScheduler as unknown as Record<string, AnyClass>;
  const sgd = new optim.SGD(weight());
  const schedules: [name: string, first: unknown, key: string][] = [
    ["StepLR", 30, "gamma"],
    ["MultiStepLR", [30, 80], "gamma"],
    ["ExponentialLR", 0.9, "lastEpoch"],
    ["CosineAnnealingLR", 10, "etaMin"],
    ["CosineAnnealingWarmRestarts", 10, "tMult"],
    ["OneCycleLR", 0.1, "totalSteps"],
    ["ReduceLROnPlateau", "min", "factor"],
    ["LambdaLR", () => 1, "lastEpoch"],
  ];
  for (const [name, first, key] of schedules) {
    const unknown = () => new classes[name](sgd, first, { gama: 0.1 });
    assertThrows(unknown, TypeError, `Cannot make ${name}: got an option gama, expected`);
    const byPlace = () => new classes[name](sgd, first, 0.1);
    assertThrows(byPlace, TypeError, `an object such as { ${key}: … }`, name);
  }
});

Deno.test("T_max may be written TMax, letter by letter, as well as tMax", () => {
  const sgd = () => new optim.SGD(weight(), { lr: 1 });
  const { CosineAnnealingLR, CosineAnnealingWarmRestarts } = optim.lrScheduler;
  assertEquals(new CosineAnnealingLR(sgd(), { TMax: 4 } as object).tMax, 4);
  const restarts = new CosineAnnealingWarmRestarts(sgd(), { T0: 2, TMult: 3 } as object);
  assertEquals([restarts.t0, restarts.tMult], [2, 3]);
});

Deno.test("methods and functions of nn refuse options by their place", () => {
  const no = (value: unknown) => value as never;
  const net = new nn.Linear(2, 2);
  const bn = new nn.BatchNorm1d(2);
  const x = tensor([1, 2], { requiresGrad: true });
  const calls: [call: () => unknown, key: string][] = [
    [() => net.loadStateDict(net.stateDict(), no(false)), "strict"],
    [() => net.stateDict(no("net.")), "prefix"],
    [() => net.parameters(no(false)), "prefix"],
    [() => net.namedModules(no("net")), "prefix"],
    [() => net.zeroGrad(no(false)), "setToNone"],
    [() => new optim.SGD(weight()).zeroGrad(no(false)), "setToNone"],
    [() => net.registerBuffer("seen", ones([1]), no(false)), "persistent"],
    [() => new nn.Buffer(ones([1]), no(false)), "persistent"],
    [() => bn.forward(ones([2, 2]), no(x)), "mask"],
    [() => bn.freeze(no(true)), "stats"],
    [() => nn.BatchNorm1d.fromKeras(no(0.9)), "momentum"],
    [() => new nn.ConvTranspose1d(1, 1, 1).forward(ones([1, 2]), no([2])), "outputSize"],
    [() => nn.utils.clipGradNorm_([x], 1, no(2)), "normType"],
    [() => nn.init.kaimingUniform_(net.weight, no(1)), "a"],
    [() => nn.init.xavierNormal_(net.weight, no(1)), "gain"],
    [() => nn.init.orthogonal_(net.weight, no(1)), "gain"],
    [() => nn.init.sparse_(net.weight, no(0.5)), "sparsity"],
    [() => nn.init.truncNormal_(net.weight, no(1)), "mean"],
    [() => optim.swa.updateBn([ones([2, 2])], bn, no(true)), "exact"],
    [() => new optim.swa.AveragedModel(net, no("cpu")), "avgFn"],
    [() => x.sum().backward(null, no(true)), "retainGraph"],
  ];
  for (const [call, key] of calls) {
    assertThrows(call, TypeError, `an object such as { ${key}: … }`, key);
  }
  const unknown = { gein: 2 } as object;
  assertThrows(() => nn.init.xavierNormal_(net.weight, unknown), TypeError, "an option gein");
  assertThrows(() => nn.init.uniform_(net.weight, unknown), TypeError, "an option gein");
  assertThrows(() => x.sum().backward(null, unknown), TypeError, "an option gein");
});
