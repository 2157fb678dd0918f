import * as door from "../../autograd/kernels/mod.ts";
import type { Band, Bands, Triple } from "../../autograd/kernels/mod.ts";
import * as plain from "../../autograd/kernels/pool/pool_plain.ts";
import { volume } from "../../autograd/kernels/conv/window_plain.ts";
import { numbers, pooled, testBuilds } from "./pooled.ts";
import { assertEquals } from "@std/assert";

interface Sliding {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation?: number;
}

/** The windows that slide over `size` inputs; at least one. */
function sliding(size: number, { kernel, stride, padding, dilation = 1 }: Sliding): Band {
  const extent = (kernel - 1) * dilation + 1;
  const windows = Math.max(0, Math.floor((size + 2 * padding - extent) / stride)) + 1;
  const from = Int32Array.from({ length: windows }, (_, i) => i * stride - padding);
  return {
    start: from.map((at) => at < 0 ? at + Math.ceil(-at / dilation) * dilation : at),
    end: from.map((at) => Math.min(at + extent, size)),
    count: from.map((at) => Math.min(at + extent, size + padding) - at),
    step: dilation,
  };
}

/** Windows that split `size` inputs. */
function adaptive(size: number, windows: number): Band {
  const start = Int32Array.from({ length: windows }, (_, i) => Math.floor(i * size / windows));
  const end = Int32Array.from({ length: windows }, (_, i) => Math.ceil((i + 1) * size / windows));
  return { start, end, count: end.map((at, i) => at - start[i]), step: 1 };
}

const whole = adaptive(1, 1);

const slides: readonly Sliding[] = [
  { kernel: 3, stride: 1, padding: 1 },
  { kernel: 3, stride: 2, padding: 1 },
  { kernel: 2, stride: 2, padding: 1 },
  { kernel: 3, stride: 3, padding: 0 },
  { kernel: 2, stride: 1, padding: 0 },
  { kernel: 1, stride: 2, padding: 0 },
  { kernel: 5, stride: 4, padding: 2 },
];
const dilated: readonly Sliding[] = [
  { kernel: 2, stride: 1, padding: 0, dilation: 3 },
  { kernel: 3, stride: 2, padding: 2, dilation: 2 },
];

/** Each input with windows: every width, planes of one row, three axes. */
function cases(withDilation: boolean): [input: Triple, bands: Bands][] {
  const found: [Triple, Bands][] = [];
  for (let width = 5; width <= 21; width++) {
    for (const slide of withDilation ? [...slides, ...dilated] : slides) {
      const [high, wide] = [sliding(7, slide), sliding(width, slide)];
      found.push([[1, 7, width], [whole, high, wide]]);
    }
    found.push([[1, 1, width], [whole, whole, sliding(width, slides[1])]]);
    for (const windows of [1, 2, 3, 5, width]) {
      found.push([[1, 7, width], [whole, adaptive(7, 3), adaptive(width, windows)]]);
    }
    const cube = [6, 5, width].map((size) => sliding(size, slides[width % 5]));
    found.push([[6, 5, width], [cube[0], cube[1], cube[2]]]);
  }
  return found;
}

const PLANES = 3;

function windowsOf(bands: Bands): number {
  return bands.reduce((product, { start }) => product * start.length, 1);
}

/** Whole numbers with many ties, some of them NaN or infinite. */
function values(n: number, seed: number): Float64Array {
  return numbers(n, seed).map((value, i) =>
    i % 29 === 4 ? NaN : i % 23 === 7 ? -Infinity : i % 37 === 9 ? Infinity : Math.round(value * 2)
  );
}

testBuilds("the largest of any windows: values, places, equals and NaN", () => {
  for (const [input, bands] of cases(true)) {
    const n = PLANES * windowsOf(bands);
    const inputs = [1, 2].map((seed) => values(PLANES * volume(input), seed));
    for (const x of [...inputs, new Float64Array(inputs[0].length).fill(-Infinity)]) {
      const [plainY, plainAt] = [0, 1].map(() => new Float64Array(n));
      plain.maxPool(x, plainY, plainAt, input, bands);
      for (const place of [pooled, (array: Float64Array) => array]) {
        const [y, at] = [0, 1].map(() => place(new Float64Array(n).fill(NaN)));
        door.maxPool(pooled(x), y, at, input, bands);
        assertEquals([...y], [...plainY]);
        assertEquals([...at], [...plainAt]);
      }
    }
  }
});

testBuilds(
  "averages of any windows and their transpose equal the plain ones digit for digit",
  () => {
    for (const [input, bands] of cases(false)) {
      const n = PLANES * windowsOf(bands);
      const size = PLANES * volume(input);
      const inputs = [numbers(size, 3), values(size, 4)];
      const cotangents = [numbers(n, 5), values(n, 6)];
      for (const divisor of [0, 3]) {
        inputs.forEach((x, which) => {
          const g = cotangents[which];
          const [plainY, plainX] = [new Float64Array(n), new Float64Array(size)];
          plain.avgPool(x, plainY, input, bands, divisor);
          plain.avgPoolTranspose(g, plainX, input, bands, divisor);
          for (const place of [pooled, (array: Float64Array) => array.slice()]) {
            const y = place(new Float64Array(n).fill(NaN));
            door.avgPool(pooled(x), y, input, bands, divisor);
            assertEquals([...y], [...plainY]);
            const back = pooled(new Float64Array(size).fill(NaN));
            door.avgPoolTranspose(place(g), back, input, bands, divisor);
            assertEquals([...back], [...plainX]);
          }
        });
      }
    }
  },
);
