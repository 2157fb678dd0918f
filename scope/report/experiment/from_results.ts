/**
 * Results as the experiment room has them, made into what the report draws.
 */
import { bootstrapInterval, compareGroups, median } from "../../../experiment/statistics/mod.ts";
import { isSame, varyingAxes } from "./configs.ts";
import type {
  BatchNormPanel,
  Comparison,
  Config,
  Curve,
  Expectation,
  MetricInfo,
  ResultsView,
  RunResult,
  RunState,
  Summary,
} from "./view.ts";

/** Results of an experiment, as `Results` holds them and `--format json` prints them. */
export interface PlainResults {
  /** What was run. */
  readonly info: {
    readonly name: string;
    readonly claim: string;
    readonly source: string;
    readonly configs: readonly Config[];
    readonly metrics: Readonly<
      Record<
        string,
        {
          readonly goal: "max" | "min" | "none";
          readonly unit?: string;
          readonly target?: number;
        }
      >
    >;
  };
  /** The runs. */
  readonly runs: readonly PlainRun[];
  /** What was expected, and whether it holds; `null` where the runs for it are missing. */
  readonly expectations?:
    | readonly {
      readonly text: string;
      readonly holds: boolean | null;
      readonly detail: string;
    }[]
    | null;
  /** The command that ran them, without seeds and configs: each row adds its own. */
  readonly command?: string;
}

/** A number, or the name of one that JSON cannot hold. */
export type Numeric = number | string;

/** A run, as the experiment room has it. */
export interface PlainRun {
  /** Names the run. */
  readonly id: string;
  /** The setting. */
  readonly config: Config;
  /** The seed. */
  readonly seed: number;
  /** How it ended. */
  readonly state: RunState;
  /** The metrics at its end. */
  readonly summary: Readonly<Record<string, Numeric>>;
  /** The metrics on the way. */
  readonly observations: readonly {
    readonly step: number;
    readonly metrics: Readonly<Record<string, Numeric>>;
    readonly seconds: number;
  }[];
  /** How long it took; `null` if it has no end. */
  readonly seconds: { readonly train: number; readonly evaluate: number } | null;
  /** Whether its times can be compared with others. */
  readonly alone?: boolean;
  /** What ended it. */
  readonly error: string | null;
  /** Its batch norm layers at the end, if its network was recorded. */
  readonly batchNorm?: readonly {
    readonly gamma: readonly Numeric[];
    readonly gap: Numeric | null;
    readonly drift: readonly Numeric[];
  }[];
}

/** The view of results. */
export function resultsView(results: PlainResults): ResultsView {
  const { info } = results;
  const metrics = Object.entries(info.metrics).map((
    [name, { goal, unit = "", target = null }],
  ) => ({
    name,
    goal,
    unit,
    target,
  }));
  const axes = varyingAxes(info.configs);
  const { command = `deno task experiment ${quoted(info.name)}` } = results;
  const runs = results.runs.map((run) => runView(run, command, axes));
  const expected = results.expectations ?? [];
  const expectations = expected.flatMap(({ text, holds, detail }) =>
    holds === null ? [] : [{ text, holds, detail }]
  );
  const undecided = expected.filter(({ holds }) => holds === null)
    .map(({ text, detail }) => `Not decided: ${text} (${detail}).`);
  return {
    name: info.name,
    claim: info.claim,
    source: info.source,
    verdict: verdictOf(expectations, runs),
    metrics,
    configs: info.configs.map((config) => ({
      config,
      summaries: Object.fromEntries(
        metrics.map((metric) => [metric.name, summaryOf(runs, config, metric)]),
      ),
      batchNorm: panelOf(results.runs.filter((run) => isSame(run.config, config))),
    })),
    runs,
    comparisons: comparisonsOf(info.configs, runs, metrics),
    expectations,
    notes: [
      ...undecided,
      "Intervals are 95 % percentile bootstrap intervals of the median, 10,000 samples, seeded.",
      "A run that diverged counts as the worst there is; one that failed or is missing does not count.",
    ],
  };
}

/** The batch norm layers of a config's runs; `null` where none was recorded. */
function panelOf(runs: readonly PlainRun[]): BatchNormPanel | null {
  const layers = runs.flatMap(({ batchNorm = [] }) => batchNorm);
  if (layers.length === 0) return null;
  return {
    gamma: layers.flatMap(({ gamma }) => gamma.map(Number)),
    gap: layers.flatMap(({ gap }) => gap === null ? [] : [Number(gap)]),
    drift: layers.flatMap(({ drift }) => drift.map(Number)),
  };
}

function runView(run: PlainRun, command: string, axes: readonly string[]): RunResult {
  const { id, config, seed, state, observations, error } = run;
  const curves: Record<string, { step: number[]; seconds: number[]; value: number[] }> = {};
  for (const { step, metrics, seconds } of observations) {
    for (const [metric, value] of Object.entries(metrics)) {
      const curve = curves[metric] ??= { step: [], seconds: [], value: [] };
      curve.step.push(step);
      curve.seconds.push(seconds);
      curve.value.push(Number(value));
    }
  }
  const where = axes.filter((axis) => axis in config).map((axis) => `${axis}=${config[axis]}`);
  const isTimed = run.alone ?? false;
  return {
    id,
    config,
    seed,
    state,
    summary: Object.fromEntries(
      Object.entries(run.summary).map(([metric, value]) => [metric, Number(value)]),
    ),
    seconds: isTimed && run.seconds !== null ? run.seconds.train : null,
    error: error === null ? null : error.split("\n")[0],
    command: `${command} --seeds ${seed + 1}` +
      where.map((part) => ` --where ${quoted(part)}`).join(""),
    curves: Object.fromEntries(
      Object.entries(curves).map(([metric, { step, seconds, value }]): [string, Curve] => [
        metric,
        { step, seconds: isTimed ? seconds : null, value },
      ]),
    ),
  };
}

/** As a shell takes it for one word. */
function quoted(text: string): string {
  return /^[\w.=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function valueOf({ state, summary }: RunResult, { name, goal }: MetricInfo): number {
  if (state === "diverged" && goal !== "none") return goal === "max" ? -Infinity : Infinity;
  return state === "completed" ? summary[name] ?? NaN : NaN;
}

function summaryOf(runs: readonly RunResult[], config: Config, metric: MetricInfo): Summary {
  const values = runs.filter((run) => isSame(run.config, config))
    .map((run) => valueOf(run, metric)).filter((value) => !Number.isNaN(value));
  const { low, high } = bootstrapInterval(values, median);
  return { n: values.length, median: values.length === 0 ? NaN : median(values), low, high };
}

/** Each config against the first, by seed; p is corrected for the number of configs. */
function comparisonsOf(
  configs: readonly Config[],
  runs: readonly RunResult[],
  metrics: readonly MetricInfo[],
): Comparison[] {
  const [baseline, ...others] = configs;
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  return metrics.flatMap((metric) => {
    const { goal } = metric;
    if (goal === "none") return [];
    const valuesOf = (config: Config): number[] => {
      const own = runs.filter((run) => isSame(run.config, config));
      return seeds.map((seed) => {
        const run = own.find((one) => one.seed === seed);
        return run === undefined ? NaN : valueOf(run, metric);
      });
    };
    const base = valuesOf(baseline);
    const groups = others.map((config) => ({ name: "", values: valuesOf(config) }));
    return compareGroups({ name: "", values: base }, groups, { goal })
      .flatMap((found, i): Comparison[] => {
        const { values } = groups[i];
        const differences = seeds.flatMap((seed, j) =>
          Number.isNaN(values[j]) || Number.isNaN(base[j])
            ? []
            : [{ seed, value: values[j] === base[j] ? 0 : values[j] - base[j] }]
        );
        if (differences.length === 0) return [];
        return [{
          metric: metric.name,
          baseline,
          config: others[i],
          differences,
          mean: found.difference,
          low: found.differenceInterval?.low ?? NaN,
          high: found.differenceInterval?.high ?? NaN,
          probability: found.improvement,
          p: found.correctedP,
          smallestP: found.smallestP,
          verdict: found.verdict,
        }];
      });
  });
}

function verdictOf(expectations: readonly Expectation[], runs: readonly RunResult[]): string {
  const missing = runs.filter(({ state }) => state === "missing").length;
  const rest = missing === 0 ? "" : ` ${missing} of ${runs.length} runs are missing.`;
  if (expectations.length === 0) return `Nothing was expected of these results.${rest}`;
  const broken = expectations.filter(({ holds }) => !holds);
  if (broken.length === 0) {
    return (expectations.length === 1
      ? "What was expected holds."
      : `All ${expectations.length} expectations hold.`) + rest;
  }
  return `${broken.length} of ${expectations.length} expectations ${
    broken.length === 1 ? "does" : "do"
  } not hold: ${broken[0].text} (${broken[0].detail}).${rest}`;
}
