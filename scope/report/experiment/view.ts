/**
 * What the report of an experiment draws from: plain data, whoever gathered it.
 */

/** A setting of an experiment, by the names of its axes. */
export type Config = Readonly<Record<string, string | number | boolean | null>>;

/** What was measured. */
export interface MetricInfo {
  readonly name: string;
  readonly goal: "max" | "min" | "none";
  /** `%` for shares of 1; otherwise written behind the number. */
  readonly unit: string;
  /** What counts as reached; `null` where there is no target. */
  readonly target: number | null;
}

/** What a metric came to over the seeds of a config. */
export interface Summary {
  readonly n: number;
  readonly median: number;
  /** The ends of the interval of confidence. */
  readonly low: number;
  readonly high: number;
}

/** How a run ended. */
export type RunState = "completed" | "diverged" | "stopped" | "failed" | "missing";

/** One run: a config with a seed. */
export interface RunResult {
  readonly id: string;
  readonly config: Config;
  readonly seed: number;
  readonly state: RunState;
  /** The metrics at its end. */
  readonly summary: Readonly<Record<string, number>>;
  readonly seconds: number | null;
  /** What went wrong, if something did. */
  readonly error: string | null;
  /** What runs it again, to be copied. */
  readonly command: string;
  /** The metrics on the way. */
  readonly curves: Readonly<Record<string, Curve>>;
}

/** A metric on the way. */
export interface Curve {
  readonly step: readonly number[];
  readonly seconds: readonly number[] | null;
  readonly value: readonly number[];
}

/** The state of a config's batch norm layers at the end, over its runs. */
export interface BatchNormPanel {
  readonly gamma: readonly number[];
  /** Distance of training and evaluation outputs, a value for each layer and run. */
  readonly gap: readonly number[];
  /** |z| of the running mean's drift, a value for each channel. */
  readonly drift: readonly number[];
}

/** The runs of one config. */
export interface ConfigResult {
  readonly config: Config;
  readonly summaries: Readonly<Record<string, Summary>>;
  readonly batchNorm: BatchNormPanel | null;
}

/** One config against another. */
export interface Comparison {
  readonly metric: string;
  readonly baseline: Config;
  readonly config: Config;
  /** config − baseline by seed, if the seeds are paired. */
  readonly differences: readonly { readonly seed: number; readonly value: number }[];
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** P(config > baseline). */
  readonly probability: number;
  readonly p: number;
  /** The smallest p that so many runs can give. */
  readonly smallestP: number;
  /** Better, worse, no difference shown, too few runs. */
  readonly verdict: string;
}

/** Something that was expected of the results. */
export interface Expectation {
  readonly text: string;
  readonly holds: boolean;
  readonly detail: string;
}

/** The time to a metric's target. */
export interface ResultsView {
  readonly name: string;
  readonly claim: string;
  readonly source: string;
  /** The sentence that stands first. */
  readonly verdict: string;
  readonly metrics: readonly MetricInfo[];
  readonly configs: readonly ConfigResult[];
  readonly runs: readonly RunResult[];
  readonly comparisons: readonly Comparison[];
  readonly expectations: readonly Expectation[];
  /** What a reader should know: resolution of a test set, times not shown, and so on. */
  readonly notes: readonly string[];
}
