/**
 * A run recorded for `--report` and `--live`, and the file that shows it.
 */
import { basename, dirname, join } from "node:path";
import { nn, optim, type Tensor } from "../../mod.ts";
import type { Live } from "../../scope/live/mod.ts";
import { record, type Recorder, tapeOf } from "../../scope/mod.ts";
import { batchesOf, type Split, takeBatch } from "./data.ts";
import { UsageError } from "./options.ts";
import { counted } from "./report.ts";
import type { TrainingRun } from "./run.ts";
import { evaluate, type Score } from "./training.ts";

/** Records what a run does; `close` writes it where there is a path. */
export class Recording {
  readonly #path: string | null;
  readonly #run: TrainingRun;
  readonly #recorder: Recorder;

  constructor(path: string | null, run: TrainingRun) {
    this.#path = path;
    this.#run = run;
    this.#recorder = record(run.net, run.optimizer, { title: run.split.name });
  }

  /** Serves the live page; resolves once somebody has opened it. */
  async follow(): Promise<Live> {
    // Loaded where it is asked for: others need not wait for it.
    const { serveLive } = await import("../../scope/live/mod.ts");
    const { net: model, optimizer } = this.#run;
    const live = serveLive(this.#recorder, { model, optimizer });
    console.log(`Training starts when this page is open: ${live.url}`);
    await live.opened;
    return live;
  }

  /** Notes the score of a batch. */
  step({ loss, accuracy }: Score): void {
    this.#recorder.metric("training loss", loss);
    this.#recorder.metric("training accuracy", accuracy, { unit: "%" });
  }

  /** The channel whose running mean lags furthest behind; `null` before the first step. */
  worstDrift(): ReturnType<Recorder["worstDrift"]> {
    return this.#recorder.worstDrift();
  }

  /** Notes the test score after an epoch. */
  epoch(tested: Score): void {
    this.#recorder.metric("test loss", tested.loss);
    this.#recorder.metric("test accuracy", tested.accuracy, { unit: "%" });
  }

  /** Ends the recording and writes the file: a page, its first screen, or the record itself. */
  async close(): Promise<void> {
    const { net, split, options } = this.#run;
    const recorder = this.#recorder.stop();
    if (this.#path === null) return;
    if (this.#path.endsWith(".json")) return await write(this.#path, JSON.stringify(recorder));
    const title = `${split.name}: ${counted(options.epochs, "epoch")}, seed ${options.seed}`;
    const { gradientPartsOf, toFigure, toReport } = await reportRoom();
    if (this.#path.endsWith(".svg")) {
      return await write(this.#path, toFigure(recorder.toJSON(), { title }));
    }
    const { images, labels } = takeBatch(split.train, firstOf(split, 128));
    recorder.audit(images);
    const copy = net.deepCopy().train();
    const lossOf = (): Tensor => nn.functional.crossEntropy(copy.forward(images), labels);
    const gradients = gradientPartsOf(copy, lossOf);
    const tape = tapeOf(lossOf(), { model: copy, gradients: true }).toJSON();
    const extras = { recalibration: recalibration(this.#run, images), gradients };
    await write(this.#path, toReport({ ...recorder.toJSON(), tape }, { title, extras }));
  }
}

function firstOf({ train }: Split, count: number): number[] {
  return Array.from({ length: Math.min(count, train.labels.length) }, (_, i) => i);
}

/** What running statistics computed once more from all training images are worth. */
function recalibration({ net, split }: TrainingRun, images: Tensor) {
  const copy = net.deepCopy();
  const batches = {
    // Exact recalibration makes a pass for each layer.
    *[Symbol.iterator]() {
      for (const { images } of batchesOf(split.train, 128)) yield images;
    },
  };
  optim.swa.updateBn(batches, copy, { exact: true });
  return {
    running: evaluate(net, split.test).accuracy,
    recalibrated: evaluate(copy, split.test).accuracy,
    distances: Object.fromEntries(
      nn.auditTrainEval(copy, images).map(({ name, distance }) => [name, distance]),
    ),
  };
}

/** Loaded where a report is asked for: it brings packages that training does not need. */
async function reportRoom(): Promise<typeof import("../../scope/report/mod.ts")> {
  // Deno would fetch what a literal names before anything runs.
  const room = new URL("../../scope/report/mod.ts", import.meta.url).href;
  return await import(room);
}

/** Writes a file whole or not at all. */
async function write(path: string, text: string): Promise<void> {
  const partial = join(dirname(path), `.${basename(path)}.${Deno.pid}.partial`);
  try {
    await Deno.writeTextFile(partial, text);
    await Deno.rename(partial, path);
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new UsageError(`cannot write ${path}: ${(error as Error).message.split("\n")[0]}`);
  }
}
