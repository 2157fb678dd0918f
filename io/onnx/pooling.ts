/**
 * Pooling. Its windows come axis by axis; where they slide evenly they are ONNX's own, else, as for
 * adaptive pooling, each axis is reduced by itself.
 */
import type { Call, Converter } from "./converter.ts";

/** The windows along one axis: where they start and end, what they divide by, from tap to tap. */
interface Band {
  readonly start: ArrayLike<number>;
  readonly end: ArrayLike<number>;
  readonly count: ArrayLike<number>;
  readonly step: number;
}

/** Windows that slide evenly. */
interface Slide {
  readonly kernel: number;
  readonly stride: number;
  readonly before: number;
  readonly behind: number;
}

function tapsOf({ start, end, step }: Band, window: number): number {
  return Math.ceil((end[window] - start[window]) / step);
}

function most(band: Band): number {
  let taps = 0;
  for (let i = 0; i < band.start.length; i++) taps = Math.max(taps, tapsOf(band, i));
  return taps;
}

/** The even slide that gives these windows, or `null`. */
function slideOf(band: Band, size: number): Slide | null {
  const windows = band.start.length;
  const least = most(band);
  for (let kernel = least; kernel <= 2 * least; kernel++) {
    const reach = (kernel - 1) * band.step + 1;
    for (let before = 0; before <= Math.floor(reach / 2); before++) {
      for (let stride = 1; stride <= (windows === 1 ? 1 : size + before); stride++) {
        const slide = { kernel, stride, before, behind: 0 };
        if (gives(slide, band, size)) {
          const behind = Math.max((windows - 1) * stride + reach - size - before, 0);
          if (behind < reach) return { ...slide, behind };
        }
      }
    }
  }
  return null;
}

function gives({ kernel, stride, before }: Slide, { start, end, step }: Band, size: number) {
  for (let i = 0; i < start.length; i++) {
    const from = i * stride - before;
    const first = from < 0 ? from + Math.ceil(-from / step) * step : from;
    const last = Math.min(from + (kernel - 1) * step + 1, size);
    if (start[i] !== first || end[i] !== last) return false;
  }
  return true;
}

interface Plane {
  readonly bands: readonly Band[];
  readonly sizes: readonly number[];
}

/** The axes that the input has; those in front of them are of size 1. */
function planeOf(shape: readonly number[], bands: readonly Band[]): Plane {
  const axes = shape.length - 2;
  return { bands: bands.slice(bands.length - axes), sizes: shape.slice(2) };
}

function slidesOf({ bands, sizes }: Plane): Slide[] | null {
  const slides = bands.map((band, i) => slideOf(band, sizes[i]));
  return slides.every((slide) => slide !== null) ? slides as Slide[] : null;
}

function geometry(slides: readonly Slide[]): Record<string, number[]> {
  return {
    kernel_shape: slides.map(({ kernel }) => kernel),
    strides: slides.map(({ stride }) => stride),
    pads: [...slides.map(({ before }) => before), ...slides.map(({ behind }) => behind)],
  };
}

function maxPool(call: Call<{ readonly bands: readonly Band[] }>): string {
  const { graph, names: [x], inputs, attrs } = call;
  const plane = planeOf(inputs[0]!.shape, attrs.bands);
  const slides = slidesOf(plane);
  if (slides !== null) {
    const dilations = plane.bands.map(({ step }) => step);
    return graph.node("MaxPool", [x], { ...geometry(slides), dilations });
  }
  // Each axis: its windows by index, a window that is shorter repeating its first place.
  return plane.bands.reduce((name, band, i) => {
    const taps = most(band);
    const indices = Array.from({ length: band.start.length * taps }, (_, at) => {
      const window = Math.floor(at / taps);
      const tap = at % taps;
      return band.start[window] + (tap < tapsOf(band, window) ? tap * band.step : 0);
    });
    const windows = graph.node("Gather", [name, graph.ints(indices, [band.start.length, taps])], {
      axis: i + 2,
    });
    return graph.node("ReduceMax", [windows], { axes: [i + 3], keepdims: 0 });
  }, x);
}

function avgPool(
  call: Call<{ readonly bands: readonly Band[]; readonly divisor: number }>,
): string {
  const { graph, names: [x], inputs, attrs: { bands, divisor } } = call;
  const plane = planeOf(inputs[0]!.shape, bands);
  const isWhole = plane.bands.every(({ start, end, count }, i) =>
    start.length === 1 && start[0] === 0 && end[0] === plane.sizes[i] && count[0] === end[0]
  );
  if (isWhole && divisor === 0) {
    if (graph.dtype === "F32") return graph.node("GlobalAveragePool", [x]);
    const axes = plane.sizes.map((_, i) => i + 2);
    return graph.node("ReduceMean", [x], { axes, keepdims: 1 });
  }
  const slides = graph.dtype === "F32" && divisor === 0 ? slidesOf(plane) : null;
  const includes = slides === null ? null : countsPadding(plane, slides);
  if (slides !== null && includes !== null) {
    return graph.node("AveragePool", [x], {
      ...geometry(slides),
      count_include_pad: Number(includes),
    });
  }
  const sum = plane.bands.reduce((name, band, i) => averageAxis(call, name, band, i), x);
  return divisor === 0 ? sum : graph.node("Div", [sum, graph.scalar(divisor)]);
}

/** Whether averages count the padding; `null` if neither way gives their divisors. */
function countsPadding({ bands }: Plane, slides: readonly Slide[]): boolean | null {
  const all = (fits: (band: Band, slide: Slide, i: number) => boolean): boolean =>
    bands.every((band, axis) =>
      Array.from(band.count).every((_, i) => fits(band, slides[axis], i))
    );
  if (all(({ count, start, end }, _, i) => count[i] === end[i] - start[i])) return false;
  return all(({ count }, { kernel }, i) => count[i] === kernel) ? true : null;
}

/** The average along one axis as a product with a matrix of 1/count; the sum where there is a divisor. */
function averageAxis(
  { graph, inputs, attrs: { divisor } }: Call<{ readonly divisor: number }>,
  name: string,
  { start, end, count }: Band,
  axis: number,
): string {
  const size = inputs[0]!.shape[axis + 2];
  const windows = start.length;
  const matrix = new Array<number>(size * windows).fill(0);
  for (let i = 0; i < windows; i++) {
    for (let at = start[i]; at < end[i]; at++) {
      matrix[at * windows + i] = divisor === 0 ? 1 / count[i] : 1;
    }
  }
  const weights = graph.constant(matrix, [size, windows]);
  const axes = "abcde".slice(0, inputs[0]!.ndim);
  const reduced = axes[axis + 2];
  const equation = `${axes},${reduced}z->${axes.replace(reduced, "z")}`;
  return graph.node("Einsum", [name, weights], { equation });
}

/** By the name of the primitive. */
export const pooling: Readonly<Record<string, Converter>> = { maxPool, avgPool };
