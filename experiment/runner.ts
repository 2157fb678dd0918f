/**
 * Runs an experiment: config by config and seed by seed, in this thread.
 */
import { assertOptions } from "../autograd/internal.ts";
import { Generator, kernels, manualSeed, onWarning, type Warning } from "../mod.ts";
import {
  assertExperiment,
  type Clock,
  type Experiment,
  type Metrics,
  type RunContext,
  seedsOf,
} from "./experiment.ts";
import { runId, streamSeed } from "./identity.ts";
import type { EndEvent, RunEvent, RunState, WarningCount } from "./record.ts";
import { infoOf, Results } from "./results.ts";
import type { Config } from "./space.ts";

/** One config with one seed. */
export interface Task {
  /** Its identity. */
  readonly id: string;
  /** The config, `fixed` included. */
  readonly config: Config;
  /** The seed. */
  readonly seed: number;
}

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

class RunClock implements Clock {
  #train = 0;
  #evaluate = 0;
  #since: number | null = null;
  #paused = 0;

  start(): void {
    this.#since = performance.now();
  }

  stop(): void {
    if (this.#since !== null) this.#train += performance.now() - this.#since;
    this.#since = null;
  }

  get seconds(): number {
    const running = this.#since === null ? 0 : performance.now() - this.#since;
    return (this.#train + running) / 1000;
  }

  get evaluation(): number {
    return this.#evaluate / 1000;
  }

  pausedWhile<T>(fn: () => T): T {
    if (this.#paused++ === 0) this.stop();
    const since = performance.now();
    const go = () => {
      if (--this.#paused > 0) return;
      this.#evaluate += performance.now() - since;
      this.start();
    };
    let result: T;
    try {
      result = fn();
    } catch (error) {
      go();
      throw error;
    }
    if (result instanceof Promise) return result.finally(go) as T;
    go();
    return result;
  }
}

/** The metrics that were measured. */
function measured(metrics: Readonly<Record<string, number | undefined>>): Metrics {
  const entries = Object.entries(metrics).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Metrics;
}

function allFinite(metrics: Metrics): boolean {
  return Object.values(metrics).every(Number.isFinite);
}

/** What a run reports to. */
export interface Watch {
  /** Hears of every event. */
  readonly onEvent: (event: RunEvent) => void;
  /** Stops between two observations. */
  readonly signal?: AbortSignal;
  /** Whether nothing else runs beside it. */
  readonly alone: boolean;
}

/** Runs one task to its end. Whatever happens in it becomes part of the end. */
export async function execute(
  experiment: Experiment,
  { id, config, seed }: Task,
  data: unknown,
  { onEvent, signal, alone }: Watch,
): Promise<EndEvent> {
  const clock = new RunClock();
  const streams = new Map<string, Generator>();
  const warnings: Record<string, WarningCount> = {};
  let summary: Metrics = {};
  let state: RunState = "completed";
  let error: string | null = null;
  const context: RunContext<Config, unknown> = {
    config,
    seed,
    data,
    clock,
    generator(purpose) {
      const stream = streams.get(purpose) ?? new Generator(streamSeed(seed, purpose));
      streams.set(purpose, stream);
      return stream;
    },
  };
  const restore = onWarning(({ code, message }: Warning) => {
    warnings[code] = {
      count: (warnings[code]?.count ?? 0) + 1,
      message: warnings[code]?.message ?? message,
    };
  });
  onEvent({ t: "start", id, config, seed, at: new Date().toISOString() });
  manualSeed(seed);
  try {
    const steps = experiment.run(context);
    for (;;) {
      clock.start();
      const { done, value } = await steps.next();
      clock.stop();
      if (done) {
        if (value) summary = { ...summary, ...measured(value) };
        if (!allFinite(summary)) state = "diverged";
        break;
      }
      const { step, loss } = value;
      const metrics = measured(value.metrics ?? {});
      summary = { ...summary, ...metrics };
      if (Object.keys(metrics).length > 0) {
        onEvent({ t: "observe", id, step, metrics, seconds: clock.seconds });
      }
      if (!allFinite(metrics) || (loss !== undefined && !Number.isFinite(loss))) {
        state = "diverged";
      } else if (signal?.aborted) {
        state = "stopped";
      }
      if (state !== "completed") {
        await steps.return(undefined);
        break;
      }
    }
  } catch (thrown) {
    clock.stop();
    state = "failed";
    error = thrown instanceof Error ? thrown.stack ?? String(thrown) : String(thrown);
  } finally {
    restore();
  }
  const seconds = { train: clock.seconds, evaluate: clock.evaluation };
  const end: EndEvent = { t: "end", id, state, summary, seconds, alone, error, warnings };
  onEvent(end);
  return end;
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
  assertOptions(action, options, ["seeds", "signal", "onEvent", "events", "failFast"]);
  const { signal, onEvent, failFast = false } = options;
  const seeds = options.seeds === undefined ? experiment.seeds : seedsOf(action, options.seeds);
  const events: RunEvent[] = [...options.events ?? []];
  const tasks = tasksOf(experiment, seeds);
  const left = unfinished(tasks, events);
  const note = (event: RunEvent) => {
    events.push(event);
    onEvent?.(event);
  };
  if (left.length > 0) {
    await kernels.ready;
    const data = await experiment.setup({ fixed: experiment.fixed });
    for (const task of left) {
      if (signal?.aborted) break;
      const end = await execute(experiment, task, data, { onEvent: note, signal, alone: true });
      if (failFast && end.state === "failed") break;
    }
  }
  return new Results(infoOf(experiment, seeds), events);
}
