/**
 * A training run: what it is made of, and how it is stopped and taken up again.
 */
import { loadCheckpoint, loadTorch, saveCheckpoint } from "../../io/mod.ts";
import { Generator, manualSeed, type optim, type Tensor } from "../../mod.ts";
import type { Split } from "./data.ts";
import { Ledger, type LedgerState } from "./ledger.ts";
import { DigitNet } from "./network.ts";
import { fromFile } from "./files.ts";
import { parseOptions, type TrainOptions, UsageError } from "./options.ts";
import {
  evaluate,
  makeOptimizer,
  type Score,
  ScoreSum,
  type Share,
  trainSteps,
  WHOLE,
} from "./training.ts";

/** What an epoch has come to. */
export interface EpochScore {
  readonly trained: Score;
  readonly tested: Score;
}

/** Where a run takes place: in one process, or in several together. */
export interface Place {
  readonly share: Share;
  /** The model that is trained, made of the network. */
  modelOf(net: DigitNet): { forward(images: Tensor): Tensor };
  readonly saveCheckpoint: typeof saveCheckpoint;
  readonly loadCheckpoint: typeof loadCheckpoint;
}

/** The run has one process to itself. */
export const ALONE: Place = {
  share: WHOLE,
  modelOf: (net) => net,
  saveCheckpoint,
  loadCheckpoint,
};

/** A network in training. */
export class TrainingRun {
  readonly net: DigitNet;
  readonly #model: { forward(images: Tensor): Tensor };
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
  readonly #place: Place;

  constructor(split: Split, options: TrainOptions, place: Place = ALONE) {
    this.split = split;
    this.options = options;
    this.#place = place;
    manualSeed(options.seed);
    this.net = new DigitNet(split.train, {
      batchNorm: options.batchNorm,
      momentum: options.bnMomentum,
    });
    this.#model = place.modelOf(this.net);
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
    const { ledger, split, options: { batchSize } } = this;
    this.#atEpochStart = this.#generator.clone();
    const steps = trainSteps(this.#model, split.train, this.optimizer, {
      batchSize,
      generator: this.#generator,
      ledger,
      skip: this.#stepInEpoch,
      sum: this.#sum,
      share: this.#place.share,
    });
    for (const score of steps) {
      this.step++;
      this.#stepInEpoch++;
      yield score;
    }
  }

  /** The score of the test images. */
  evaluate(): Score {
    return evaluate(this.net, this.split.test, this.#place.share);
  }

  /** Evaluates, and goes on to the next epoch. */
  endEpoch(): EpochScore {
    const tested = this.evaluate();
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
    await this.#place.saveCheckpoint(file, {
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
    const { step, extra } = await this.#place.loadCheckpoint(file, {
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

/** The options of a command line, those of a resumed run filled in; `null` if it asks for help. */
export async function readOptions(args: readonly string[]): Promise<TrainOptions | null> {
  const options = parseOptions(args);
  if (options === null || options.resume === null) return options;
  return parseOptions(args, await fromFile(options.resume, savedOptions(options.resume)));
}

/** The options of a saved run. */
async function savedOptions(file: string): Promise<TrainOptions> {
  const saved = await loadTorch(file);
  const extra = saved instanceof Map ? saved.get("extra") : null;
  const options = extra instanceof Map ? extra.get("options") : null;
  if (typeof options !== "string") {
    throw new UsageError(`cannot resume from ${file}: it is no checkpoint of a training`);
  }
  return JSON.parse(options) as TrainOptions;
}
