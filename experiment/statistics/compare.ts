/**
 * A group of runs against a baseline, in numbers and in words.
 */
import {
  assertList,
  assertNumbers,
  assertOptions,
  describe,
  show,
} from "../../autograd/internal.ts";
import { bootstrapInterval, type Interval } from "./bootstrap.ts";
import {
  holm,
  mannWhitneyTest,
  pairedTest,
  probabilityOfImprovement,
  summable,
} from "./exact_tests.ts";
import { interquartileMean, mean, median } from "./summary.ts";

/** What a comparison comes to. */
export type Verdict = "better" | "worse" | "no difference shown" | "too few runs";

/** A group of runs by name: a value for each seed, NaN where there is none. */
export interface ComparedGroup {
  /** What it is called. */
  readonly name: string;
  /** In the order of the seeds. */
  readonly values: readonly number[];
}

/** How groups are compared. */
export interface CompareOptions {
  /** Whether more is better. */
  readonly goal: "max" | "min";
  /** Whether the i-th values of two groups belong together: they share seed, data and order. */
  readonly paired?: boolean;
  /** How small p has to be; 0.05 where left out. */
  readonly level?: number;
}

/** A group against the baseline. */
export interface Comparison {
  /** What the group is called. */
  readonly name: string;
  /** How many of its runs are compared. */
  readonly n: number;
  /** Their median. */
  readonly median: number;
  /** Their interquartile mean. */
  readonly iqm: number;
  /** 95 % of the mean. */
  readonly interval: Interval;
  /** Mean difference to the baseline, of pairs where they are paired; infinite where a run diverged. */
  readonly difference: number;
  /** 95 % of the difference, of paired runs only; `null` too where a difference is infinite. */
  readonly differenceInterval: Interval | null;
  /** How often a run of the group is better than one of the baseline. */
  readonly improvement: number;
  /** Exact, two-sided, before the correction. */
  readonly p: number;
  /** Corrected for all comparisons by Holm. */
  readonly correctedP: number;
  /** The smallest p that so many runs can give. */
  readonly smallestP: number;
  /** The same in words. */
  readonly verdict: Verdict;
}

/**
 * Compares groups with a baseline: exact tests, corrected for their number, and a verdict that says when
 * the runs are too few to show anything.
 *
 * @param baseline What the others are compared with.
 * @param others The groups.
 * @param options The goal; paired where left out.
 *
 * @example
 * ```ts
 * import { compareGroups } from "@tapegrad/tapegrad/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const few = { name: "a", values: [0.7, 0.8, 0.9] };
 * const [result] = compareGroups({ name: "b", values: [0.1, 0.2, 0.3] }, [few], { goal: "max" });
 * assertEquals([result.verdict, result.smallestP], ["too few runs", 0.25]);
 * ```
 */
export function compareGroups(
  baseline: ComparedGroup,
  others: readonly ComparedGroup[],
  options: CompareOptions,
): Comparison[] {
  const action = "compare groups";
  assertGroup(action, baseline, "baseline");
  assertList(action, others, "others", "groups");
  others.forEach((group, i) => assertGroup(action, group, `others[${i}]`));
  assertOptions(action, options, ["goal", "paired", "level"]);
  const { goal } = options;
  if (goal !== "max" && goal !== "min") {
    throw new RangeError(`Cannot ${action}: got goal ${show(goal)}, expected "max" or "min"`);
  }
  return compareEach(others.map((group) => ({ baseline, group })), options);
}

function assertGroup(action: string, group: unknown, name: string): void {
  if (typeof group !== "object" || group === null) {
    throw new TypeError(
      `Cannot ${action}: got ${name} ${describe(group)}, expected { name, values }`,
    );
  }
  assertNumbers(action, (group as Partial<ComparedGroup>).values, `${name}.values`);
}

/** The same with a baseline of its own for each group; p is corrected for all of them. */
export function compareEach(
  couples: readonly { readonly baseline: ComparedGroup; readonly group: ComparedGroup }[],
  { goal, paired = true, level = 0.05 }: CompareOptions,
): Comparison[] {
  const sign = goal === "max" ? 1 : -1;
  const found = couples.map(({ baseline, group }) => {
    const pairs = group.values.map((value, i) => [value, baseline.values[i]] as const)
      .filter(([a, b]) => !Number.isNaN(a) && b !== undefined && !Number.isNaN(b));
    const [a, b] = paired
      ? [pairs.map(([x]) => x), pairs.map(([, x]) => x)]
      : [group.values, baseline.values].map((values) => values.filter((x) => !Number.isNaN(x)));
    if (a.length === 0 || b.length === 0) return { group, a, b, test: { p: 1, smallestP: 1 } };
    // Two runs that both diverged do not differ.
    const differences = paired ? pairs.map(([x, y]) => x === y ? 0 : x - y) : [];
    const test = paired ? pairedTest(differences) : mannWhitneyTest(a, b);
    return { group, a, b, differences, test };
  });
  const corrected = holm(found.map(({ test }) => test.p));
  return found.map(({ group, a, b, differences = [], test }, i) => {
    const isEmpty = a.length === 0 || b.length === 0;
    const difference = isEmpty ? NaN : paired ? mean(differences) : mean(a) - mean(b);
    const hasInterval = differences.length > 0 && differences.every(Number.isFinite);
    const improvement = isEmpty
      ? NaN
      : sign > 0
      ? probabilityOfImprovement(a, b)
      : probabilityOfImprovement(b, a);
    const total = summable(differences).reduce((sum, x) => sum + x, 0);
    const verdict: Verdict = isEmpty || test.smallestP > level
      ? "too few runs"
      : corrected[i] > level
      ? "no difference shown"
      : (paired ? total * sign > 0 : improvement > 0.5)
      ? "better"
      : "worse";
    return {
      name: group.name,
      n: a.length,
      median: isEmpty ? NaN : median(a),
      iqm: isEmpty ? NaN : interquartileMean(a),
      interval: bootstrapInterval(a, mean),
      difference,
      differenceInterval: hasInterval ? bootstrapInterval(differences, mean) : null,
      improvement,
      p: test.p,
      correctedP: corrected[i],
      smallestP: test.smallestP,
      verdict,
    };
  });
}
