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
import { cat, nn, noGrad, tensor } from "../../mod.ts";
import { type ImageBatch, loadDigits, loadFolder } from "./data.ts";
import { checkFiles, fromFile } from "./files.ts";
import { type TrainOptions, UsageError } from "./options.ts";
import type { Telling } from "./progress.ts";
import { counted, movementTable, percent } from "./report.ts";
import { type Place, readOptions, TrainingRun } from "./run.ts";
import type { Score } from "./training.ts";

/** What the launcher reads to draw the one progress bar. */
export interface RankProgress extends Telling {
  readonly epoch: string;
  readonly step: number;
  readonly steps: number;
}

/** Lines that begin with this are for the launcher. */
export const PROGRESS = "\u0001progress ";

/** The own share of a batch: neighbours in it, whose numbers differ by one at most. */
function shareOf({ images, labels }: ImageBatch, { rank, size }: Group): ImageBatch {
  const count = labels.length;
  const [from, to] = [rank, rank + 1].map((r) => Math.floor(r * count / size));
  return { images: images.narrow(0, from, to - from), labels: labels.slice(from, to) };
}

/** A run on the ranks of a group, with the statistics of the whole batch. */
function placeIn(group: Group): Place {
  return {
    share: {
      processes: group.size,
      of: (batch) => shareOf(batch, group),
      sum(values) {
        const parts = allGather(tensor(values));
        return values.map((_, i) => parts.reduce((sum, { data }) => sum + data[i], 0));
      },
    },
    modelOf(net) {
      nn.SyncBatchNorm.convertSyncBatchnorm(net);
      return new DistributedDataParallel(net);
    },
    saveCheckpoint,
    loadCheckpoint,
  };
}

/** Whether parameters, statistics and ledgers are the same on all ranks, bit for bit. */
function isTheSameOnAllRanks({ net, ledger }: TrainingRun): boolean {
  const state = [...net.stateDict().values()].map((x) => x.reshape([-1]));
  const booked = JSON.stringify(ledger.state());
  const text = tensor(Float64Array.from(booked, (letter) => letter.charCodeAt(0)));
  const all = allGather(noGrad(() => cat([...state, text])));
  return all.every(({ data }) =>
    data.length === all[0].size && data.every((value, i) => Object.is(value, all[0].data[i]))
  );
}

/**
 * The options of a command line.
 *
 * @throws {UsageError} for those that are for one process alone, and as {@linkcode readOptions}.
 */
export async function readRankOptions(args: readonly string[]): Promise<TrainOptions> {
  const options = await readOptions(args);
  if (options === null) throw new UsageError("got --help, which does not go with --distributed");
  const alone = options.report !== null ? "--report" : options.live ? "--live" : null;
  if (alone === null) return options;
  throw new UsageError(
    `got ${alone} on several ranks, expected it without: deno task train has it`,
  );
}

/**
 * Trains as the options of the main job say, in the group that the launcher started. Rank 0 speaks.
 *
 * @param args The command line without `--distributed`; `--progress` prints lines for the launcher.
 */
export async function trainOnRanks(args: readonly string[]): Promise<void> {
  using group = init();
  const draws = args.includes("--progress");
  const options = await readRankOptions(args.filter((arg) => arg !== "--progress"));
  if (group.rank === 0) await checkFiles(options); // Only this rank writes.
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
  const run = new TrainingRun(split, options, placeIn(group));
  if (options.resume !== null) {
    await fromFile(options.resume, run.resume(options.resume));
    say(`Going on after step ${run.step}, in epoch ${run.epoch}.`);
  }
  const { epochs } = options;
  let tested: Score | null = null;
  while (run.epoch <= epochs) {
    const { epoch } = run;
    for (const trained of run.steps()) {
      if (draws) {
        const [step, steps] = [run.stepInEpoch, run.stepsInEpoch];
        const telling = { trained, tested, drift: null };
        const progress: RankProgress = { epoch: `${epoch}/${epochs}`, step, steps, ...telling };
        say(PROGRESS + JSON.stringify(progress));
      }
      const { checkpointEvery } = options;
      if (checkpointEvery !== null && run.step % checkpointEvery === 0) {
        await run.save(options.checkpoint);
      }
    }
    const { trained, tested: score } = run.endEpoch();
    tested = score;
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
  const isOne = isTheSameOnAllRanks(run);
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
    `Test accuracy ${percent(accuracy)} after ${counted(epochs, "epoch")}, ` +
      `${((performance.now() - started) / 1000).toFixed(1)} s.`,
  );
  if (options.save !== null && group.rank === 0) {
    await saveSafetensors(options.save, run.net.stateDict());
    say(`Saved to ${options.save}.`);
  }
  if (!isOne) throw new Error("Cannot end the training: the ranks differ, expected the same bits");
}
