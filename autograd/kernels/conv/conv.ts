/**
 * Convolutions whose matrix of windows is packed straight from a padded copy of each image, by two
 * tables of offsets. The input's gradient is a convolution too where the stride is 1: of the
 * cotangent, padded, with the weight turned around.
 */
import { blasPath } from "../../runtime/blas.ts";
import type { ConvSizes } from "./conv_columns.ts";
import { type Triple, volume, type Window } from "./window_plain.ts";
import { winograd, winogradWeight } from "./winograd.ts";
import { ownScratch, THREAD_SCRATCH } from "../../runtime/threads.ts";
import {
  copyIn,
  copyOut,
  inPool,
  type Kernels,
  kernelsFor,
  scratch,
  teamFor,
  writeIntegers,
} from "../../runtime/instance.ts";

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

/** What a convolution kernel needs besides its arrays. */
interface Layout {
  /** Addresses of the tables. */
  readonly taps: number;
  readonly windows: number;
  /** The address of the copies of arrays. */
  readonly copies: number;
  /** The arguments that describe the padded image. */
  readonly image: readonly number[];
  /** The addresses of the padded image and of the kernel's scratch memory. */
  readonly own: readonly [padded: number, scratch: number];
  /** The same for a thread; `null` where a thread's memory is too small. */
  readonly ofThread: readonly [padded: number, scratch: number] | null;
}

/** Lays out scratch memory: both tables, `copies` bytes, a padded image and `bytes` for the kernel. */
function lay(window: Window, channels: number, copies: number, bytes: number): Layout {
  const padded = paddedSizes(window);
  const plane = 8 * volume(padded);
  const windows = lattice(window.output, window.stride, padded);
  const taps: number[] = [];
  const offsets = lattice(window.kernel, window.dilation, padded);
  for (let c = 0; c < channels; c++) for (const offset of offsets) taps.push(c * plane + offset);
  const windowsAt = 4 * taps.length + 63 & ~63;
  const copiesAt = windowsAt + (4 * windows.length + 63 & ~63);
  const paddedAt = copiesAt + (copies + 63 & ~63);
  const paddedBytes = channels * plane + 64;
  const at = scratch(paddedAt + paddedBytes + bytes);
  writeIntegers(taps, at);
  writeIntegers(windows, at + windowsAt);
  return {
    taps: at,
    windows: at + windowsAt,
    copies: at + copiesAt,
    image: [channels, ...window.input, ...padded, ...window.padding],
    own: [at + paddedAt, at + paddedAt + paddedBytes],
    ofThread: paddedBytes + bytes > THREAD_SCRATCH
      ? null
      : [ownScratch(0), ownScratch(paddedBytes)],
  };
}

/** The kernels if they can work on both images; nothing may be cropped. */
function usable(x: Float64Array, y: Float64Array, { window }: ConvSizes): Kernels | null {
  // A BLAS library multiplies faster than the windows can be packed.
  if (blasPath() !== null || window.padding.some((size) => size < 0)) return null;
  return inPool(y) ? kernelsFor(x) : null;
}

/** A small array at its own address, or copied to `at`. */
function addressOf(x: Float64Array, at: number): number {
  if (inPool(x)) return x.byteOffset;
  copyIn(x, at);
  return at;
}

/** Runs `call` over [0, total): at once, or on threads in parts of whole multiples of `grain`. */
function share(
  kernels: Kernels,
  name: "convForward" | "convWeightGradient",
  layout: Layout,
  work: number,
  total: number,
  grain: number,
  call: (from: number, count: number, memory: readonly number[]) => number[],
): void {
  const team = layout.ofThread === null ? null : teamFor(work / 12);
  if (team === null) {
    kernels[name](...call(0, total, layout.own));
    return;
  }
  // As many parts as the sizes say: never as the threads do.
  const count = Math.ceil(total / 32 / grain) * grain;
  const calls: number[][] = [];
  for (let from = 0; from < total; from += count) {
    calls.push(call(from, Math.min(count, total - from), layout.ofThread!));
  }
  team.run(name, kernels[name], calls);
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
  if (kernels === null) return false;
  const { window, images, groups, inChannels, outChannels } = sizes;
  const plane = 8 * volume(window.input);
  const windows = volume(window.output);
  const taps = inChannels * volume(window.kernel);
  const copies = weight.byteLength + (bias?.byteLength ?? 0);
  const layout = lay(window, inChannels, copies, kernels.convScratchBytes(outChannels, taps));
  const weights = addressOf(weight, layout.copies);
  const biases = bias === null ? 0 : addressOf(bias, layout.copies + weight.byteLength);
  const work = images * outChannels * taps * windows;
  for (let group = 0; group < groups; group++) {
    const xAt = x.byteOffset + group * inChannels * plane;
    const yAt = y.byteOffset + 8 * group * outChannels * windows;
    const xImage = groups * inChannels * plane;
    const yImage = 8 * groups * outChannels * windows;
    share(kernels, "convForward", layout, work, images, 1, (from, count, [padded, memory]) => [
      xAt + from * xImage,
      xImage,
      weights + 8 * group * outChannels * taps,
      8 * taps,
      8,
      bias === null ? 0 : biases + 8 * group * outChannels,
      yAt + from * yImage,
      yImage,
      count,
      outChannels,
      taps,
      windows,
      ...layout.image,
      padded,
      layout.taps,
      layout.windows,
      memory,
    ]);
  }
  return true;
}

/** What a thread takes of a weight's gradient at least: each packs its own taps, or all of them. */
const TAPS_TOGETHER = 24;
const CHANNELS_TOGETHER = 8;

/** weight = Σ over images of y · windowsᵀ; false where it has to be the plain way. */
export function convWeight(
  x: Float64Array,
  y: Float64Array,
  weight: Float64Array,
  sizes: ConvSizes,
): boolean {
  if (winogradWeight(x, y, weight, sizes)) return true;
  const kernels = sizes.images === 0 ? null : usable(x, y, sizes);
  if (kernels === null) return false;
  const { window, images, groups, inChannels, outChannels } = sizes;
  const plane = 8 * volume(window.input);
  const windows = volume(window.output);
  const taps = inChannels * volume(window.kernel);
  const bytes = kernels.convWeightScratchBytes(outChannels, taps, windows);
  const layout = lay(window, inChannels, weight.byteLength, bytes);
  const weights = inPool(weight) ? weight.byteOffset : layout.copies;
  const work = images * outChannels * taps * windows;
  // Threads take taps or output channels, not images: what an element sums must not depend on them.
  const byTaps = taps / TAPS_TOGETHER > outChannels / CHANNELS_TOGETHER;
  for (let group = 0; group < groups; group++) {
    share(
      kernels,
      "convWeightGradient",
      layout,
      work,
      byTaps ? taps : outChannels,
      byTaps ? TAPS_TOGETHER : CHANNELS_TOGETHER,
      (from, count, [padded, memory]) => {
        const channel = group * outChannels + (byTaps ? 0 : from);
        return [
          x.byteOffset + group * inChannels * plane,
          groups * inChannels * plane,
          y.byteOffset + 8 * channel * windows,
          8 * groups * outChannels * windows,
          weights + 8 * channel * taps,
          images,
          byTaps ? outChannels : count,
          taps,
          byTaps ? from : 0,
          byTaps ? from + count : taps,
          windows,
          ...layout.image,
          padded,
          layout.taps,
          layout.windows,
          memory,
        ];
      },
    );
  }
  if (!inPool(weight)) copyOut(weights, weight);
  return true;
}

/** [outC, inC, taps] → [inC, outC, taps backwards], for one group. */
function turnAround(
  weight: Float64Array,
  group: number,
  outChannels: number,
  inChannels: number,
  size: number,
): Float64Array {
  const around = new Float64Array(inChannels * outChannels * size);
  for (let o = 0; o < outChannels; o++) {
    for (let i = 0; i < inChannels; i++) {
      const from = ((group * outChannels + o) * inChannels + i) * size;
      const to = (i * outChannels + o) * size + size - 1;
      for (let t = 0; t < size; t++) around[to - t] = weight[from + t];
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
  const { window, images, groups, inChannels, outChannels } = sizes;
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
  const kernels = usable(y, x, { ...sizes, window: turned });
  if (kernels === null) return false;
  const plane = volume(input);
  const windows = volume(output);
  const size = volume(kernel);
  const taps = outChannels * size;
  const weightBytes = 8 * inChannels * taps;
  const bytes = kernels.convScratchBytes(inChannels, taps);
  const layout = lay(turned, outChannels, weightBytes + (bias?.byteLength ?? 0), bytes);
  const biases = bias === null ? 0 : addressOf(bias, layout.copies + weightBytes);
  const work = images * inChannels * taps * plane;
  for (let group = 0; group < groups; group++) {
    copyIn(turnAround(weight, group, outChannels, inChannels, size), layout.copies);
    const yAt = y.byteOffset + 8 * group * outChannels * windows;
    const xAt = x.byteOffset + 8 * group * inChannels * plane;
    const yImage = 8 * groups * outChannels * windows;
    const xImage = 8 * groups * inChannels * plane;
    share(kernels, "convForward", layout, work, images, 1, (from, count, [padded, memory]) => [
      yAt + from * yImage,
      yImage,
      layout.copies,
      8 * taps,
      8,
      bias === null ? 0 : biases + 8 * group * inChannels,
      xAt + from * xImage,
      xImage,
      count,
      inChannels,
      taps,
      plane,
      ...layout.image,
      padded,
      layout.taps,
      layout.windows,
      memory,
    ]);
  }
  return true;
}
