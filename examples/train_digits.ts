/**
 * The main job: trains a small network with BatchNorm on handwritten digits and shows what learned and
 * what was tracked. `--help` lists the options.
 */
import { dirname } from "node:path";
import cliProgress from "cli-progress";
import { saveSafetensors } from "../io/mod.ts";
import { Generator, manualSeed } from "../mod.ts";
import { loadDigits, loadFolder, type Split } from "./digits/data.ts";
import {
  evaluationTracked,
  evaluationUntracked,
  frozenTeacher,
  recalibration,
  trainingUntracked,
} from "./digits/experiments.ts";
import { Ledger } from "./digits/ledger.ts";
import { DigitNet } from "./digits/network.ts";
import { HELP, parseOptions, type TrainOptions, UsageError } from "./digits/options.ts";
import { movementTable, percent } from "./digits/report.ts";
import { evaluate, makeOptimizer, type Score, trainEpoch } from "./digits/training.ts";

/** Trains, with a bar for each epoch, and returns the network with what was booked. */
function train(split: Split, options: TrainOptions): { net: DigitNet; ledger: Ledger } {
  manualSeed(options.seed);
  const net = new DigitNet(split.train, {
    batchNorm: options.batchNorm,
    momentum: options.bnMomentum,
  });
  const optimizer = makeOptimizer(net, options);
  const ledger = new Ledger(net.norms());
  const generator = new Generator(options.seed);
  const steps = Math.ceil(split.train.labels.length / options.batchSize);
  const interactive = Deno.stderr.isTerminal();
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    const bar = new cliProgress.SingleBar({
      format: `epoch {epoch} {bar} {value}/{total}  loss {loss}  accuracy {accuracy}`,
      hideCursor: true,
    }, cliProgress.Presets.shades_classic);
    const label = `${epoch}/${options.epochs}`.padStart(2 * String(options.epochs).length + 1);
    if (interactive) bar.start(steps, 0, { epoch: label, loss: "–", accuracy: "–" });
    const trained = trainEpoch(
      net,
      split.train,
      optimizer,
      { batchSize: options.batchSize, generator, ledger },
      (score) => bar.increment(1, shown(score)),
    );
    bar.stop();
    const tested = evaluate(net, split.test);
    ledger.book("evaluation");
    if (!Number.isFinite(trained.loss)) {
      throw new UsageError(
        `the loss became ${trained.loss} in epoch ${epoch}, expected a lower --lr`,
      );
    }
    if (!interactive || epoch === options.epochs) {
      console.log(
        `epoch ${label}  loss ${trained.loss.toFixed(4)}  train ${percent(trained.accuracy)}  ` +
          `test ${percent(tested.accuracy)}`,
      );
    }
  }
  return { net, ledger };
}

function shown({ loss, accuracy }: Score): { loss: string; accuracy: string } {
  return { loss: loss.toFixed(4), accuracy: percent(accuracy) };
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

/** Found out before training, not after it. */
async function checkFolder(option: string, path: string): Promise<void> {
  const info = await Deno.stat(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  if (!info?.isDirectory) throw new UsageError(`cannot use ${option}: there is no folder ${path}`);
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options === null) {
    console.log(HELP);
    return;
  }
  if (options.save !== null) await checkFolder("--save", dirname(options.save));
  if (options.data !== null) await checkFolder("--data", options.data);
  const started = performance.now();
  const split = options.data === null
    ? await loadDigits(options.seed)
    : await loadFolder(options.data);
  console.log(
    `${split.name}: ${split.train.labels.length} training and ${split.test.labels.length} test ` +
      `images of ${split.train.height} × ${split.train.width}, seed ${options.seed}`,
  );
  const { net, ledger } = train(split, options);
  const { accuracy } = evaluate(net, split.test);
  console.log(`\n${report(net, ledger, split, options)}\n`);
  console.log(
    `Test accuracy ${percent(accuracy)} after ${options.epochs} epochs, ` +
      `${((performance.now() - started) / 1000).toFixed(1)} s.`,
  );
  if (options.save !== null) {
    await saveSafetensors(options.save, net.stateDict()).catch((error) => {
      throw new UsageError(`cannot write ${options.save}: ${error.message}`);
    });
    console.log(`Saved to ${options.save}.`);
  }
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof Deno.errors.NotCapable)) throw error;
    console.error(`train: ${error.message.split("\n")[0]}`);
    Deno.exit(2);
  }
}
