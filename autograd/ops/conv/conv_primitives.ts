/**
 * The convolution, its transpose and its weight gradient: the partial derivatives of one trilinear form
 * in x, weight and y. Each is a primitive, and each is differentiated by the other two, to every order.
 */
import { conv, convInput, type ConvSizes, convWeight } from "../../kernels/conv/conv_columns.ts";
import type { Window } from "../../kernels/mod.ts";
import { described, type Input, ownPrimitive, type Primitive } from "../../tape/primitive.ts";
import type { Generator } from "../../random.ts";
import type { Shape } from "../../shape.ts";
import { uniform } from "../create/samples.ts";
import { bind } from "../../tape/tape.ts";
import { type Tensor, valuesOf, valuesOrNull } from "../../tensor.ts";
import { sumTo } from "../shape/broadcast.ts";
import { reshape } from "../shape/shape.ts";
import { imageShape, spatial, windowOf } from "./window.ts";

/** The constants of a convolution. */
export interface ConvAttrs {
  /** Where the windows lie. */
  readonly window: Window;
  /** Groups of channels that do not see each other. */
  readonly groups: number;
}

type Convolution<Names extends readonly Input[]> = Primitive<
  Names,
  readonly [out: Tensor],
  readonly [first: Input, second: Input],
  ConvAttrs
>;

function sizesOf(x: Shape, y: Shape, { window, groups }: ConvAttrs): ConvSizes {
  return {
    window,
    images: x[0],
    groups,
    inChannels: x[1] / groups,
    outChannels: y[1] / groups,
  };
}

type Directed = Convolution<readonly [from: Tensor, weight: Tensor, bias: Input]>;

/** A convolution, which leads from x to y, or its transpose, which leads from y to x. */
interface Direction {
  readonly name: string;
  readonly kernel: typeof conv;
  shape(from: Shape, weight: Shape, attrs: ConvAttrs): Shape;
  /** Which is x and which is y. */
  inOrder<T>(from: T, to: T): readonly [x: T, y: T];
  /** The other direction. */
  back(g: Tensor, weight: Tensor, bias: null, attrs: ConvAttrs): Tensor;
  /** Whether it leads to y, whose sum, the bias's gradient, the kernel of the weight's gradient makes too. */
  readonly leadsToY: boolean;
}

function directed({ name, kernel, shape, inOrder, back, leadsToY }: Direction): Directed {
  return ownPrimitive<Directed>({
    name,
    shape: ([from, weight], attrs) => [shape(from, weight, attrs)],
    forward: ([from, weight, bias], [to], attrs) =>
      kernel(
        valuesOf(from),
        valuesOf(weight),
        valuesOrNull(bias),
        valuesOf(to),
        sizesOf(...inOrder(from.shape, to.shape), attrs),
      ),
    save: ([from, weight], _, __, needs) => [needs[1] ? from : null, needs[0] ? weight : null],
    // From g back through the weight; to the weight convWeight(x, y); to the bias Σ g of each channel.
    vjp: ([g], { saved: [from, weight], attrs, needs }) => {
      const dx = weight === null ? null : back(g, weight, null, attrs);
      const together = from !== null && needs[2] && leadsToY;
      const [dw, db] = from === null
        ? [null, null]
        : bind(convWeightPrimitive, inOrder(from, g), { ...attrs, bias: together });
      return [dx, dw, together ? db : needs[2] ? channelSum(g) : null];
    },
  });
}

const convPrimitive = /* @__PURE__ */ directed({
  name: "conv",
  kernel: conv,
  shape: (x, weight, { window }) => imageShape(x, weight[0], window.output),
  inOrder: (x, y) => [x, y],
  back: transposed,
  leadsToY: true,
});

/* @__PURE__ */ described(
  convPrimitive,
  "y[n, o, p] = bias[o] + Σ weight[o, c, k] · x[n, c, p·stride − padding + k·dilation]",
  (random) =>
    convSamples(random).map(({ x, weight, bias, attrs }) => ({
      inputs: [x, weight, bias] as const,
      attrs,
    })),
);

const convInputPrimitive = /* @__PURE__ */ directed({
  name: "convInput",
  kernel: convInput,
  shape: (y, weight, { window, groups }) => imageShape(y, weight[1] * groups, window.input),
  inOrder: (y, x) => [x, y],
  back: convolved,
  leadsToY: false,
});

/* @__PURE__ */ described(
  convInputPrimitive,
  "the transpose of conv in x: x[n, c] = bias[c] + Σ weight[o, c, k] · y[n, o, p]",
  (random) =>
    convSamples(random).map(({ y, weight, inputBias, attrs }) => ({
      inputs: [y, weight, inputBias] as const,
      attrs,
    })),
);

/** The constants of a weight's gradient. */
interface WeightAttrs extends ConvAttrs {
  /** Whether that of the bias is asked for too; else it comes back empty. */
  readonly bias: boolean;
}

type WeightGradient = Primitive<
  readonly [x: Tensor, y: Tensor],
  readonly [weight: Tensor, bias: Tensor],
  readonly [x: Input, y: Input],
  WeightAttrs
>;

const convWeightPrimitive: WeightGradient = /* @__PURE__ */ ownPrimitive<WeightGradient>({
  name: "convWeight",
  shape: ([x, y], { window, groups, bias }) => [
    [y[1], x[1] / groups, ...window.kernel.slice(5 - x.length)],
    [bias ? y[1] : 0],
  ],
  forward: ([x, y], [weight, bias], attrs) =>
    convWeight(
      valuesOf(x),
      valuesOf(y),
      valuesOf(weight),
      attrs.bias ? valuesOf(bias) : null,
      sizesOf(x.shape, y.shape, attrs),
    ),
  save: ([x, y], _, __, needs) => [needs[1] ? x : null, needs[0] ? y : null],
  // dx = convᵀ(y, gw), dy = conv(x, gw) + gb
  vjp: ([gw, gb], { saved: [x, y], attrs }) => [
    y === null ? null : transposed(y, gw, null, attrs),
    x === null ? null : convolved(x, gw, attrs.bias ? gb : null, attrs),
  ],
});

/* @__PURE__ */ described(
  convWeightPrimitive,
  "weight[o, c, k] = Σ y[n, o, p] · x[n, c, p·stride − padding + k·dilation], bias[o] = Σ y",
  (random) =>
    convSamples(random).map(({ x, y, bias, attrs }) => ({
      inputs: [x, y] as const,
      attrs: { ...attrs, bias: bias !== null },
    })),
);

/** The sum over everything but the channels. */
function channelSum(g: Tensor): Tensor {
  const channels = g.shape[1];
  return reshape(sumTo(g, [1, channels, ...spatial(g.shape).map(() => 1)]), [channels]);
}

/** The convolution: from x to y. */
export function convolved(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  attrs: ConvAttrs,
): Tensor {
  return bind(convPrimitive, [x, weight, bias], attrs)[0];
}

/** The transpose of a convolution: from y to x. */
export function transposed(
  y: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  attrs: ConvAttrs,
): Tensor {
  return bind(convInputPrimitive, [y, weight, bias], attrs)[0];
}

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
function convSamples(random: Generator) {
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
