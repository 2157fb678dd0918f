/**
 * Comparing configs, of one experiment or of two folders of runs.
 */
import { describeConfig } from "../expectations.ts";
import { canonical, nameOf } from "../identity.ts";
import { loadResults } from "../record/load.ts";
import { type Group, matches, type Results, valueOf } from "../results.ts";
import {
  type ComparedGroup,
  compareEach,
  compareGroups,
  type Comparison,
} from "../statistics/compare.ts";
import { median } from "../statistics/summary.ts";
import { aligned } from "../table.ts";
import { type Options, UsageError } from "./options.ts";

/** The metric that is asked for, or the first that has a goal. */
function metricOf({ info: { metrics } }: Results, asked: string | null): string {
  const name = asked ?? Object.keys(metrics).find((key) => metrics[key].goal !== "none");
  if (name !== undefined && metrics[name] !== undefined && metrics[name].goal !== "none") {
    return name;
  }
  const known = Object.keys(metrics).filter((key) => metrics[key].goal !== "none");
  throw new UsageError(
    `Cannot compare: got metric ${name ?? "none"}, expected one with a goal: ${
      known.join(", ") || "there is none"
    }`,
  );
}

/** Comparisons as a table, a row each, with a verdict in words. */
function tableOf(comparisons: readonly Comparison[]): string {
  const digits = (value: number): string => String(Number(value.toPrecision(4)));
  const rows = comparisons.map((row) => [
    row.name,
    String(row.n),
    digits(row.median),
    digits(row.difference),
    row.differenceInterval === null
      ? "–"
      : `${digits(row.differenceInterval.low)} … ${digits(row.differenceInterval.high)}`,
    digits(row.improvement),
    `${digits(row.correctedP)} (of ${digits(row.smallestP)} at least)`,
    row.verdict,
  ]);
  const head = ["config", "n", "median", "difference", "95 %", "P(better)", "p", "verdict"];
  return aligned([head, ...rows]);
}

/** The configs against the baseline that is asked for. */
export function comparisonTable(results: Results, { baseline, metric }: Options): string {
  const name = metricOf(results, metric);
  const rows = results.compare({ metric: name, baseline: baseline! });
  return `${name} against ${describeConfig(baseline!)}\n\n${tableOf(rows)}`;
}

/** Seconds of training against the first config, seed by seed, of runs that nothing ran beside. */
export function timesTable(results: Results): string {
  const [first, ...others] = results.groups().map((group): ComparedGroup => ({
    name: nameOf(group.axes),
    values: group.runs.map(({ state, alone, seconds }) =>
      state === "completed" && alone && seconds !== null ? seconds.train : NaN
    ),
  }));
  const known = first.values.filter((value) => !Number.isNaN(value));
  const base = known.length === 0 ? "no time" : `median ${Number(median(known).toPrecision(4))} s`;
  const rows = compareGroups(first, others, { goal: "min" });
  const head = `seconds of training against ${first.name} (${base})`;
  return rows.length === 0 ? head : `${head}\n\n${tableOf(rows)}`;
}

/** Compares the runs of two folders or more, prints a table, and returns the exit code. */
export async function compareFolders({ words, baseline, metric }: Options): Promise<number> {
  const folders = words.slice(1).map((folder) => folder.replace(/\/+$/, ""));
  if (folders.length < 2) {
    throw new UsageError(
      `Cannot compare: got ${folders.length} folders, expected two, such as runs/a runs/b`,
    );
  }
  const all = await Promise.all(folders.map(loadResults));
  const name = metricOf(all[0], metric);
  const { goal } = all[0].info.metrics[name];
  const other = all.findIndex(({ info }) => info.metrics[name]?.goal !== goal);
  if (goal === "none" || other >= 0) {
    throw new UsageError(
      `Cannot compare: got no ${name} with the goal ${goal} in ${
        folders[other]
      }, expected it in all`,
    );
  }
  // Pairs are runs of the same seed.
  const seeds = [...new Set(all.flatMap(({ info }) => info.seeds))];
  const named = (group: Group, title: string): ComparedGroup => ({
    name: title,
    values: seeds.map((seed) => {
      const run = group.runs.find((one) => one.seed === seed);
      return run === undefined ? NaN : valueOf(run, name, goal);
    }),
  });
  const label = (group: Group, i: number): string => `${folders[i]}: ${nameOf(group.axes)}`;
  if (baseline !== null) {
    const base = all[0].groups().find(({ config }) => matches(config, baseline));
    if (base === undefined) {
      throw new UsageError(
        `Cannot compare: got a baseline ${
          JSON.stringify(baseline)
        }, expected part of a config of ` +
          folders[0],
      );
    }
    const others = all.flatMap((results, i) =>
      results.groups().filter((group) => i > 0 || group.config !== base.config)
        .map((group) => named(group, label(group, i)))
    );
    const rows = compareGroups(named(base, ""), others, { goal });
    console.log(`${name} against ${label(base, 0)}\n\n${tableOf(rows)}`);
    return 0;
  }
  const first = new Map(all[0].groups().map((group) => [canonical(group.config), group]));
  const couples = all.slice(1).flatMap((results, i) =>
    results.groups().flatMap((group) => {
      const same = first.get(canonical(group.config));
      if (same === undefined) return [];
      return [{ baseline: named(same, ""), group: named(group, label(group, i + 1)) }];
    })
  );
  if (couples.length === 0) {
    throw new UsageError(
      `Cannot compare: got no config that is in ${folders.join(" and ")}, expected one in both; ` +
        `--baseline KEY=A compares all with one`,
    );
  }
  console.log(
    `${name} against the same config in ${folders[0]}\n\n${
      tableOf(compareEach(couples, { goal }))
    }`,
  );
  return 0;
}
