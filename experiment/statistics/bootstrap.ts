/**
 * How far a number of few runs can be trusted.
 */
import { assertFunction, assertNumbers, assertOptions, show } from "../../autograd/internal.ts";
import { Generator } from "../../autograd/mod.ts";
import { quantile } from "./summary.ts";

/** More are of no use, and would not fit into memory. */
const MOST_SAMPLES = 10_000_000;

/** A range that holds the true value in 95 of 100 experiments, about. */
export interface Interval {
  /** Its lower end. */
  readonly low: number;
  /** Its upper end. */
  readonly high: number;
}

/** How a bootstrap is drawn. */
export interface BootstrapOptions {
  /** How many samples are drawn. */
  readonly samples?: number;
  /** The share of them that the interval holds. */
  readonly confidence?: number;
  /** The seed of the draws: the same seed gives the same interval. */
  readonly seed?: number;
}

/**
 * The percentile bootstrap interval of a statistic: values are drawn again with replacement, and the
 * middle of what the statistic gives is the interval.
 *
 * @param values The values, one for each run.
 * @param statistic From values to a number.
 * @param options 10,000 samples, 95 %, seed 0 where left out.
 * @returns NaN at both ends where there are no values.
 *
 * @example
 * ```ts
 * import { bootstrapInterval, mean } from "@tapegrad/tapegrad/experiment";
 * import { assert } from "@std/assert";
 *
 * const { low, high } = bootstrapInterval([1, 2, 3, 4, 5], mean);
 * assert(low > 1 && low < 3 && high > 3 && high < 5);
 * ```
 */
export function bootstrapInterval(
  values: readonly number[],
  statistic: (values: readonly number[]) => number,
  options: BootstrapOptions = {},
): Interval {
  const action = "draw a bootstrap interval";
  assertNumbers(action, values, "values");
  assertFunction(action, statistic, "statistic");
  assertOptions(action, options, ["samples", "confidence", "seed"]);
  const { samples = 10_000, confidence = 0.95, seed = 0 } = options;
  if (!Number.isSafeInteger(samples) || samples < 1 || samples > MOST_SAMPLES) {
    throw new RangeError(
      `Cannot ${action}: got samples ${show(samples)}, expected an integer of 1 to ${MOST_SAMPLES}`,
    );
  }
  if (typeof confidence !== "number" || !(confidence >= 0 && confidence <= 1)) {
    throw new RangeError(
      `Cannot ${action}: got confidence ${show(confidence)}, expected a number in 0 … 1`,
    );
  }
  if (values.length === 0) return { low: NaN, high: NaN };
  const generator = new Generator(seed);
  const drawn = Array.from(
    { length: samples },
    () => statistic(values.map(() => values[Math.floor(generator.uniform() * values.length)])),
  );
  const tail = (1 - confidence) / 2;
  return { low: quantile(drawn, tail), high: quantile(drawn, 1 - tail) };
}
