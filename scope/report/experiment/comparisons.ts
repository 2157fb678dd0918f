/**
 * Configs against each other: paired differences by seed, and each axis by itself.
 */
import type { Figure } from "../figure.ts";
import { short } from "../lanes.ts";
import { SIZE } from "../learning.ts";
import { draw, Plot } from "../plot.ts";
import { facets, labelOf, quantile, varyingAxes, withUnit } from "./configs.ts";
import type { Comparison, MetricInfo, ResultsView } from "./view.ts";

/** A drawing for each comparison whose seeds are paired. */
export function differenceFigures(results: ResultsView): Figure[] {
  const axes = varyingAxes(results.configs.map(({ config }) => config));
  return results.metrics.flatMap((metric, number): Figure[] => {
    const found = results.comparisons.filter((one) => one.metric === metric.name);
    if (found.length === 0) return [];
    const name = ({ config, baseline }: Comparison) =>
      `${labelOf(config, axes)} − ${labelOf(baseline, axes)}`;
    const paired = found.filter(({ differences }) => differences.length > 0);
    const scale = metric.unit === "%" ? 100 : 1;
    const ends = paired.flatMap(({ differences, low, high }) => [
      low,
      high,
      ...differences.map(({ value }) => value),
    ]).filter(Number.isFinite).map((value) => value * scale);
    const domain = [Math.min(0, ...ends), Math.max(0, ...ends)];
    return [{
      id: `difference-${number}`,
      heading: `${metric.name}: differences by seed`,
      takeaway: found.slice(0, 4).map((one) => `${name(one)}: ${one.verdict}`).join("; ") +
        (found.length > 4 ? "; …" : ".") +
        " A dot is a seed, the bar the interval of their mean; 0 is no difference.",
      isWide: true,
      drawing: facets(paired.map((one, i) => ({
        label: `${name(one)}: ${one.verdict}`,
        drawing: draw({
          width: SIZE.width,
          height: 84,
          marginLeft: 16,
          marginRight: 16,
          marginBottom: 40,
          x: {
            domain,
            label: metric.unit === "%" ? "points" : metric.name,
            labelOffset: 36,
            ticks: 5,
          },
          y: { domain: [-1, 1], axis: null },
          marks: [
            Plot.ruleX([0], { stroke: "var(--ink)" }),
            Plot.link(Number.isFinite(one.low) ? [0] : [], {
              x1: one.low * scale,
              x2: one.high * scale,
              y1: -0.6,
              y2: -0.6,
              stroke: "var(--learned)",
              strokeWidth: 4,
            }),
            Plot.dot([one.mean * scale].filter(Number.isFinite), {
              x: (x: number) => x,
              y: -0.6,
              symbol: "diamond",
              r: 5,
              fill: "var(--learned)",
            }),
            Plot.dot(one.differences.filter(({ value }) => Number.isFinite(value)), {
              x: ({ value }) => value * scale,
              y: 0.4,
              r: 4,
              stroke: "var(--ink)",
            }),
          ],
        }, { title: `Differences by seed: ${name(one)}`, id: `difference-${number}-${i}` }),
      }))),
      table: {
        columns: [
          "comparison",
          "verdict",
          "seeds",
          "mean",
          "low",
          "high",
          "P(better)",
          "p",
          "smallest p",
        ],
        rows: found.map((one) => [
          name(one),
          one.verdict,
          one.differences.length,
          one.mean,
          one.low,
          one.high,
          one.probability,
          one.p,
          one.smallestP,
        ]),
      },
    }];
  });
}

/** Whether the best of an axis' values is the first or last that was tried; `null` if that says nothing. */
export function boundaryOf(
  values: readonly { readonly value: number | string; readonly median: number }[],
  goal: MetricInfo["goal"],
): number | string | null {
  const known = values.filter(({ median }) => Number.isFinite(median));
  if (goal === "none" || known.length < 2) return null;
  if (values.some(({ value }) => typeof value !== "number")) return null;
  const sorted = known.toSorted((a, b) => Number(a.value) - Number(b.value));
  const best = sorted.reduce((a, b) =>
    (goal === "max" ? b.median > a.median : b.median < a.median) ? b : a
  );
  return best === sorted[0] || best === sorted.at(-1) ? best.value : null;
}

/** The main metric along each axis. */
export function axisFigures(results: ResultsView): Figure[] {
  const axes = varyingAxes(results.configs.map(({ config }) => config));
  const metric = results.metrics.find(({ goal }) => goal !== "none") ?? results.metrics[0];
  if (metric === undefined) return [];
  return axes.flatMap((axis, number): Figure[] => {
    const values = [...new Set(results.configs.map(({ config }) => config[axis] ?? null))];
    if (values.length < 2) return [];
    const isNumeric = values.every((value) => typeof value === "number");
    if (isNumeric) values.sort((a, b) => Number(a) - Number(b));
    const rows = results.runs.map(({ config, seed, state, summary }) => ({
      value: String(config[axis] ?? "–"),
      raw: config[axis] ?? "–",
      seed,
      state,
      metric: state === "completed" || state === "stopped" ? summary[metric.name] : NaN,
    }));
    const scored = rows.filter((row) => Number.isFinite(row.metric));
    const lost = rows.filter(({ state }) => state === "failed" || state === "diverged");
    const medians = values.map((value) => ({
      value: typeof value === "number" ? value : String(value ?? "–"),
      median: quantile(
        scored.filter((row) => row.value === String(value ?? "–")).map((row) => row.metric),
        0.5,
      ),
    }));
    const boundary = boundaryOf(medians, metric.goal);
    const known = medians.filter(({ median }) => Number.isFinite(median));
    if (known.length === 0) return [];
    const floor = Math.min(...scored.map((row) => row.metric));
    return [{
      id: `axis-${number}`,
      heading: `${metric.name} along ${axis}`,
      takeaway: known.map(({ value, median }) =>
        `${value}: ${withUnit(median, metric)}`
      ).join("; ") +
        "." + (boundary === null
          ? ""
          : ` The best value lies on the boundary (${axis} ${
            typeof boundary === "number" ? short(boundary) : boundary
          }): try beyond it.`) +
        (lost.length === 0 ? "" : ` Red ×: ${lost.length} diverged or failed.`),
      drawing: draw({
        ...SIZE,
        marginLeft: 44,
        marginBottom: 42,
        x: {
          type: "point",
          domain: values.map((value) => String(value ?? "–")),
          label: axis,
          labelOffset: 38,
          padding: 0.4,
        },
        y: { percent: metric.unit === "%", grid: true, ticks: 5, label: null, nice: true },
        marks: [
          Plot.dot(scored, { x: "value", y: "metric", r: 3, stroke: "var(--soft)" }),
          Plot.line(known, {
            x: ({ value }) => String(value),
            y: "median",
            stroke: "var(--learned)",
            strokeWidth: isNumeric ? 2 : 0,
          }),
          Plot.dot(known, {
            x: ({ value }) => String(value),
            y: "median",
            symbol: "diamond",
            r: 5,
            fill: "var(--learned)",
          }),
          Plot.dot(lost, {
            x: "value",
            y: () => floor,
            symbol: "times",
            r: 6,
            stroke: "var(--bad)",
            strokeWidth: 2.5,
          }),
        ],
      }, { title: `${metric.name} along ${axis}`, id: `axis-${number}-drawing` }),
      table: {
        columns: [axis, "seed", "state", metric.name],
        rows: rows.map(({ value, seed, state, metric }) => [
          value,
          seed,
          state,
          Number.isFinite(metric) ? metric : null,
        ]),
      },
    }];
  });
}
