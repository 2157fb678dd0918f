/**
 * The same separation of what learns and what is tracked, in the other situations.
 */
import { Generator, manualSeed, nn, noGrad, optim, silenceWarnings } from "../../mod.ts";
import { batchesOf, type Split, takeBatch } from "./data.ts";
import { Ledger } from "./ledger.ts";
import { DigitNet } from "./network.ts";
import type { TrainOptions } from "./options.ts";
import { percent } from "./report.ts";
import { evaluate, makeOptimizer, trainSteps } from "./training.ts";

const LEARNED = ["weight", "bias"] as const;
const TRACKED = ["runningMean", "runningVar"] as const;
const STEPS = 12;

/** `γ, β moved 24 × by the optimizer and 0 × by forwards; …` */
function told(ledger: Ledger): string {
  const tracked = ledger.layers.some(([, layer]) => layer.runningMean !== null)
    ? `running mean, variance ${ledger.times(TRACKED, "forward")} × by forwards and ` +
      `${ledger.times(TRACKED, "optimizer")} × by the optimizer`
    : "there are no running statistics";
  return `in ${ledger.events.forward} steps γ, β moved ${
    ledger.times(LEARNED, "optimizer")
  } × by the ` +
    `optimizer and ` +
    `${ledger.times(LEARNED, "forward")} × by forwards, ${tracked}`;
}

/** A few steps, booked. */
function observe(net: DigitNet, split: Split, options: TrainOptions): Ledger {
  const ledger = new Ledger(net.norms());
  const steps = trainSteps(net, split.train, makeOptimizer(net, options), {
    batchSize: options.batchSize,
    generator: new Generator(options.seed + 1),
    ledger,
  });
  for (const _ of steps) {
    if (ledger.events.optimizer === STEPS) break;
  }
  return ledger;
}

/** training = true, trackRunningStats = false: a fresh network that keeps no statistics. */
export function trainingUntracked(split: Split, options: TrainOptions): string {
  manualSeed(options.seed);
  const net = new DigitNet(split.train, { track: false });
  return told(observe(net, split, options));
}

/** training = false, trackRunningStats = true: the trained network, fine-tuned on fixed statistics. */
export function evaluationTracked(net: DigitNet, split: Split, options: TrainOptions): string {
  return told(observe(net.deepCopy().eval(), split, options));
}

/** training = false, trackRunningStats = false: the prediction depends on its batch. */
export function evaluationUntracked(net: DigitNet, split: Split, options: TrainOptions): string {
  // The dependence on the batch is what is shown here.
  const restore = silenceWarnings("bn-batch-statistics-in-eval");
  const untracked = new DigitNet(split.train, { track: false });
  untracked.loadStateDict(net.stateDict(), { strict: false });
  untracked.eval();
  const ledger = observe(untracked.deepCopy(), split, options);
  const images = takeBatch(split.test, Array.from({ length: 64 }, (_, i) => i)).images;
  const drift = noGrad(() => {
    const together = untracked.forward(images).narrow(0, 0, 8);
    return together.sub(untracked.forward(images.narrow(0, 0, 8))).abs().amax().item();
  });
  restore();
  return `${told(ledger)}; the logits of 8 images shift by up to ${drift.toPrecision(2)} when 56 ` +
    `others join their batch`;
}

/** A student learns from a teacher whose statistics and weights stand still. */
export function frozenTeacher(teacher: DigitNet, split: Split, options: TrainOptions): string {
  manualSeed(options.seed + 2);
  teacher.eval();
  const student = new DigitNet(split.train, { momentum: options.bnMomentum });
  const watched = new Ledger(teacher.norms());
  const ledger = new Ledger(student.norms());
  const optimizer = makeOptimizer(student, options);
  const generator = new Generator(options.seed + 2);
  let steps = 0;
  for (const { images } of batchesOf(split.train, options.batchSize, generator)) {
    if (steps++ === STEPS) break;
    const wanted = noGrad(() => nn.functional.softmax(teacher.forward(images), 1));
    watched.book("forward");
    optimizer.zeroGrad();
    const got = nn.functional.logSoftmax(student.forward(images), 1);
    ledger.book("forward");
    nn.functional.klDiv(got, wanted, { reduction: "batchmean" }).backward();
    optimizer.step();
    ledger.book("optimizer");
    watched.book("optimizer");
  }
  const still = watched.times([...LEARNED, ...TRACKED], "forward") +
    watched.times([...LEARNED, ...TRACKED], "optimizer");
  return `student: ${told(ledger)}; teacher: moved ${still} ×`;
}

/** Weights averaged over the last steps have no statistics of their own until they are recalibrated. */
export function recalibration(net: DigitNet, split: Split): string {
  const copy = net.deepCopy();
  for (const [, layer] of copy.norms()) layer.resetRunningStats();
  const restore = silenceWarnings("bn-eval-before-training");
  const lost = evaluate(copy, split.test).accuracy;
  restore();
  const ledger = new Ledger(copy.norms());
  // Read anew in each pass: exact recalibration makes one for each layer.
  const batches = {
    *[Symbol.iterator]() {
      for (const { images } of batchesOf(split.train, 128)) yield images;
    },
  };
  optim.swa.updateBn(batches, copy.train(), { exact: true });
  ledger.book("forward");
  const found = evaluate(copy, split.test).accuracy;
  return `accuracy ${percent(lost)} with statistics reset, ${percent(found)} after one exact ` +
    `recalibration, which moved running mean, variance of ${ledger.layers.length} layers ` +
    `${ledger.times(TRACKED, "forward")} × and γ, β ${ledger.times(LEARNED, "forward")} ×`;
}
