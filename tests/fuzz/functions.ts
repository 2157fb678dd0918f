/**
 * What a program may call: each function of the library by PyTorch's name for it, with its constants.
 * Those whose results share values in PyTorch and are copies here are cloned there.
 *
 * @module
 */
import * as tg from "../../mod.ts";
import type { Tensor } from "../../mod.ts";
import type { Attrs } from "./program.ts";

const f = tg.nn.functional;

type Call = (args: readonly Tensor[], attrs: Attrs) => Tensor;

const unary = {
  neg: tg.neg,
  exp: tg.exp,
  log: tg.log,
  sqrt: tg.sqrt,
  square: tg.square,
  reciprocal: tg.reciprocal,
  sin: tg.sin,
  cos: tg.cos,
  tanh: tg.tanh,
  sigmoid: tg.sigmoid,
  erf: tg.erf,
  abs: tg.abs,
  relu: f.relu,
  silu: f.silu,
  gelu: f.gelu,
  softplus: f.softplus,
  leaky_relu: f.leakyRelu,
  elu: f.elu,
  selu: f.selu,
  mish: f.mish,
  hardtanh: f.hardtanh,
  detach: (x: Tensor) => x.detach(),
  clone: (x: Tensor) => x.clone(),
};

const binary = {
  add: tg.add,
  sub: tg.sub,
  mul: tg.mul,
  div: tg.div,
  maximum: tg.maximum,
  minimum: tg.minimum,
  matmul: tg.matmul,
  mse_loss: f.mseLoss,
};

const reductions = {
  sum: tg.sum,
  mean: tg.mean,
  amax: tg.amax,
  amin: tg.amin,
  logsumexp: tg.logsumexp,
  var: tg.variance,
};

function ints(attrs: Attrs, name: string): number[] {
  return [...attrs[name] as readonly number[]];
}

function int(attrs: Attrs, name: string): number {
  return attrs[name] as number;
}

/** Every function by its name in programs. */
export const functions: ReadonlyMap<string, Call> = new Map<string, Call>([
  ...Object.entries(unary).map(([name, fn]): [string, Call] => [name, ([x]) => fn(x)]),
  ...Object.entries(binary).map(([name, fn]): [string, Call] => [name, ([x, y]) => fn(x, y)]),
  ...Object.entries(reductions).map(([name, fn]): [string, Call] => [
    name,
    ([x], attrs) => fn(x, { dim: ints(attrs, "dim"), keepdim: attrs.keepdim as boolean }),
  ]),
  // What rounding leaves of a zero must not decide.
  ["where", ([c, x, y]) => tg.where(tg.gt(c, 1e-6), x, y)],
  ["clamp", ([x]) => tg.clamp(x, { min: -1, max: 1 })],
  ["cumsum", ([x], attrs) => tg.cumsum(x, int(attrs, "dim"))],
  ["softmax", ([x], attrs) => f.softmax(x, int(attrs, "dim"))],
  ["log_softmax", ([x], attrs) => f.logSoftmax(x, int(attrs, "dim"))],
  ["reshape", ([x], attrs) => tg.reshape(x, ints(attrs, "shape"))],
  ["transpose", ([x], attrs) => tg.transpose(x, int(attrs, "a"), int(attrs, "b"))],
  ["permute", ([x], attrs) => tg.permute(x, ints(attrs, "dims"))],
  [
    "narrow",
    ([x], attrs) => tg.narrow(x, int(attrs, "dim"), int(attrs, "start"), int(attrs, "length")),
  ],
  ["select", ([x], attrs) => tg.select(x, int(attrs, "dim"), int(attrs, "index"))],
  ["flip", ([x], attrs) => tg.flip(x, ints(attrs, "dims"))],
  ["roll", ([x], attrs) => tg.roll(x, int(attrs, "shift"), int(attrs, "dim"))],
  ["unsqueeze", ([x], attrs) => tg.unsqueeze(x, int(attrs, "dim"))],
  ["expand", ([x], attrs) => tg.expand(x, ints(attrs, "shape"))],
  ["repeat", ([x], attrs) => tg.repeat(x, ints(attrs, "sizes"))],
  ["tril", ([x]) => tg.tril(x)],
  ["cat", ([x, y], attrs) => tg.cat([x, y], { dim: int(attrs, "dim") })],
  ["stack", ([x, y], attrs) => tg.stack([x, y], { dim: int(attrs, "dim") })],
  ["index_select", ([x], attrs) => tg.indexSelect(x, int(attrs, "dim"), ints(attrs, "index"))],
  ["linear", ([x, w, b]) => f.linear(x, w, b)],
  [
    "conv2d",
    ([x, w], attrs) =>
      f.conv2d(x, w, null, { stride: int(attrs, "stride"), padding: int(attrs, "padding") }),
  ],
  ["conv1d", ([x, w], attrs) => f.conv1d(x, w, null, { padding: int(attrs, "padding") })],
  ["max_pool2d", ([x]) => f.maxPool2d(x, 2)],
  ["avg_pool2d", ([x]) => f.avgPool2d(x, 2)],
  ["batch_norm", ([x]) => f.batchNorm(x, null, null, null, null, { training: true })],
  ["layer_norm", ([x]) => f.layerNorm(x, [x.shape.at(-1)!])],
  ["group_norm", ([x], attrs) => f.groupNorm(x, int(attrs, "groups"))],
  ["cross_entropy", ([x], attrs) => f.crossEntropy(x, ints(attrs, "target"))],
]);

type Layer = (attrs: Attrs) => tg.nn.Module;

const batchNormOptions = (attrs: Attrs) => ({
  momentum: attrs.momentum === -1 ? null : attrs.momentum as number,
  affine: attrs.affine as boolean,
  trackRunningStats: attrs.track as boolean,
});

/** Every layer by its name in programs. */
export const layers: ReadonlyMap<string, Layer> = new Map<string, Layer>([
  ["BatchNorm1d", (attrs) => new tg.nn.BatchNorm1d(int(attrs, "n"), batchNormOptions(attrs))],
  ["BatchNorm2d", (attrs) => new tg.nn.BatchNorm2d(int(attrs, "n"), batchNormOptions(attrs))],
  [
    "InstanceNorm2d",
    (attrs) => new tg.nn.InstanceNorm2d(int(attrs, "n"), batchNormOptions(attrs)),
  ],
  ["LayerNorm", (attrs) => new tg.nn.LayerNorm([int(attrs, "n")])],
  ["Linear", (attrs) => new tg.nn.Linear(int(attrs, "n"), int(attrs, "out"))],
  ["Conv2d", (attrs) => new tg.nn.Conv2d(int(attrs, "n"), int(attrs, "out"), 3, { padding: 1 })],
  [
    "Mlp",
    (attrs) =>
      new tg.nn.Sequential(
        new tg.nn.Linear(int(attrs, "n"), int(attrs, "out")),
        new tg.nn.BatchNorm1d(int(attrs, "out")),
        new tg.nn.ReLU(),
        new tg.nn.Linear(int(attrs, "out"), 2),
      ),
  ],
]);
