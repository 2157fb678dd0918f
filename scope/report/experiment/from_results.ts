/**
 * Results as the experiment room has them, made into what the report draws.
 */
import { isSame, quantile, varyingAxes } from "./configs.ts";
import type {
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
}

/** Fewer pairs than this can show nothing at 5 %, whatever they are: 2 / 2⁵ is 0.0625. */
const FEWEST_PAIRS = 6;

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
  const runs = results.runs.map((run) => runView(run, info.name, axes));
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
      batchNorm: null,
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

function runView(run: PlainRun, name: string, axes: readonly string[]): RunResult {
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
    command: `deno task experiment ${quoted(name)} --seeds ${seed + 1}` +
      (where.length === 0 ? "" : ` --where ${quoted(where.join(","))}`),
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
  const [low, high] = interval(values, (sample) => quantile(sample, 0.5));
  return { n: values.length, median: quantile(values, 0.5), low, high };
}

/** Each config against the first, by seed. */
function comparisonsOf(
  configs: readonly Config[],
  runs: readonly RunResult[],
  metrics: readonly MetricInfo[],
): Comparison[] {
  const [baseline, ...others] = configs;
  return metrics.filter(({ goal }) => goal !== "none").flatMap((metric) =>
    others.flatMap((config): Comparison[] => {
      const differences = runs.filter((run) => isSame(run.config, config)).flatMap((run) => {
        const other = runs.find(({ config, seed }) =>
          seed === run.seed && isSame(config, baseline)
        );
        const value = other === undefined ? NaN : valueOf(run, metric) - valueOf(other, metric);
        return Number.isFinite(value) ? [{ seed: run.seed, value }] : [];
      });
      if (differences.length === 0) return [];
      const values = differences.map(({ value }) => value);
      const [low, high] = interval(values, meanOf);
      const p = signFlipP(values);
      return [{
        metric: metric.name,
        baseline,
        config,
        differences,
        mean: meanOf(values),
        low,
        high,
        probability: meanOf(values.map((value) => value > 0 ? 1 : value < 0 ? 0 : 0.5)),
        p,
        smallestP: 2 ** (1 - values.length),
        verdict: verdict(meanOf(values), p, values.length, metric.goal),
      }];
    })
  );
}

function verdict(mean: number, p: number, pairs: number, goal: MetricInfo["goal"]): string {
  if (pairs < FEWEST_PAIRS) return "too few runs";
  if (p > 0.05) return "no difference shown";
  return mean > 0 === (goal === "max") ? "better" : "worse";
}

/** More pairs than this have too many signs to try all of them: every 2¹⁶ then stand for the rest. */
const MOST_EXACT = 16;

/**
 * The share of all ways to set the signs of differences that give a mean at least as far from 0. Exact up to
 * 16 pairs; more are not taken in.
 */
export function signFlipP(differences: readonly number[]): number {
  const values = differences.slice(0, MOST_EXACT);
  const size = Math.abs(values.reduce((sum, value) => sum + value, 0));
  const tolerance = 1e-12 * values.reduce((sum, value) => sum + Math.abs(value), 0);
  let extreme = 0;
  const ways = 2 ** values.length;
  for (let signs = 0; signs < ways; signs++) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += signs >> i & 1 ? values[i] : -values[i];
    if (Math.abs(sum) >= size - tolerance) extreme++;
  }
  return extreme / ways;
}

/** The 95 % percentile bootstrap interval of a statistic; the same in every call. */
export function interval(
  values: readonly number[],
  statistic: (sample: readonly number[]) => number,
): [low: number, high: number] {
  if (values.length === 0) return [NaN, NaN];
  let state = 1;
  // Park and Miller's generator: a resample is all that it is for.
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const found = Array.from(
    { length: 10_000 },
    () => statistic(values.map(() => values[Math.floor(random() * values.length)])),
  );
  return [quantile(found, 0.025), quantile(found, 0.975)];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
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
