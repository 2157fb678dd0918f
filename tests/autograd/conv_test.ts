import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  Generator,
  grad,
  gradcheck,
  mul,
  ones,
  randn,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../autograd/mod.ts";

const convs = [conv1d, conv2d, conv3d];
const transposes = [convTranspose1d, convTranspose2d, convTranspose3d];

/** A convolution over `axes` axes, as drawn. */
interface Drawn {
  axes: number;
  images: number;
  groups: number;
  inChannels: number;
  outChannels: number;
  input: number[];
  kernel: number[];
  stride: number[];
  padding: number[];
  dilation: number[];
}

const drawn: fc.Arbitrary<Drawn> = fc.integer({ min: 1, max: 3 }).chain((axes) => {
  const perAxis = (min: number, max: number) =>
    fc.array(fc.integer({ min, max }), { minLength: axes, maxLength: axes });
  return fc.record({
    axes: fc.constant(axes),
    images: fc.integer({ min: 0, max: 3 }),
    groups: fc.integer({ min: 1, max: 3 }),
    inChannels: fc.integer({ min: 1, max: 2 }),
    outChannels: fc.integer({ min: 1, max: 2 }),
    input: perAxis(1, 6),
    kernel: perAxis(1, 3),
    stride: perAxis(1, 3),
    padding: perAxis(0, 2),
    dilation: perAxis(1, 2),
  });
}).filter(({ input, kernel, padding, dilation }) =>
  input.every((size, i) => size + 2 * padding[i] > (kernel[i] - 1) * dilation[i])
);

/** Every index of a shape. */
function* indices(shape: readonly number[]): IterableIterator<number[]> {
  if (shape.length === 0) return yield [];
  for (let i = 0; i < shape[0]; i++) for (const rest of indices(shape.slice(1))) yield [i, ...rest];
}

/** The element at an index; 0 outside. */
function at(x: Tensor, index: readonly number[]): number {
  let flat = 0;
  for (let i = 0; i < index.length; i++) {
    if (index[i] < 0 || index[i] >= x.shape[i]) return 0;
    flat = flat * x.shape[i] + index[i];
  }
  return x.data[flat];
}

/** One output of the convolution, by its definition. */
function convolvedAt(x: Tensor, weight: Tensor, index: number[], drawn: Drawn): number {
  const [n, o, ...place] = index;
  const first = Math.floor(o / drawn.outChannels) * drawn.inChannels;
  let total = 0;
  for (const [c, ...tap] of indices(weight.shape.slice(1))) {
    const from = place.map((p, i) =>
      p * drawn.stride[i] - drawn.padding[i] + tap[i] * drawn.dilation[i]
    );
    total += at(weight, [o, c, ...tap]) * at(x, [n, first + c, ...from]);
  }
  return total;
}

function operands(drawn: Drawn): { x: Tensor; weight: Tensor; options: Record<string, unknown> } {
  const { images, groups, inChannels, outChannels, input, kernel } = drawn;
  const generator = new Generator(5);
  const { stride, padding, dilation } = drawn;
  return {
    x: randn([images, groups * inChannels, ...input], { generator }),
    weight: randn([groups * outChannels, inChannels, ...kernel], { generator }),
    options: { stride, padding, dilation, groups },
  };
}

Deno.test("a convolution is what its definition says, over one, two and three axes", () => {
  fc.assert(
    fc.property(drawn, (drawn) => {
      const { x, weight, options } = operands(drawn);
      const y = convs[drawn.axes - 1](x, weight, null, options);
      for (const index of indices(y.shape)) {
        assertAlmostEquals(at(y, index), convolvedAt(x, weight, index, drawn), 1e-12);
      }
    }),
    { numRuns: 150 },
  );
});

Deno.test("a transposed convolution is the gradient of the convolution to its input", () => {
  fc.assert(
    fc.property(drawn, (drawn) => {
      const { x, weight, options } = operands({ ...drawn, images: 2 });
      x.requiresGrad_();
      const y = convs[drawn.axes - 1](x, weight, null, options);
      const g = randn(y.shape, { generator: new Generator(6) });
      const [expected] = grad([y], [x], { gradOutputs: [g] });
      const exact = drawn.input.map((_, i) =>
        (y.shape[i + 2] - 1) * drawn.stride[i] - 2 * drawn.padding[i] +
        (drawn.kernel[i] - 1) * drawn.dilation[i] + 1
      );
      const outputPadding = drawn.input.map((size, i) => size - exact[i]);
      const z = transposes[drawn.axes - 1](g, weight, null, { ...options, outputPadding });
      assertEquals(z.shape, expected!.shape);
      z.data.forEach((value, i) => assertAlmostEquals(value, expected!.data[i], 1e-12));
    }),
    { numRuns: 150 },
  );
});

Deno.test("padding same puts the odd zero behind", () => {
  const y = conv1d(tensor([[1, 2, 3]]), tensor([[[1, 10]]]), null, { padding: "same" });
  assertEquals(y.toArray(), [[21, 32, 3]]);
});

Deno.test("an image without a batch axis gives the same as a batch of one", () => {
  const generator = new Generator(1);
  const x = randn([2, 4, 5], { generator });
  const weight = randn([3, 2, 2, 2], { generator });
  const bias = randn([3], { generator });
  const single = conv2d(x, weight, bias, { padding: 1 });
  const batch = conv2d(tensor(x.data, { shape: [1, 2, 4, 5] }), weight, bias, { padding: 1 });
  assertEquals([1, ...single.shape], [...batch.shape]);
  assertEquals(single.data, batch.data);
});

Deno.test("empty batches and no channels", () => {
  const weight = ones([3, 2, 2, 2], { requiresGrad: true });
  const bias = ones([3], { requiresGrad: true });
  const y = conv2d(zeros([0, 2, 4, 4]), weight, bias);
  assertEquals(y.shape, [0, 3, 3, 3]);
  sum(y).backward();
  assertEquals([...weight.grad!.data, ...bias.grad!.data], new Array(27).fill(0));
  assertEquals(
    conv2d(zeros([1, 0, 4, 4]), ones([3, 0, 2, 2]), bias).data,
    new Float64Array(27).fill(1),
  );
});

Deno.test("a convolution differentiates to order 3, bias included", () => {
  const generator = new Generator(2);
  const leaf = (shape: number[]) => randn(shape, { generator }).requiresGrad_();
  const inputs = [leaf([1, 2, 3, 2]), leaf([2, 1, 2, 2]), leaf([2])];
  gradcheck(
    (x, weight, bias) => {
      const y = conv2d(x, weight, bias, { padding: 1, groups: 2, stride: [2, 1] });
      return mul(y, y);
    },
    inputs,
    { order: 3 },
  );
});

Deno.test("only the gradients that are needed are computed", () => {
  const weight = ones([1, 1, 2], { requiresGrad: true });
  const y = conv1d(ones([1, 3]), weight);
  sum(y).backward();
  assertEquals(weight.grad!.toArray(), [[[2, 2]]]);
  assert(y.requiresGrad);
});

const x = zeros([1, 4, 5, 5]);
const weight = zeros([6, 2, 3, 3]);
const groups = 2;

for (
  const [title, run, type, words] of [
    ["too few dims", () => conv2d(zeros([5, 5]), weight), RangeError, "x of shape [5, 5]"],
    ["a weight of other dims", () => conv2d(x, zeros([6, 4, 3])), RangeError, "weight of shape"],
    ["channels that differ", () => conv2d(x, weight), RangeError, "expected 2 channels"],
    ["groups 0", () => conv2d(x, weight, null, { groups: 0 }), RangeError, "groups 0"],
    [
      "groups that do not divide",
      () => conv2d(x, weight, null, { groups: 4 }),
      RangeError,
      "multiple of groups",
    ],
    [
      "a bias too long",
      () => conv2d(x, weight, zeros([7]), { groups }),
      RangeError,
      "expected [6]",
    ],
    [
      "a kernel beyond the input",
      () => conv2d(x, weight, null, { groups, dilation: 3 }),
      RangeError,
      "expected at least [7, 7]",
    ],
    [
      "same with a stride",
      () => conv2d(x, weight, null, { groups, padding: "same", stride: 2 }),
      RangeError,
      'padding "same"',
    ],
    [
      "an unknown padding",
      () => conv2d(x, weight, null, { groups, padding: "full" as "same" }),
      RangeError,
      '"full"',
    ],
    [
      "a negative padding",
      () => conv2d(x, weight, null, { groups, padding: [1, -1] }),
      RangeError,
      "padding [1, -1]",
    ],
    ["stride 0", () => conv2d(x, weight, null, { groups, stride: 0 }), RangeError, "stride"],
    [
      "a stride for three axes",
      () => conv2d(x, weight, null, { groups, stride: [1, 1, 1] }),
      RangeError,
      "expected a number or 2",
    ],
    [
      "an empty axis",
      () => conv2d(zeros([1, 2, 0, 4]), zeros([1, 2, 1, 1]), null, { padding: 1 }),
      RangeError,
      "empty",
    ],
    ["an empty kernel", () => conv2d(x, zeros([6, 4, 0, 3])), RangeError, "kernel"],
    ["no tensor", () => conv2d(x, 3 as unknown as Tensor), TypeError, "weight number 3"],
    [
      "an outputPadding as large as the stride",
      () => convTranspose2d(zeros([1, 6, 2, 2]), weight, null, { groups, outputPadding: 1 }),
      RangeError,
      "outputPadding [1, 1]",
    ],
    [
      "nothing left of the output",
      () => convTranspose2d(zeros([1, 6, 1, 1]), weight, null, { groups, padding: 2 }),
      RangeError,
      "output of [-1, -1]",
    ],
    [
      "no output channels",
      () => convTranspose1d(zeros([1, 2, 3]), zeros([2, 0, 2])),
      RangeError,
      "output channel",
    ],
  ] as const
) {
  Deno.test(`a convolution refuses ${title}`, () => {
    const error = assertThrows(run, type, words) as Error;
    assert(error.message.startsWith("Cannot conv"), error.message);
  });
}
