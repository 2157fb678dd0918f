/**
 * Attention: masks of both kinds, shared heads, gradients, what is refused.
 */
import { within } from "../assert_close.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Generator, grad, gradcheck, ones, randn, tensor, tril } from "../../autograd/mod.ts";
import type { Tensor } from "../../autograd/mod.ts";
import { scaledDotProductAttention as attention } from "../../nn/functional.ts";

const random = new Generator(4);

function normal(...shape: number[]): Tensor {
  return randn(shape, { generator: random, requiresGrad: true });
}

const assertClose = within(1e-14);

/** The definition, in plain loops, for matrices. */
function byHand(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  score: (x: number, i: number, j: number) => number,
) {
  const [[l, e], [s, d]] = [q.shape, v.shape];
  const y = new Float64Array(l * d);
  for (let i = 0; i < l; i++) {
    const weights = Array.from({ length: s }, (_, j) => {
      let dot = 0;
      for (let c = 0; c < e; c++) dot += q.data[i * e + c] * k.data[j * e + c];
      return Math.exp(score(dot / Math.sqrt(e), i, j));
    });
    const total = weights.reduce((a, b) => a + b);
    weights.forEach((w, j) => {
      for (let c = 0; c < d; c++) y[i * d + c] += w / total * v.data[j * d + c];
    });
  }
  return tensor(y, { shape: [l, d] });
}

Deno.test("attention is the softmax of scaled products times the values", () => {
  const [q, k, v] = [normal(3, 4), normal(5, 4), normal(5, 2)];
  assertClose(attention(q, k, v), byHand(q, k, v, (x) => x));
  assertClose(attention(q, k, v, { scale: 0.3 }), byHand(q, k, v, (x) => 0.6 * x));
});

Deno.test("attention takes masks of zeros and ones, and masks that are added", () => {
  const [q, k, v] = [normal(3, 4), normal(3, 4), normal(3, 2)];
  const causal = byHand(q, k, v, (x, i, j) => j <= i ? x : -Infinity);
  assertClose(attention(q, k, v, { isCausal: true }), causal);
  assertClose(attention(q, k, v, { attnMask: tril(ones([3, 3])) }), causal);
  const added = tensor([[0, -1, 2], [0.5, 0, 0], [0, 0, -Infinity]]);
  const expected = byHand(q, k, v, (x, i, j) => x + added.data[3 * i + j]);
  assertClose(attention(q, k, v, { attnMask: added }), expected);
});

Deno.test("attention adds a mask that requires grad, whatever its values", () => {
  const [q, k, v] = [normal(2, 4), normal(2, 4), normal(2, 2)];
  const attnMask = tensor([[1, 0], [0, 1]], { requiresGrad: true });
  const expected = byHand(q, k, v, (x, i, j) => x + attnMask.data[2 * i + j]);
  assertClose(attention(q, k, v, { attnMask }), expected);
  assert(grad([attention(q, k, v, { attnMask }).sum()], [attnMask])[0] !== null);
});

Deno.test("a query that may look at nothing gives 0, and no NaN in the gradient", () => {
  const [q, k, v] = [normal(2, 4), normal(3, 4), normal(3, 2)];
  const y = attention(q, k, v, { attnMask: tensor([[1, 1, 0], [0, 0, 0]]) });
  assertEquals([...y.data.slice(2)], [0, 0]);
  for (const g of grad([y.sum()], [q, k, v])) assert(g!.data.every(Number.isFinite));
});

Deno.test("attention shares keys and values between heads with enableGqa", () => {
  const [q, k, v] = [normal(2, 4, 3, 4), normal(2, 2, 5, 4), normal(2, 2, 5, 4)];
  const y = attention(q, k, v, { enableGqa: true });
  assertEquals(y.shape, [2, 4, 3, 4]);
  const head = (x: Tensor, i: number, n: number) =>
    tensor(x.data.slice(i * n, (i + 1) * n), { shape: x.shape.slice(2) });
  // Heads 2 and 3 of a sample look at its second keys.
  const alone = attention(head(q, 2, 12), head(k, 1, 20), head(v, 1, 20));
  assertClose(head(y, 2, 12), alone);
});

Deno.test("attention drops weights with its generator's choice", () => {
  const [q, k, v] = [normal(2, 4), normal(3, 4), ones([3, 1])];
  const run = () => attention(q, k, v, { dropoutP: 0.5, generator: new Generator(1) }).toArray();
  assertEquals(run(), run());
});

Deno.test("attention differentiates twice", () => {
  const inputs = [normal(2, 3), normal(3, 3), normal(3, 2)];
  gradcheck((q, k, v) => attention(q, k, v, { isCausal: true }), inputs, { order: 2 });
});

Deno.test("attention refuses shapes that do not fit and two masks", () => {
  const x = ones([2, 3]);
  const { message } = assertThrows(
    () => attention(x, ones([2, 4]), x),
    RangeError,
    "q of shape [2, 3], k of shape [2, 4]",
  ) as Error;
  assert(message.startsWith("Cannot run scaledDotProductAttention: "));
  assertThrows(() => attention(x, x, ones([3, 3])), RangeError, "[*, S, D]");
  assertThrows(() => attention(ones([3]), x, x), RangeError, "expected [*, L, E]");
  assertThrows(
    () => attention(x, x, x, { attnMask: ones([2, 2]), isCausal: true }),
    RangeError,
    "expected one of them at most",
  );
  assertThrows(() => attention(x, x, x, { attnMask: ones([3, 3]) }), RangeError, "broadcasts to");
  assertThrows(() => attention(x, x, x, { enableGqa: true }), RangeError, "heads of q");
});
