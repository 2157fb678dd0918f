import {
  conv,
  convInput,
  type ConvSizes,
  convWeight,
} from "../../autograd/kernels/conv/conv_columns.ts";
import { type Triple, volume } from "../../autograd/kernels/mod.ts";
import { useBuild } from "../../autograd/runtime/instance.ts";
import { assertClose, numbers, pooled, testBuilds } from "./pooled.ts";

/** Sizes of a convolution over planes of the given input. */
function sizesOf(
  images: number,
  groups: number,
  inChannels: number,
  outChannels: number,
  input: Triple,
  kernel: Triple,
  { stride = [1, 1, 1], padding = [0, 0, 0], dilation = [1, 1, 1] }: {
    stride?: Triple;
    padding?: Triple;
    dilation?: Triple;
  } = {},
): ConvSizes {
  const output = [0, 1, 2].map((axis) =>
    Math.floor(
      (input[axis] + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis],
    ) + 1
  ) as unknown as Triple;
  return {
    images,
    groups,
    inChannels,
    outChannels,
    window: { input, kernel, output, stride, padding, dilation },
  };
}

const cases: readonly ConvSizes[] = [
  sizesOf(2, 1, 3, 5, [1, 6, 7], [1, 3, 3], { padding: [0, 1, 1] }),
  sizesOf(3, 1, 2, 4, [1, 1, 19], [1, 1, 5]),
  sizesOf(2, 2, 2, 3, [1, 7, 6], [1, 2, 3], { stride: [1, 2, 1], padding: [0, 1, 1] }),
  sizesOf(1, 1, 2, 3, [1, 9, 9], [1, 3, 3], { dilation: [1, 2, 2], padding: [0, 2, 1] }),
  sizesOf(2, 1, 1, 2, [4, 5, 6], [2, 3, 2], { padding: [1, 1, 1] }),
  sizesOf(2, 3, 1, 1, [1, 5, 5], [1, 3, 3], { padding: [0, 1, 1] }),
  sizesOf(2, 1, 6, 7, [1, 5, 5], [1, 1, 1]),
  sizesOf(1, 1, 33, 5, [1, 6, 6], [1, 3, 3], { padding: [0, 1, 1] }),
  sizesOf(1, 1, 2, 130, [1, 20, 20], [1, 2, 2]),
  sizesOf(2, 1, 2, 2, [1, 5, 5], [1, 2, 2], { stride: [1, 3, 3] }),
  sizesOf(2, 1, 2, 2, [1, 4, 4], [1, 1, 1], { padding: [0, 1, 1] }),
  // Enough products of channels for fewer multiplications.
  sizesOf(5, 2, 8, 9, [1, 9, 7], [1, 3, 3], { padding: [0, 1, 1] }),
];

testBuilds("convolutions and both gradients equal the plain ones", (build) => {
  for (const sizes of cases) {
    const { images, groups, inChannels, outChannels, window } = sizes;
    const inputs = images * groups * inChannels * volume(window.input);
    const outputs = images * groups * outChannels * volume(window.output);
    const weights = groups * outChannels * inChannels * volume(window.kernel);
    const x = pooled(numbers(inputs, 1));
    const y = pooled(numbers(outputs, 2));
    const weight = pooled(numbers(weights, 3));
    const bias = numbers(groups * outChannels, 4);
    const inputBias = numbers(groups * inChannels, 5);
    const run = () => {
      const results = [outputs, inputs, weights, groups * outChannels].map((n) =>
        pooled(new Float64Array(n).fill(NaN))
      );
      conv(x, weight, bias, results[0], sizes);
      convInput(y, weight, inputBias, results[1], sizes);
      convWeight(x, y, results[2], results[3], sizes);
      return results;
    };
    const actual = run();
    useBuild("plain");
    const expected = run();
    useBuild(build);
    const name = JSON.stringify(sizes);
    // The plain convolutions have no way of fewer multiplications, which rounds more.
    const within = inChannels * outChannels >= 64 && window.kernel[1] === 3 ? 1e-12 : 1e-13;
    assertClose(actual[0], expected[0], within, within, `conv ${name}`);
    assertClose(actual[1], expected[1], within, within, `convInput ${name}`);
    assertClose(actual[2], expected[2], within, within, `convWeight ${name}`);
    assertClose(actual[3], expected[3], 1e-13, 1e-13, `bias of convWeight ${name}`);
  }
});

testBuilds("convolutions equal the columns' products beside them in their doors", (build) => {
  const sizes = sizesOf(3, 1, 9, 8, [1, 7, 6], [1, 3, 3], { padding: [0, 1, 1] });
  const [x, y, weight] = [3 * 9 * 42, 3 * 8 * 42, 8 * 9 * 9].map((n, i) =>
    pooled(numbers(n, i + 1))
  );
  const pairs: [(out: Float64Array) => void, (out: Float64Array) => void, number][] = [
    [
      (out) => conv(x, weight, null, out, sizes),
      (out) => conv.plain(x, weight, null, out, sizes),
      y.length,
    ],
    [
      (out) => convInput(y, weight, null, out, sizes),
      (out) => convInput.plain(y, weight, null, out, sizes),
      x.length,
    ],
    [
      (out) => convWeight(x, y, out, null, sizes),
      (out) => convWeight.plain(x, y, out, null, sizes),
      weight.length,
    ],
    [
      (out) => convWeight(x, y, weight.slice(), out, sizes),
      (out) => convWeight.plain(x, y, weight.slice(), out, sizes),
      8,
    ],
  ];
  for (const [run, plain, length] of pairs) {
    const [actual, expected] = [0, 1].map(() => pooled(new Float64Array(length).fill(NaN)));
    run(actual);
    plain(expected);
    assertClose(actual, expected, 1e-12, 1e-12, build);
  }
});
