/**
 * What the report of an experiment draws from: plain data, whoever gathered it.
 */

/** A setting of an experiment, by the names of its axes. */
export type Config = Readonly<Record<string, string | number | boolean | null>>;

/** What was measured. */
export interface MetricInfo {
  /** What it is called. */
  readonly name: string;
  /** Whether more or less is better. */
  readonly goal: "max" | "min" | "none";
  /** `%` for shares of 1; otherwise written behind the number. */
  readonly unit: string;
  /** What counts as reached; `null` where there is no target. */
  readonly target: number | null;
}

/** What a metric came to over the seeds of a config. */
export interface Summary {
  /** How many runs it is of. */
  readonly n: number;
  /** The median. */
  readonly median: number;
  /** The ends of the interval of confidence. */
  readonly low: number;
  /** The upper end. */
  readonly high: number;
}

/** How a run ended. */
export type RunState = "completed" | "diverged" | "stopped" | "failed" | "missing";

/** One run: a config with a seed. */
export interface RunResult {
  /** Names the run. */
  readonly id: string;
  /** The setting. */
  readonly config: Config;
  /** The seed. */
  readonly seed: number;
  /** How it ended. */
  readonly state: RunState;
  /** The metrics at its end. */
  readonly summary: Readonly<Record<string, number>>;
  /** How long it took; `null` where times are not shown. */
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
  /** The steps at which it was observed, ascending. */
  readonly step: readonly number[];
  /** The seconds until then; `null` where times are not shown. */
  readonly seconds: readonly number[] | null;
  /** The values. */
  readonly value: readonly number[];
}

/** The state of a config's batch norm layers at the end, over its runs. */
export interface BatchNormPanel {
  /** γ of all channels and runs. */
  readonly gamma: readonly number[];
  /** Distance of training and evaluation outputs, a value for each layer and run. */
  readonly gap: readonly number[];
  /** |z| of the running mean's drift, a value for each channel. */
  readonly drift: readonly number[];
}

/** The runs of one config. */
export interface ConfigResult {
  /** The setting. */
  readonly config: Config;
  /** By metric. */
  readonly summaries: Readonly<Record<string, Summary>>;
  /** Its batch norm layers; `null` where there are none or they were not kept. */
  readonly batchNorm: BatchNormPanel | null;
}

/** One config against another. */
export interface Comparison {
  /** The metric's name. */
  readonly metric: string;
  /** The setting that is compared with. */
  readonly baseline: Config;
  /** The setting. */
  readonly config: Config;
  /** config − baseline by seed, if the seeds are paired. */
  readonly differences: readonly { readonly seed: number; readonly value: number }[];
  /** The mean difference. */
  readonly mean: number;
  /** The lower end of the interval of confidence. */
  readonly low: number;
  /** The upper end. */
  readonly high: number;
  /** How often a run of the config is better than one of the baseline. */
  readonly probability: number;
  /** The exact p-value, corrected for the number of comparisons. */
  readonly p: number;
  /** The smallest p that so many runs can give. */
  readonly smallestP: number;
  /** Better, worse, no difference shown, too few runs. */
  readonly verdict: string;
}

/** Something that was expected of the results. */
export interface Expectation {
  /** What was expected. */
  readonly text: string;
  /** Whether it is so. */
  readonly holds: boolean;
  /** The numbers behind it. */
  readonly detail: string;
}

/** The results of an experiment. */
export interface ResultsView {
  /** What it is called. */
  readonly name: string;
  /** What is to be shown. */
  readonly claim: string;
  /** Where the claim comes from. */
  readonly source: string;
  /** The sentence that stands first. */
  readonly verdict: string;
  /** What was measured, the main metric first. */
  readonly metrics: readonly MetricInfo[];
  /** The settings. */
  readonly configs: readonly ConfigResult[];
  /** All runs. */
  readonly runs: readonly RunResult[];
  /** Settings against each other. */
  readonly comparisons: readonly Comparison[];
  /** What was expected, and whether it is so. */
  readonly expectations: readonly Expectation[];
  /** What a reader should know: resolution of a test set, times not shown, and so on. */
  readonly notes: readonly string[];
}
