/**
 * Tests of few runs that assume nothing about how values are distributed: every way in which the runs
 * could have been labelled is counted.
 */
import { assertNumbers } from "../../autograd/internal.ts";
import { Generator } from "../../autograd/mod.ts";

/** What a test says. */
export interface TestResult {
  /** How often a difference at least so large comes about without a cause, in either direction. */
  readonly p: number;
  /** The smallest p that so many runs can give, whatever they show. */
  readonly smallestP: number;
}

/** Above so many pairs there are too many ways of signing them to count. */
const MOST_PAIRS = 22;

/** How many ways of signing more pairs are drawn. */
const DRAWN_SIGNS = 100_000;

/**
 * Differences whose sums can be compared: an infinite one, of a run that diverged, outweighs all finite
 * ones together, as in the limit.
 */
export function summable(differences: readonly number[]): number[] {
  const finite = differences.filter(Number.isFinite);
  const large = 1 + 4 * finite.reduce((sum, x) => sum + Math.abs(x), 0);
  return differences.map((x) => Number.isFinite(x) ? x : Math.sign(x) * large);
}

/**
 * The sign-flip test of paired differences: without a cause each of them could as well have had the
 * other sign. Two-sided and exact.
 *
 * @param differences A difference for each pair. An infinite one outweighs all finite ones together.
 * @throws {RangeError} for more than 22 pairs, or NaN.
 *
 * @example
 * ```ts
 * import { signFlipTest } from "@tapegrad/tapegrad/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * // Five pairs that all agree: 2 of 32 ways are so extreme.
 * assertEquals(signFlipTest([1, 2, 3, 4, 5]), { p: 0.0625, smallestP: 0.0625 });
 * ```
 */
export function signFlipTest(differences: readonly number[]): TestResult {
  assertNumbers("test pairs", differences, "differences");
  const n = differences.length;
  if (differences.some(Number.isNaN)) {
    throw new RangeError("Cannot test pairs: got NaN among the differences, expected numbers");
  }
  if (n > MOST_PAIRS) {
    throw new RangeError(
      `Cannot test pairs: got ${n} of them, expected at most ${MOST_PAIRS}, all of whose signs can be ` +
        `counted`,
    );
  }
  const values = summable(differences);
  const observed = Math.abs(values.reduce((sum, x) => sum + x, 0));
  // What rounding makes of equal sums.
  const slack = 1e-12 * values.reduce((sum, x) => sum + Math.abs(x), 0);
  let extreme = 0;
  for (let signs = 0; signs < 2 ** n; signs++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (signs >> i) & 1 ? -values[i] : values[i];
    if (Math.abs(sum) >= observed - slack) extreme++;
  }
  return { p: extreme / 2 ** n, smallestP: Math.min(1, 2 / 2 ** n) };
}

/**
 * The sign-flip test of any number of pairs: exact up to 22; of more, 100,000 ways of signing them are
 * drawn from a fixed seed, and the observed one is counted among them.
 */
export function pairedTest(differences: readonly number[]): TestResult {
  if (differences.length <= MOST_PAIRS) return signFlipTest(differences);
  const values = summable(differences);
  const observed = Math.abs(values.reduce((sum, x) => sum + x, 0));
  const slack = 1e-12 * values.reduce((sum, x) => sum + Math.abs(x), 0);
  const generator = new Generator(0);
  let extreme = 1;
  for (let draw = 0; draw < DRAWN_SIGNS; draw++) {
    let sum = 0;
    for (const x of values) sum += generator.uniform() < 0.5 ? x : -x;
    if (Math.abs(sum) >= observed - slack) extreme++;
  }
  return { p: extreme / (DRAWN_SIGNS + 1), smallestP: 1 / (DRAWN_SIGNS + 1) };
}

/** Twice the rank of each value among all, equal values sharing theirs: whole numbers. */
function doubledRanks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return 2 * below + equal + 1;
  });
}

/**
 * The Mann–Whitney test of two groups: without a cause every way of dealing the runs to the groups is
 * as likely. Two-sided and exact, equal values included.
 *
 * @param a The values of one group.
 * @param b The values of the other.
 *
 * @example
 * ```ts
 * import { mannWhitneyTest } from "@tapegrad/tapegrad/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * // With three runs each nothing can be shown: p is never below 0.1.
 * assertEquals(mannWhitneyTest([1, 2, 3], [4, 5, 6]), { p: 0.1, smallestP: 0.1 });
 * ```
 */
export function mannWhitneyTest(a: readonly number[], b: readonly number[]): TestResult {
  assertNumbers("test groups", a, "a");
  assertNumbers("test groups", b, "b");
  const ranks = doubledRanks([...a, ...b]);
  const all = ranks.reduce((sum, rank) => sum + rank, 0);
  // ways[k][s]: how many choices of k runs have the ranks' sum s.
  const ways = Array.from({ length: a.length + 1 }, () => new Float64Array(all + 1));
  ways[0][0] = 1;
  for (const rank of ranks) {
    for (let k = a.length; k > 0; k--) {
      for (let s = all; s >= rank; s--) ways[k][s] += ways[k - 1][s - rank];
    }
  }
  const observed = ranks.slice(0, a.length).reduce((sum, rank) => sum + rank, 0);
  const centre = a.length * (a.length + b.length + 1);
  let [extreme, total] = [0, 0];
  ways[a.length].forEach((count, s) => {
    total += count;
    if (Math.abs(s - centre) >= Math.abs(observed - centre)) extreme += count;
  });
  return { p: extreme / total, smallestP: Math.min(1, 2 / total) };
}

/**
 * How often a run of `a` is above a run of `b`, a tie counting half: U / (n·m).
 *
 * @param a The values of one group.
 * @param b The values of the other.
 */
export function probabilityOfImprovement(a: readonly number[], b: readonly number[]): number {
  assertNumbers("compare groups", a, "a");
  assertNumbers("compare groups", b, "b");
  let wins = 0;
  for (const x of a) for (const y of b) wins += x > y ? 1 : x === y ? 0.5 : 0;
  return wins / (a.length * b.length);
}

/**
 * Holm's correction for several tests at once: the smallest p times their number, the next times one
 * less, and none below the one before.
 *
 * @param ps The p of each test.
 * @returns The corrected ones, in the same order.
 */
export function holm(ps: readonly number[]): number[] {
  assertNumbers("correct for several tests", ps, "ps");
  const order = ps.map((_, i) => i).sort((i, j) => ps[i] - ps[j]);
  const corrected = new Array<number>(ps.length);
  let least = 0;
  order.forEach((i, place) => {
    least = Math.max(least, Math.min(1, ps[i] * (ps.length - place)));
    corrected[i] = least;
  });
  return corrected;
}
