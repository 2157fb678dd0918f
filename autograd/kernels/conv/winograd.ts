/**
 * Convolutions of 3×3 taps and stride 1 by Winograd's F(4×4, 3×3): a quarter of the multiplications, and
 * a guard that keeps every output within about 1.5e-13 · Σ|w| · max|x|, the maximum over its own window.
 *
 * @module
 */
import { blasPath } from "../../runtime/blas.ts";
import { convAlgorithm, place, takeBack, teamFor } from "../../runtime/instance.ts";
import { inParts, kernelsOn } from "../door.ts";
import { ownScratch, THREAD_SCRATCH } from "../../runtime/threads.ts";
import { volume, type Window } from "./window_plain.ts";
import type { ConvSizes } from "./conv_columns.ts";

/** From how many products of channels on the transforms are worth their while. */
const FEWEST_PRODUCTS = 64;
/** Fewer channels of the input than these cost more to transform than they save: forward, and for dW. */
const FEWEST_CHANNELS = 4;
const FEWEST_CHANNELS_FOR_WEIGHT = 3;
/** With a BLAS library, up to how many products. */
const MOST_BESIDE_BLAS = 16384;

/** Whether Winograd's way is open for these windows, and shorter. */
function worthwhile(
  { kernel, stride, dilation, input, output, padding }: Window,
  products: number,
) {
  return convAlgorithm === "auto" &&
    kernel[0] === 1 && kernel[1] === 3 && kernel[2] === 3 &&
    input[0] === 1 && output[0] === 1 && padding[0] === 0 &&
    stride.every((step) => step === 1) && dilation[1] === 1 && dilation[2] === 1 &&
    padding.every((size) => size >= 0) &&
    products >= FEWEST_PRODUCTS && (blasPath() === null || products < MOST_BESIDE_BLAS);
}

/** How weights are found: row and column strides and the way from tap to tap, in bytes. */
export interface WeightLayout {
  /** From one output channel to the next. */
  readonly row: number;
  /** From one input channel to the next. */
  readonly column: number;
  /** Whether the taps are read from the last to the first. */
  readonly turned: boolean;
}

/** Where the channels of a group begin in the first image, and how far images lie apart, in bytes. */
export function imagesOf(
  x: Float64Array,
  size: number,
  groups: number,
  group: number,
): [at: number, step: number] {
  return [x.byteOffset + 8 * group * size, 8 * groups * size];
}

/** Channels, the sizes of both images and the padding, as the kernels take them. */
function geometry({ window, inChannels, outChannels }: ConvSizes): number[] {
  const [, height, width] = window.input;
  const [, outHeight, outWidth] = window.output;
  const [, top, left] = window.padding;
  return [outChannels, inChannels, height, width, outHeight, outWidth, top, left];
}

/** y = conv(x, weight) + bias; `false` where another way has to be taken. */
export function winograd(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array | null,
  y: Float64Array,
  sizes: ConvSizes,
  { row, column, turned }: WeightLayout,
): boolean {
  const { window, images, groups, inChannels, outChannels } = sizes;
  if (inChannels < FEWEST_CHANNELS || !worthwhile(window, inChannels * outChannels)) return false;
  const kernels = kernelsOn(x, y);
  if (kernels === null) return false;
  const [, outHeight, outWidth] = window.output;
  const tiles = images * Math.ceil(outHeight / 4) * Math.ceil(outWidth / 4);
  if (tiles === 0) return false;
  const block = kernels.winogradBlock(outChannels, inChannels, tiles);
  const bytes = kernels.winogradScratchBytes(outChannels, inChannels, outHeight, outWidth, block);
  const weightBytes = kernels.winogradWeightBytes(outChannels, inChannels);
  if (!Number.isFinite(bytes) || bytes < 0 || weightBytes < 0) return false;
  const [weights, biases, memory] = place([weight, bias], groups * weightBytes + bytes + 128);
  const transformed = memory + 63 & ~63;
  const own = transformed + groups * weightBytes;
  const tap = turned ? -8 : 8;
  const first = (group: number): number =>
    weights + group * 8 * 9 * inChannels * outChannels + (turned ? 64 : 0);
  for (let group = 0; group < groups; group++) {
    const to = transformed + group * weightBytes;
    if (
      !kernels.winogradWeights(first(group), row, column, tap, outChannels, inChannels, to)
    ) return false;
  }
  const outPlane = volume(window.output);
  // Threads share the transformed weights.
  const team = bytes > THREAD_SCRATCH || images < 2
    ? null
    : teamFor(images * inChannels * outChannels * outPlane / 16);
  for (let group = 0; group < groups; group++) {
    const [xAt, xStep] = imagesOf(x, inChannels * volume(window.input), groups, group);
    const [yAt, yStep] = imagesOf(y, outChannels * outPlane, groups, group);
    const part = Math.ceil(images / 32);
    inParts(kernels, "winogradForward", team, images, part, (from, count, threaded) => [
      xAt + from * xStep,
      xStep,
      first(group),
      row,
      column,
      // For a thread a negative number stands for its own memory: this one goes as a word of 32 bits.
      threaded ? tap >>> 0 : tap,
      biases === 0 ? 0 : biases + 8 * group * outChannels,
      yAt + from * yStep,
      yStep,
      count,
      ...geometry(sizes),
      transformed + group * weightBytes,
      block,
      threaded ? ownScratch(0) : own,
    ]);
  }
  return true;
}

/** Parts that images are summed in, however many threads there are: sums must not depend on that. */
const PARTS = 4;

/**
 * weight = Σ over images of y · windowsᵀ, and bias = Σ y where it is asked for; `false` where another way has to be
 * taken.
 */
export function winogradWeight(
  x: Float64Array,
  y: Float64Array,
  weight: Float64Array,
  bias: Float64Array | null,
  sizes: ConvSizes,
): boolean {
  const { window, images, groups, inChannels, outChannels } = sizes;
  if (inChannels < FEWEST_CHANNELS_FOR_WEIGHT || images === 0) return false;
  if (!worthwhile(window, inChannels * outChannels)) return false;
  const kernels = kernelsOn(x, y);
  if (kernels === null) return false;
  const { input, output, padding } = window;
  // Nothing may be cropped.
  if (input.some((size, axis) => axis > 0 && size + padding[axis] > output[axis] + 2)) return false;
  const together = Math.ceil(images / PARTS);
  const parts = Math.ceil(images / together);
  const bytes = kernels.winogradWeightScratchBytes(outChannels, inChannels, output[1], output[2]);
  const sumBytes = kernels.winogradSumBytes(outChannels, inChannels);
  if (bytes < 0 || sumBytes < 0) return false;
  const [weights, biases, free] = place([weight, bias], parts * sumBytes + bytes + 128);
  const sums = free + 63 & ~63;
  const outPlane = volume(output);
  const team = bytes > THREAD_SCRATCH || parts < 2
    ? null
    : teamFor(images * inChannels * outChannels * outPlane / 16);
  for (let group = 0; group < groups; group++) {
    const [xAt, xStep] = imagesOf(x, inChannels * volume(input), groups, group);
    const [yAt, yStep] = imagesOf(y, outChannels * outPlane, groups, group);
    const calls = Array.from({ length: parts }, (_, part) => {
      const from = part * together;
      return [
        xAt + from * xStep,
        xStep,
        yAt + from * yStep,
        yStep,
        Math.min(together, images - from),
        ...geometry(sizes),
        sums + part * sumBytes,
        team === null ? sums + parts * sumBytes : ownScratch(0),
      ];
    });
    if (team !== null) team.run("winogradWeightSums", kernels.winogradWeightSums, calls);
    else for (const args of calls) kernels.winogradWeightSums(...args);
    const ended = kernels.winogradWeightEnd(
      sums,
      parts,
      sumBytes,
      weights + group * 72 * inChannels * outChannels,
      biases === 0 ? 0 : biases + 8 * group * outChannels,
      outChannels,
      inChannels,
    );
    if (!ended) return false;
  }
  takeBack(weight, weights);
  takeBack(bias, biases);
  return true;
}
