/**
 * The main job on several ranks: each trains its share of every batch, and the result is that of one process.
 */
import {
  allGather,
  DistributedDataParallel,
  type Group,
  init,
  loadCheckpoint,
  saveCheckpoint,
} from "../../distributed/mod.ts";
import { saveSafetensors } from "../../io/mod.ts";
import { cat, Generator, manualSeed, nn, noGrad, type Tensor, tensor } from "../../mod.ts";
import { batchesOf, type ImageBatch, loadDigits, loadFolder, type Split } from "./data.ts";
import { fromFile } from "./files.ts";
import { Ledger, type LedgerState } from "./ledger.ts";
import { DigitNet } from "./network.ts";
import { parseOptions, type TrainOptions, UsageError } from "./options.ts";
import { movementTable, percent } from "./report.ts";
import { savedOptions } from "./run.ts";
import { countRight, makeOptimizer, type Score, ScoreSum } from "./training.ts";

/** What the launcher reads to draw the one progress bar. */
export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** Lines that begin with this are for the launcher. */
export const PROGRESS = "\u0001progress ";

/** The own share of a batch: neighbours in it, whose numbers differ by one at most. */
function shareOf({ images, labels }: ImageBatch, { rank, size }: Group): ImageBatch {
  const count = labels.length;
  const [from, to] = [rank, rank + 1].map((r) => Math.floor(r * count / size));
  return { images: images.narrow(0, from, to - from), labels: labels.slice(from, to) };
}

class RankedRun {
  readonly net: DigitNet;
  readonly model: DistributedDataParallel<[Tensor], Tensor>;
  readonly ledger: Ledger;
  readonly optimizer;
  epoch = 1;
  step = 0;
  readonly #group: Group;
  readonly #split: Split;
  readonly #options: TrainOptions;
  readonly #generator: Generator;
  #atEpochStart: Generator;
  #stepInEpoch = 0;
  #sum = new ScoreSum();

  constructor(group: Group, split: Split, options: TrainOptions) {
    this.#group = group;
    this.#split = split;
    this.#options = options;
    manualSeed(options.seed);
    const { batchNorm, bnMomentum: momentum } = options;
    this.net = new DigitNet(split.train, { batchNorm, momentum });
    nn.SyncBatchNorm.convertSyncBatchnorm(this.net);
    this.model = new DistributedDataParallel(this.net);
    this.optimizer = makeOptimizer(this.net, options);
    this.ledger = new Ledger(this.net.norms());
    this.#generator = new Generator(options.seed);
    this.#atEpochStart = this.#generator.clone();
  }

  get stepsInEpoch(): number {
    return Math.ceil(this.#split.train.labels.length / this.#options.batchSize);
  }

  /** Trains what is left of the epoch; yields the score of all ranks after each step. */
  *steps(): Iterable<Score> {
    const group = this.#group;
    this.#atEpochStart = this.#generator.clone();
    let seen = 0;
    const { batchSize } = this.#options;
    for (const batch of batchesOf(this.#split.train, batchSize, this.#generator)) {
      if (seen++ < this.#stepInEpoch) continue;
      const own = shareOf(batch, group);
      const [count, all] = [own.labels.length, batch.labels.length];
      this.optimizer.zeroGrad();
      const logits = this.model.forward(own.images);
      this.ledger.book("forward");
      // The mean over ranks is that over images if each counts as many as it has.
      const loss = count === 0 ? logits.sum() : nn.functional.crossEntropy(logits, own.labels);
      loss.mul(count * group.size / all).backward();
      this.optimizer.step();
      this.ledger.book("optimizer");
      const right = countRight(logits.data, own.labels);
      const sums = this.#together([count * loss.item(), right]);
      this.#sum.add(all, sums[0] / all, sums[1]);
      this.step++;
      this.#stepInEpoch++;
      yield this.#sum.score;
    }
  }

  get stepInEpoch(): number {
    return this.#stepInEpoch;
  }

  /** Sums over all ranks. */
  #together(values: readonly number[]): number[] {
    const parts = allGather(tensor(values));
    return values.map((_, i) => parts.reduce((sum, { data }) => sum + data[i], 0));
  }

  /** The score of the test images, of which each rank takes its share. */
  evaluate(): Score {
    this.model.eval();
    const sums = [0, 0, 0];
    noGrad(() => {
      for (const batch of batchesOf(this.#split.test, 256)) {
        const own = shareOf(batch, this.#group);
        if (own.labels.length === 0) continue;
        const logits = this.model.forward(own.images);
        sums[0] += own.labels.length;
        sums[1] += own.labels.length * nn.functional.crossEntropy(logits, own.labels).item();
        sums[2] += countRight(logits.data, own.labels);
      }
    });
    this.model.train();
    const [images, loss, right] = this.#together(sums);
    return { loss: loss / images, accuracy: right / images };
  }

  /** Evaluates, and goes on to the next epoch. */
  endEpoch(): { trained: Score; tested: Score } {
    const tested = this.evaluate();
    this.ledger.book("evaluation");
    const trained = this.#sum.score;
    this.epoch++;
    this.#stepInEpoch = 0;
    this.#sum = new ScoreSum();
    this.#atEpochStart = this.#generator.clone();
    return { trained, tested };
  }

  /** The same file as that of one process. */
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
        options: JSON.stringify(this.#options),
      },
    });
  }

  /** Goes on where a run has stopped, on whatever number of ranks. */
  async resume(file: string): Promise<void> {
    const { step, extra } = await loadCheckpoint(file, {
      model: this.net,
      optimizer: this.optimizer,
      generator: this.#generator,
    });
    const { lr, momentum, weightDecay } = this.#options;
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

  /** Whether parameters, statistics and ledgers are the same on all ranks, bit for bit. */
  isOne(): boolean {
    const state = [...this.net.stateDict().values()].map((x) => x.reshape([-1]));
    const booked = JSON.stringify(this.ledger.state());
    const text = tensor(Float64Array.from(booked, (letter) => letter.charCodeAt(0)));
    const all = allGather(noGrad(() => cat([...state, text])));
    return all.every(({ data }) =>
      data.length === all[0].size && data.every((value, i) => Object.is(value, all[0].data[i]))
    );
  }
}

/** The options, those of a resumed run filled in. */
async function readOptions(args: readonly string[]): Promise<TrainOptions | null> {
  const options = parseOptions(args);
  if (options === null || options.resume === null) return options;
  return parseOptions(args, await fromFile(options.resume, savedOptions(options.resume)));
}

/**
 * Trains as the options of the main job say, in the group that the launcher started. Rank 0 speaks.
 *
 * @param args The command line without `--distributed`; `--progress` prints lines for the launcher.
 */
export async function trainOnRanks(args: readonly string[]): Promise<void> {
  using group = init();
  const draws = args.includes("--progress");
  const options = await readOptions(args.filter((arg) => arg !== "--progress"));
  if (options === null) throw new UsageError("--help does not go with --distributed");
  const say = (text: string): void => {
    if (group.rank === 0) console.log(text);
  };
  const started = performance.now();
  const split = options.data === null
    ? await loadDigits(options.seed)
    : await loadFolder(options.data);
  say(
    `${split.name}: ${split.train.labels.length} training and ${split.test.labels.length} test images, ` +
      `seed ${options.seed}, ${group.size} ranks${
        group.implementation === null ? "" : ` by ${group.implementation}`
      }`,
  );
  const run = new RankedRun(group, split, options);
  if (options.resume !== null) {
    await fromFile(options.resume, run.resume(options.resume));
    say(`Going on after step ${run.step}, in epoch ${run.epoch}.`);
  }
  const { epochs } = options;
  while (run.epoch <= epochs) {
    const { epoch } = run;
    for (const score of run.steps()) {
      if (draws) {
        const [step, steps] = [run.stepInEpoch, run.stepsInEpoch];
        say(PROGRESS + JSON.stringify({ epoch, epochs, step, steps, ...score }));
      }
      const { checkpointEvery } = options;
      if (checkpointEvery !== null && run.step % checkpointEvery === 0) {
        await run.save(options.checkpoint);
      }
    }
    const { trained, tested } = run.endEpoch();
    if (!Number.isFinite(trained.loss)) {
      throw new UsageError(
        `the loss became ${trained.loss} in epoch ${epoch}, expected a lower --lr`,
      );
    }
    say(
      `epoch ${epoch}/${epochs}  loss ${trained.loss.toFixed(4)}  train ${
        percent(trained.accuracy)
      }  test ${percent(tested.accuracy)}`,
    );
  }
  if (options.checkpointEvery !== null) await run.save(options.checkpoint);
  const isOne = run.isOne();
  const { accuracy } = run.evaluate();
  if (run.ledger.layers.length > 0) {
    say(`\nWhat learned and what was tracked:\n\n${movementTable(run.ledger)}\n`);
  }
  say(
    isOne
      ? `Parameters, statistics and this ledger are the same on all ${group.size} ranks, bit for bit.`
      : `The ranks differ: that is a fault.`,
  );
  say(
    `Test accuracy ${percent(accuracy)} after ${epochs} epochs, ` +
      `${((performance.now() - started) / 1000).toFixed(1)} s.`,
  );
  if (options.save !== null && group.rank === 0) {
    await saveSafetensors(options.save, run.net.stateDict());
    say(`Saved to ${options.save}.`);
  }
  if (!isOne) throw new Error("Cannot end the training: the ranks differ, expected the same bits");
}
