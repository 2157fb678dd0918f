/** Calls for the tests of the three products of a convolution. */
import type { Generator } from "../../random.ts";
import { uniform } from "../create/samples.ts";
import { windowOf } from "./window.ts";

/** One convolution of each kind: plain, strided and dilated in groups, pointwise, and over 1 and 3 axes. */
const kinds = [
  {
    input: [3, 3],
    kernel: [2, 2],
    output: [3, 2],
    stride: [1, 1],
    padding: [1, 0],
    dilation: [1, 1],
  },
  {
    input: [4, 5],
    kernel: [2, 2],
    output: [2, 2],
    stride: [2, 3],
    padding: [1, 1],
    dilation: [2, 1],
  },
  {
    input: [2, 2],
    kernel: [1, 1],
    output: [2, 2],
    stride: [1, 1],
    padding: [0, 0],
    dilation: [1, 1],
  },
  { input: [5], kernel: [2], output: [5], stride: [1], padding: [0], dilation: [1] },
  {
    input: [2, 1, 3],
    kernel: [2, 1, 2],
    output: [1, 1, 2],
    stride: [1, 1, 2],
    padding: [0, 0, 1],
    dilation: [1, 1, 1],
  },
];

/** Inputs, weights and outputs that fit each other. */
export function convSamples(random: Generator) {
  return kinds.map(({ input, kernel, output, stride, padding, dilation }, i) => {
    const groups = i === 1 ? 2 : 1;
    const [inChannels, outChannels] = i === 1 ? [2, 4] : [2, 1];
    const draw = (shape: readonly number[]) => uniform(random, shape, -1, 1);
    return {
      x: draw([2, inChannels, ...input]),
      weight: draw([outChannels, inChannels / groups, ...kernel]),
      y: draw([2, outChannels, ...output]),
      bias: i % 2 === 0 ? draw([outChannels]) : null,
      inputBias: i % 2 === 0 ? draw([inChannels]) : null,
      attrs: { window: windowOf(input, kernel, output, stride, padding, dilation), groups },
    };
  });
}
