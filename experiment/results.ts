/**
 * The results of an experiment: its runs, and what they come to.
 */
import { assertIterable, assertList, assertOptions, describe, show } from "../autograd/internal.ts";
import { type ComparedGroup, compareGroups, type Comparison } from "./statistics/compare.ts";
import {
  performanceProfile,
  type TimeToTarget,
  timeToTarget,
} from "./statistics/time_to_target.ts";
import { type DenoBench, denoBenchOf } from "./deno_bench.ts";
import type { BatchNormState } from "./batch_norm_state.ts";
import type { Experiment, MetricOptions, Metrics } from "./experiment.ts";
import { canonical, nameOf, runId } from "./identity.ts";
import {
  type ObserveEvent,
  type RunEvent,
  runsOf,
  type RunState,
  type WarningCount,
} from "./record/record.ts";
import type { Config, Value } from "./space.ts";
import type { Outcome } from "./expectations.ts";
import { csvOf, resultTable, type TableFormat } from "./table.ts";

/** What results need to know of an experiment; plain data. */
export interface ExperimentInfo {
  /** Its name. */
  readonly name: string;
  /** What it is about to show. */
  readonly claim: string;
  /** Where the claim comes from. */
  readonly source: string;
  /** The version of its definition. */
  readonly version: number;
  /** The configs, `fixed` included. */
  readonly configs: readonly Config[];
  /** The names of what differs between configs. */
  readonly axes: readonly string[];
  /** The seeds. */
  readonly seeds: readonly number[];
  /** What is measured. */
  readonly metrics: Readonly<Record<string, MetricOptions>>;
}

/** How one run went. */
export interface RunResult {
  /** Its identity. */
  readonly id: string;
  /** Its config, `fixed` included. */
  readonly config: Config;
  /** Its seed. */
  readonly seed: number;
  /** How it ended; `missing` if it did not. */
  readonly state: RunState | "missing";
  /** The last value of each metric. */
  readonly summary: Metrics;
  /** The metrics on the way. */
  readonly observations: readonly ObserveEvent[];
  /** Seconds of training and of evaluation; `null` if the run has no end. */
  readonly seconds: { readonly train: number; readonly evaluate: number } | null;
  /** Whether its times can be compared with those of other runs. */
  readonly alone: boolean;
  /** The stack of the error that ended it, or `null`. */
  readonly error: string | null;
  /** The library's warnings, by code. */
  readonly warnings: Readonly<Record<string, WarningCount>>;
  /** The batch norm layers of recorded networks; empty where none was recorded. */
  readonly batchNorm: readonly BatchNormState[];
}

/** The runs of one config. */
export interface Group {
  /** The config, `fixed` included. */
  readonly config: Config;
  /** What differs between configs. */
  readonly axes: Config;
  /** A run for each seed. */
  readonly runs: readonly RunResult[];
}

/** What the results of an experiment need to know of it. */
export function infoOf(experiment: Experiment, seeds: readonly number[]): ExperimentInfo {
  const { name, claim, source, version, configs, fixed, metrics } = experiment;
  const axes = [...new Set(configs.flatMap((config) => Object.keys(config)))];
  return {
    name,
    claim,
    source,
    version,
    configs: configs.map((config) => ({ ...config, ...fixed })),
    axes,
    seeds,
    metrics,
  };
}

/**
 * What a run counts for a metric: its last value; the worst there is if it diverged; nothing if it did not
 * come to its end.
 */
export function valueOf(run: RunResult, metric: string, goal: MetricOptions["goal"]): number {
  if (run.state === "diverged" && goal !== "none") return goal === "max" ? -Infinity : Infinity;
  if (run.state !== "completed") return NaN;
  return run.summary[metric] ?? NaN;
}

/** Whether a config has all the values of a part of one. */
export function matches(config: Config, part: Readonly<Record<string, Value>>): boolean {
  return Object.entries(part).every(([name, value]) => config[name] === value);
}

/** Options of {@linkcode Results.report}. */
export interface ResultsReportOptions {
  /** The page's title. */
  readonly title?: string;
  /** What was expected, and whether it holds. */
  readonly expectations?: readonly Outcome[] | null;
  /** The command that ran it all, without seeds and configs: each row of the page adds its own. */
  readonly command?: string;
}

function assertGroup(action: string, group: unknown): void {
  if (Array.isArray((group as Partial<Group> | null)?.runs)) return;
  throw new TypeError(`Cannot ${action}: got group ${describe(group)}, expected one of groups()`);
}

function assertText(action: string, name: string, value: unknown): void {
  if (typeof value === "string") return;
  throw new TypeError(`Cannot ${action}: got ${name} ${describe(value)}, expected a text`);
}

/** The results of an experiment. */
export class Results {
  /** The experiment. */
  readonly info: ExperimentInfo;
  /** A run for each config and seed, in the order in which they are run. */
  readonly runs: readonly RunResult[];

  /**
   * Gathers results from events.
   *
   * @param info The experiment.
   * @param events What happened, in order.
   */
  constructor(info: ExperimentInfo, events: readonly RunEvent[]) {
    const action = "gather results";
    if (typeof info !== "object" || info === null || !Array.isArray(info.configs)) {
      throw new TypeError(
        `Cannot ${action}: got info ${
          describe(info)
        }, expected an experiment's name, configs and seeds`,
      );
    }
    assertList(action, info.seeds, "seeds", "numbers");
    assertIterable(action, events, "events", "events");
    for (const event of events) {
      if (typeof event?.t === "string") continue;
      throw new TypeError(`Cannot ${action}: got an event ${describe(event)}, expected a record's`);
    }
    this.info = info;
    const recorded = runsOf(events);
    this.runs = info.seeds.flatMap((seed) =>
      info.configs.map((config): RunResult => {
        const id = runId(info.name, info.version, config, seed);
        const { end = null, observations = [] } = recorded.get(id) ?? {};
        return {
          id,
          config,
          seed,
          state: end?.state ?? "missing",
          summary: end?.summary ?? {},
          observations,
          seconds: end?.seconds ?? null,
          alone: end?.alone ?? false,
          error: end?.error ?? null,
          warnings: end?.warnings ?? {},
          batchNorm: end?.batchNorm ?? [],
        };
      })
    );
  }

  /** The runs of each config. */
  groups(): Group[] {
    return this.info.configs.map((config) => {
      const key = canonical(config);
      return {
        config,
        axes: Object.fromEntries(
          this.info.axes.filter((name) => name in config).map((name) => [name, config[name]]),
        ),
        runs: this.runs.filter((run) => canonical(run.config) === key),
      };
    });
  }

  /** The values of a metric in a group, a number for each run that came to an end. */
  valuesOf(group: Group, metric: string): number[] {
    assertGroup("take values", group);
    assertText("take values", "metric", metric);
    const goal = this.info.metrics[metric]?.goal ?? "none";
    return group.runs.map((run) => valueOf(run, metric, goal)).filter((value) =>
      !Number.isNaN(value)
    );
  }

  /**
   * A row for each config: the median of each metric and its range.
   *
   * @param format As aligned text, Markdown or comma-separated values.
   */
  table(format: TableFormat = "text"): string {
    return resultTable(this, format);
  }

  /**
   * The other configs against a baseline, on one metric.
   *
   * @param options The metric, part of the baseline's config, and whether equal seeds are paired, as they
   * are where left out.
   * @throws {RangeError} if no config is the baseline, or the metric has no goal.
   */
  compare(options: {
    readonly metric: string;
    readonly baseline: Readonly<Record<string, Value>>;
    readonly paired?: boolean;
  }): Comparison[] {
    assertOptions("compare", options, ["metric", "baseline", "paired"]);
    const { metric, baseline, paired } = options;
    assertText("compare", "metric", metric);
    if (typeof baseline !== "object" || baseline === null) {
      throw new TypeError(
        `Cannot compare: got baseline ${describe(baseline)}, expected part of a config`,
      );
    }
    const goal = this.info.metrics[metric]?.goal ?? "none";
    if (goal === "none") {
      throw new RangeError(
        `Cannot compare by ${
          show(metric)
        }: got no goal, expected a metric that is to be large or small`,
      );
    }
    const groups = this.groups();
    const base = groups.find(({ config }) => matches(config, baseline));
    if (base === undefined) {
      throw new RangeError(
        `Cannot compare: got a baseline ${JSON.stringify(baseline)}, expected part of a config`,
      );
    }
    const named = (group: Group): ComparedGroup => ({
      name: nameOf(group.axes),
      values: group.runs.map((run) => valueOf(run, metric, goal)),
    });
    const others = groups.filter((group) => group !== base).map(named);
    return compareGroups(named(base), others, { goal, paired });
  }

  /**
   * When the runs of a config first reached a value of a metric.
   *
   * @param group The config.
   * @param metric A metric with a goal.
   * @param target The value.
   * @param axis Steps, or seconds of training.
   * @throws {RangeError} for seconds of runs that others ran beside.
   */
  timeTo(
    group: Group,
    metric: string,
    target: number,
    axis: "step" | "seconds" = "step",
  ): TimeToTarget {
    return timeToTarget(this.#timesTo(group, metric, target, axis));
  }

  /** When each run of a config reached a value; `Infinity` where it never did. */
  #timesTo(
    group: Group,
    metric: string,
    target: number,
    axis: "step" | "seconds" = "step",
  ): number[] {
    const action = "tell when a value was reached";
    assertGroup(action, group);
    assertText(action, "metric", metric);
    assertText(action, "axis", axis);
    if (typeof target !== "number") {
      throw new TypeError(`Cannot ${action}: got target ${describe(target)}, expected a number`);
    }
    const beside = axis === "seconds" &&
      group.runs.some(({ state, alone }) => state !== "missing" && !alone);
    if (beside) {
      throw new RangeError(
        `Cannot tell seconds to ${
          show(metric)
        }: got runs that others ran beside, expected one at a time; ` +
          `run with --timed, or take the steps`,
      );
    }
    const isSmall = this.info.metrics[metric]?.goal === "min";
    return group.runs.map(({ observations }) => {
      const first = observations.find(({ metrics }) => {
        const value = Number(metrics[metric]);
        return isSmall ? value <= target : value >= target;
      });
      return first === undefined ? Infinity : Number(first[axis]);
    });
  }

  /**
   * The times of training in the shape of `deno bench --json`, for tools that read it. Only runs that nothing
   * ran beside count: none of several workers.
   */
  toDenoBench(): DenoBench {
    return denoBenchOf(this.info, this.groups());
  }

  /**
   * Performance profiles: for each config the share of seeds on which it reached a value within so many times
   * the time of the best config with that seed.
   *
   * @param options The metric, its value, how many times (1 and more), and the axis as of `timeTo`.
   * @returns A share for each factor, by the config's name.
   * @throws {RangeError} for seconds of runs that others ran beside.
   */
  profile(options: {
    readonly metric: string;
    readonly target: number;
    readonly factors?: readonly number[];
    readonly axis?: "step" | "seconds";
  }): Map<string, number[]> {
    assertOptions("make profiles", options, ["metric", "target", "factors", "axis"]);
    const { metric, target, factors = [1, 1.5, 2, 3, 5, 10], axis } = options;
    const times = this.groups().map((group) =>
      [nameOf(group.axes), this.#timesTo(group, metric, target, axis)] as const
    );
    return performanceProfile(new Map(times), factors);
  }

  /** A row for each run: id, config, seed, state, metrics, seconds. */
  toCsv(): string {
    const { info, runs } = this;
    const fields = [...new Set(info.configs.flatMap((config) => Object.keys(config)))];
    const metrics = Object.keys(info.metrics);
    return csvOf(
      ["id", ...fields, "seed", "state", ...metrics, "trainSeconds", "evaluateSeconds"],
      runs.map(({ id, config, seed, state, summary, seconds }) => [
        id,
        ...fields.map((name) => config[name]),
        seed,
        state,
        ...metrics.map((name) => summary[name]),
        seconds?.train,
        seconds?.evaluate,
      ]),
    );
  }

  /** A row for each number that was observed: id, config, seed, step, metric, value, seconds. */
  toCurvesCsv(): string {
    const fields = [...new Set(this.info.configs.flatMap((config) => Object.keys(config)))];
    return csvOf(
      ["id", ...fields, "seed", "step", "metric", "value", "seconds"],
      this.runs.flatMap(({ id, config, seed, observations }) =>
        observations.flatMap(({ step, metrics, seconds }) =>
          Object.entries(metrics).map(([metric, value]) => [
            id,
            ...fields.map((name) => config[name]),
            seed,
            step,
            metric,
            value,
            seconds,
          ])
        )
      ),
    );
  }

  /**
   * The results as one page that loads nothing: table, curves, times to a target, differences by seed.
   *
   * @param options The title, by default the experiment's name; expectations that were checked, and the
   * command that runs it all again, to be told on the page.
   * @returns HTML. What draws it is loaded with the first call.
   */
  async report(options: ResultsReportOptions = {}): Promise<string> {
    const { toReport } = await reportRoom();
    const { title = this.info.name, expectations = null, command } = options;
    const plain = { info: this.info, runs: this.runs, expectations };
    return toReport(command === undefined ? plain : { ...plain, command }, { title });
  }

  /** What a notebook shows: the table. */
  [Symbol.for("Jupyter.display")](): Readonly<Record<string, string>> {
    return { "text/plain": this.table(), "text/markdown": this.table("markdown") };
  }
}

function reportRoom(): Promise<typeof import("../scope/report/mod.ts")> {
  // What a literal names Deno would fetch with everything that it needs before anything runs.
  return import(import.meta.url.replace(/experiment\/results\.([jt]s)/, "scope/report/mod.$1"));
}
