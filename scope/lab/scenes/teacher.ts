/**
 * A student learns from a teacher's outputs, on images that are paler than those that the teacher knows.
 * No gradient reaches the teacher; is that enough to leave it alone?
 */
import { Generator, manualSeed, nn, noGrad, optim } from "../library.ts";
import { accuracy, digitNet, drawDigits, loss } from "./tiny_digits.ts";

/** What the scene depends on. */
export interface State {
  readonly seed: number;
  readonly steps: number;
  /** The contrast of the student’s images; what is missing is white. */
  readonly contrast: number;
}

/** What became of a teacher. */
export interface Teacher {
  /** Its accuracy on images such as it has learned from, at the start and after each of the student's steps. */
  readonly accuracy: number[];
  /** How often a forward pass moved its running mean or variance. */
  readonly moves: number;
  /** The largest change of its running variance, as a factor. */
  readonly shrunk: number;
  /** The largest difference that company makes to its outputs for eight images. */
  readonly company: number;
}

/** What the scene shows. */
export interface Numbers {
  readonly withEval: Teacher;
  readonly without: Teacher;
}

const BATCH = 32;

/** Trains a teacher, and then a student of each of its copies. */
export function run({ seed, steps, contrast }: State): Numbers {
  manualSeed(seed);
  const generator = new Generator(seed);
  const taught = digitNet();
  const sgd = new optim.SGD(taught.parameters(), { lr: 0.1, momentum: 0.9 });
  for (let step = 0; step < 150; step++) {
    const { images, labels } = drawDigits(64, generator);
    sgd.zeroGrad();
    loss(taught.forward(images), labels).backward();
    sgd.step();
  }
  const held = drawDigits(300, generator);
  const batches = Array.from(
    { length: steps },
    () => drawDigits(BATCH, generator).images.mul(contrast).add(1 - contrast),
  );

  const teach = (isEval: boolean): Teacher => {
    const teacher = taught.deepCopy();
    teacher.train(!isEval);
    const bn = [...teacher.modules()].find((module) => module instanceof nn.BatchNorm1d)!;
    const before = Array.from(bn.runningVar!.data);
    const student = digitNet();
    const learning = new optim.SGD(student.parameters(), { lr: 0.05, momentum: 0.9 });
    const score = () => {
      teacher.eval();
      const found = accuracy(teacher, held);
      teacher.train(!isEval);
      return found;
    };
    const path = [score()];
    let moves = 0;
    for (const images of batches) {
      const [mean, variance] = [bn.runningMean!.clone(), bn.runningVar!.clone()];
      const wanted = noGrad(() => teacher.forward(images));
      for (const [old, now] of [[mean, bn.runningMean!], [variance, bn.runningVar!]]) {
        if (old.data.some((value, c) => value !== now.data[c])) moves++;
      }
      learning.zeroGrad();
      student.forward(images).sub(wanted).square().mean().backward();
      learning.step();
      path.push(score());
    }
    const eight = batches[0].narrow(0, 0, 8);
    // Copies are asked, so that asking moves nothing.
    const alone = noGrad(() => teacher.deepCopy().forward(eight));
    const together = noGrad(() => teacher.deepCopy().forward(batches[0]).narrow(0, 0, 8));
    return {
      accuracy: path,
      moves,
      shrunk: Math.min(...before.map((value, c) => bn.runningVar!.data[c] / value)),
      company: alone.sub(together).abs().amax().item(),
    };
  };
  return { withEval: teach(true), without: teach(false) };
}
