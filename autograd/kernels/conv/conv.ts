/**
 * Convolutions whose matrix of windows is packed straight from a padded copy of each image, by two
 * tables of offsets. The input's gradient is a convolution too where the stride is 1: of the
 * cotangent, padded, with the weight turned around.
 */
import { blasPath } from "../../runtime/blas.ts";
import type { ConvSizes } from "./conv_columns.ts";
import { inParts, kernelsOn } from "../door.ts";
import { scatterStrided } from "../shape/strided.ts";
import { type Triple, volume, type Window } from "./window_plain.ts";
import { imagesOf, winograd, winogradWeight } from "./winograd.ts";
import { ownScratch, type Team, THREAD_SCRATCH } from "../../runtime/threads.ts";
import { type Kernels, place, takeBack, teamFor, writeIntegers } from "../../runtime/instance.ts";

/** The sizes of a padded image. */
function paddedSizes({ input, kernel, output, stride, dilation, padding }: Window): Triple {
  return [0, 1, 2].map((axis) =>
    Math.max(
      (output[axis] - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1,
      input[axis] + padding[axis],
    )
  ) as unknown as Triple;
}

/** Byte offsets of the points of a lattice in a volume of the given sizes. */
function lattice(counts: Triple, steps: Triple, [, height, width]: Triple): number[] {
  const offsets: number[] = [];
  for (let z = 0; z < counts[0]; z++) {
    for (let y = 0; y < counts[1]; y++) {
      const row = (z * steps[0] * height + y * steps[1]) * width;
      for (let x = 0; x < counts[2]; x++) offsets.push(8 * (row + x * steps[2]));
    }
  }
  return offsets;
}

/** What a convolution kernel needs besides its images. */
interface Layout {
  /** The addresses of the arrays given. */
  readonly places: readonly number[];
  /** The team, if `work` is worth its while and a thread's memory large enough. */
  readonly team: Team | null;
  /** The last arguments of each kernel: the padded image, tables and scratch memory. */
  rest(threaded: boolean): number[];
}

/** Lays out scratch memory: small arrays, both tables, a padded image and `bytes` for the kernel. */
function lay(
  window: Window,
  channels: number,
  arrays: readonly (Float64Array | null)[],
  bytes: number,
  work: number,
): Layout {
  const padded = paddedSizes(window);
  const plane = 8 * volume(padded);
  const windows = lattice(window.output, window.stride, padded);
  const taps: number[] = [];
  const offsets = lattice(window.kernel, window.dilation, padded);
  for (let c = 0; c < channels; c++) for (const offset of offsets) taps.push(c * plane + offset);
  const windowsBytes = 4 * taps.length + 63 & ~63;
  const imageBytes = windowsBytes + (4 * windows.length + 63 & ~63);
  const paddedBytes = channels * plane + 64;
  const places = place(arrays, imageBytes + paddedBytes + bytes + 64);
  const tapsAt = places[arrays.length] + 63 & ~63;
  const windowsAt = tapsAt + windowsBytes;
  const imageAt = tapsAt + imageBytes;
  writeIntegers(taps, tapsAt);
  writeIntegers(windows, windowsAt);
  return {
    places,
    team: paddedBytes + bytes > THREAD_SCRATCH ? null : teamFor(work / 12),
    rest: (threaded) => [
      channels,
      ...window.input,
      ...padded,
      ...window.padding,
      threaded ? ownScratch(0) : imageAt,
      tapsAt,
      windowsAt,
      threaded ? ownScratch(paddedBytes) : imageAt + paddedBytes,
    ],
  };
}

/** The kernels if they can work on both images; nothing may be cropped. */
function usable(x: Float64Array, y: Float64Array, { window }: ConvSizes): Kernels | null {
  // A BLAS library multiplies faster than the windows can be packed.
  if (blasPath() !== null || window.padding.some((size) => size < 0)) return null;
  return kernelsOn(x, y);
}

/** The sizes of the matrix product that a group of one image is. */
function productOf(
  { window, inChannels }: ConvSizes,
): [plane: number, windows: number, taps: number] {
  return [volume(window.input), volume(window.output), inChannels * volume(window.kernel)];
}

/** y = conv(x, weight) + bias, with the kernels that {@linkcode usable} found. */
function convPacked(
  kernels: Kernels,
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array | null,
  y: Float64Array,
  sizes: ConvSizes,
): true {
  const { window, images, groups, inChannels, outChannels } = sizes;
  const [plane, windows, taps] = productOf(sizes);
  const bytes = kernels.convScratchBytes(outChannels, taps);
  const work = images * outChannels * taps * windows;
  const { places, team, rest } = lay(window, inChannels, [weight, bias], bytes, work);
  const [weights, biases] = places;
  for (let group = 0; group < groups; group++) {
    const [xAt, xStep] = imagesOf(x, inChannels * plane, groups, group);
    const [yAt, yStep] = imagesOf(y, outChannels * windows, groups, group);
    inParts(
      kernels,
      "convForward",
      team,
      images,
      Math.ceil(images / 32),
      (from, count, threaded) => [
        xAt + from * xStep,
        xStep,
        weights + 8 * group * outChannels * taps,
        8 * taps,
        8,
        bias === null ? 0 : biases + 8 * group * outChannels,
        yAt + from * yStep,
        yStep,
        count,
        outChannels,
        taps,
        windows,
        ...rest(threaded),
      ],
    );
  }
  return true;
}

/** y = conv(x, weight) + bias; false where it has to be the plain way. */
export function conv(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array | null,
  y: Float64Array,
  sizes: ConvSizes,
): boolean {
  const column = 8 * volume(sizes.window.kernel);
  const found = { row: sizes.inChannels * column, column, turned: false };
  if (winograd(x, weight, bias, y, sizes, found)) return true;
  const kernels = usable(x, y, sizes);
  return kernels !== null && convPacked(kernels, x, weight, bias, y, sizes);
}

/** bias = Σ over images and windows of y, by channel. */
export function sumChannels(
  y: Float64Array,
  bias: Float64Array,
  { window, images, groups, outChannels }: ConvSizes,
): void {
  bias.fill(0);
  const shape = [images, groups * outChannels, volume(window.output)];
  scatterStrided(y, bias, shape, [0, 1, 0], 0);
}

/** What a thread takes of a weight's gradient at least: each packs its own taps, or all of them. */
const TAPS_TOGETHER = 24;
const CHANNELS_TOGETHER = 8;

/**
 * weight = Σ over images of y · windowsᵀ, and bias = Σ y where it is asked for; false where it has to be the
 * plain way.
 */
export function convWeight(
  x: Float64Array,
  y: Float64Array,
  weight: Float64Array,
  bias: Float64Array | null,
  sizes: ConvSizes,
): boolean {
  if (winogradWeight(x, y, weight, bias, sizes)) return true;
  const { window, images, groups, inChannels, outChannels } = sizes;
  const kernels = images === 0 ? null : usable(x, y, sizes);
  if (kernels === null) return false;
  const [plane, windows, taps] = productOf(sizes);
  const bytes = kernels.convWeightScratchBytes(outChannels, taps, windows);
  const work = images * outChannels * taps * windows;
  const { places, team, rest } = lay(window, inChannels, [weight], bytes, work);
  // Threads take taps or output channels, not images: what an element sums must not depend on them.
  const byTaps = taps / TAPS_TOGETHER > outChannels / CHANNELS_TOGETHER;
  const [total, grain] = byTaps ? [taps, TAPS_TOGETHER] : [outChannels, CHANNELS_TOGETHER];
  const part = Math.ceil(total / 32 / grain) * grain;
  for (let group = 0; group < groups; group++) {
    const [yAt, yStep] = imagesOf(y, outChannels * windows, groups, group);
    inParts(kernels, "convWeightGradient", team, total, part, (from, count, threaded) => {
      const channel = byTaps ? 0 : from;
      return [
        ...imagesOf(x, inChannels * plane, groups, group),
        yAt + 8 * channel * windows,
        yStep,
        places[0] + 8 * (group * outChannels + channel) * taps,
        images,
        byTaps ? outChannels : count,
        taps,
        byTaps ? from : 0,
        byTaps ? from + count : taps,
        windows,
        ...rest(threaded),
      ];
    });
  }
  takeBack(weight, places[0]);
  if (bias !== null) sumChannels(y, bias, sizes);
  return true;
}

/** Each group's [outC, inC, taps] → [inC, outC, taps backwards]. */
function turnAround(
  weight: Float64Array,
  { groups, inChannels, outChannels }: ConvSizes,
  size: number,
): Float64Array {
  const around = new Float64Array(weight.length);
  let from = 0;
  for (let group = 0; group < groups; group++) {
    for (let o = 0; o < outChannels; o++) {
      for (let i = 0; i < inChannels; i++, from += size) {
        const to = ((group * inChannels + i) * outChannels + o + 1) * size - 1;
        for (let t = 0; t < size; t++) around[to - t] = weight[from + t];
      }
    }
  }
  return around;
}

/** x = convᵀ(y, weight) + bias for stride 1; false where it has to be the plain way. */
export function convInput(
  y: Float64Array,
  weight: Float64Array,
  bias: Float64Array | null,
  x: Float64Array,
  sizes: ConvSizes,
): boolean {
  const { window, inChannels, outChannels } = sizes;
  const { kernel, dilation, padding, input, output, stride } = window;
  if (stride.some((step) => step !== 1)) return false;
  const turned: Window = {
    input: output,
    output: input,
    kernel,
    dilation,
    stride,
    padding: [0, 1, 2].map((axis) =>
      (kernel[axis] - 1) * dilation[axis] - padding[axis]
    ) as unknown as Triple,
  };
  const reversed = { ...sizes, window: turned, inChannels: outChannels, outChannels: inChannels };
  const column = 8 * volume(kernel);
  const found = { row: column, column: inChannels * column, turned: true };
  if (winograd(y, weight, bias, x, reversed, found)) return true;
  const kernels = usable(y, x, reversed);
  if (kernels === null) return false;
  return convPacked(kernels, y, turnAround(weight, sizes, volume(kernel)), bias, x, reversed);
}
