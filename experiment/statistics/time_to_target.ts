/**
 * How long runs take to a target, where some never reach it: those count as infinitely long.
 */
import { assertNumbers, describe, show } from "../../autograd/internal.ts";
import { mean, median } from "./summary.ts";

/** How many runs reached a target, and when. */
export interface TimeToTarget {
  /** How many there are. */
  readonly runs: number;
  /** How many of them reached it. */
  readonly reached: number;
  /** The median of all runs; infinite where half of them did not reach it. */
  readonly median: number;
  /** For each time at which a run reached it, the share of runs that had by then. */
  readonly steps: readonly { readonly time: number; readonly share: number }[];
}

/**
 * Sums times to a target up.
 *
 * @param times A time for each run, `Infinity` for one that never reached the target.
 *
 * @example
 * ```ts
 * import { timeToTarget } from "@tapegrad/tapegrad/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { reached, median } = timeToTarget([2, Infinity, 1]);
 * assertEquals([reached, median], [2, 2]);
 * ```
 */
export function timeToTarget(times: readonly number[]): TimeToTarget {
  assertNumbers("sum up times", times, "times");
  const reached = times.filter(Number.isFinite).sort((a, b) => a - b);
  return {
    runs: times.length,
    reached: reached.length,
    median: median(times),
    steps: reached.map((time, i) => ({ time, share: (i + 1) / times.length })),
  };
}

/**
 * The mean of runs without the best and the worst, as MLPerf scores them: `null`, which is to say
 * invalid, where more than one run did not reach the target, or there are fewer than three.
 *
 * @param times A time for each run, `Infinity` for one that never reached the target.
 */
export function olympic(times: readonly number[]): number | null {
  assertNumbers("score times", times, "times");
  if (times.length < 3) return null;
  const kept = [...times].sort((a, b) => a - b).slice(1, -1);
  return kept.every(Number.isFinite) ? mean(kept) : null;
}

/**
 * A performance profile: for each factor the share of tasks on which a method took at most so many times
 * as long as the best method.
 *
 * @param times For each method its time on each task, `Infinity` where it failed.
 * @param factors 1 and more.
 */
export function performanceProfile(
  times: ReadonlyMap<string, readonly number[]>,
  factors: readonly number[],
): Map<string, number[]> {
  const action = "make a performance profile";
  if (!((times as unknown) instanceof Map)) {
    throw new TypeError(`Cannot ${action}: got times ${describe(times)}, expected a Map of lists`);
  }
  const rows: Iterable<[unknown, unknown]> = times;
  for (const [name, row] of rows) assertNumbers(action, row, `times of ${show(name)}`);
  assertNumbers(action, factors, "factors");
  const methods = [...times.values()];
  const tasks = methods[0]?.length ?? 0;
  const best = Array.from({ length: tasks }, (_, i) => Math.min(...methods.map((row) => row[i])));
  return new Map(
    [...times].map(([name, row]) => [
      name,
      factors.map((factor) =>
        row.filter((time, i) => Number.isFinite(time) && time <= factor * best[i]).length / tasks
      ),
    ]),
  );
}
