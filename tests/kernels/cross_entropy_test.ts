import * as door from "../../autograd/kernels/mod.ts";
import * as plain from "../../autograd/kernels/loss/loss_plain.ts";
import { assertClose, numbers, pooled, testBuilds } from "./pooled.ts";

const IGNORED = -100;

/** Classes of every length, alike and apart, and more positions than a block has. */
const shapes = [
  ...Array.from({ length: 34 }, (_, i) => ({ n: 5, c: i + 1, s: 1 })),
  ...Array.from({ length: 17 }, (_, i) => ({ n: 2, c: i + 1, s: 3 })),
  ...Array.from({ length: 17 }, (_, i) => ({ n: 2, c: 5, s: i + 2 })),
  { n: 400, c: 3, s: 1 },
  { n: 3, c: 1500, s: 1 },
  { n: 2, c: 4, s: 300 },
  { n: 2, c: 700, s: 20 },
];

const options = [
  { smoothing: 0, weighted: false },
  { smoothing: 0, weighted: true },
  { smoothing: 0.1, weighted: false },
  { smoothing: 0.3, weighted: true },
];

/** Compares the losses, and the gradients by one cotangent and by one for each position. */
function compare(
  x: Float64Array,
  target: Float64Array,
  { n, c, s }: { n: number; c: number; s: number },
  { smoothing, weighted }: { smoothing: number; weighted: boolean },
): void {
  const weight = weighted ? numbers(c, 9).map((value) => value + 2.5) : null;
  const sizes = { n, c, s, ignoreIndex: IGNORED, smoothing };
  const name = JSON.stringify({ ...sizes, weighted });
  const expected = new Float64Array(n * s);
  plain.crossEntropy(x, target, weight, expected, sizes);
  // What is small lies outside of the pool as often as in it.
  for (const where of [pooled, (values: Float64Array) => values.slice()]) {
    const loss = where(new Float64Array(n * s));
    const w = weight === null ? null : where(weight);
    door.crossEntropy(pooled(x), where(target), w, loss, sizes);
    assertClose(loss, expected, 4e-15, 4e-15, `losses of ${name}`);
    for (const g of [Float64Array.of(0.7), numbers(n * s, 4)]) {
      const dx = pooled(new Float64Array(n * c * s).fill(NaN));
      const expectedDx = new Float64Array(n * c * s);
      door.crossEntropyBackward(pooled(x), where(target), w, where(g), 0.3, dx, sizes);
      plain.crossEntropyBackward(x, target, weight, g, 0.3, expectedDx, sizes);
      assertClose(dx, expectedDx, 4e-15, 4e-15, `gradient of ${name}`);
    }
  }
}

testBuilds("cross entropy and its gradient equal the plain ones at every length", () => {
  for (const sizes of shapes) {
    const { n, c, s } = sizes;
    const x = numbers(n * c * s, c).map((value) => value * 5);
    const target = Float64Array.from({ length: n * s }, (_, i) => i % 4 === 1 ? IGNORED : i % c);
    for (const option of options) compare(x, target, sizes, option);
  }
});

testBuilds("cross entropy of infinite logits and of NaN is the plain one", () => {
  for (const [n, c, s] of [[9, 3, 1], [9, 8, 1], [9, 11, 1], [1, 8, 9], [1, 5, 9]]) {
    const x = numbers(n * c * s, c);
    const row = (i: number, k: number): number => s === 1 ? i * c + k : k * s + i;
    const target = new Float64Array(9).fill(1);
    x[row(0, 0)] = -Infinity;
    x[row(1, 1)] = -Infinity;
    x[row(2, 2)] = Infinity;
    x[row(3, 1)] = Infinity;
    x[row(4, 0)] = NaN;
    x[row(5, c - 1)] = NaN;
    for (let k = 0; k < c; k++) x[row(6, k)] = -Infinity;
    // An ignored position lets nothing through.
    x[row(7, 0)] = NaN;
    target[7] = IGNORED;
    x[row(8, 0)] = 1e300;
    for (const option of options) compare(x, target, { n, c, s }, option);
  }
});
