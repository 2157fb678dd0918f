/**
 * Training and evaluation.
 */
import { type Generator, nn, noGrad, optim, type Tensor } from "../../mod.ts";
import { batchesOf, type ImageBatch, type ImageSet } from "./data.ts";
import type { Ledger } from "./ledger.ts";
import type { TrainOptions } from "./options.ts";

/** Loss and accuracy over some images. */
export interface Score {
  readonly loss: number;
  readonly accuracy: number;
}

/** Sums scores up, image by image. */
export class ScoreSum {
  #images = 0;
  #loss = 0;
  #right = 0;

  /** What it has summed up, to go on from. */
  get sums(): readonly [images: number, loss: number, right: number] {
    return [this.#images, this.#loss, this.#right];
  }

  static from([images, loss, right]: readonly [number, number, number]): ScoreSum {
    const sum = new ScoreSum();
    sum.#images = images;
    sum.#loss = loss;
    sum.#right = right;
    return sum;
  }

  /** The score that was added last. */
  last: Score = { loss: NaN, accuracy: NaN };

  /** Adds a batch: how many images, the sum of their losses, and how many are right. */
  add(images: number, loss: number, right: number): void {
    this.last = { loss: loss / images, accuracy: right / images };
    this.#images += images;
    this.#loss += loss;
    this.#right += right;
  }

  get score(): Score {
    return { loss: this.#loss / this.#images, accuracy: this.#right / this.#images };
  }
}

/** What one process does of every batch. */
export interface Share {
  /** How many processes train together. */
  readonly processes: number;
  of(batch: ImageBatch): ImageBatch;
  /** Sums over all of them. */
  sum(values: readonly number[]): number[];
}

/** One process does everything. */
export const WHOLE: Share = {
  processes: 1,
  of: (batch) => batch,
  sum: (values) => [...values],
};

/** SGD as the command line says. */
export function makeOptimizer(net: nn.Module, options: TrainOptions): optim.SGD {
  const { lr, momentum, weightDecay } = options;
  return new optim.SGD(net.parameters(), { lr, momentum, weightDecay });
}

/** How an epoch is trained. */
export interface EpochOptions {
  readonly batchSize: number;
  readonly generator: Generator;
  readonly ledger?: Ledger | null;
  /** Batches that were trained before the run was stopped. */
  readonly skip?: number;
  /** The score of those. */
  readonly sum?: ScoreSum;
  readonly share?: Share;
}

/** The steps of an epoch, each with the score so far, which is that of all processes. */
export function* trainSteps(
  model: { forward(images: Tensor): Tensor },
  images: ImageSet,
  optimizer: optim.SGD,
  { batchSize, generator, ledger, skip = 0, sum = new ScoreSum(), share = WHOLE }: EpochOptions,
): Iterable<Score> {
  let seen = 0;
  for (const batch of batchesOf(images, batchSize, generator)) {
    if (seen++ < skip) continue;
    const own = share.of(batch);
    const [count, all] = [own.labels.length, batch.labels.length];
    optimizer.zeroGrad();
    const logits = model.forward(own.images);
    ledger?.book("forward");
    const loss = count === 0 ? logits.sum() : nn.functional.crossEntropy(logits, own.labels);
    // The mean over processes is that over images if each counts as many as it has.
    const weight = count * share.processes / all;
    (weight === 1 ? loss : loss.mul(weight)).backward();
    optimizer.step();
    ledger?.book("optimizer");
    const [total, right] = share.sum([count * loss.item(), countRight(logits.data, own.labels)]);
    sum.add(all, total, right);
    yield sum.score;
  }
}

/** The score in the mode that the network is in; nothing is recorded. */
export function score(
  net: nn.Module,
  images: ImageSet,
  { batchSize = 256, share = WHOLE }: { batchSize?: number; share?: Share } = {},
): Score {
  const sums = [0, 0, 0];
  noGrad(() => {
    for (const batch of batchesOf(images, batchSize)) {
      const own = share.of(batch);
      const count = own.labels.length;
      if (count === 0) continue;
      const logits = net.forward(own.images);
      sums[0] += count;
      sums[1] += count * nn.functional.crossEntropy(logits, own.labels).item();
      sums[2] += countRight(logits.data, own.labels);
    }
  });
  const [count, loss, right] = share.sum(sums);
  return { loss: loss / count, accuracy: right / count };
}

/** The score in evaluation mode; the mode before is put back. */
export function evaluate(net: nn.Module, images: ImageSet, share: Share = WHOLE): Score {
  const { training } = net;
  net.eval();
  try {
    return score(net, images, { share });
  } finally {
    net.train(training);
  }
}

/** How many rows have their largest value at the label. */
export function countRight(logits: Float64Array, labels: readonly number[]): number {
  const classes = logits.length / labels.length;
  let right = 0;
  labels.forEach((label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    if (row.indexOf(Math.max(...row)) === label) right++;
  });
  return right;
}
