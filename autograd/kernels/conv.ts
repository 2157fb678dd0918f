/**
 * Convolutions, as matrix products over windows laid side by side. One trilinear form
 * Σ y · conv(x, weight) has three partial derivatives: by y the convolution, by x its transpose, by
 * weight the correlation of both. They are built from the kernels behind the door, whichever those
 * are.
 *
 * @module
 */
import { allocateUninitialised, release, type Storage } from "./memory.ts";
import { col2im, im2col, matmul, volume, type Window } from "./mod.ts";

/** The sizes that the three products share. */
export interface ConvSizes {
  /** Where the windows lie. */
  readonly window: Window;
  /** The number of images. */
  readonly images: number;
  /** Groups of channels that do not see each other. */
  readonly groups: number;
  /** Channels of x in a group. */
  readonly inChannels: number;
  /** Channels of y in a group. */
  readonly outChannels: number;
}

/** Arrays that stay from call to call and grow with the largest. */
class Scratch {
  #storage: Storage | null = null;
  #size = 0;

  /** An array of at least `size` values, of arbitrary content. */
  take(size: number): Float64Array {
    if (this.#storage === null || this.#size < size) {
      if (this.#storage !== null) release(this.#storage);
      this.#storage = allocateUninitialised(size);
      this.#size = size;
    }
    return this.#storage.values;
  }
}

const columnScratch = new Scratch();
const weightScratch = new Scratch();

/** Whether each window is exactly one input, so that an image is its own matrix of windows. */
function isPointwise({ kernel, stride, padding, input, output }: Window): boolean {
  return kernel.every((size, i) =>
    size === 1 && stride[i] === 1 && padding[i] === 0 && input[i] === output[i]
  );
}

/** Part `index` of an array that is divided into parts of `size`. */
function part(values: Float64Array, index: number, size: number): Float64Array {
  return values.length === size ? values : values.subarray(index * size, (index + 1) * size);
}

function addBias(out: Float64Array, bias: Float64Array, images: number, plane: number): void {
  let i = 0;
  for (let n = 0; n < images; n++) {
    for (let c = 0; c < bias.length; c++) {
      const value = bias[c];
      for (const end = i + plane; i < end; i++) out[i] += value;
    }
  }
}

/** y = conv(x, weight) + bias: for each image and group [outC, inC·taps] · [inC·taps, windows]. */
export function conv(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array | null,
  y: Float64Array,
  { window, images, groups, inChannels, outChannels }: ConvSizes,
): void {
  const windows = volume(window.output);
  const plane = volume(window.input);
  const taps = inChannels * volume(window.kernel);
  const pointwise = isPointwise(window);
  const columns = pointwise ? x : columnScratch.take(taps * windows);
  const sizes = { batch: 1, m: outChannels, n: windows, k: taps, transA: false, transB: false };
  for (let i = 0; i < images * groups; i++) {
    if (!pointwise) im2col(x, i * inChannels * plane, columns, inChannels, window);
    matmul(
      part(weight, i % groups, outChannels * taps),
      pointwise ? part(x, i, taps * windows) : columns,
      part(y, i, outChannels * windows),
      sizes,
    );
  }
  if (bias !== null) addBias(y, bias, images, windows);
}

/** x = convᵀ(y, weight) + bias: [inC·taps, outC] · [outC, windows], then windows added up. */
export function convInput(
  y: Float64Array,
  weight: Float64Array,
  bias: Float64Array | null,
  x: Float64Array,
  { window, images, groups, inChannels, outChannels }: ConvSizes,
): void {
  const windows = volume(window.output);
  const plane = volume(window.input);
  const taps = inChannels * volume(window.kernel);
  const pointwise = isPointwise(window);
  const columns = pointwise ? x : columnScratch.take(taps * windows);
  const sizes = { batch: 1, m: taps, n: windows, k: outChannels, transA: true, transB: false };
  if (!pointwise) x.fill(0);
  for (let i = 0; i < images * groups; i++) {
    matmul(
      part(weight, i % groups, outChannels * taps),
      part(y, i, outChannels * windows),
      pointwise ? part(x, i, taps * windows) : columns,
      sizes,
    );
    if (!pointwise) col2im(columns, x, i * inChannels * plane, inChannels, window);
  }
  if (bias !== null) addBias(x, bias, images, plane);
}

/** weight = Σ over images of [outC, windows] · [windows, inC·taps]. */
export function convWeight(
  x: Float64Array,
  y: Float64Array,
  weight: Float64Array,
  { window, images, groups, inChannels, outChannels }: ConvSizes,
): void {
  const windows = volume(window.output);
  const plane = volume(window.input);
  const taps = inChannels * volume(window.kernel);
  const pointwise = isPointwise(window);
  const columns = pointwise ? x : columnScratch.take(taps * windows);
  const product = weightScratch.take(outChannels * taps);
  const sizes = { batch: 1, m: outChannels, n: taps, k: windows, transA: false, transB: true };
  if (images === 0) weight.fill(0);
  for (let i = 0; i < images * groups; i++) {
    if (!pointwise) im2col(x, i * inChannels * plane, columns, inChannels, window);
    const target = part(weight, i % groups, outChannels * taps);
    matmul(
      part(y, i, outChannels * windows),
      pointwise ? part(x, i, taps * windows) : columns,
      i < groups ? target : product,
      sizes,
    );
    if (i >= groups) { for (let j = 0; j < target.length; j++) target[j] += product[j]; }
  }
}
