/**
 * Clipped gradients, and parameters as one vector.
 */
import { within } from "../assert_close.ts";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { grad, type Tensor, tensor, zeros } from "../../autograd/mod.ts";
import {
  clipGradNorm_,
  clipGradValue_,
  parametersToVector,
  vectorToParameters,
} from "../../nn/utils/mod.ts";

function withGrad(...values: number[]): Tensor {
  const p = zeros([values.length], { requiresGrad: true });
  p.grad = tensor(values);
  return p;
}

function grads(params: readonly Tensor[]): number[] {
  return params.flatMap((param) => [...param.grad!.data]);
}

const assertClose = within(1e-14);

Deno.test("clipGradNorm_ scales all gradients together and returns the norm before", () => {
  const params = [withGrad(3), withGrad(0, 4)];
  const norm = clipGradNorm_(params, 1);
  assertEquals([norm.shape, norm.item()], [[], 5]);
  const factor = 1 / (5 + 1e-6);
  assertClose(grads(params), [3 * factor, 0, 4 * factor]);
});

Deno.test("clipGradNorm_ leaves gradients within the bound, to the last bit", () => {
  const params = [withGrad(0.3, 0.4)];
  clipGradNorm_(params, 1);
  assertEquals(grads(params), [0.3, 0.4]);
});

Deno.test("clipGradNorm_ scales a norm just at the bound by PyTorch's 1e-6", () => {
  const params = [withGrad(1)];
  clipGradNorm_(params, 1);
  assertEquals(grads(params), [1 / (1 + 1e-6)]);
});

// The norms are those of torch.nn.utils.clip_grad_norm_ for gradients [3, −4] and [0, 12].
const norms: [normType: number, norm: number][] = [
  [1, 19],
  [2, 13],
  [3, 12.207054953820634],
  [Infinity, 12],
  [-Infinity, 0],
  [0, 2],
  [0.5, 51.78460969082653],
];

for (const [normType, expected] of norms) {
  Deno.test(`clipGradNorm_ measures with normType ${normType}`, () => {
    const norm = clipGradNorm_([withGrad(3, -4), withGrad(0, 12)], 100, { normType });
    assertAlmostEquals(norm.item(), expected, 1e-13);
  });
}

Deno.test("clipGradNorm_ passes over parameters without a gradient", () => {
  const p = zeros([2], { requiresGrad: true });
  assertEquals(clipGradNorm_([p, withGrad(3, 4)], 9).item(), 5);
  assertEquals(clipGradNorm_([p], 9).item(), 0);
  assertEquals(clipGradNorm_([], 9).item(), 0);
  assertEquals(p.grad, null);
});

Deno.test("clipGradNorm_ takes one tensor, and any iterable once", () => {
  assertEquals(clipGradNorm_(withGrad(3, 4), 9).item(), 5);
  assertEquals(clipGradNorm_(new Set([withGrad(3), withGrad(4)]).values(), 9).item(), 5);
});

Deno.test("clipGradNorm_ hands NaN on, or throws before it scales", () => {
  const params = [withGrad(NaN, 1), withGrad(2)];
  const options = { errorIfNonfinite: true };
  assertThrows(
    () => clipGradNorm_(params, 1, options),
    RangeError,
    "got gradients with a norm of NaN, expected a finite one",
  );
  assertEquals(grads(params), [NaN, 1, 2]);
  assertEquals(clipGradNorm_(params, 1).item(), NaN);
  assertEquals(grads(params), [NaN, NaN, NaN]);
  const infinite = [withGrad(Infinity, 1)];
  assertThrows(() => clipGradNorm_(infinite, 1, options), RangeError, "norm of Infinity");
  clipGradNorm_(infinite, 1);
  assertEquals(grads(infinite), [NaN, 0]);
});

Deno.test("clipGradNorm_ and clipGradValue_ refuse wrong arguments", () => {
  const p = withGrad(1);
  assertThrows(() => clipGradNorm_([p], -1), RangeError, "got maxNorm -1");
  assertThrows(() => clipGradNorm_([p], NaN), RangeError, "got maxNorm NaN");
  assertThrows(() => clipGradNorm_([p], "1" as never), TypeError, "got maxNorm string 1");
  assertThrows(() => clipGradNorm_([p], 1, { normType: NaN }), RangeError, "got normType NaN");
  assertThrows(() => clipGradNorm_([p], 1, { normType: "2" as never }), TypeError, "normType");
  assertThrows(() => clipGradNorm_(3 as never, 1), TypeError, "got params number 3");
  assertThrows(() => clipGradNorm_([p, 3 as never], 1), TypeError, "got params[1] number 3");
  assertThrows(() => clipGradValue_([p], -1), RangeError, "got clipValue -1");
  assertThrows(() => clipGradValue_([p], NaN), RangeError, "got clipValue NaN");
  assertEquals(grads([p]), [1]);
});

Deno.test("clipGradValue_ limits each element, NaN stays", () => {
  const params = [withGrad(-3, 0.5, NaN), withGrad(Infinity)];
  clipGradValue_(params, 1);
  assertEquals(grads(params), [-1, 0.5, NaN, 1]);
});

Deno.test("clipping is an edit in place that the tape notices", () => {
  const p = withGrad(3, 4);
  const q = zeros([2], { requiresGrad: true });
  const y = q.mul(p.grad!).sum();
  clipGradNorm_([p], 1);
  assertThrows(() => y.backward(), Error, "edited in place");
});

Deno.test("parametersToVector puts all elements in a row, on the tape", () => {
  const a = tensor([[1, 2], [3, 4]], { requiresGrad: true });
  const b = tensor(5, { requiresGrad: true });
  const vector = parametersToVector([a, b]);
  assertEquals(vector.toArray(), [1, 2, 3, 4, 5]);
  const [ga, gb] = grad(vector.mul(tensor([1, 2, 3, 4, 5])).sum(), [a, b]);
  assertEquals([ga!.toArray(), gb!.item()], [[[1, 2], [3, 4]], 5]);
});

Deno.test("vectorToParameters writes them back in place", () => {
  const a = zeros([2, 2], { requiresGrad: true });
  const b = zeros([], { requiresGrad: true });
  vectorToParameters(tensor([1, 2, 3, 4, 5]), [a, b]);
  assertEquals([a.toArray(), b.item()], [[[1, 2], [3, 4]], 5]);
  assertEquals([a.isLeaf, a.requiresGrad], [true, true]);
});

Deno.test("parametersToVector and vectorToParameters refuse what does not fit", () => {
  const p = zeros([2]);
  assertThrows(() => parametersToVector([]), RangeError, "got no params");
  assertThrows(() => parametersToVector(p as never), TypeError, "got params a Tensor of shape [2]");
  assertThrows(() => parametersToVector([3 as never]), TypeError, "got params[0] number 3");
  assertThrows(
    () => vectorToParameters(tensor([1]), [p]),
    RangeError,
    "Cannot run vectorToParameters: got vector of shape [1], expected [2]",
  );
  assertThrows(() => vectorToParameters(tensor([[1, 2]]), [p]), RangeError, "of shape [1, 2]");
});
