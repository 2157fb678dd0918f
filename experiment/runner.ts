/**
 * Runs an experiment: config by config and seed by seed, in this thread or on workers.
 */
import { assertOptions } from "../autograd/internal.ts";
import { kernels } from "../mod.ts";
import { execute, type Task } from "./execute.ts";
import { assertExperiment, type Experiment, seedsOf } from "./experiment.ts";
import { runId } from "./identity.ts";
import type { RunEvent } from "./record/record.ts";
import { infoOf, Results } from "./results.ts";
import { runOnWorkers } from "./workers.ts";

/** How an experiment is run. */
export interface RunOptions {
  /** How many seeds, or which; the experiment's own where left out. */
  readonly seeds?: number | readonly number[];
  /** Stops between two observations. */
  readonly signal?: AbortSignal;
  /** Hears of every event. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Events of earlier calls: what has ended there is not run again. */
  readonly events?: readonly RunEvent[];
  /** Ends after the first run that fails. */
  readonly failFast?: boolean;
  /**
   * How many runs go on at once, each in a worker of its own; 1 where left out, in this thread. The results
   * are the same bits; their times are not comparable.
   */
  readonly workers?: number;
  /**
   * Whether times are to be compared: one run at a time, the configs in turn, the other way round in every
   * second round, after a round that is thrown away.
   */
  readonly timed?: boolean;
  /**
   * Whether networks are recorded that a run hands to `record`, for the report's panel of batch norm
   * layers. It changes no result, but takes time.
   */
  readonly record?: boolean;
}

/** Every run of an experiment, seed by seed, so that a part of them holds all configs. */
export function tasksOf(
  { name, version, configs, fixed }: Experiment,
  seeds: readonly number[],
): Task[] {
  return seeds.flatMap((seed) =>
    configs.map((own) => {
      const config = { ...own, ...fixed };
      return { id: runId(name, version, config, seed), config, seed };
    })
  );
}

/** The same with the configs of every second seed the other way round: what comes first is not always first. */
function inTurns(tasks: readonly Task[]): Task[] {
  const rounds = Map.groupBy(tasks, ({ seed }) => seed);
  return [...rounds.values()].flatMap((round, i) => i % 2 === 0 ? round : round.toReversed());
}

/** The tasks that have no end yet, or were stopped. */
export function unfinished(tasks: readonly Task[], events: readonly RunEvent[]): Task[] {
  const done = new Set<string>();
  for (const event of events) {
    if (event.t === "start") done.delete(event.id);
    if (event.t === "end" && event.state !== "stopped") done.add(event.id);
  }
  return tasks.filter(({ id }) => !done.has(id));
}

/**
 * Runs an experiment and returns its results. A run that fails does not keep the others from running.
 *
 * @param experiment What to run.
 * @param options Seeds, a signal to stop, a listener, and events of earlier calls to go on from.
 *
 * @example
 * ```ts
 * import { experiment, list, run } from "@tapegrad/tapegrad/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const sums = experiment({
 *   name: "sums",
 *   claim: "Two is more than one",
 *   configs: list([{ n: 1 }, { n: 2 }]),
 *   metrics: { n: { goal: "max" } },
 *   *run({ config }) {
 *     yield { step: 1, metrics: { n: config.n } };
 *   },
 * });
 * const results = await run(sums, { seeds: 2 });
 * assertEquals(results.runs.map(({ summary }) => summary.n), [1, 2, 1, 2]);
 * ```
 */
export async function run<C, D>(
  experiment: Experiment<C, D>,
  options: RunOptions = {},
): Promise<Results> {
  const action = "run an experiment";
  assertExperiment(action, experiment);
  assertOptions(action, options, [
    "seeds",
    "signal",
    "onEvent",
    "events",
    "failFast",
    "workers",
    "timed",
    "record",
  ]);
  const { signal, onEvent, failFast = false, workers = 1, timed = false, record = false } = options;
  if (!Number.isInteger(workers) || workers < 1) {
    throw new RangeError(`Cannot ${action}: got workers ${workers}, expected an integer from 1 on`);
  }
  if (timed && workers > 1) {
    throw new RangeError(
      `Cannot ${action}: got timed on ${workers} workers, expected one run at a time`,
    );
  }
  const seeds = options.seeds === undefined ? experiment.seeds : seedsOf(action, options.seeds);
  const events: RunEvent[] = [...options.events ?? []];
  const tasks = tasksOf(experiment, seeds);
  const unfinishedTasks = unfinished(tasks, events);
  const left = timed ? inTurns(unfinishedTasks) : unfinishedTasks;
  const note = (event: RunEvent) => {
    events.push(event);
    onEvent?.(event);
  };
  if (left.length > 0 && workers > 1) {
    await runOnWorkers(workers, experiment as Experiment, left, {
      onEvent: note,
      signal,
      failFast,
      record,
    });
  } else if (left.length > 0) {
    await kernels.ready;
    const data = await experiment.setup({ fixed: experiment.fixed });
    const warmUp = timed ? left.filter(({ seed }) => seed === left[0].seed) : [];
    for (const task of warmUp) {
      if (signal?.aborted) break;
      await execute(experiment, task, data, { onEvent() {}, signal, alone: true, record });
    }
    for (const task of left) {
      if (signal?.aborted) break;
      const watch = { onEvent: note, signal, alone: true, record };
      const end = await execute(experiment, task, data, watch);
      if (failFast && end.state === "failed") break;
    }
  }
  return new Results(infoOf(experiment, seeds), events);
}
