/**
 * Convolutions against sums in doubled precision: directly every output is within 1e-15 · Σ|w·x|, 2e-15
 * where one weight is 1e12 times the others and each later product is rounded beside it; with fewer multiplications within 1.5e-13 · Σ|w| · max|x|, the maximum over its own window.
 */
import {
  conv,
  convInput,
  type ConvSizes,
  convWeight,
} from "../../autograd/kernels/conv/conv_columns.ts";
import { type ConvAlgorithm, useConvAlgorithm } from "../../autograd/runtime/instance.ts";
import { type Triple, volume } from "../../autograd/kernels/mod.ts";
import { type Kernels, observeKernels } from "../../autograd/runtime/instance.ts";
import { numbers, pooled, testBuilds } from "./pooled.ts";
import { assert, assertEquals } from "@std/assert";

const ran = new Set<string>();
observeKernels((exports) =>
  new Proxy({} as Kernels, {
    get: (_, name: string) => {
      const kernel = (exports as Record<string, unknown>)[name];
      if (typeof kernel !== "function") return kernel;
      return (...args: number[]) => {
        ran.add(name);
        return kernel(...args);
      };
    },
  })
);

const SPLIT = 2 ** 27 + 1;

/** a·b as a sum of two numbers. */
function product(a: number, b: number): [high: number, low: number] {
  const high = a * b;
  const [p, q] = [a * SPLIT, b * SPLIT];
  const [a1, b1] = [p - (p - a), q - (q - b)];
  const [a2, b2] = [a - a1, b - b1];
  return [high, a2 * b2 - (high - a1 * b1 - a2 * b1 - a1 * b2)];
}

/** Σ a·b, its bounds and whether all is finite, of the pairs given. */
class Sum {
  #high = 0;
  #low = 0;
  #count = 0;
  products = 0;
  weights = 0;
  largest = 0;
  /** As floating-point numbers have it. */
  plain = 0;

  add(weight: number, x: number): void {
    this.#count++;
    this.plain += weight * x;
    const [p, q] = product(weight, x);
    const sum = this.#high + p;
    const part = sum - this.#high;
    this.#low += this.#high - (sum - part) + (p - part) + q;
    this.#high = sum;
    this.products += Math.abs(p);
    this.weights += Math.abs(weight);
    this.largest = Math.max(this.largest, Math.abs(x));
  }

  /** What is wrong with a result, if something is. */
  fault(actual: number, algorithm: ConvAlgorithm, direct = 1e-15): string | null {
    if (!Number.isFinite(this.plain)) {
      return Object.is(actual, this.plain) ? null : `${actual}, expected ${this.plain}`;
    }
    const bound = algorithm === "direct"
      ? direct * this.products
      : 1.5e-13 * this.weights * this.largest;
    const error = Math.abs(actual - this.#high - this.#low);
    // Each product below the normal numbers is rounded to a multiple of the smallest.
    const underflow = this.#count * Number.MIN_VALUE;
    if (error <= bound + underflow) return null;
    return `${actual} is off by ${error}, ${error / bound} times what is allowed`;
  }
}

/** Compares y = conv(x, weight) for one group; `x` is [images, c, …], `weight` read by `at`. */
function assertTrue(
  name: string,
  algorithm: ConvAlgorithm,
  x: Float64Array,
  y: Float64Array,
  { window: { input, output, padding }, images, inChannels, outChannels }: ConvSizes,
  weightAt: (k: number, c: number, tap: number) => number,
): void {
  const [, height, width] = input;
  const [, rows, columns] = output;
  for (let i = 0; i < y.length; i++) {
    const column = i % columns;
    const row = Math.floor(i / columns) % rows;
    const k = Math.floor(i / columns / rows) % outChannels;
    const image = Math.floor(i / columns / rows / outChannels);
    assert(image < images);
    const sum = new Sum();
    for (let c = 0; c < inChannels; c++) {
      for (let tap = 0; tap < 9; tap++) {
        const [r, s] = [row - padding[1] + Math.floor(tap / 3), column - padding[2] + tap % 3];
        const inside = r >= 0 && s >= 0 && r < height && s < width;
        const value = inside ? x[((image * inChannels + c) * height + r) * width + s] : 0;
        sum.add(weightAt(k, c, tap), value);
      }
    }
    const fault = sum.fault(y[i], algorithm, name.includes("one large weight") ? 2e-15 : 1e-15);
    assert(
      fault === null,
      `${name}, ${algorithm}, image ${image} [${k}, ${row}, ${column}]: ${fault}`,
    );
  }
}

/**
 * The same for the bias's gradient, whatever the algorithm: Σ y of each channel, whose terms are added one after the
 * other and not by halves.
 */
function assertBiasTrue(name: string, y: Float64Array, bias: Float64Array, plane: number): void {
  bias.forEach((actual, k) => {
    const sum = new Sum();
    for (let i = 0; i < y.length; i++) {
      if (Math.floor(i / plane) % bias.length === k) sum.add(1, y[i]);
    }
    const fault = sum.fault(actual, "direct", 1e-14);
    assert(fault === null, `${name} [${k}]: ${fault}`);
  });
}

/** The same for the weight's gradient: the window of a tap is a plane, in all images, and y weighs it. */
function assertWeightTrue(
  name: string,
  algorithm: ConvAlgorithm,
  x: Float64Array,
  y: Float64Array,
  weight: Float64Array,
  { window: { input, output, padding }, images, inChannels, outChannels }: ConvSizes,
): void {
  const [, height, width] = input;
  const [, rows, columns] = output;
  for (let i = 0; i < weight.length; i++) {
    const tap = i % 9;
    const c = Math.floor(i / 9) % inChannels;
    const k = Math.floor(i / 9 / inChannels);
    const sum = new Sum();
    for (let image = 0; image < images; image++) {
      for (let place = 0; place < rows * columns; place++) {
        const r = Math.floor(place / columns) - padding[1] + Math.floor(tap / 3);
        const s = place % columns - padding[2] + tap % 3;
        const inside = r >= 0 && s >= 0 && r < height && s < width;
        const value = inside ? x[((image * inChannels + c) * height + r) * width + s] : 0;
        sum.add(y[(image * outChannels + k) * rows * columns + place], value);
      }
    }
    const fault = sum.fault(weight[i], algorithm);
    assert(fault === null, `${name}, ${algorithm}, [${k}, ${c}, ${tap}]: ${fault}`);
  }
}

/** Changes of random inputs [planes, height, width] that make trouble. */
const inputs: Readonly<Record<string, (x: Float64Array, plane: number, width: number) => void>> = {
  "centred numbers": () => {},
  "signs": (x) => x.forEach((value, i) => x[i] = Math.sign(value)),
  "what a ReLU leaves": (x) => x.forEach((value, i) => x[i] = Math.max(0, value)),
  "a large mean": (x) => x.forEach((value, i) => x[i] = 1e6 + value),
  "1e10 beside 1": (x, plane) => {
    for (let i = 5; i < x.length; i += plane + 17) x[i] = 1e10;
  },
  "1e10 in one channel": (x, plane) => x.forEach((_, i) => x[i] *= i < plane ? 1e10 : 1),
  "1e10 in all channels at one place": (x, plane, width) => {
    for (let i = 2 * width + 6; i < x.length; i += plane) x[i] = 1e10;
  },
  "falling by half a decade from column to column": (x, _, width) =>
    x.forEach((_, i) => x[i] *= 10 ** (-(i % width) / 2)),
  "a step of 30": (x, _, width) => x.forEach((_, i) => x[i] *= i % width < 7 ? 30 : 1),
  "a step of 1e5 between rows": (x, plane, width) =>
    x.forEach((_, i) => x[i] *= i % plane < 4 * width ? 1e-5 : 1),
  "subnormal numbers": (x) => x.forEach((_, i) => x[i] *= 1e-310),
  "subnormal numbers beside 1": (x) => x.forEach((_, i) => x[i] *= i % 37 === 0 ? 1 : 1e-310),
  "numbers near the largest": (x) => x.forEach((_, i) => x[i] *= 1e290),
  "a NaN": (x) => x[x.length >> 1] = NaN,
  "an infinity": (x, plane) => x[plane - 1] = Infinity,
  "infinities of both signs": (x) => [x[3], x[9]] = [Infinity, -Infinity],
  "zeros and one value": (x, plane) => {
    x.fill(0);
    for (let i = 11; i < x.length; i += plane) x[i] = 1e-3;
  },
  "zeros": (x) => x.fill(0),
};

const weights: Readonly<Record<string, (weight: Float64Array) => void>> = {
  "centred weights": () => {},
  "one large weight": (weight) => weight[4] = 1e12,
  "subnormal weights": (weight) => weight.forEach((_, i) => weight[i] *= 1e-310),
  "an infinite weight": (weight) => weight[weight.length - 1] = Infinity,
};

/** Sizes of x [images, c, height, width] and the channels and padding of its convolution. */
const shapes = [[2, 16, 13, 14, 9, 1], [1, 8, 9, 8, 8, 0], [3, 9, 6, 7, 13, 2], [
  1,
  400,
  5,
  6,
  3,
  1,
]];

testBuilds("every output of a convolution is true to its own window", () => {
  for (const [images, inChannels, height, width, outChannels, pad] of shapes) {
    const output: Triple = [1, height + 2 * pad - 2, width + 2 * pad - 2];
    const sizes: ConvSizes = {
      images,
      groups: 1,
      inChannels,
      outChannels,
      window: {
        input: [1, height, width],
        kernel: [1, 3, 3],
        output,
        stride: [1, 1, 1],
        padding: [0, pad, pad],
        dilation: [1, 1, 1],
      },
    };
    for (const [inputName, change] of Object.entries(inputs)) {
      for (const [weightName, changeWeight] of Object.entries(weights)) {
        const name = `${[
          images,
          inChannels,
          height,
          width,
          outChannels,
        ]}, ${inputName}, ${weightName}`;
        const others = weightName !== "centred weights";
        if (others && (inputName !== "centred numbers" || inChannels === 400)) continue;
        const x = numbers(images * inChannels * height * width, 1);
        change(x, height * width, width);
        const y = numbers(images * outChannels * volume(output), 2);
        change(y, volume(output), output[2]);
        const [even, smooth] = [numbers(x.length, 4), numbers(y.length, 5)];
        const weight = numbers(outChannels * inChannels * 9, 3);
        changeWeight(weight);
        for (const algorithm of ["auto", "direct"] as const) {
          useConvAlgorithm(algorithm);
          ran.clear();
          const [out, back] = [y, x].map(({ length }) =>
            pooled(new Float64Array(length).fill(NaN))
          );
          conv(pooled(x), pooled(weight), null, out, sizes);
          convInput(pooled(y), pooled(weight), null, back, sizes);
          const possible = algorithm === "auto" && !/subnormal w|infinite w/.test(name) &&
            inChannels * outChannels >= 64;
          assertEquals(ran.has("winogradForward"), possible, `${name}, ${algorithm}`);
          for (const [which, first, second] of [["x", x, smooth], ["y", even, y]] as const) {
            const sum = pooled(new Float64Array(weight.length).fill(NaN));
            const bias = pooled(new Float64Array(outChannels).fill(NaN));
            convWeight(pooled(first), pooled(second), sum, bias, sizes);
            assertBiasTrue(`bias of ${which} ${name}`, second, bias, volume(output));
            assertWeightTrue(
              `convWeight of ${which} ${name}`,
              algorithm,
              first,
              second,
              sum,
              sizes,
            );
          }
          assertTrue(
            `conv ${name}`,
            algorithm,
            x,
            out,
            sizes,
            (k, c, tap) => weight[(k * inChannels + c) * 9 + tap],
          );
          const turned = {
            ...sizes,
            inChannels: outChannels,
            outChannels: inChannels,
            window: {
              ...sizes.window,
              input: output,
              output: sizes.window.input,
              padding: [0, 2 - pad, 2 - pad] as Triple,
            },
          };
          assertTrue(
            `convInput ${name}`,
            algorithm,
            y,
            back,
            turned,
            (k, c, tap) => weight[(c * inChannels + k) * 9 + 8 - tap],
          );
        }
        useConvAlgorithm("auto");
      }
    }
  }
});
