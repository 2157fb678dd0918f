/**
 * Expectations: what has to hold of the results for the claim to stand, and for the library to be right.
 */
import { assertNumbers, assertOptions, describe, show } from "../autograd/internal.ts";
import { type Group, matches, type Results } from "./results.ts";
import type { Config } from "./space.ts";
import { median } from "./statistics/summary.ts";
import { formatMetric, formatNumber } from "./table.ts";

/** What became of an expectation. */
export interface Outcome {
  /** What was expected. */
  readonly text: string;
  /** Whether it holds; `null` if the runs that it speaks of are not there. */
  readonly holds: boolean | null;
  /** The numbers. */
  readonly detail: string;
}

/** Something that is expected of results. */
export interface Expectation {
  /** In words. */
  readonly text: string;
  /** Compares it with results. */
  check(results: Results): { readonly holds: boolean | null; readonly detail: string };
}

/** The values of a config: `depth 8, trains bn`. */
export function describeConfig(config: Config): string {
  const parts = Object.entries(config).map(([name, value]) => `${name} ${show(value)}`);
  return parts.length === 0 ? "all" : parts.join(", ");
}

function found(results: Results, part: Config): Group[] {
  return results.groups().filter(({ config }) => matches(config, part));
}

/** The values of a metric in all configs that have these values. */
export function valuesIn(results: Results, metric: string, part: Config): number[] {
  return found(results, part).flatMap((group) => results.valuesOf(group, metric));
}

function shown(results: Results, metric: string, value: number): string {
  return formatMetric(value, results.info.metrics[metric] ?? { goal: "none" });
}

/** What an expectation comes to whose runs are not there. */
export const NOT_RUN = { holds: null, detail: "not all of its runs are there" } as const;

const ACTION = "expect a result";

function checkParts(metric: unknown, configs: readonly unknown[]): void {
  if (typeof metric !== "string") {
    throw new TypeError(`Cannot ${ACTION}: got metric ${describe(metric)}, expected its name`);
  }
  for (const config of configs) {
    if (typeof config === "object" && config !== null) continue;
    throw new TypeError(
      `Cannot ${ACTION}: got config ${describe(config)}, expected values by name`,
    );
  }
}

function checkedMargin(
  metric: string,
  configs: readonly Config[],
  options: { readonly by?: number },
): number {
  checkParts(metric, configs);
  assertOptions(ACTION, options, ["by"]);
  const { by = 0 } = options;
  if (typeof by !== "number") {
    throw new TypeError(`Cannot ${ACTION}: got by ${describe(by)}, expected a number`);
  }
  return by;
}

/**
 * Expects the median of a metric in one config to exceed that in another. A diverged run counts as the
 * worst value there is.
 *
 * @param metric The metric's name.
 * @param config The values of the config that should have more; the others may be left out.
 * @param than Those of the other.
 * @param options `by`: how much more, at least.
 */
export function more(
  metric: string,
  config: Config,
  than: Config,
  options: { readonly by?: number } = {},
): Expectation {
  const by = checkedMargin(metric, [config, than], options);
  const margin = by === 0 ? "" : ` by ${formatNumber(by)}`;
  return {
    text: `${metric}: ${describeConfig(config)} is above ${describeConfig(than)}${margin}`,
    check(results) {
      const [a, b] = [config, than].map((part) => valuesIn(results, metric, part));
      if (a.length === 0 || b.length === 0) return NOT_RUN;
      const [high, low] = [median(a), median(b)];
      const holds = high > low && high - low >= by;
      return {
        holds,
        detail: `${shown(results, metric, high)} against ${shown(results, metric, low)}`,
      };
    },
  };
}

/**
 * Expects the median of a metric in one config to lie below that in another.
 *
 * @param metric The metric's name.
 * @param config The values of the config that should have less; the others may be left out.
 * @param than Those of the other.
 * @param options `by`: how much less, at least.
 */
export function less(
  metric: string,
  config: Config,
  than: Config,
  options: { readonly by?: number } = {},
): Expectation {
  const by = checkedMargin(metric, [config, than], options);
  const margin = by === 0 ? "" : ` by ${formatNumber(by)}`;
  return {
    ...more(metric, than, config, options),
    text: `${metric}: ${describeConfig(config)} is below ${describeConfig(than)}${margin}`,
  };
}

/**
 * Expects a metric to lie within bounds, in every run of the configs that have the given values.
 *
 * @param metric The metric's name.
 * @param config Values that a config must have; `{}` for all of them.
 * @param bounds The lowest and the highest value, both allowed.
 */
export function within(
  metric: string,
  config: Config,
  bounds: readonly [low: number, high: number],
): Expectation {
  checkParts(metric, [config]);
  assertNumbers(ACTION, bounds, "bounds");
  const [low, high] = bounds;
  const range = low === high
    ? `is ${formatNumber(low)}`
    : `is in ${formatNumber(low)} … ${formatNumber(high)}`;
  return {
    text: `${metric}: ${describeConfig(config)} ${range}`,
    check(results) {
      const values = valuesIn(results, metric, config);
      if (values.length === 0) return NOT_RUN;
      const least = values.reduce((a, b) => Math.min(a, b));
      const most = values.reduce((a, b) => Math.max(a, b));
      const detail = least === most
        ? shown(results, metric, least)
        : `${shown(results, metric, least)} to ${shown(results, metric, most)}`;
      return { holds: least >= low && most <= high, detail };
    },
  };
}

/** What becomes of each expectation. */
export function checkAll(expectations: readonly Expectation[], results: Results): Outcome[] {
  return expectations.map((expectation) => ({
    text: expectation.text,
    ...expectation.check(results),
  }));
}
