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

  add(images: number, meanLoss: number, right: number): void {
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

/** One epoch; `onStep` sees the score so far. */
export function trainEpoch(
  net: DigitNet,
  images: ImageSet,
  optimizer: optim.SGD,
  options: { batchSize: number; generator: Generator; ledger?: Ledger | null; most?: number },
  onStep: (score: Score) => void = () => {},
): Score {
  const sum = new ScoreSum();
  let steps = 0;
  for (const batch of batchesOf(images, options.batchSize, options.generator)) {
    if (steps++ === options.most) break;
    optimizer.zeroGrad();
    const logits = net.forward(batch.images);
    options.ledger?.book("forward");
    const loss = nn.functional.crossEntropy(logits, batch.labels);
    loss.backward();
    optimizer.step();
    options.ledger?.book("optimizer");
    sum.add(batch.labels.length, loss.item(), countRight(logits.data, batch.labels));
    onStep(sum.score);
  }
  return sum.score;
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

function countRight(logits: Float64Array, labels: readonly number[]): number {
  const classes = logits.length / labels.length;
  let right = 0;
  labels.forEach((label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    if (row.indexOf(Math.max(...row)) === label) right++;
  });
  return right;
}
