/**
 * The main job: trains a small network with BatchNorm on handwritten digits and shows what learned and
 * what was tracked. `--help` lists the options.
 */
import { saveSafetensors } from "../io/mod.ts";
import type { Live } from "../scope/live/mod.ts";
import { loadDigits, loadFolder, type Split } from "./digits/data.ts";
import {
  evaluationTracked,
  evaluationUntracked,
  frozenTeacher,
  recalibration,
  trainingUntracked,
} from "./digits/experiments.ts";
import { checkFiles, fromFile } from "./digits/files.ts";
import type { Ledger } from "./digits/ledger.ts";
import type { DigitNet } from "./digits/network.ts";
import { faultOf, HELP, type TrainOptions, UsageError } from "./digits/options.ts";
import { ProgressBar } from "./digits/progress.ts";
import { Recording } from "./digits/recording.ts";
import { counted, movementTable, percent } from "./digits/report.ts";
import { readOptions, TrainingRun } from "./digits/run.ts";
import type { Score } from "./digits/training.ts";

/** How long training may go without looking at signals. */
const LOOK_MS = 50;

/** Trains, with a bar for each epoch; returns whether it came to its end. */
async function train(
  run: TrainingRun,
  recording: Recording | null,
  live: Live | null,
): Promise<boolean> {
  const { options } = run;
  const bar = new ProgressBar();
  let tested: Score | null = null;
  let isStopped = false;
  const stop = (): void => {
    isStopped = true;
    live?.stop();
    // A second one ends the program at once.
    Deno.removeSignalListener("SIGINT", stop);
  };
  Deno.addSignalListener("SIGINT", stop);
  let looked = performance.now();
  while (run.epoch <= options.epochs) {
    const { epoch } = run;
    const label = `${epoch}/${options.epochs}`.padStart(2 * String(options.epochs).length + 1);
    const later = (options.epochs - epoch) * run.stepsInEpoch;
    bar.start(label, run.stepsInEpoch, run.stepInEpoch, later);
    for (const trained of run.steps()) {
      recording?.step(run.lastBatch);
      bar.step({ trained, tested, drift: recording?.worstDrift() ?? null });
      if (live !== null && !await live.next()) isStopped = true;
      if (performance.now() - looked > LOOK_MS) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        looked = performance.now();
      }
      const isDue = options.checkpointEvery !== null && run.step % options.checkpointEvery === 0;
      if (isDue || isStopped) await writeCheckpoint(run);
      if (isStopped) {
        bar.stop();
        return false;
      }
    }
    bar.stop();
    const { trained, tested: score } = run.endEpoch();
    tested = score;
    recording?.epoch(tested);
    if (!Number.isFinite(trained.loss)) {
      throw new UsageError(
        `the loss became ${trained.loss} in epoch ${epoch}, expected a lower --lr`,
      );
    }
    if (!bar.isShown || epoch === options.epochs) {
      console.log(
        `epoch ${label}  loss ${trained.loss.toFixed(4)}  train ${percent(trained.accuracy)}  ` +
          `test ${percent(tested.accuracy)}`,
      );
    }
  }
  if (!isStopped) Deno.removeSignalListener("SIGINT", stop);
  if (options.checkpointEvery !== null) await writeCheckpoint(run);
  return true;
}

async function writeCheckpoint(run: TrainingRun): Promise<void> {
  const { checkpoint } = run.options;
  await run.save(checkpoint).catch((error) => {
    throw new UsageError(`cannot write ${checkpoint}: ${error.message}`);
  });
}

/** What moved γ and β, and what the running statistics, in every situation. */
function report(net: DigitNet, ledger: Ledger, split: Split, options: TrainOptions): string {
  if (ledger.layers.length === 0) {
    return "Without BatchNorm there is nothing that is merely tracked.";
  }
  return [
    "training = true, trackRunningStats = true: what learned and what was tracked",
    "",
    movementTable(ledger),
    "",
    `training = true, trackRunningStats = false: ${trainingUntracked(split, options)}.`,
    `training = false, trackRunningStats = true: ${evaluationTracked(net, split, options)}.`,
    `training = false, trackRunningStats = false: ${evaluationUntracked(net, split, options)}.`,
    `Frozen teacher: ${frozenTeacher(net.deepCopy(), split, options)}.`,
    `Recalibration: ${recalibration(net, split)}.`,
  ].join("\n");
}

async function main(args: readonly string[]): Promise<void> {
  const options = await readOptions(args);
  if (options === null) {
    console.log(HELP);
    return;
  }
  await checkFiles(options);
  const started = performance.now();
  const split = options.data === null
    ? await loadDigits(options.seed)
    : await loadFolder(options.data);
  console.log(
    `${split.name}: ${split.train.labels.length} training and ${split.test.labels.length} test ` +
      `images of ${split.train.height} × ${split.train.width}, seed ${options.seed}`,
  );
  const run = new TrainingRun(split, options);
  if (options.resume !== null) {
    await fromFile(options.resume, run.resume(options.resume));
    console.log(`Going on after step ${run.step}, in epoch ${run.epoch}.`);
  }
  // The progress bar tells of drift, which the recorder measures.
  const isRecorded = options.report !== null || options.live || Deno.stderr.isTerminal();
  const recording = isRecorded ? new Recording(options.report, run) : null;
  const live = options.live ? await recording!.follow() : null;
  const isWhole = await train(run, recording, live);
  await live?.end();
  if (!isWhole) {
    console.log(
      `Stopped after step ${run.step}, in epoch ${run.epoch}. To go on:\n` +
        `  deno task train --resume ${options.checkpoint}`,
    );
    Deno.exit(130);
  }
  const { net, ledger } = run;
  const { accuracy } = run.evaluate();
  console.log(`\n${report(net, ledger, split, options)}\n`);
  console.log(
    `Test accuracy ${percent(accuracy)} after ${counted(options.epochs, "epoch")}, ` +
      `${((performance.now() - started) / 1000).toFixed(1)} s.`,
  );
  if (recording !== null) {
    await recording.close();
    if (options.report !== null) console.log(`Report in ${options.report}.`);
  }
  if (options.save !== null) {
    await saveSafetensors(options.save, net.stateDict()).catch((error) => {
      throw new UsageError(`cannot write ${options.save}: ${error.message}`);
    });
    console.log(`Saved to ${options.save}.`);
  }
}

/** Started by a launcher of MPI, with `--distributed`, it trains together with the other ranks. */
async function start(args: readonly string[]): Promise<void> {
  if (!args.includes("--distributed")) return await main(args);
  const { trainOnRanks } = await import("./digits/on_ranks.ts");
  await trainOnRanks(args.filter((arg) => arg !== "--distributed"));
}

if (import.meta.main) {
  try {
    await start(Deno.args);
  } catch (error) {
    const fault = error instanceof RangeError ? null : faultOf(error);
    if (fault === null) throw error;
    console.error(`train: ${fault}`);
    Deno.exit(2);
  }
}
