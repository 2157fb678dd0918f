/**
 * The table of configs and metrics, each interval drawn in its cell.
 */
import { type Html, markup } from "../html.ts";
import { draw, Plot } from "../plot.ts";
import { labelOf, varyingAxes, withUnit } from "./configs.ts";
import type { MetricInfo, ResultsView, Summary } from "./view.ts";

const CELL = { width: 150, height: 18 };

/** A row for each config, a column for each metric; all intervals of a column share a scale. */
export function resultTable({ configs, metrics, runs }: ResultsView): Html {
  const axes = varyingAxes(configs.map(({ config }) => config));
  const domains = metrics.map(({ name }) => {
    const ends = configs.flatMap(({ summaries }) => {
      const summary = summaries[name];
      return summary === undefined ? [] : [summary.low, summary.median, summary.high];
    }).filter(Number.isFinite);
    return ends.length === 0 ? [0, 1] as const : [Math.min(...ends), Math.max(...ends)] as const;
  });
  return markup`
    <div class="scroll tall" tabindex="0" role="region" aria-label="Results by config">
      <table class="results" id="results">
        <caption>Median over seeds, and its interval of confidence [low, high]; intervals of a column share one scale</caption>
        <thead>
          <tr>${axes.map((axis) => markup`<th scope="col">${axis}</th>`)}<th scope="col">runs</th>${
    metrics.map(({ name, goal }) =>
      markup`<th scope="col">${name}<small>${
        goal === "none" ? "" : goal === "max" ? "more is better" : "less is better"
      }</small></th>`
    )
  }</tr>
        </thead>
        <tbody>${
    configs.map(({ config, summaries }, row) =>
      markup`
            <tr>${
        axes.map((axis, i) =>
          i === 0
            ? markup`<th scope="row">${String(config[axis] ?? "–")}</th>`
            : markup`<td>${String(config[axis] ?? "–")}</td>`
        )
      }<td>${
        countOf(
          runs.filter((run) => labelOf(run.config, axes) === labelOf(config, axes)),
        )
      }</td>${
        metrics.map((metric, column) =>
          cell(summaries[metric.name], metric, domains[column], `${row}-${column}`)
        )
      }</tr>
          `
    )
  }</tbody>
      </table>
    </div>
  `;
}

function countOf(runs: readonly { readonly state: string }[]): string {
  const ended = runs.filter(({ state }) => state === "completed").length;
  const others = [...new Set(runs.map(({ state }) => state))].filter((state) =>
    state !== "completed"
  ).map((state) => `${runs.filter((run) => run.state === state).length} ${state}`);
  return [String(ended), ...others].join(", ");
}

function cell(
  summary: Summary | undefined,
  metric: MetricInfo,
  [low, high]: readonly [number, number],
  id: string,
): Html {
  if (summary === undefined || summary.n === 0) return markup`<td>–</td>`;
  const interval = summary.n < 2
    ? markup`<small>one run</small>`
    : markup`<small>[${withUnit(summary.low, metric)}, ${withUnit(summary.high, metric)}]</small>`;
  const span = high - low || 1;
  const drawing = summary.n < 2 || !Number.isFinite(summary.median) ? null : draw({
    ...CELL,
    margin: 5,
    x: { domain: [low - span * 0.02, high + span * 0.02], axis: null },
    marks: [
      Plot.ruleY([0], { x1: low, x2: high, stroke: "var(--line)" }),
      Plot.ruleY([0], {
        x1: summary.low,
        x2: summary.high,
        stroke: "var(--ink)",
        strokeWidth: 3,
      }),
      Plot.dot([summary.median], { x: (x: number) => x, y: 0, r: 4, fill: "var(--learned)" }),
    ],
    y: { domain: [-1, 1], axis: null },
  }, {
    title: `${metric.name}: median ${withUnit(summary.median, metric)}, interval ${
      withUnit(summary.low, metric)
    } to ${withUnit(summary.high, metric)}`,
    id: `cell-${id}`,
    className: "fixed",
  });
  return markup`
    <td data-metric="${metric.name}" data-median="${summary.median}" data-low="${summary.low}"
      data-high="${summary.high}"><b>${
    withUnit(
      summary.median,
      metric,
    )
  }</b> ${interval}${drawing}</td>
  `;
}
