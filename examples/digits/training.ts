/**
 * Training and evaluation.
 */
import { type Generator, nn, noGrad, optim } from "../../mod.ts";
import { batchesOf, type ImageSet } from "./data.ts";
import type { Ledger } from "./ledger.ts";
import type { DigitNet } from "./network.ts";
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

  add(images: number, meanLoss: number, right: number): void {
    this.last = { loss: meanLoss, accuracy: right / images };
    this.#images += images;
    this.#loss += meanLoss * images;
    this.#right += right;
  }

  get score(): Score {
    return { loss: this.#loss / this.#images, accuracy: this.#right / this.#images };
  }
}

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
}

/** The steps of an epoch, each with the score so far. */
export function* trainSteps(
  net: DigitNet,
  images: ImageSet,
  optimizer: optim.SGD,
  { batchSize, generator, ledger, skip = 0, sum = new ScoreSum() }: EpochOptions,
): Iterable<Score> {
  let seen = 0;
  for (const batch of batchesOf(images, batchSize, generator)) {
    if (seen++ < skip) continue;
    optimizer.zeroGrad();
    const logits = net.forward(batch.images);
    ledger?.book("forward");
    const loss = nn.functional.crossEntropy(logits, batch.labels);
    loss.backward();
    optimizer.step();
    ledger?.book("optimizer");
    sum.add(batch.labels.length, loss.item(), countRight(logits.data, batch.labels));
    yield sum.score;
  }
}

/** The score in the mode that the network is in; nothing is recorded. */
export function score(net: nn.Module, images: ImageSet, batchSize = 256): Score {
  const sum = new ScoreSum();
  noGrad(() => {
    for (const batch of batchesOf(images, batchSize)) {
      const logits = net.forward(batch.images);
      const loss = nn.functional.crossEntropy(logits, batch.labels).item();
      sum.add(batch.labels.length, loss, countRight(logits.data, batch.labels));
    }
  });
  return sum.score;
}

/** The score in evaluation mode; the mode before is put back. */
export function evaluate(net: nn.Module, images: ImageSet): Score {
  const { training } = net;
  net.eval();
  try {
    return score(net, images);
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
