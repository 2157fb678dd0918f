/**
 * Metrics on the way, and how soon a target is reached.
 */
import type { Figure } from "../figure.ts";
import { short } from "../lanes.ts";
import { draw, Plot } from "../plot.ts";
import { facets, labelOf, quantile, runsOf, varyingAxes, withUnit } from "./configs.ts";
import type { Curve, MetricInfo, ResultsView, RunResult } from "./view.ts";

const SMALL = { width: 230, height: 150, marginLeft: 44, marginRight: 12, marginBottom: 34 };

interface Band {
  readonly at: number;
  readonly low: number;
  readonly median: number;
  readonly high: number;
  readonly n: number;
}

/**
 * Median and quartiles over the runs, step by step, as long as all of them are there: what the survivors
 * would go on to show is not what the config does.
 */
export function bandOf(curves: readonly Curve[]): Band[] {
  const byStep = new Map<number, number[]>();
  for (const { step, value } of curves) {
    step.forEach((at, i) => byStep.set(at, [...byStep.get(at) ?? [], value[i]]));
  }
  const steps = [...byStep].sort(([a], [b]) => a - b);
  const end = steps.findIndex(([, values]) => values.length < curves.length);
  return steps.slice(0, end < 0 ? steps.length : end).map(([at, values]) => ({
    at,
    low: quantile(values, 0.25),
    median: quantile(values, 0.5),
    high: quantile(values, 0.75),
    n: values.length,
  }));
}

/** A small curve for each config, all on one scale. */
export function curveFigures(results: ResultsView): Figure[] {
  const axes = varyingAxes(results.configs.map(({ config }) => config));
  return results.metrics.flatMap((metric, number): Figure[] => {
    const bands = results.configs.map((one) => ({
      label: labelOf(one.config, axes),
      band: bandOf(
        runsOf(results, one).flatMap(({ curves }) => curves[metric.name] ?? []),
      ),
      isWhole: runsOf(results, one).every(({ state }) => state === "completed"),
    })).filter(({ band }) => band.length > 1);
    if (bands.length === 0) return [];
    const all = bands.flatMap(({ band }) => band).filter(({ median }) => Number.isFinite(median));
    const isShare = metric.unit === "%";
    const domain = [
      Math.min(...all.map(({ low }) => low)),
      Math.max(...all.map(({ high }) => high)),
    ].map((value) => isShare ? 100 * value : value);
    const best = bands.toSorted((a, b) =>
      (metric.goal === "min" ? 1 : -1) * (a.band.at(-1)!.median - b.band.at(-1)!.median)
    )[0];
    return [{
      id: `curve-${number}`,
      heading: `${metric.name} on the way`,
      takeaway: `Line: median over seeds; band: the middle half of them. All on one scale` +
        (metric.goal === "none"
          ? "."
          : `; at the end the best is ${best.label}, ${
            withUnit(best.band.at(-1)!.median, metric)
          }.`),
      isWide: true,
      drawing: facets(bands.map(({ label, band, isWhole }, i) => ({
        label: isWhole ? label : `${label} (ends with its first lost run)`,
        drawing: draw({
          ...SMALL,
          x: {
            label: "step",
            ticks: 4,
            domain: [
              all[0].at,
              Math.max(...all.map(({ at }) =>
                at
              )),
            ],
          },
          y: { domain, percent: isShare, grid: true, ticks: 4, label: null },
          marks: [
            Plot.areaY(band, {
              x: "at",
              y1: "low",
              y2: "high",
              fill: "var(--learned)",
              fillOpacity: 0.22,
            }),
            Plot.line(band, { x: "at", y: "median", stroke: "var(--learned)", strokeWidth: 2 }),
            Plot.dot(isWhole ? [] : band.slice(-1), {
              x: "at",
              y: "median",
              symbol: "times",
              r: 6,
              stroke: "var(--bad)",
              strokeWidth: 2.5,
            }),
            ...target(metric),
          ],
        }, { title: `${metric.name} of ${label}`, id: `curve-${number}-${i}` }),
      }))),
      table: {
        columns: ["config", "step", "runs", "lower quartile", "median", "upper quartile"],
        rows: bands.flatMap(({ label, band }) =>
          band.map(({ at, n, low, median, high }) => [label, at, n, low, median, high])
        ),
      },
    }];
  });
}

function target({ target }: MetricInfo): Plot.Markish[] {
  if (target === null) return [];
  return [Plot.ruleY([target], { stroke: "var(--ink)", strokeDasharray: "3 3" })];
}

/** When a run reached the target; `Infinity` if it never did. */
export function reachedAt(
  run: RunResult,
  { name, goal, target }: MetricInfo,
  by: "step" | "seconds",
): number {
  const curve = run.curves[name];
  if (curve === undefined || target === null) return Infinity;
  const i = curve.value.findIndex((value) => goal === "min" ? value <= target : value >= target);
  return i < 0 ? Infinity : curve[by]?.[i] ?? Infinity;
}

/** For each config the share of runs that have reached the target by a step. */
export function targetFigures(results: ResultsView): Figure[] {
  const axes = varyingAxes(results.configs.map(({ config }) => config));
  return results.metrics.flatMap((metric, number): Figure[] => {
    if (metric.target === null) return [];
    const rows = results.configs.map((one) => {
      const times = runsOf(results, one).filter(({ state }) => state !== "missing")
        .map((run) => reachedAt(run, metric, "step"));
      return { label: labelOf(one.config, axes), times };
    }).filter(({ times }) => times.length > 0);
    const finite = rows.flatMap(({ times }) => times).filter(Number.isFinite);
    const steps = results.runs.flatMap(({ curves }) => curves[metric.name]?.step ?? []);
    if (steps.length === 0) return [];
    const end = Math.max(...steps);
    const told = (times: readonly number[]) => {
      const reached = times.filter(Number.isFinite).length;
      const median = quantile(times, 0.5);
      return `reached ${reached} of ${times.length}` +
        (Number.isFinite(median) ? `, median ${short(median)}` : "");
    };
    return [{
      id: `target-${number}`,
      heading: `Steps to ${metric.name} ${withUnit(metric.target, metric)}`,
      takeaway: finite.length === 0
        ? "No run reached the target."
        : `The share of runs that have reached the target by a step. × marks runs that never did; ` +
          `they count as infinite in medians.`,
      isWide: true,
      drawing: facets(rows.map(({ label, times }, i) => {
        const sorted = times.filter(Number.isFinite).sort((a, b) => a - b);
        const share = sorted.length / times.length;
        const points = [
          { at: 0, share: 0 },
          ...sorted.map((at, i) => ({ at, share: (i + 1) / times.length })),
          { at: end, share },
        ];
        return {
          label: `${label}: ${told(times)}`,
          drawing: draw({
            ...SMALL,
            marginRight: 20,
            x: { label: "step", domain: [0, end], ticks: 4 },
            y: { domain: [0, 100], percent: true, grid: true, ticks: 3, label: null },
            marks: [
              Plot.line(points, {
                x: "at",
                y: "share",
                curve: "step-after",
                stroke: "var(--learned)",
                strokeWidth: 2,
              }),
              Plot.dot(sorted.length < times.length ? [{ at: end, share }] : [], {
                x: "at",
                y: "share",
                symbol: "times",
                r: 6,
                stroke: "var(--bad)",
                strokeWidth: 2.5,
              }),
            ],
          }, { title: `Share of runs at the target: ${label}`, id: `target-${number}-${i}` }),
        };
      })),
      table: {
        columns: ["config", "runs", "reached", "median steps"],
        rows: rows.map(({ label, times }) => [
          label,
          times.length,
          times.filter(Number.isFinite).length,
          Number.isFinite(quantile(times, 0.5)) ? quantile(times, 0.5) : "not reached",
        ]),
      },
    }];
  });
}
