/**
 * What is known of runs while they go on: how many have ended, how the configs stand, how long it takes.
 */
import type { Experiment, MetricOptions } from "../experiment.ts";
import { canonical } from "../identity.ts";
import type { EndEvent, RunEvent, StartEvent } from "../record/record.ts";
import type { Config } from "../space.ts";
import { median } from "../statistics/summary.ts";

/** How a config stands. */
export interface Standing {
  /** What differs between configs. */
  readonly axes: Config;
  /** How many of its runs have ended. */
  ended: number;
  /** How many of those did not complete. */
  lost: number;
  /** The metric of each completed run, in the order in which they ended. */
  readonly values: number[];
  /** The metric in the run that began last, in order. */
  curve: number[];
}

/** How often the library warned, in all runs. */
export interface WarningTotal {
  readonly count: number;
  readonly runs: number;
  readonly message: string;
}

/** Counts along with the events. */
export class Tally {
  readonly experiment: Experiment;
  /** How many runs there are. */
  readonly total: number;
  /** How many have ended, those of earlier commands included. */
  done: number;
  /** The first metric with a goal, else the first: the one that standings tell. */
  readonly metric: readonly [name: string, options: MetricOptions];
  readonly standings: readonly Standing[];
  readonly warnings = new Map<string, WarningTotal>();
  readonly #workers: number;
  readonly #byConfig = new Map<string, Standing>();
  readonly #started = new Map<string, { readonly start: StartEvent; readonly at: number }>();
  readonly #durations: number[] = [];

  /** Begins with what earlier events say. */
  constructor(
    experiment: Experiment,
    options: {
      readonly total: number;
      readonly done: number;
      readonly workers: number;
      readonly before: readonly RunEvent[];
    },
  ) {
    this.experiment = experiment;
    this.total = options.total;
    this.done = options.done;
    this.#workers = options.workers;
    const metrics = Object.entries(experiment.metrics);
    this.metric = metrics.find(([, { goal }]) => goal !== "none") ?? metrics[0];
    this.standings = experiment.configs.map((axes) => {
      const standing = { axes, ended: 0, lost: 0, values: [], curve: [] };
      this.#byConfig.set(canonical({ ...axes, ...experiment.fixed }), standing);
      return standing;
    });
    // A run that was stopped begins again: it has not ended.
    for (const event of options.before) {
      if (event.t === "end" && event.state === "stopped") continue;
      this.#follow(event);
    }
  }

  /** The start of a run that has begun. */
  startOf(id: string): StartEvent | null {
    return this.#started.get(id)?.start ?? null;
  }

  #follow(event: RunEvent): void {
    if (event.t === "start") this.#started.set(event.id, { start: event, at: performance.now() });
    const start = this.startOf(event.id);
    const isMeant = start !== null && this.experiment.seeds.includes(start.seed);
    const standing = !isMeant ? undefined : this.#byConfig.get(canonical(start.config));
    if (standing === undefined) return;
    const [name] = this.metric;
    if (event.t === "start") standing.curve = [];
    if (event.t === "observe" && name in event.metrics) standing.curve.push(event.metrics[name]);
    if (event.t === "end") {
      standing.ended++;
      if (event.state !== "completed") standing.lost++;
      const value = event.summary[name];
      if (event.state === "completed" && value !== undefined) standing.values.push(value);
    }
  }

  /** Hears of an event. */
  note(event: RunEvent): void {
    this.#follow(event);
    if (event.t !== "end") return;
    this.done++;
    const began = this.#started.get(event.id)?.at ?? performance.now();
    this.#durations.push((performance.now() - began) / 1000);
    this.#warned(event);
  }

  #warned({ warnings }: EndEvent): void {
    for (const [code, { count, message }] of Object.entries(warnings)) {
      const known = this.warnings.get(code) ?? { count: 0, runs: 0, message };
      this.warnings.set(code, { ...known, count: known.count + count, runs: known.runs + 1 });
    }
  }

  /** Seconds that are left, by the median of the runs that have ended; `null` before there is one. */
  get secondsLeft(): number | null {
    if (this.#durations.length === 0) return null;
    return median(this.#durations) * (this.total - this.done) / this.#workers;
  }
}
