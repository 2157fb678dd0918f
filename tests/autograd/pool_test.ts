import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  arange,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  Generator,
  gradcheck,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  mul,
  ones,
  randint,
  randn,
  reshape,
  sum,
  tensor,
  zeros,
} from "../../autograd/mod.ts";

const row = tensor([[1, 5, 2, 4, 3]]);

Deno.test("max pooling takes the first of equals, and its index", () => {
  const x = tensor([[2, 2, 1, 2]], { requiresGrad: true });
  const [y, indices] = maxPool1d(x, 2, { stride: 1, returnIndices: true });
  assertEquals(y.toArray(), [[2, 2, 2]]);
  assertEquals(indices.toArray(), [[0, 1, 3]]);
  assert(!indices.requiresGrad);
  sum(y).backward();
  assertEquals(x.grad!.toArray(), [[1, 1, 0, 1]]);
});

Deno.test("NaN is the largest, the last one of a window", () => {
  const [y, indices] = maxPool1d(tensor([[NaN, 3, NaN, 1]]), 4, { returnIndices: true });
  assertEquals(y.toArray(), [[NaN]]);
  assertEquals(indices.toArray(), [[2]]);
});

Deno.test("pairs side by side are pooled as windows of any other size", () => {
  const values = [NaN, Infinity, -Infinity, 0, 1, 1, 2];
  const drawn = randint(0, values.length, [1, 8, 12, 14], { generator: new Generator(9) });
  const x = tensor(drawn.data.map((i) => values[i]), { shape: [1, 8, 12, 14] });
  const [planes, places] = maxPool2d(x, 2, { returnIndices: true });
  const [volume, inVolume] = maxPool3d(x, [1, 2, 2], { returnIndices: true });
  assertEquals(planes.data, volume.data);
  assertEquals(places.data, inVolume.data.map((place) => place % (12 * 14)));
});

Deno.test("a window of -Infinity gives its first value", () => {
  const x = tensor([[-Infinity, -Infinity]]);
  const [y, indices] = maxPool1d(x, 2, { padding: 1, returnIndices: true });
  assertEquals(y.toArray(), [[-Infinity, -Infinity]]);
  assertEquals(indices.toArray(), [[0, 1]]);
});

Deno.test("max pooling with stride, padding and dilation", () => {
  assertEquals(maxPool1d(row, 2).toArray(), [[5, 4]]);
  assertEquals(maxPool1d(row, 2, { stride: 1 }).toArray(), [[5, 5, 4, 4]]);
  assertEquals(maxPool1d(row, 2, { stride: 1, dilation: 2 }).toArray(), [[2, 5, 3]]);
  assertEquals(maxPool1d(row, 3, { padding: 1 }).toArray(), [[5, 4]]);
});

Deno.test("a window whose taps all miss the input has an index in its plane", () => {
  const x = tensor([[7, 8, 9], [4, 5, 6]], { requiresGrad: true });
  const options = { padding: 1, dilation: 4, stride: 1, returnIndices: true } as const;
  const [y, indices] = maxPool1d(x, 2, options);
  assertEquals(y.toArray(), [[-Infinity], [-Infinity]]);
  assertEquals(indices.toArray(), [[0], [0]]);
  // An index behind the plane let the gradient out into the next one, or into other tensors.
  y.backward(tensor([[1], [10]]));
  assertEquals(x.grad!.sum({ dim: 1 }).toArray(), [1, 10]);
});

Deno.test("ceilMode adds a window, unless it would start in the padding", () => {
  assertEquals(maxPool1d(row, 2, { ceilMode: true }).toArray(), [[5, 4, 3]]);
  assertEquals(maxPool1d(row, 2, { stride: 3, padding: 1, ceilMode: true }).shape, [1, 2]);
  assertEquals(avgPool1d(row, 2, { ceilMode: true }).toArray(), [[3, 3, 3]]);
});

Deno.test("indices of planes and volumes count row by row", () => {
  const x = reshape(arange(16), [1, 4, 4]);
  assertEquals(maxPool2d(x, 2, { returnIndices: true })[1].toArray(), [[[5, 7], [13, 15]]]);
  const cube = reshape(arange(8), [1, 2, 2, 2]);
  assertEquals(maxPool3d(cube, 2, { returnIndices: true })[1].toArray(), [[[[7]]]]);
});

Deno.test("average pooling counts the padding or not, or divides by what it is told", () => {
  const options = { stride: 1, padding: 1 };
  const x = tensor([[3, 6]]);
  assertEquals(avgPool1d(x, 2, options).toArray(), [[1.5, 4.5, 3]]);
  assertEquals(avgPool1d(x, 2, { ...options, countIncludePad: false }).toArray(), [[3, 4.5, 6]]);
  assertEquals(avgPool2d(ones([1, 2, 2]), 2, { divisorOverride: -2 }).toArray(), [[[-2]]]);
  assertEquals(avgPool3d(ones([1, 2, 2, 2]), 2).toArray(), [[[[1]]]]);
});

Deno.test("adaptive windows overlap where sizes do not divide", () => {
  assertEquals(adaptiveAvgPool1d(row, 3).toArray(), [[3, 11 / 3, 3.5]]);
  assertEquals(adaptiveMaxPool1d(row, 3).toArray(), [[5, 5, 4]]);
  assertEquals(adaptiveAvgPool2d(ones([2, 3, 4]), [null, 2]).shape, [2, 3, 2]);
  assertEquals(adaptiveAvgPool3d(ones([1, 2, 2, 2]), 1).toArray(), [[[[1]]]]);
  const [y, indices] = adaptiveMaxPool2d(reshape(arange(9), [1, 3, 3]), [1, null], {
    returnIndices: true,
  });
  assertEquals(y.toArray(), [[[6, 7, 8]]]);
  assertEquals(indices.toArray(), [[[6, 7, 8]]]);
});

Deno.test("empty batches, and adaptive windows of none", () => {
  assertEquals(maxPool2d(zeros([0, 2, 4, 4]), 2).shape, [0, 2, 2, 2]);
  assertEquals(avgPool2d(zeros([0, 2, 4, 4]), 2).shape, [0, 2, 2, 2]);
  assertEquals(adaptiveAvgPool2d(zeros([1, 2, 4, 4]), 0).shape, [1, 2, 0, 0]);
  const x = ones([1, 1, 2, 2], { requiresGrad: true });
  sum(adaptiveMaxPool2d(x, [0, 1])).backward();
  assertEquals(x.grad!.data, new Float64Array(4));
});

Deno.test("poolings differentiate to order 2 through a square", () => {
  const x = randn([1, 2, 4, 3], { generator: new Generator(3) }).requiresGrad_();
  gradcheck((x) => maxPool2d(mul(x, x), 2, { stride: 1 }), [x], { order: 2 });
  gradcheck((x) => avgPool2d(mul(x, x), 3, { padding: 1, ceilMode: true }), [x], { order: 2 });
  gradcheck((x) => adaptiveAvgPool2d(mul(x, x), [3, 2]), [x], { order: 2 });
});

const image = zeros([1, 2, 4, 4]);

for (
  const [title, run, type, words] of [
    ["too few dims", () => maxPool2d(zeros([4, 4]), 2), RangeError, "x of shape [4, 4]"],
    ["an empty channel axis", () => maxPool2d(zeros([1, 0, 4, 4]), 2), RangeError, "from dim 1 on"],
    ["kernelSize 0", () => maxPool2d(image, 0), RangeError, "kernelSize"],
    [
      "a kernelSize of three",
      () => maxPool2d(image, [1, 1, 1]),
      RangeError,
      "kernelSize [1, 1, 1]",
    ],
    ["stride 0", () => maxPool2d(image, 2, { stride: 0 }), RangeError, "stride"],
    ["a negative padding", () => avgPool2d(image, 2, { padding: -1 }), RangeError, "padding"],
    ["padding above half a window", () => avgPool2d(image, 3, { padding: 2 }), RangeError, "half"],
    ["dilation 0", () => maxPool2d(image, 2, { dilation: 0 }), RangeError, "dilation"],
    ["a window beyond the input", () => maxPool2d(image, 5), RangeError, "room for one window"],
    ["divisorOverride 0", () => avgPool2d(image, 2, { divisorOverride: 0 }), RangeError, "divisor"],
    [
      "a volume smaller than its window",
      () => avgPool3d(zeros([1, 2, 2, 2]), 3, { padding: 1 }),
      RangeError,
      "at least [3, 3, 3]",
    ],
    ["outputSize -1", () => adaptiveAvgPool2d(image, -1), RangeError, "outputSize"],
    ["an outputSize of one", () => adaptiveAvgPool2d(image, [2]), RangeError, "a list of 2"],
    [
      "outputSize null",
      () => adaptiveAvgPool2d(image, null as unknown as number),
      TypeError,
      "outputSize null",
    ],
    ["a text", () => maxPool2d(image, "2" as unknown as number), TypeError, "kernelSize string 2"],
  ] as const
) {
  Deno.test(`pooling refuses ${title}`, () => {
    const error = assertThrows(run, type, words) as Error;
    assert(/^Cannot \w+Pool\dd: got /.test(error.message), error.message);
  });
}
