/**
 * Listing experiments, and running one.
 */
import { dirname } from "node:path";
import { changed } from "../changes.ts";
import type { Experiment } from "../experiment.ts";
import { checkAll, describeConfig, type Outcome } from "../expectations.ts";
import {
  changeBetween,
  describeExperiment,
  readDescription,
  writeDescription,
} from "../record/description.ts";
import {
  makeFolder,
  openLog,
  readFile,
  removeFolder,
  stopSignal,
  whyNotWritable,
  writeWhole,
} from "../host.ts";
import { readRecord, type RunEvent, runsOf } from "../record/record.ts";
import type { Results } from "../results.ts";
import { run, tasksOf, unfinished } from "../runner.ts";
import { aligned } from "../table.ts";
import { comparisonTable, timesTable } from "./compare_command.ts";
import { follow } from "./follow.ts";
import { type Options, UsageError } from "./options.ts";
import { Progress } from "./progress.ts";
import { Tally } from "./tally.ts";

/** Prints every experiment with its claim, its size and how far it is. */
export async function listExperiments(
  experiments: readonly Experiment[],
  { out }: Options,
): Promise<number> {
  const rows = [["name", "runs", "state", "claim"]];
  for (const { name, claim, configs, seeds } of experiments) {
    const path = `${out}/${name}/runs.jsonl`;
    const bytes = await readFile(path);
    let state = "not run yet";
    if (bytes !== null) {
      const runs = [...runsOf(readRecord(bytes, path).events).values()];
      const ended = runs.filter(({ end }) => end !== null);
      const failed = ended.filter(({ end }) => end!.state === "failed").length;
      state = `${ended.length} ended${failed === 0 ? "" : `, ${failed} failed`}`;
    }
    rows.push([name, `${configs.length} × ${seeds.length}`, state, claim]);
  }
  console.log(aligned(rows));
  return 0;
}

/** The events that still count: with `--retry failed`, those of failed runs do not. */
function keptEvents(events: readonly RunEvent[], retryFailed: boolean): readonly RunEvent[] {
  if (!retryFailed) return events;
  const failed = new Set(
    [...runsOf(events)].filter(([, { end }]) => end?.state === "failed").map(([id]) => id),
  );
  return events.filter(({ id }) => !failed.has(id));
}

/**
 * Writes down which code the runs come from.
 *
 * @throws {RangeError} if there are runs of other code, and more would be mixed with them.
 */
async function noteCode(
  folder: string,
  experiment: Experiment,
  left: number,
  { before, acceptChanges }: {
    readonly before: readonly RunEvent[];
    readonly acceptChanges: boolean;
  },
): Promise<void> {
  const [old, now] = [await readDescription(folder), await describeExperiment(experiment)];
  const change = old === null || before.length === 0 ? null : changeBetween(old, now);
  if (change !== null && left === 0) {
    // Nothing is added to these runs, so their code stays theirs.
    console.error(
      `Note: the code has changed since these runs (${change}); --fresh runs them again.`,
    );
    const { code, machine } = old!;
    await writeDescription(folder, { ...now, code, machine }, old);
    return;
  }
  if (change !== null && !acceptChanges) {
    throw new RangeError(
      `Cannot go on with ${folder}: got runs of other code (${change}), expected the same; ` +
        `--fresh starts over, --accept-changes goes on in spite of it`,
    );
  }
  await writeDescription(folder, now, before.length === 0 ? null : old);
}

/** Throws before anything runs where its results could not be kept. */
async function assertWritable(option: string, folder: string): Promise<void> {
  const reason = await whyNotWritable(folder);
  if (reason === null) return;
  throw new UsageError(
    `Cannot use ${option}: got ${folder}, expected a folder to write into (${reason})`,
  );
}

/** Runs an experiment, prints what came out, and returns the exit code. */
export async function runExperiment(whole: Experiment, options: Options): Promise<number> {
  const experiment = changed(whole, options.changes);
  const tasks = tasksOf(experiment, experiment.seeds);
  const folder = `${options.out}/${experiment.name}`;
  const path = `${folder}/runs.jsonl`;
  const keep = !options.check && !options.dryRun;
  if (options.report !== null) await assertWritable("--report", dirname(options.report));
  if (options.fresh && keep) await removeFolder(folder);
  if (keep) {
    await makeFolder(folder).catch(() => {}); // The next line says why.
    await assertWritable("--out", folder);
  }
  const log = keep ? await openLog(path) : null;
  let before: readonly RunEvent[] = log?.read.events ?? [];
  if (options.dryRun) before = readRecord(await readFile(path) ?? new Uint8Array(), path).events;
  if (log?.read.dropped) console.error(`Note: ${log.read.dropped}.`);
  const events = keptEvents(before, options.retryFailed);
  const left = unfinished(tasks, events);
  if (options.dryRun) {
    const rows = left.map(({ id, config, seed }) => [id, describeConfig(config), String(seed)]);
    if (rows.length > 0) console.log(aligned([["id", "config", "seed"], ...rows]));
    console.log(`${left.length} of ${tasks.length} runs to do.`);
    return 0;
  }
  if (keep) {
    try {
      await noteCode(folder, experiment, left.length, { before, ...options });
    } catch (error) {
      log?.close();
      throw error;
    }
  }
  const tally = new Tally(experiment, {
    total: tasks.length,
    done: tasks.length - left.length,
    workers: options.workers,
    before: events,
  });
  const progress = new Progress(tally);
  const stop = stopSignal();
  const budget = options.budget === null ? null : AbortSignal.timeout(options.budget);
  const live = options.live ? await follow(tally) : null;
  const signal = AbortSignal.any(
    [stop.signal, budget, live?.stopped].filter((each) => each instanceof AbortSignal),
  );
  let results: Results;
  try {
    results = await run(experiment, {
      seeds: experiment.seeds,
      events,
      signal,
      failFast: options.failFast,
      workers: options.workers,
      timed: options.timed,
      record: options.record,
      onEvent(event) {
        log?.append(event);
        progress.note(event);
        live?.note();
      },
    });
  } finally {
    stop.release();
    await live?.end();
    progress.close();
    log?.close();
  }
  if (keep) {
    await writeWhole(`${folder}/results.csv`, results.toCsv());
    await writeWhole(`${folder}/curves.csv`, results.toCurvesCsv());
  }
  const isLeft = results.runs.some(({ state }) => state === "missing" || state === "stopped");
  const code = report(whole, results, options, signal.aborted && isLeft);
  if (options.baseline !== null) console.log(`\n${comparisonTable(results, options)}`);
  if (options.timed && options.format === "text") console.log(`\n${timesTable(results)}`);
  if (options.report !== null) await writeReport(options.report, whole, results, options);
  return code;
}

/** Whether the settings are those that the expectations speak of. */
function asClaimed({ changes }: Options): boolean {
  return Object.keys(changes.set ?? {}).every((name) => name === "data");
}

function report(whole: Experiment, results: Results, options: Options, stopped: boolean): number {
  const outcomes = asClaimed(options) ? checkAll(whole.expect, results) : null;
  const failed = results.runs.filter(({ state }) => state === "failed");
  if (options.format === "json") {
    const { info, runs } = results;
    console.log(JSON.stringify({ info, runs, expectations: outcomes }, nonFiniteAsText, 2));
  } else {
    console.log(results.table(options.format));
  }
  const say = options.format === "text" ? console.log : console.error;
  if (options.format === "text") console.log("");
  if (outcomes === null && whole.expect.length > 0) {
    say("The settings are not those of the claim: its expectations are not checked.");
  }
  for (const outcome of outcomes ?? []) say(outcomeLine(outcome));
  for (const { config, seed, error } of failed) {
    console.error(`Failed: ${describeConfig(config)}, seed ${seed}\n${error}`);
  }
  if (failed.length > 0) {
    console.error(`${failed.length} runs failed; --retry failed runs them again.`);
  }
  if (stopped) {
    console.error("Stopped. The same command goes on with what is left.");
    return 130;
  }
  return failed.length > 0 || outcomes?.some(({ holds }) => holds === false) ? 1 : 0;
}

/** The page of the results. */
async function writeReport(
  path: string,
  { name, expect }: Experiment,
  results: Results,
  options: Options,
): Promise<void> {
  const expectations = asClaimed(options) ? checkAll(expect, results) : null;
  await writeWhole(path, await results.report({ expectations, command: commandOf(name, options) }));
  console.error(`Report in ${path}.`);
}

/** What repeats the runs, without seeds and configs. A folder of images is called FOLDER: its place is no one else's. */
function commandOf(name: string, { changes: { set = {}, quick }, record }: Options): string {
  const settings = Object.entries(set).flatMap(([key, values]) =>
    key === "data" ? ["--data FOLDER"] : [`--set ${key}=${values.join(",")}`]
  );
  const parts = [quick ? "--quick" : "", ...settings, record ? "--record" : ""];
  return ["deno task experiment", name, ...parts].filter((part) => part !== "").join(" ");
}

function nonFiniteAsText(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function outcomeLine({ text, holds, detail }: Outcome): string {
  return `${holds === null ? "–" : holds ? "✓" : "✗"} ${text}: ${detail}`;
}
