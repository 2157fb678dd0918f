import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as tg from "../../autograd/mod.ts";

const { tensor } = tg;

function slopes(f: (x: tg.Tensor) => tg.Tensor, values: number[]): number[] {
  const x = tensor(values, { requiresGrad: true });
  return [...tg.grad(tg.sum(f(x)), [x])[0]!.data];
}

function close(actual: Iterable<number>, expected: number[]): void {
  [...actual].forEach((v, i) => assertAlmostEquals(v, expected[i], 1e-15, `at ${i}`));
}

Deno.test("relu and its relatives take the side of PyTorch at their kinks", () => {
  assertEquals(slopes(tg.relu, [-1, 0, 2]), [0, 0, 1]);
  assertEquals(slopes(tg.relu6, [0, 3, 6]), [0, 1, 0]);
  assertEquals(slopes(tg.hardtanh, [-1, 0, 1]), [0, 1, 0]);
  assertEquals(slopes(tg.hardswish, [-4, -3, 0, 3, 4]), [0, 0, 0.5, 1, 1]);
  assertEquals(slopes(tg.leakyRelu, [-1, 0, 1]), [0.01, 0.01, 1]);
  assertEquals(slopes((x) => tg.elu(x, { alpha: 2 }), [0, 1]), [2, 1]);
});

Deno.test("activations hand on NaN", () => {
  for (
    const f of [
      tg.relu,
      tg.relu6,
      tg.hardtanh,
      tg.hardswish,
      tg.leakyRelu,
      tg.elu,
      tg.selu,
      tg.gelu,
      tg.silu,
      tg.mish,
      tg.softplus,
      tg.logsigmoid,
      tg.sigmoid,
      tg.tanh,
    ]
  ) assertEquals(f(tensor([NaN, 1])).data[0], NaN, f.name);
});

// Values of PyTorch at −1.5 and 0.7.
Deno.test("smooth activations have PyTorch's values", () => {
  const x = tensor([-1.5, 0.7]);
  close(tg.gelu(x).data, [-0.10021080190328704, 0.5306254434438489]);
  close(tg.gelu(x, { approximate: "tanh" }).data, [-0.10042842301976707, 0.5305701347051167]);
  close(tg.silu(x).data, [-0.2736382857095345, 0.46773144051771626]);
  close(tg.mish(x).data, [-0.29809974216680674, 0.5611483776438518]);
  close(tg.softplus(x, { beta: 2 }).data, [0.02429367578687103, 0.8102087049592255]);
  close(tg.logsigmoid(x).data, [-1.7014132779827524, -0.4031860488854579]);
  close(tg.elu(x).data, [-0.7768698398515702, 0.7]);
  close(tg.selu(x).data, [-1.3658143533672527, 0.7354906911488363]);
});

Deno.test("activations neither overflow nor lose their slope far out", () => {
  assertEquals([...tg.softplus(tensor([-1000, 1000])).data], [0, 1000]);
  assertEquals([...tg.logsigmoid(tensor([-1000, 1000])).data], [-1000, 0]);
  assertEquals([...tg.mish(tensor([-1000, 1000])).data], [-0, 1000]);
  assertEquals([...tg.sigmoid(tensor([-1000, 1000])).data], [0, 1]);
  for (const f of [tg.softplus, tg.mish, tg.silu, tg.gelu, tg.elu]) {
    assertEquals(slopes(f, [1000]), [1], f.name);
  }
});

Deno.test("gelu keeps its digits in the left tail, where 1 + erf would cancel", () => {
  // −8·Φ(−8) in 40-digit arithmetic
  assertAlmostEquals(tg.gelu(tensor(-8)).item() / -4.976768459417427e-15, 1, 1e-13);
});

Deno.test("glu halves an even dim", () => {
  assertEquals(tg.glu(tensor([[3, 0], [4, 0]])).toArray(), [[1.5], [2]]);
  assertEquals(tg.glu(tensor([[3, 4], [0, 0]]), { dim: 0 }).toArray(), [[1.5, 2]]);
  assertThrows(() => tg.glu(tensor([1, 2, 3])), RangeError, "Cannot glu: got x of shape [3]");
  assertThrows(() => tg.glu(tensor(1)), RangeError, "Cannot glu: got x of shape []");
});

Deno.test("prelu has one slope for each channel or one for all", () => {
  const x = tensor([[[-1, 2], [-3, 0]]], { requiresGrad: true });
  const weight = tensor([0.5, 0.25], { requiresGrad: true });
  const y = tg.prelu(x, weight);
  assertEquals(y.toArray(), [[[-0.5, 2], [-0.75, 0]]]);
  const [gx, gw] = tg.grad(tg.sum(y), [x, weight]);
  assertEquals(gx!.toArray(), [[[0.5, 1], [0.25, 0.25]]]);
  assertEquals(gw!.toArray(), [-1, -3]);
  assertEquals(tg.prelu(tensor([-2, 2]), tensor(0.5)).toArray(), [-1, 2]);
  assertEquals(tg.prelu(tg.zeros([1, 0, 3]), tensor(0.5)).shape, [1, 0, 3]);
});

Deno.test("prelu refuses slopes that do not fit", () => {
  assertThrows(
    () => tg.prelu(tg.ones([2, 8, 3]), tg.ones([9])),
    RangeError,
    "Cannot prelu: got weight of shape [9] for x of shape [2, 8, 3]",
  );
  assertThrows(() => tg.prelu(tg.ones([3]), tg.ones([3])), RangeError, "1 channels");
  assertThrows(() => tg.prelu(tg.ones([2, 3]), tg.ones([1, 3])), RangeError, "Cannot prelu");
});

Deno.test("options that are no numbers, or no option, are refused", () => {
  const x = tensor([1]);
  const text = "2" as unknown as number;
  assertThrows(() => tg.elu(x, { alpha: text }), TypeError, "Cannot elu: got alpha string 2");
  assertThrows(() => tg.softplus(x, { beta: text }), TypeError, "Cannot softplus: got beta");
  assertThrows(
    () => tg.gelu(x, { approximate: "erf" as "none" }),
    RangeError,
    'Cannot gelu: got approximate string erf, expected "none" or "tanh"',
  );
  assertThrows(
    () => tg.hardtanh(x, { minVal: 3, maxVal: 1 }),
    RangeError,
    "Cannot hardtanh: got minVal 3 and maxVal 1",
  );
});

Deno.test("softmax along any dim adds up to 1 and does not overflow", () => {
  const x = tensor([[[1000, 0], [1000, 1]], [[-1000, 5], [0, 5]]]);
  for (const dim of [0, 1, 2, -1]) {
    for (const v of tg.sum(tg.softmax(x, dim), { dim }).data) assertAlmostEquals(v, 1, 1e-15);
  }
  assertEquals(tg.softmax(tensor(3), 0).item(), 1);
  assertEquals(tg.logSoftmax(tensor(3), -1).item(), 0);
  assertEquals(tg.softmax(tg.zeros([5, 0]), 1).shape, [5, 0]);
});

Deno.test("softmax of −∞ alone is NaN; beside numbers it is 0, and a hole in the gradient", () => {
  assertEquals([...tg.softmax(tensor([-Infinity, -Infinity]), 0).data], [NaN, NaN]);
  assertEquals([...tg.softmax(tensor([-Infinity, 0]), 0).data], [0, 1]);
  assertEquals(slopes((x) => tg.mul(tg.softmax(x, 0), tensor([1, 2, 3])), [-Infinity, 0, 0]), [
    0,
    -0.25,
    0.25,
  ]);
});

Deno.test("logSoftmax is the logarithm of softmax, also where that rounds to 0", () => {
  assertEquals([...tg.logSoftmax(tensor([1000, 0]), 0).data], [0, -1000]);
  const x = tensor([0.3, -1.2, 2.5]);
  close(tg.logSoftmax(x, 0).data, [...tg.log(tg.softmax(x, 0)).data]);
  assertEquals(tg.softmin(x, 0).toArray(), tg.softmax(tg.neg(x), 0).toArray());
});

Deno.test("softmax wants a dim in range", () => {
  const x = tensor([1, 2]);
  assertThrows(() => tg.softmax(x, 1), RangeError, "Cannot softmax: got dim 1");
  assertThrows(
    () => tg.logSoftmax(x, undefined as unknown as number),
    TypeError,
    "Cannot logSoftmax: got dim undefined, expected an integer",
  );
  assertThrows(() => tg.softmin(x, 7), RangeError, "Cannot softmin: got dim 7");
});

Deno.test("the composed activations have PyTorch's values and sides at their kinks", () => {
  const x = [-3, -0.5, 0, 0.5, 3];
  const cases: [f: (x: tg.Tensor) => tg.Tensor, values: number[], slopes: number[]][] = [
    [
      (x) => tg.celu(x, { alpha: 2 }),
      [-1.5537396797031404, -0.44239843385719024, 0, 0.5, 3],
      [0.22313016014842982, 0.7788007830714049, 1, 1, 1],
    ],
    [
      (x) => tg.celu(x, { alpha: -2 }),
      [-6.963378140676129, -0.5680508333754828, 0, 0.5, 3],
      [4.4816890703380645, 1.2840254166877414, 1, 1, 1],
    ],
    [
      tg.hardsigmoid,
      [0, 2.5 / 6, 0.5, 3.5 / 6, 1],
      [0, 1 / 6, 1 / 6, 1 / 6, 0],
    ],
    [tg.softsign, [-0.75, -1 / 3, 0, 1 / 3, 0.75], [1 / 16, 4 / 9, 1, 4 / 9, 1 / 16]],
    [
      tg.tanhshrink,
      [-2.0049452463132695, -0.03788284273999026, 0, 0.03788284273999026, 2.0049452463132695],
      [0.9901339628345598, 0.2135522670340726, 0, 0.2135522670340726, 0.9901339628345598],
    ],
    [tg.hardshrink, [-3, 0, 0, 0, 3], [1, 0, 0, 0, 1]],
    [tg.softshrink, [-2.5, 0, 0, 0, 2.5], [1, 0, 0, 0, 1]],
    [(x) => tg.threshold(x, 0.5, 7), [7, 7, 7, 7, 3], [0, 0, 0, 0, 1]],
  ];
  for (const [f, values, expected] of cases) {
    close(f(tensor(x)).data, values);
    close(slopes(f, x), expected);
  }
  assertThrows(() => tg.softshrink(tensor(x), { lambd: -1 }), RangeError, "Cannot softshrink");
  assertThrows(() => tg.celu(tensor(x), { alpha: 0 }), RangeError, "Cannot celu: got alpha 0");
});
