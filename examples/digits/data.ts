/**
 * Images and labels, kept as bytes until a batch of them is wanted.
 */
import { gunzip, parseIdx } from "../../io/mod.ts";
import { Generator, randperm, type Tensor, tensor } from "../../mod.ts";
import { UsageError } from "./options.ts";

/** Images of one size with their labels. */
export interface ImageSet {
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  /** The pixel value that stands for 1. */
  readonly white: number;
  /** Row-major, image after image. */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

/** What is trained on and what is held back. */
export interface Split {
  readonly name: string;
  readonly train: ImageSet;
  readonly test: ImageSet;
}

const DIGITS = new URL("../data/digits.csv.gz", import.meta.url);
const SIDE = 8;
const WHITE = 16;
const CLASSES = 10;

/** The handwritten digits, split at random into 80 % and 20 %. */
export async function loadDigits(seed: number): Promise<Split> {
  const text = new TextDecoder().decode(await readData(DIGITS, "the digits"));
  const rows = text.trim().split("\n").map((line) => line.split(",").map(Number));
  const damaged = rows.findIndex((row) =>
    row.length !== SIDE * SIDE + 1 ||
    row.some((value, i) =>
      !Number.isInteger(value) || value < 0 || value > (i < SIDE * SIDE ? WHITE : CLASSES - 1)
    )
  );
  if (damaged >= 0) {
    throw new UsageError(
      `cannot read the digits: row ${
        damaged + 1
      } is damaged, expected 64 pixels of 0 to 16 and a ` +
        `label of 0 to 9`,
    );
  }
  const order = randperm(rows.length, { generator: new Generator(seed) }).data;
  const shuffled = Array.from(order, (i) => rows[i]);
  const held = Math.round(rows.length * 0.8);
  return {
    name: "handwritten digits",
    train: toImages(shuffled.slice(0, held)),
    test: toImages(shuffled.slice(held)),
  };
}

function toImages(rows: readonly (readonly number[])[]): ImageSet {
  return {
    height: SIDE,
    width: SIDE,
    classes: CLASSES,
    white: WHITE,
    pixels: Uint8Array.from(rows.flatMap((row) => row.slice(0, -1))),
    labels: Uint8Array.from(rows, (row) => row[row.length - 1]),
  };
}

/** A folder with MNIST's four files; its own division into training and test is kept. */
export async function loadFolder(folder: string): Promise<Split> {
  const [train, test] = await Promise.all([
    loadPair(folder, "train"),
    loadPair(folder, "t10k"),
  ]);
  if (train.height !== test.height || train.width !== test.width) {
    throw new UsageError(
      `cannot use ${folder}: got training images of ${train.height} × ${train.width} and test ` +
        `images of ${test.height} × ${test.width}, expected one size`,
    );
  }
  return { name: folder, train, test };
}

async function loadPair(folder: string, prefix: string): Promise<ImageSet> {
  const imageFile = await findFile(folder, `${prefix}-images-idx3-ubyte`);
  const labelFile = await findFile(folder, `${prefix}-labels-idx1-ubyte`);
  const images = await read(imageFile);
  const labels = await read(labelFile);
  if (images.shape.length !== 3 || labels.shape.length !== 1) {
    throw new UsageError(
      `cannot use ${folder}: got shapes [${images.shape}] and [${labels.shape}], expected ` +
        `[count, height, width] and [count]`,
    );
  }
  const [count, height, width] = images.shape;
  if (labels.shape[0] !== count || count === 0) {
    throw new UsageError(
      `cannot use ${folder}: got ${count} images and ${labels.shape[0]} labels, expected as many`,
    );
  }
  if (height < 4 || width < 4) {
    throw new UsageError(
      `cannot use ${folder}: got images of ${height} × ${width}, expected at least 4 × 4`,
    );
  }
  const classes = Math.max(...new Set(labels.values)) + 1;
  return { height, width, classes, white: 255, pixels: images.values, labels: labels.values };
}

async function read(path: string) {
  try {
    return await parseIdx(await Deno.readFile(path), path);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/** The file or its gzipped form; MNIST is also found with a dot in place of the last dash. */
async function findFile(folder: string, name: string): Promise<string> {
  const names = [name, name.replace("-idx", ".idx")].flatMap((stem) => [stem, `${stem}.gz`]);
  for (const candidate of names) {
    const path = `${folder}/${candidate}`;
    try {
      if ((await Deno.stat(path)).isFile) return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
        throw error;
      }
    }
  }
  throw new UsageError(`cannot find ${name} (or ${name}.gz) in ${folder}`);
}

async function readData(url: URL, name: string): Promise<Uint8Array> {
  try {
    return await gunzip(await Deno.readFile(url), name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new UsageError(`cannot find ${url.pathname}`);
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/** A batch [N, 1, height, width] with values of 0 to 1, and its labels. */
export interface ImageBatch {
  readonly images: Tensor;
  readonly labels: number[];
}

/** The images at the given places as a batch. */
export function takeBatch(set: ImageSet, indices: ArrayLike<number>): ImageBatch {
  const { height, width, white, pixels, labels } = set;
  const size = height * width;
  const values = new Float64Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] * size;
    for (let p = 0; p < size; p++) values[i * size + p] = pixels[from + p] / white;
  }
  return {
    images: tensor(values, { shape: [indices.length, 1, height, width] }),
    labels: Array.from(indices, (i) => labels[i]),
  };
}

/** All images in batches: in their order, or shuffled by a generator. */
export function* batchesOf(
  set: ImageSet,
  batchSize: number,
  generator: Generator | null = null,
): Iterable<ImageBatch> {
  const count = set.labels.length;
  const order = generator === null
    ? Float64Array.from({ length: count }, (_, i) => i)
    : randperm(count, { generator }).data;
  for (let start = 0; start < count; start += batchSize) {
    const indices = order.subarray(start, start + batchSize);
    // One image alone has no variance to normalise with.
    if (indices.length > 1 || generator === null) yield takeBatch(set, indices);
  }
}
