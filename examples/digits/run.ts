/**
 * A training run: what it is made of, and how it is stopped and taken up again.
 */
import { loadCheckpoint, loadTorch, saveCheckpoint } from "../../io/mod.ts";
import { Generator, manualSeed, type optim } from "../../mod.ts";
import type { Split } from "./data.ts";
import { Ledger, type LedgerState } from "./ledger.ts";
import { DigitNet } from "./network.ts";
import { type TrainOptions, UsageError } from "./options.ts";
import { evaluate, makeOptimizer, type Score, ScoreSum, trainSteps } from "./training.ts";

/** What an epoch has come to. */
export interface EpochScore {
  readonly trained: Score;
  readonly tested: Score;
}

/** A network in training. */
export class TrainingRun {
  readonly net: DigitNet;
  readonly ledger: Ledger;
  /** The epoch that is being trained, from 1. */
  epoch = 1;
  /** The steps taken in all epochs. */
  step = 0;
  readonly optimizer: optim.SGD;
  readonly #generator: Generator;
  #stepInEpoch = 0;
  #sum = new ScoreSum();
  /** An epoch is shuffled as a whole: to take it up in its middle it is shuffled once more. */
  #atEpochStart: Generator;

  readonly split: Split;
  readonly options: TrainOptions;

  constructor(split: Split, options: TrainOptions) {
    this.split = split;
    this.options = options;
    manualSeed(options.seed);
    this.net = new DigitNet(split.train, {
      batchNorm: options.batchNorm,
      momentum: options.bnMomentum,
    });
    this.optimizer = makeOptimizer(this.net, options);
    this.ledger = new Ledger(this.net.norms());
    this.#generator = new Generator(options.seed);
    this.#atEpochStart = this.#generator.clone();
  }

  /** How many steps an epoch has. */
  get stepsInEpoch(): number {
    return Math.ceil(this.split.train.labels.length / this.options.batchSize);
  }

  /** How many of them were taken. */
  get stepInEpoch(): number {
    return this.#stepInEpoch;
  }

  /** The score of the last batch alone. */
  get lastBatch(): Score {
    return this.#sum.last;
  }

  /** Trains what is left of the epoch, step by step. */
  *steps(): Iterable<Score> {
    const { net, ledger, split, options: { batchSize } } = this;
    this.#atEpochStart = this.#generator.clone();
    const steps = trainSteps(net, split.train, this.optimizer, {
      batchSize,
      generator: this.#generator,
      ledger,
      skip: this.#stepInEpoch,
      sum: this.#sum,
    });
    for (const score of steps) {
      this.step++;
      this.#stepInEpoch++;
      yield score;
    }
  }

  /** Evaluates, and goes on to the next epoch. */
  endEpoch(): EpochScore {
    const tested = evaluate(this.net, this.split.test);
    this.ledger.book("evaluation");
    const trained = this.#sum.score;
    this.epoch++;
    this.#stepInEpoch = 0;
    this.#sum = new ScoreSum();
    this.#atEpochStart = this.#generator.clone();
    return { trained, tested };
  }

  /** Writes everything that {@linkcode resume} needs. */
  async save(file: string): Promise<void> {
    await saveCheckpoint(file, {
      model: this.net,
      optimizer: this.optimizer,
      generator: this.#atEpochStart,
      step: this.step,
      extra: {
        epoch: this.epoch,
        stepInEpoch: this.#stepInEpoch,
        sums: this.#sum.sums,
        ledger: JSON.stringify(this.ledger.state()),
        options: JSON.stringify(this.options),
      },
    });
  }

  /** Goes on where a saved run has stopped; the options may change how it goes on. */
  async resume(file: string): Promise<void> {
    const { step, extra } = await loadCheckpoint(file, {
      model: this.net,
      optimizer: this.optimizer,
      generator: this.#generator,
    });
    const { lr, momentum, weightDecay } = this.options;
    for (const group of this.optimizer.paramGroups) {
      Object.assign(group, { lr, momentum, weightDecay });
    }
    this.step = step;
    this.epoch = Number(extra.get("epoch"));
    this.#stepInEpoch = Number(extra.get("stepInEpoch"));
    this.#sum = ScoreSum.from(extra.get("sums") as [number, number, number]);
    this.ledger.restore(JSON.parse(String(extra.get("ledger"))) as LedgerState);
    this.#atEpochStart = this.#generator.clone();
  }
}

/** The options of a saved run. */
export async function savedOptions(file: string): Promise<TrainOptions> {
  const saved = await loadTorch(file);
  const extra = saved instanceof Map ? saved.get("extra") : null;
  const options = extra instanceof Map ? extra.get("options") : null;
  if (typeof options !== "string") {
    throw new UsageError(`cannot resume from ${file}: it is no checkpoint of a training`);
  }
  return JSON.parse(options) as TrainOptions;
}
