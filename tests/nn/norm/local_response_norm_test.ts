/**
 * Local response normalisation: the fused kernels against the definition in ordinary operations.
 */
import { within } from "../../assert_close.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Generator, grad, gradcheck, nn, ones, randn, type Tensor, zeros } from "../../../mod.ts";

const { avgPool2d, localResponseNorm, pad } = nn.functional;
type Options = nn.functional.LocalResponseNormOptions;

const batch = (shape: readonly number[], seed = 1) =>
  randn(shape, { generator: new Generator(seed) });

/** The definition: a mean over channels with zeros beyond the border. */
function composed(x: Tensor, size: number, { alpha = 1e-4, beta = 0.75, k = 1 }: Options): Tensor {
  const [n, c] = x.shape;
  const squares = x.square().reshape([n, 1, c, x.size / (n * c)]);
  const bordered = pad(squares, [0, 0, Math.floor(size / 2), Math.floor((size - 1) / 2)]);
  const means = avgPool2d(bordered, [size, 1], { stride: 1 }).reshape(x.shape);
  return x.div(means.mul(alpha).add(k).pow(beta));
}

const assertClose = within(1e-13);

const cases: [shape: number[], size: number, options: Options][] = [
  [[2, 5, 3], 2, {}],
  [[2, 5, 3], 3, { alpha: 0.7 }],
  [[1, 4, 2, 3], 4, { alpha: 2, beta: 0.5, k: 0.1 }],
  [[2, 3, 2, 1, 2], 9, { alpha: 1, beta: 2, k: 3 }],
  [[2, 3, 4], 1, { alpha: 1, beta: -0.5 }],
  [[1, 1, 2], 5, { alpha: 0.5, beta: 1 }],
  [[2, 3, 2], 3, { alpha: 1, beta: 0 }],
  [[1, 6, 300], 5, { alpha: 1, k: 2 }],
];

for (const [shape, size, options] of cases) {
  const name = `localResponseNorm() of [${shape}], size ${size}, ${JSON.stringify(options)}`;

  Deno.test(`${name} is its definition, with gradients of three orders`, () => {
    const both = [localResponseNorm, composed].map((f) => {
      const x = batch(shape).requiresGrad_();
      const y = f(x, size, options);
      const [first] = grad([y], [x], { gradOutputs: [batch(shape, 2)], createGraph: true });
      const [second] = grad([first!], [x], { gradOutputs: [batch(shape, 3)], createGraph: true });
      const [third] = grad([second!], [x], {
        gradOutputs: [batch(shape, 4)],
        allowUnused: true,
      });
      return [y, first!, second!, third ?? zeros(shape)];
    });
    both[0].forEach((got, order) => {
      assertClose(got, both[1][order], `order ${order}`, 1e-12);
    });
  });
}

Deno.test("a large channel leaves no rounding errors in the windows behind it", () => {
  const x = batch([1, 8, 4]);
  for (let p = 0; p < 4; p++) x.data[p] = 1e12;
  const y = localResponseNorm(x, 3, { alpha: 1 });
  // From channel 2 on the window does not hold channel 0.
  const rest = localResponseNorm(x.narrow(1, 1, 7), 3, { alpha: 1 });
  assertEquals(y.narrow(1, 2, 6).toArray(), rest.narrow(1, 1, 6).toArray());
});

Deno.test("localResponseNorm() divides by nothing as PyTorch does, and takes NaN", () => {
  const x = batch([1, 5, 2]);
  for (const i of [0, 1, 2, 3]) x.data[i] = 0;
  x.data[9] = NaN;
  const options = { alpha: 1, k: 0 };
  assertClose(localResponseNorm(x, 2, options), composed(x, 2, options), "y");
  // A negative base has no root.
  assert(Number.isNaN(localResponseNorm(ones([1, 1, 1]), 1, { alpha: -3 }).item()));
});

Deno.test("localResponseNorm() gives an empty batch back and wants three dims", () => {
  const empty = zeros([0, 3, 2]);
  assertStrictEquals(localResponseNorm(empty, 2), empty);
  assertEquals(localResponseNorm(zeros([2, 0, 3]), 2).shape, [2, 0, 3]);
  assertThrows(() => localResponseNorm(ones([3, 2]), 2), RangeError, "expected 3 dims or more");
  assertThrows(() => localResponseNorm(ones([1, 3, 2]), 0), RangeError, "got size 0");
  assertThrows(() => localResponseNorm(ones([1, 3, 2]), 1.5), RangeError, "got size 1.5");
});

Deno.test("localResponseNorm() has gradients of two orders behind other operations", () => {
  const f = (x: Tensor) => localResponseNorm(x.sin(), 3, { alpha: 1 }).square();
  gradcheck(f, [batch([2, 4, 2]).requiresGrad_()], { order: 2 });
});
