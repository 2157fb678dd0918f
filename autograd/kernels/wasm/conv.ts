/**
 * Convolutions whose matrix of windows is packed straight from a padded copy of each image, by two
 * tables of offsets. The input's gradient is a convolution too where the stride is 1: of the
 * cotangent, padded, with the weight turned around.
 */
import type { ConvSizes } from "../conv.ts";
import { type Triple, volume, type Window } from "../plain/window.ts";
import {
  copyIn,
  copyOut,
  inPool,
  type Kernels,
  kernelsFor,
  scratch,
  writeIntegers,
  writeZeros,
} from "./instance.ts";

/** Where the padded image, the tables and the rest of the scratch memory are. */
interface Layout {
  readonly padded: number;
  readonly taps: number;
  readonly windows: number;
  readonly rest: number;
}

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

/** Lays out scratch memory: a padded image of zeros, both tables, `bytes` for the kernel. */
function lay(window: Window, channels: number, sizes: Triple, bytes: number): Layout {
  const plane = 8 * volume(sizes);
  const windows = lattice(window.output, window.stride, sizes);
  const taps: number[] = [];
  const offsets = lattice(window.kernel, window.dilation, sizes);
  for (let c = 0; c < channels; c++) for (const offset of offsets) taps.push(c * plane + offset);
  const tapsAt = channels * plane + 64;
  const windowsAt = tapsAt + 4 * taps.length + 64;
  const restAt = windowsAt + 4 * windows.length + 64 & ~63;
  const padded = scratch(restAt + bytes);
  writeZeros(padded, channels * volume(sizes));
  writeIntegers(taps, padded + tapsAt);
  writeIntegers(windows, padded + windowsAt);
  return { padded, taps: padded + tapsAt, windows: padded + windowsAt, rest: padded + restAt };
}

/** The kernels if they can work on both images; nothing may be cropped. */
function usable(x: Float64Array, y: Float64Array, { window }: ConvSizes): Kernels | null {
  if (window.padding.some((size) => size < 0)) return null;
  return inPool(y) ? kernelsFor(x) : null;
}

/** A small array at its own address, or copied to `at`. */
function addressOf(x: Float64Array, at: number): number {
  if (inPool(x)) return x.byteOffset;
  copyIn(x, at);
  return at;
}

/** y = conv(x, weight) + bias; false where it has to be the plain way. */
export function conv(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array | null,
  y: Float64Array,
  sizes: ConvSizes,
): boolean {
  const kernels = usable(x, y, sizes);
  if (kernels === null) return false;
  const { window, images, groups, inChannels, outChannels } = sizes;
  const plane = volume(window.input);
  const windows = volume(window.output);
  const taps = inChannels * volume(window.kernel);
  const own = kernels.convScratchBytes(outChannels, taps);
  const padded = paddedSizes(window);
  const copies = weight.byteLength + (bias?.byteLength ?? 0);
  const at = lay(window, inChannels, padded, own + copies);
  const weights = addressOf(weight, at.rest + own);
  const biases = bias === null ? 0 : addressOf(bias, at.rest + own + weight.byteLength);
  for (let group = 0; group < groups; group++) {
    kernels.convForward(
      x.byteOffset + 8 * group * inChannels * plane,
      8 * groups * inChannels * plane,
      weights + 8 * group * outChannels * taps,
      8 * taps,
      8,
      bias === null ? 0 : biases + 8 * group * outChannels,
      y.byteOffset + 8 * group * outChannels * windows,
      8 * groups * outChannels * windows,
      images,
      outChannels,
      taps,
      windows,
      inChannels,
      ...window.input,
      ...padded,
      ...window.padding,
      at.padded,
      at.taps,
      at.windows,
      at.rest,
    );
  }
  return true;
}

/** weight = Σ over images of y · windowsᵀ; false where it has to be the plain way. */
export function convWeight(
  x: Float64Array,
  y: Float64Array,
  weight: Float64Array,
  sizes: ConvSizes,
): boolean {
  const kernels = sizes.images === 0 ? null : usable(x, y, sizes);
  if (kernels === null) return false;
  const { window, images, groups, inChannels, outChannels } = sizes;
  const plane = volume(window.input);
  const windows = volume(window.output);
  const taps = inChannels * volume(window.kernel);
  const own = kernels.convWeightScratchBytes(outChannels, taps);
  const padded = paddedSizes(window);
  const at = lay(window, inChannels, padded, own + weight.byteLength);
  const weights = inPool(weight) ? weight.byteOffset : at.rest + own;
  for (let group = 0; group < groups; group++) {
    kernels.convWeightGradient(
      x.byteOffset + 8 * group * inChannels * plane,
      8 * groups * inChannels * plane,
      y.byteOffset + 8 * group * outChannels * windows,
      8 * groups * outChannels * windows,
      weights + 8 * group * outChannels * taps,
      images,
      outChannels,
      taps,
      windows,
      inChannels,
      ...window.input,
      ...padded,
      ...window.padding,
      at.padded,
      at.taps,
      at.windows,
      at.rest,
    );
  }
  if (!inPool(weight)) copyOut(weights, weight);
  return true;
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
  const { kernel, dilation, padding, input, output } = window;
  const turned: Window = {
    input: output,
    output: input,
    kernel,
    dilation,
    stride: [1, 1, 1],
    padding: [0, 1, 2].map((axis) =>
      (kernel[axis] - 1) * dilation[axis] - padding[axis]
    ) as unknown as Triple,
  };
  if (window.stride.some((step) => step !== 1)) return false;
  const kernels = usable(y, x, { ...sizes, window: turned });
  if (kernels === null) return false;
  const plane = volume(input);
  const windows = volume(output);
  const size = volume(kernel);
  const taps = outChannels * size;
  const own = kernels.convScratchBytes(inChannels, taps);
  const padded = paddedSizes(turned);
  const weightBytes = 8 * inChannels * taps;
  const at = lay(turned, outChannels, padded, own + weightBytes + (bias?.byteLength ?? 0));
  const weights = at.rest + own;
  const biases = bias === null ? 0 : addressOf(bias, weights + weightBytes);
  const around = new Float64Array(inChannels * taps);
  for (let group = 0; group < groups; group++) {
    // [outC, inC, taps] → [inC, outC, taps backwards]
    for (let o = 0; o < outChannels; o++) {
      for (let i = 0; i < inChannels; i++) {
        const from = ((group * outChannels + o) * inChannels + i) * size;
        const to = (i * outChannels + o) * size + size - 1;
        for (let t = 0; t < size; t++) around[to - t] = weight[from + t];
      }
    }
    copyIn(around, weights);
    kernels.convForward(
      y.byteOffset + 8 * group * outChannels * windows,
      8 * groups * outChannels * windows,
      weights,
      8 * taps,
      8,
      bias === null ? 0 : biases + 8 * group * inChannels,
      x.byteOffset + 8 * group * inChannels * plane,
      8 * groups * inChannels * plane,
      images,
      inChannels,
      taps,
      plane,
      outChannels,
      ...output,
      ...padded,
      ...turned.padding,
      at.padded,
      at.taps,
      at.windows,
      at.rest,
    );
  }
  return true;
}
