/**
 * Expectations of the experiments of this folder: what is alike, when a level is reached, and
 * p-values.
 *
 * @module
 */
import {
  describeConfig,
  type Expectation,
  NOT_RUN,
  valuesIn,
} from "../../../experiment/expectations.ts";
import {
  type Config,
  median,
  type Results,
  type RunResult,
  signFlipTest,
} from "../../../experiment/mod.ts";
import { matches, valueOf } from "../../../experiment/results.ts";

/** The runs that came to an end and whose config has these values. */
function endedRuns(results: Results, part: Config): RunResult[] {
  return results.runs.filter(({ state, config }) =>
    (state === "completed" || state === "diverged") && matches(config, part)
  );
}

/**
 * Expects the medians of a metric in two configs to lie no further apart than this: in place of a test,
 * which cannot show that nothing differs. A diverged run counts as the worst value there is.
 */
export function alike(
  metric: string,
  part: Config,
  other: Config,
  { within }: { readonly within: number },
): Expectation {
  return {
    text: `${metric}: ${describeConfig(part)} and ${
      describeConfig(other)
    } differ by ${within} at most`,
    check(results) {
      const values = [part, other].map((one) => valuesIn(results, metric, one));
      if (values.some(({ length }) => length === 0)) return NOT_RUN;
      const [a, b] = values.map(median);
      const detail = `${a.toPrecision(3)} and ${b.toPrecision(3)}`;
      return { holds: Math.abs(a - b) <= within, detail };
    },
  };
}

/** The first step at which each run has reached a level; `null` for a run that never does. */
function stepsTo(results: Results, metric: string, part: Config, level: number): (number | null)[] {
  return endedRuns(results, part).map(({ observations }) =>
    observations.find(({ metrics }) => metrics[metric] >= level)?.step ?? null
  );
}

/** Expects every run of a config to reach a level within so many steps, as its run counts them. */
export function reaches(
  metric: string,
  part: Config,
  level: number,
  { within }: { readonly within: number },
): Expectation {
  return {
    text: `${metric}: ${describeConfig(part)} reaches ${level} by step ${within}`,
    check(results) {
      const steps = stepsTo(results, metric, part, level);
      if (steps.length === 0) return NOT_RUN;
      const detail = `at step ${steps.map((step) => step ?? "none").join(", ")}`;
      return { holds: steps.every((step) => step !== null && step <= within), detail };
    },
  };
}

/** Expects no run of some configs to reach a level. */
export function neverReaches(metric: string, part: Config, level: number): Expectation {
  return {
    text: `${metric}: ${describeConfig(part)} never reaches ${level}`,
    check(results) {
      const steps = stepsTo(results, metric, part, level);
      if (steps.length === 0) return NOT_RUN;
      const reached = steps.filter((step) => step !== null).length;
      return { holds: reached === 0, detail: `reached by ${reached} of ${steps.length} runs` };
    },
  };
}

/**
 * Expects a metric to be larger in one config than in another so regularly that the exact test of the
 * paired differences shows it. Fewer pairs than the claim speaks of decide nothing.
 */
export function exceedsShown(
  metric: string,
  part: Config,
  than: Config,
  { pairs, level = 0.05 }: { readonly pairs: number; readonly level?: number },
): Expectation {
  return {
    text: `${metric}: ${describeConfig(part)} is above ${
      describeConfig(than)
    }, p < ${level} with ${pairs} pairs`,
    check(results) {
      const { goal } = results.info.metrics[metric];
      const [a, b] = [part, than].map((one) =>
        new Map(endedRuns(results, one).map((run) => [run.seed, valueOf(run, metric, goal)]))
      );
      const differences = [...a].filter(([seed]) => b.has(seed))
        .map(([seed, value]) => value - b.get(seed)!);
      if (differences.length < pairs) {
        return { holds: null, detail: `${differences.length} of ${pairs} pairs are there` };
      }
      const mean = differences.reduce((sum, x) => sum + x, 0) / differences.length;
      const { p } = signFlipTest(differences);
      const detail = `p ${p.toPrecision(2)}, mean difference ${mean.toPrecision(2)}`;
      return { holds: mean > 0 && p < level, detail };
    },
  };
}
