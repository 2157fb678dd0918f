/**
 * A network meets images of another contrast and brightness. New statistics, and no label, may be all
 * that it needs.
 */
import { Generator, manualSeed, optim, type Tensor } from "../library.ts";
import { accuracy, digitNet, drawDigits, loss } from "./tiny_digits.ts";

/** What the scene depends on. */
export interface State {
  readonly seed: number;
  readonly contrast: number;
  readonly brightness: number;
  /** Whether images are turned into their negatives. */
  readonly inverted: number;
  /** The images without labels from which new statistics are taken. */
  readonly unlabelled: number;
}

/** What the scene shows. */
export interface Numbers {
  /** Test accuracy on images as they were in training. */
  readonly known: number;
  /** On shifted images, with the statistics of training. */
  readonly shifted: number;
  /** On shifted images, with statistics of shifted images. */
  readonly recalibrated: number;
  /** On images as in training, with statistics of as many of those. */
  readonly knownRecalibrated: number;
  /** How often recalibration moved γ, β or a weight. */
  readonly learnedMoves: number;
  /** Ten images, before the shift and after it. */
  readonly examples: {
    readonly label: number;
    readonly before: number[];
    readonly after: number[];
  }[];
}

/** Trains, shifts, and recalibrates. */
export function run({ seed, contrast, brightness, inverted, unlabelled }: State): Numbers {
  manualSeed(seed);
  const generator = new Generator(seed);
  const net = digitNet();
  const sgd = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
  for (let step = 0; step < 150; step++) {
    const { images, labels } = drawDigits(64, generator);
    sgd.zeroGrad();
    loss(net.forward(images), labels).backward();
    sgd.step();
  }
  const test = drawDigits(400, generator);
  const others = drawDigits(unlabelled, generator).images;
  const shift = (images: Tensor) => {
    const seen = inverted === 1 ? images.neg().add(1) : images;
    return seen.mul(contrast).add(brightness);
  };
  const shiftedTest = { images: shift(test.images), labels: test.labels };
  const recalibrated = (images: Tensor) => {
    const copy = net.deepCopy().train();
    optim.swa.updateBn([images], copy, { exact: true });
    const own = [...copy.parameters()];
    const moved = [...net.parameters()].filter((tensor, i) =>
      tensor.data.some((value, k) => value !== own[i].data[k])
    );
    return { net: copy.eval(), moves: moved.length };
  };
  net.eval();
  const adapted = recalibrated(shift(others));
  const digits = Array.from({ length: 10 }, (_, label) => test.labels.indexOf(label));
  const row = (images: Tensor, i: number) => Array.from(images.data.subarray(49 * i, 49 * (i + 1)));
  return {
    known: accuracy(net, test),
    shifted: accuracy(net, shiftedTest),
    recalibrated: accuracy(adapted.net, shiftedTest),
    knownRecalibrated: accuracy(recalibrated(others).net, test),
    learnedMoves: adapted.moves,
    examples: digits.filter((i) => i >= 0).map((i) => ({
      label: test.labels[i],
      before: row(test.images, i),
      after: row(shiftedTest.images, i),
    })),
  };
}
