import * as door from "../../autograd/kernels/mod.ts";
import * as axis from "../../autograd/kernels/reduce/axis_plain.ts";
import * as optim from "../../autograd/kernels/optim/optim_plain.ts";
import * as pool from "../../autograd/kernels/pool/pool_plain.ts";
import * as strided from "../../autograd/kernels/shape/strided_plain.ts";
import { assertClose, numbers, pooled, testBuilds } from "./pooled.ts";
import { assertEquals } from "@std/assert";

testBuilds("sums equal the plain ones at every length", () => {
  for (const n of [...Array.from({ length: 33 }, (_, i) => i + 1), 511, 512, 513, 1500, 4099]) {
    for (
      const [shape, strides, length] of [
        [[n], [0], 1],
        [[3, n], [1, 0], 3],
        [[7, n], [0, 1], n],
        [[70, n], [0, 1], n],
        [[3, 5, n], [0, 1, 0], 5],
      ] as const
    ) {
      const x = numbers(shape.reduce((a, b) => a * b, 1), n);
      const out = pooled(new Float64Array(length).fill(NaN));
      const expected = new Float64Array(length);
      door.scatterStrided(pooled(x), out, shape, strides, 0);
      strided.scatterStrided(x, expected, shape, strides, 0);
      assertClose(out, expected, 1e-13, 1e-12, `sum of ${shape} with ${strides}`);
    }
  }
});

testBuilds("softmax and its kin equal the plain ones at every length", () => {
  for (let n = 1; n <= 34; n++) {
    const sizes = { outer: 3, n, inner: 1 };
    const x = numbers(3 * n, n).map((value) => value * 5);
    if (n > 2) x[1] = -Infinity;
    const g = numbers(3 * n, n + 50);
    const [y, dx] = [0, 1].map(() => pooled(new Float64Array(3 * n)));
    const [plainY, plainDx] = [0, 1].map(() => new Float64Array(3 * n));
    door.softmax(pooled(x), y, sizes);
    axis.softmax(x, plainY, sizes);
    assertClose(y, plainY, 2e-15, 0, `softmax of ${n}`);
    door.softmaxBackward(pooled(g), pooled(plainY), dx, sizes);
    axis.softmaxBackward(g, plainY, plainDx, sizes);
    assertClose(dx, plainDx, 1e-13, 1e-15, `softmaxBackward of ${n}`);
    door.logSoftmax(pooled(x), y, sizes);
    axis.logSoftmax(x, plainY, sizes);
    assertClose(y, plainY, 2e-15, 2e-15, `logSoftmax of ${n}`);
    door.logSoftmaxBackward(pooled(g), pooled(plainY), dx, sizes);
    axis.logSoftmaxBackward(g, plainY, plainDx, sizes);
    assertClose(dx, plainDx, 1e-13, 1e-14, `logSoftmaxBackward of ${n}`);
  }
});

function pairs(n: number) {
  const start = Int32Array.from({ length: n }, (_, i) => 2 * i);
  return { start, end: start.map((i) => i + 2), count: new Int32Array(n).fill(2), step: 1 };
}

testBuilds("the largest of pairs: values, places, equals and NaN", () => {
  for (let width = 2; width <= 18; width++) {
    const [planes, height] = [3, 5];
    const x = numbers(planes * height * width, width).map((value) => Math.round(value * 2));
    x[2 * width] = NaN;
    x[1] = NaN;
    x[3 * width + 1] = NaN;
    const columns = Math.floor(width / 2);
    const n = planes * 2 * columns;
    const bands = [
      { ...pairs(1), end: Int32Array.of(1), count: Int32Array.of(1) },
      pairs(2),
      pairs(columns),
    ] as const;
    const [y, at] = [0, 1].map(() => pooled(new Float64Array(n)));
    const [plainY, plainAt] = [0, 1].map(() => new Float64Array(n));
    door.maxPool(pooled(x), y, at, [1, height, width], bands);
    pool.maxPool(x, plainY, plainAt, [1, height, width], bands);
    assertEquals([...y], [...plainY]);
    assertEquals([...at], [...plainAt]);
    const back = pooled(new Float64Array(x.length));
    const plainBack = new Float64Array(x.length);
    const g = numbers(n, 9);
    door.scatterPlanes(pooled(g), at, back, planes);
    pool.scatterPlanes(g, plainAt, plainBack, planes);
    assertEquals([...back], [...plainBack]);
  }
});

testBuilds("SGD and Adam steps equal the plain ones digit for digit", () => {
  for (let n = 1; n <= 19; n++) {
    for (
      const [momentum, weightDecay, nesterov, first] of [
        [0, 0, false, true],
        [0.9, 0, false, true],
        [0.9, 0.1, true, false],
        [0.9, 0, false, false],
        [0.9, 0, true, false],
        [0, 0, false, false],
        [0, 0.1, false, false],
        [0.9, 0.1, false, false],
      ] as const
    ) {
      for (const maximize of [false, true]) {
        const arrays = () => [numbers(n, 1), numbers(n, 2), numbers(n, 3)];
        const plain = arrays();
        const fast = arrays().map(pooled);
        const rest = [0.1, momentum, 0.3, weightDecay, nesterov, maximize, first] as const;
        door.sgdStep(fast[0], fast[1], momentum === 0 ? null : fast[2], ...rest);
        optim.sgdStep(plain[0], plain[1], momentum === 0 ? null : plain[2], ...rest);
        fast.forEach((array, i) => assertEquals([...array], [...plain[i]]));
      }
    }
    for (const amsgrad of [false, true]) {
      const arrays = () => [1, 2, 3, 4, 5].map((seed) => numbers(n, seed).map(Math.abs));
      const plain = arrays();
      const fast = arrays().map(pooled);
      const rest = [0.1, 0.9, 0.99, 1e-8, 0.3, 0.2, 0.98, amsgrad] as const;
      door.adamStep(fast[0], fast[1], fast[2], fast[3], amsgrad ? fast[4] : null, ...rest);
      optim.adamStep(plain[0], plain[1], plain[2], plain[3], amsgrad ? plain[4] : null, ...rest);
      fast.forEach((array, i) => assertEquals([...array], [...plain[i]]));
    }
  }
});
