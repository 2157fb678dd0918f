/**
 * The kernels behind the door against their plain counterparts, on the same arrays.
 *
 * A door that has nothing better hands out the plain kernel itself; such a pair is one line.
 *
 * @module
 */
import * as door from "../autograd/kernels/mod.ts";
import { allocateStorage, type Storage } from "../autograd/runtime/memory.ts";
import * as activation from "../autograd/kernels/elementwise/activation_plain.ts";
import * as arithmetic from "../autograd/kernels/elementwise/arithmetic_plain.ts";
import * as axis from "../autograd/kernels/reduce/axis_plain.ts";
import * as norm from "../autograd/kernels/norm/batch_norm_plain.ts";
import * as loss from "../autograd/kernels/loss/loss_plain.ts";
import * as product from "../autograd/kernels/matmul/matmul_plain.ts";
import * as optim from "../autograd/kernels/optim/optim_plain.ts";
import * as pointwise from "../autograd/kernels/elementwise/pointwise_plain.ts";
import * as pool from "../autograd/kernels/pool/pool_plain.ts";
import * as rowNorm from "../autograd/kernels/norm/row_norm_plain.ts";
import { uniformNumbers } from "./peers/inputs.ts";

type Kernel = (...args: never[]) => void;

const next = uniformNumbers(1);
// A storage keeps its values where they are only as long as somebody holds it.
const held = new Map<string, Storage>();

/** An array of so many numbers in [0.1, 1.1), where the kernels want it. */
function array(size: number, part: string): Float64Array {
  const key = `${part} ${size}`;
  let storage = held.get(key);
  if (storage === undefined) {
    storage = allocateStorage(size);
    const { values } = storage;
    for (let i = 0; i < size; i++) values[i] = 0.1 + next();
    held.set(key, storage);
  }
  return storage.values;
}

function pair<K extends Kernel>(name: string, ours: K, plain: K, run: (kernel: K) => void): void {
  const same = (ours as Kernel) === plain;
  const group = `kernel ${name}`;
  Deno.bench(same ? `${name}, plain only` : name, { group, baseline: true }, () => run(ours));
  if (!same) Deno.bench(`${name}, plain`, { group }, () => run(plain));
}

for (const size of [16, 64, 256, 512]) {
  const sizes = { batch: 1, m: size, n: size, k: size, transA: false, transB: false };
  const [a, b, out] = ["a", "b", "out"].map((part) => () => array(size * size, part));
  pair(`matmul ${size}`, door.matmul, product.matmul, (f) => f(a(), b(), out(), sizes));
}

for (const [n, c, s] of [[64, 32, 784], [256, 512, 1]]) {
  const size = n * c * s;
  const sizes = { n, c, s };
  const shape = `[${n},${c},${s}]`;
  const [x, g, out] = ["x", "g", "out"].map((part) => () => array(size, part));
  const [weight, bias, dw, db] = ["weight", "bias", "dw", "db"].map((part) => () => array(c, part));
  const statistics = () => ({
    mean: array(c, "mean"),
    low: array(c, "low"),
    variance: array(c, "variance"),
    invStd: array(c, "invStd"),
  });
  pair(`batchNormForward ${shape}`, door.batchNormForward, norm.batchNormForward, (f) => {
    f(x(), weight(), bias(), out(), statistics(), sizes, 1e-5, true);
  });
  pair(`batchNormBackward ${shape}`, door.batchNormBackward, norm.batchNormBackward, (f) => {
    f(g(), x(), weight(), statistics(), out(), dw(), db(), sizes, true);
  });
}

const unary = {
  relu: [door.relu, activation.relu],
  tanh: [door.tanh, activation.tanh],
  sigmoid: [door.sigmoid, activation.sigmoid],
  exp: [door.exp, pointwise.exp],
  log: [door.log, pointwise.log],
} as const;
const binary = {
  add: [door.add, arithmetic.add],
  mul: [door.mul, arithmetic.mul],
  div: [door.div, arithmetic.div],
} as const;
for (const size of [256, 8192, 131072]) {
  const [x, y, out] = ["x", "y", "out"].map((part) => () => array(size, part));
  for (const [name, [ours, plain]] of Object.entries(binary)) {
    pair(`${name} of ${size}`, ours, plain, (f) => f(x(), y(), out()));
  }
  for (const [name, [ours, plain]] of Object.entries(unary)) {
    pair(`${name} of ${size}`, ours, plain, (f) => f(x(), out()));
  }
}

{
  const [n, c] = [512, 128];
  const [x, y] = ["x", "y"].map((part) => () => array(n * c, part));
  const sizes = { outer: n, n: c, inner: 1 };
  pair("softmax [512,128]", door.softmax, axis.softmax, (f) => f(x(), y(), sizes));
  pair("logSoftmax [512,128]", door.logSoftmax, axis.logSoftmax, (f) => f(x(), y(), sizes));
  const target = Float64Array.from({ length: n }, (_, i) => i % c);
  const losses = { n, c, s: 1, ignoreIndex: -100, smoothing: 0 };
  pair("crossEntropy [512,128]", door.crossEntropy, loss.crossEntropy, (f) => {
    f(x(), target, null, array(n, "loss"), losses);
  });
  const ones = Float64Array.of(1);
  pair(
    "crossEntropyBackward [512,128]",
    door.crossEntropyBackward,
    loss.crossEntropyBackward,
    (f) => {
      f(x(), target, null, ones, 1, y(), losses);
    },
  );
}

{
  const [rows, size] = [512, 512];
  const sizes = { rows, size, groups: 1 };
  const [x, g, y] = ["x", "g", "out"].map((part) => () => array(rows * size, part));
  const [mean, low, inv] = ["mean", "low", "inv"].map((part) => () => array(rows, part));
  const [w, b, dw, db] = ["w", "b", "dw", "db"].map((part) => () => array(size, part));
  pair("rowAffine [512,512]", door.rowAffine, rowNorm.rowAffine, (f) => {
    f(x(), sizes, mean(), low(), inv(), w(), b(), y());
  });
  pair("rowGradient [512,512]", door.rowGradient, rowNorm.rowGradient, (f) => {
    f(g(), x(), sizes, mean(), low(), inv(), w(), y(), dw(), db());
  });
  pair("rowScale [512,512]", door.rowScale, rowNorm.rowScale, (f) => {
    f(x(), sizes, 1e-5, w(), inv(), y());
  });
  pair("rowScaleGradient [512,512]", door.rowScaleGradient, rowNorm.rowScaleGradient, (f) => {
    f(g(), x(), sizes, inv(), w(), y(), dw());
  });
}

{
  // Windows of 3 × 3, two apart, over planes of 28 × 28 with a border of 1.
  const [planes, size, windows] = [512, 28, 14];
  const start = Int32Array.from({ length: windows }, (_, i) => Math.max(2 * i - 1, 0));
  const end = Int32Array.from({ length: windows }, (_, i) => 2 * i + 2);
  const band = { start, end, count: new Int32Array(windows).fill(3), step: 1 };
  const flat = {
    start: Int32Array.of(0),
    end: Int32Array.of(1),
    count: Int32Array.of(1),
    step: 1,
  };
  const [input, bands] = [[1, size, size], [flat, band, band]] as const;
  const [x, y, at] = ["x", "y", "at"].map((part) => () =>
    array(planes * (part === "x" ? size : windows) ** 2, part)
  );
  pair("maxPool 3/2/1 [512,28,28]", door.maxPool, pool.maxPool, (f) => {
    f(x(), y(), at(), input, bands);
  });
  pair("avgPool 3/2/1 [512,28,28]", door.avgPool, pool.avgPool, (f) => {
    f(x(), y(), input, bands, 0);
  });
  pair("avgPoolTranspose 3/2/1 [512,28,28]", door.avgPoolTranspose, pool.avgPoolTranspose, (f) => {
    f(y(), x(), input, bands, 0);
  });
}

{
  const size = 262144;
  const [p, g, m] = ["p", "g", "m"].map((part) => () => array(size, part));
  pair(`sgdStep of ${size}`, door.sgdStep, optim.sgdStep, (f) => {
    f(p(), g(), m(), 1e-9, 0.9, 0, 0, false, false, false);
  });
}
