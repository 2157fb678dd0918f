/**
 * Images as the experiments of this folder take them: whole sets as tensors, [N, pixels].
 *
 * @module
 */
import {
  type ImageSet,
  loadDigits,
  loadFolder,
  type Split,
} from "../../../examples/digits/data.ts";
import { UsageError } from "../../../examples/digits/options.ts";
import {
  type Generator,
  indexSelect,
  nn,
  noGrad,
  noStatsUpdate,
  randperm,
  type Tensor,
  tensor,
} from "../../../mod.ts";

/** Images with their labels. */
export interface Labelled {
  /** [N, pixels], values of 0 to 1. */
  readonly x: Tensor;
  readonly labels: readonly number[];
}

/** What is trained on and what is held back. */
export interface Images {
  readonly train: Labelled;
  readonly test: Labelled;
  readonly side: number;
  readonly classes: number;
}

/** The first images of a set. */
function first(set: ImageSet, count: number): Labelled {
  const n = Math.min(count, set.labels.length);
  const size = set.height * set.width;
  const values = Float64Array.from(set.pixels.subarray(0, n * size), (pixel) => pixel / set.white);
  return { x: tensor(values, { shape: [n, size] }), labels: Array.from(set.labels.subarray(0, n)) };
}

/** How many images are taken; all of them where left out. */
export interface Sizes {
  readonly train?: number;
  readonly test?: number;
}

function images({ train, test }: Split, sizes: Sizes): Images {
  return {
    train: first(train, sizes.train ?? Infinity),
    test: first(test, sizes.test ?? Infinity),
    side: train.width,
    classes: train.classes,
  };
}

/** The handwritten digits, of which 359 are held back: one of them is 0.28 points of accuracy. */
export async function digits(sizes: Sizes = {}): Promise<Images> {
  return images(await loadDigits(0), sizes);
}

/**
 * A folder with MNIST's four files, or the digits.
 *
 * @throws {RangeError} if the folder lacks one of them, or it is damaged.
 */
export async function imagesOf(data: string, sizes: Sizes = {}): Promise<Images> {
  if (data === "digits") return await digits(sizes);
  try {
    return images(await loadFolder(data), sizes);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const { message } = error;
    throw new RangeError(
      `${message[0].toUpperCase()}${message.slice(1)}; --data takes a folder with MNIST's four ` +
        `files, such as Debian's /usr/share/datasets/fashion-mnist`,
    );
  }
}

/** One pass in shuffled batches; a rest that does not fill a batch is left out. */
export function* batchesOf(
  { x, labels }: Labelled,
  batchSize: number,
  generator: Generator,
): Generator_<readonly [x: Tensor, labels: number[]]> {
  const order = Array.from(randperm(labels.length, { generator }).data);
  for (let start = 0; start + batchSize <= order.length; start += batchSize) {
    const places = order.slice(start, start + batchSize);
    yield [indexSelect(x, 0, places), places.map((place) => labels[place])];
  }
}

type Generator_<T> = globalThis.Generator<T, void, undefined>;

/** The share of images whose largest output is their label, by running statistics. */
export function accuracy(net: nn.Module, images: Labelled): number {
  return scored(net.eval(), images, images.labels.length);
}

/** The same with the statistics of each batch, as in training; the running ones stay as they are. */
export function batchAccuracy(net: nn.Module, images: Labelled, batchSize: number): number {
  return noStatsUpdate(() => scored(net.train(), images, batchSize));
}

function scored(net: nn.Module, { x, labels }: Labelled, batchSize: number): number {
  const { training } = net;
  let [right, total] = [0, 0];
  for (let start = 0; start < labels.length; start += batchSize) {
    const count = Math.min(batchSize, labels.length - start);
    // A smaller batch has other statistics, one of a single image none.
    if (count < batchSize && training) continue;
    total += count;
    const found = noGrad(() => {
      const outputs = net.forward(x.narrow(0, start, count)) as Tensor;
      return outputs.argmax({ dim: 1 }).data;
    });
    for (let i = 0; i < count; i++) if (found[i] === labels[start + i]) right++;
  }
  net.train();
  return right / total;
}

/** One step of an optimizer on a batch; returns the loss. */
export function trainStep(
  net: nn.Module,
  optimizer: { zeroGrad(): void; step(): unknown },
  x: Tensor,
  labels: number[],
): number {
  const loss = nn.functional.crossEntropy(net.forward(x) as Tensor, labels);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  return loss.item();
}

/** One pass over the images in shuffled batches; returns the loss of the last one. */
export function trainEpoch(
  net: nn.Module,
  optimizer: { zeroGrad(): void; step(): unknown },
  images: Labelled,
  batchSize: number,
  generator: Generator,
): number {
  let loss = NaN;
  for (const [x, labels] of batchesOf(images, batchSize, generator)) {
    loss = trainStep(net, optimizer, x, labels);
  }
  return loss;
}
