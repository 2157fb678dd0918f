/** Statistics of few runs, against SciPy's recorded values and by hand. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  bootstrapInterval,
  compareGroups,
  holm,
  interquartileMean,
  mannWhitneyTest,
  mean,
  median,
  olympic,
  performanceProfile,
  probabilityOfImprovement,
  quantile,
  signFlipTest,
  timeToTarget,
} from "../../experiment/mod.ts";
import { Generator, randn } from "../../mod.ts";
import { assertClose } from "../assert_close.ts";

const { cases, pairs } = JSON.parse(
  await Deno.readTextFile(new URL("statistics.json", import.meta.url)),
);

function close(actual: readonly number[], expected: readonly number[]): void {
  assertClose(actual, expected, 1e-12, 1e-12, "statistic");
}

Deno.test("tests, improvement, median and interquartile mean are SciPy's to 1e-12", () => {
  for (const { a, b, mannWhitney, improvement, iqm, median: middle } of cases) {
    close([mannWhitneyTest(a, b).p], [mannWhitney]);
    close([probabilityOfImprovement(a, b)], [improvement]);
    close([interquartileMean(b), median(b)], [iqm, middle]);
  }
  for (const { differences, signFlip } of pairs) {
    close([signFlipTest(differences).p], [signFlip]);
  }
});

Deno.test("the smallest p that few runs can give", () => {
  const run = (n: number) => Array.from({ length: n }, (_, i) => i);
  close([mannWhitneyTest(run(3), run(3)).smallestP], [0.1]);
  close([mannWhitneyTest(run(5), run(5)).smallestP], [2 / 252]);
  close([signFlipTest(run(5)).smallestP], [0.0625]);
  assertThrows(() => signFlipTest(run(23)), RangeError, "at most 22");
  // Equal values share their ranks: nothing is extreme where all are equal.
  assertEquals(mannWhitneyTest([1, 1], [1, 1]).p, 1);
});

Deno.test("Holm's correction multiplies and never falls", () => {
  close(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
  assertEquals(holm([0.6, 0.9]), [1, 1]);
});

Deno.test("a bootstrap is the same for a seed and narrows with the runs", () => {
  const few = [1, 5.03, 2.1, 8.7, 3.3, 7.17, 6.4];
  const many = Array.from({ length: 20 }, () => few).flat();
  assertEquals(bootstrapInterval(few, mean), bootstrapInterval(few, mean));
  assert(bootstrapInterval(few, mean).low !== bootstrapInterval(few, mean, { seed: 1 }).low);
  const width = (values: number[]) => {
    const { low, high } = bootstrapInterval(values, mean);
    assert(low <= mean(values) && mean(values) <= high);
    return high - low;
  };
  assert(width(many) < width(few) / 3);
});

Deno.test("verdicts: better, worse, no difference shown, too few runs", () => {
  const base = { name: "base", values: [1, 2, 3, 4, 5, 6, 7, 8] };
  const shifted = (by: number) => ({ name: `${by}`, values: base.values.map((x) => x + by) });
  const noisy = { name: "noisy", values: base.values.map((x, i) => x + (i % 2 ? 1 : -1)) };
  const verdicts = (goal: "max" | "min") =>
    compareGroups(base, [shifted(1), shifted(-1), noisy], { goal }).map(({ verdict }) => verdict);
  assertEquals(verdicts("max"), ["better", "worse", "no difference shown"]);
  assertEquals(verdicts("min"), ["worse", "better", "no difference shown"]);
  const three = { name: "three", values: [9, 9, 9] };
  const [few] = compareGroups({ name: "b", values: [1, 2, 3] }, [three], { goal: "max" });
  assertEquals([few.verdict, few.n, few.improvement], ["too few runs", 3, 1]);
  const [gone] = compareGroups(base, [{ name: "gone", values: [NaN] }], { goal: "max" });
  assertEquals([gone.verdict, gone.n], ["too few runs", 0]);
});

Deno.test("of 2,000 comparisons of equals with five runs each at most 5 % call a difference", () => {
  const generator = new Generator(0);
  const draw = () => Array.from(randn([5], { generator }).data);
  let called = 0;
  for (let i = 0; i < 2000; i++) {
    const [a, b] = [draw(), draw()];
    const { p } = mannWhitneyTest(a, b);
    if (p < 0.05) called++;
    if (i % 20 > 0) continue;
    // A verdict says what p says.
    const groups = [{ name: "a", values: a }, [{ name: "b", values: b }]] as const;
    const [apart] = compareGroups(...groups, { goal: "max", paired: false });
    assertEquals(["better", "worse"].includes(apart.verdict), p < 0.05);
    // Five pairs cannot show a difference at this level, and none is called.
    const [pairs] = compareGroups(...groups, { goal: "max", paired: true });
    assertEquals(pairs.verdict, "too few runs");
  }
  assert(0 < called && called <= 100, `${called} of 2000`);
});

Deno.test("runs that diverged are compared, and never make p smaller than counting does", () => {
  const base = { name: "base", values: [1, 2, 3, 4, 5, 6, -Infinity] };
  const compare = (values: number[]) =>
    compareGroups(base, [{ name: "other", values }], { goal: "max" })[0];
  const same = compare([...base.values]);
  assertEquals([same.p, same.verdict, same.difference], [1, "no difference shown", 0]);
  const lost = compare(Array(7).fill(-Infinity));
  // Six pairs to the worse, one that does not differ: 4 of 128 ways are so extreme.
  assertEquals([lost.p, lost.verdict], [4 / 128, "worse"]);
  assertEquals([lost.difference, lost.differenceInterval], [-Infinity, null]);
  const won = compare([2, 3, 4, 5, 6, 7, 8]);
  assertEquals([won.p, won.verdict, won.difference], [2 / 128, "better", Infinity]);
  // One infinite difference outweighs what the finite ones say the other way.
  assertEquals(signFlipTest([Infinity, -1, -2]).p, 1);
  assertEquals(signFlipTest([Infinity, 1, 2]).p, 0.25);
  assertThrows(() => signFlipTest([NaN]), RangeError, "NaN");
  assertEquals(quantile([-Infinity, 1], 0.1), -Infinity);
  assertEquals(quantile([1, Infinity], 0.9), Infinity);
});

Deno.test("more pairs than can be counted are drawn, with the same p in every call", () => {
  const values = Array.from({ length: 30 }, (_, i) => Math.sin(7 * i));
  const group = (by: number) => ({ name: `${by}`, values: values.map((x, i) => by * (i % 3) + x) });
  const [still, better] = compareGroups(group(0), [group(0), group(1)], { goal: "max" });
  assertEquals([still.p, still.verdict], [1, "no difference shown"]);
  assertEquals([better.p, better.verdict], [1 / 100_001, "better"]);
  // The same as by counting, where both can be had: 22 of 23 pairs differ.
  const few = values.slice(0, 22);
  const [drawn] = compareGroups({ name: "0", values: Array(23).fill(0) }, [
    { name: "few", values: [...few, 0] },
  ], { goal: "max" });
  assertClose([drawn.p], [signFlipTest(few).p], 0.01, 0, "p");
});

Deno.test("times to a target count what never came", () => {
  const { reached, runs, median, steps } = timeToTarget([3, Infinity, 1, Infinity]);
  assertEquals([reached, runs, median], [2, 4, Infinity]);
  assertEquals(steps, [{ time: 1, share: 0.25 }, { time: 3, share: 0.5 }]);
  assertEquals(olympic([1, 2, 3, Infinity]), 2.5);
  assertEquals(olympic([1, 2, Infinity, Infinity]), null);
  const profile = performanceProfile(new Map([["a", [1, 4]], ["b", [2, 2]]]), [1, 2]);
  assertEquals([...profile], [["a", [0.5, 1]], ["b", [0.5, 1]]]);
});
