/**
 * Convolutions, as matrix products over windows laid side by side. One trilinear form
 * Σ y · conv(x, weight) has three partial derivatives: by y the convolution, by x its transpose, by
 * weight the correlation of both. They are built from the kernels behind the door, whichever those
 * are.
 *
 * @module
 */
import { allocateUninitialised, release, type Storage } from "../../runtime/memory.ts";
import { type Door, door } from "../door.ts";
import * as packed from "./conv.ts";
import { col2im, im2col, matmul, volume, type Window } from "../mod.ts";

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
const imageScratch = new Scratch();
const weightScratch = new Scratch();

/** Images of fewer windows share a product, so that it has about as many columns. */
const WIDE = 192;

/** How many images share a product. */
function imagesTogether(images: number, windows: number): number {
  return Math.max(1, Math.min(images, Math.floor(WIDE / windows)));
}

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

/** What the loops over images and groups share. */
interface Plan extends ConvSizes {
  /** Windows of an image. */
  readonly windows: number;
  /** Values of an input plane. */
  readonly plane: number;
  /** Rows of a matrix of windows. */
  readonly taps: number;
  /** Images that share a product. */
  readonly together: number;
  /** Whether an image is its own matrix of windows. */
  readonly direct: boolean;
}

function planOf(sizes: ConvSizes): Plan {
  const { window, images, inChannels } = sizes;
  const windows = volume(window.output);
  const together = imagesTogether(images, windows);
  return {
    ...sizes,
    windows,
    plane: volume(window.input),
    taps: inChannels * volume(window.kernel),
    together,
    direct: together === 1 && isPointwise(window),
  };
}

/** The windows of `count` images from `image` on, side by side. */
function columnsOf(x: Float64Array, image: number, count: number, group: number, plan: Plan) {
  const { window, groups, inChannels, windows, plane, taps, together, direct } = plan;
  if (direct) return part(x, image * groups + group, taps * windows);
  const columns = columnScratch.take(taps * windows * together);
  for (let j = 0; j < count; j++) {
    const offset = ((image + j) * groups + group) * inChannels * plane;
    im2col(x, offset, columns, inChannels, window, j * windows, count * windows);
  }
  return columns;
}

/**
 * The outputs of `count` images from `image` on, side by side: y itself if it is one image, otherwise scratch memory
 * that {@linkcode moveOutputs} fills or empties.
 */
function outputsOf(y: Float64Array, image: number, count: number, group: number, plan: Plan) {
  const { groups, outChannels, windows, together } = plan;
  return count === 1
    ? part(y, image * groups + group, outChannels * windows)
    : imageScratch.take(outChannels * windows * together);
}

/** Moves outputs between y and where they lie side by side, channel by channel. */
function moveOutputs(
  y: Float64Array,
  wide: Float64Array,
  toY: boolean,
  image: number,
  count: number,
  group: number,
  { groups, outChannels, windows }: Plan,
): void {
  if (count === 1) return;
  for (let j = 0; j < count; j++) {
    let i = ((image + j) * groups + group) * outChannels * windows;
    for (let c = 0; c < outChannels; c++) {
      const first = (c * count + j) * windows;
      if (toY) { for (let k = first; k < first + windows; k++) y[i++] = wide[k]; }
      else for (let k = first; k < first + windows; k++) wide[k] = y[i++];
    }
  }
}

/** Visits the images that share a product, group by group. */
function eachProduct(
  { images, groups, together }: Plan,
  visit: (image: number, count: number, group: number) => void,
): void {
  for (let n = 0; n < images; n += together) {
    const count = Math.min(together, images - n);
    for (let group = 0; group < groups; group++) visit(n, count, group);
  }
}

/** y = conv(x, weight) + bias: for each image and group [outC, inC·taps] · [inC·taps, windows]. */
function convByColumns(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array | null,
  y: Float64Array,
  sizes: ConvSizes,
): void {
  const plan = planOf(sizes);
  const { images, outChannels, windows, taps } = plan;
  eachProduct(plan, (n, count, group) => {
    const out = outputsOf(y, n, count, group, plan);
    matmul(
      part(weight, group, outChannels * taps),
      columnsOf(x, n, count, group, plan),
      out,
      { batch: 1, m: outChannels, n: count * windows, k: taps, transA: false, transB: false },
    );
    moveOutputs(y, out, true, n, count, group, plan);
  });
  if (bias !== null) addBias(y, bias, images, windows);
}

/** x = convᵀ(y, weight) + bias: [inC·taps, outC] · [outC, windows], then windows added up. */
function convInputByColumns(
  y: Float64Array,
  weight: Float64Array,
  bias: Float64Array | null,
  x: Float64Array,
  sizes: ConvSizes,
): void {
  const plan = planOf(sizes);
  const {
    window,
    images,
    groups,
    inChannels,
    outChannels,
    windows,
    plane,
    taps,
    together,
    direct,
  } = plan;
  if (!direct) x.fill(0);
  eachProduct(plan, (n, count, group) => {
    const columns = direct
      ? part(x, n * groups + group, taps * windows)
      : columnScratch.take(taps * windows * together);
    const outputs = outputsOf(y, n, count, group, plan);
    moveOutputs(y, outputs, false, n, count, group, plan);
    matmul(
      part(weight, group, outChannels * taps),
      outputs,
      columns,
      { batch: 1, m: taps, n: count * windows, k: outChannels, transA: true, transB: false },
    );
    if (direct) return;
    for (let j = 0; j < count; j++) {
      const offset = ((n + j) * groups + group) * inChannels * plane;
      col2im(columns, x, offset, inChannels, window, j * windows, count * windows);
    }
  });
  if (bias !== null) addBias(x, bias, images, plane);
}

/** weight = Σ over images of [outC, windows] · [windows, inC·taps], and bias = Σ y where it is asked for. */
function convWeightByColumns(
  x: Float64Array,
  y: Float64Array,
  weight: Float64Array,
  bias: Float64Array | null,
  sizes: ConvSizes,
): void {
  const plan = planOf(sizes);
  const { images, outChannels, windows, taps } = plan;
  if (bias !== null) packed.sumChannels(y, bias, sizes);
  const product = weightScratch.take(outChannels * taps);
  if (images === 0) weight.fill(0);
  eachProduct(plan, (n, count, group) => {
    const target = part(weight, group, outChannels * taps);
    const outputs = outputsOf(y, n, count, group, plan);
    moveOutputs(y, outputs, false, n, count, group, plan);
    matmul(
      outputs,
      columnsOf(x, n, count, group, plan),
      n === 0 ? target : product,
      { batch: 1, m: outChannels, n: taps, k: count * windows, transA: false, transB: true },
    );
    if (n > 0) { for (let j = 0; j < target.length; j++) target[j] += product[j]; }
  });
}

/** y = conv(x, weight) + bias. */
export const conv: Door<typeof convByColumns> = /* @__PURE__ */ door(convByColumns, packed.conv);

/** x = convᵀ(y, weight) + bias. */
export const convInput: Door<typeof convInputByColumns> = /* @__PURE__ */ door(
  convInputByColumns,
  packed.convInput,
);

/** weight = Σ over images of y · windowsᵀ, and bias = Σ y where it is asked for. */
export const convWeight: Door<typeof convWeightByColumns> = /* @__PURE__ */ door(
  convWeightByColumns,
  packed.convWeight,
);
