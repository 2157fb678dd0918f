/**
 * The report of an experiment.
 */
import { figure, tableOf } from "../figure.ts";
import { present } from "../findings.ts";
import { type Html, markup } from "../html.ts";
import { pageOf } from "../page.ts";
import { batchNormFigure } from "./batch_norm.ts";
import { axisFigures, differenceFigures } from "./comparisons.ts";
import { varyingAxes, withUnit } from "./configs.ts";
import { curveFigures, targetFigures } from "./curves.ts";
import { resultTable } from "./table.ts";
import type { ResultsView } from "./view.ts";

/** The page of an experiment. */
export function experimentReport(results: ResultsView, title: string): string {
  const figures = present([
    ...curveFigures(results),
    ...targetFigures(results),
    ...differenceFigures(results),
    ...axisFigures(results),
    batchNormFigure(results),
  ]);
  const ended = results.runs.filter(({ state }) => state === "completed").length;
  return pageOf({
    title,
    about: `${results.configs.length} configs, ${ended} of ${results.runs.length} runs completed` +
      (results.source === "" ? "" : ` · ${results.source}`),
    main: markup`<p class="sentence" id="verdict">${results.verdict}</p>
<p><b>Claim.</b> ${results.claim}</p>
${expectations(results)}
${resultTable(results)}
${
      results.notes.length === 0
        ? null
        : markup`<ul>${results.notes.map((note) => markup`<li>${note}</li>`)}</ul>`
    }
<h2>What the runs show</h2>
<div class="grid">${figures.map(figure)}</div>
${runTable(results)}`,
    data: {
      record: results,
      tables: Object.fromEntries(figures.map(({ id, table }) => [id, table])),
    },
  });
}

function expectations({ expectations }: ResultsView): Html | null {
  if (expectations.length === 0) return null;
  return markup`<ul class="plain" aria-label="Expectations">${
    expectations.map(({ text, holds, detail }) =>
      markup`
        <li><b class="${holds ? "good" : "bad"}">${
        holds ? "✓ holds" : "✗ does not hold"
      }</b>: ${text} <span class="detail">${detail}</span></li>
      `
    )
  }</ul>`;
}

/** The runs, by what differs only, each with the command that repeats it. */
function runTable({ runs, metrics, configs }: ResultsView): Html {
  const axes = varyingAxes(configs.map(({ config }) => config));
  const isFailure = runs.some(({ error }) => error !== null);
  const columns = [
    ...axes,
    "seed",
    "state",
    ...metrics.map(({ name }) => name),
    "seconds",
    ...(isFailure ? ["error"] : []),
    "again",
  ];
  const rows = runs.map(({ config, seed, state, summary, seconds, command, error }) => [
    ...axes.map((axis) => String(config[axis] ?? "–")),
    seed,
    state === "completed" ? state : markup`<span class="bad">× ${state}</span>`,
    ...metrics.map((metric) =>
      summary[metric.name] === undefined ? null : withUnit(summary[metric.name], metric)
    ),
    seconds === null ? null : Number(seconds.toFixed(2)),
    ...(isFailure ? [error] : []),
    markup`<code>${command}</code> <button type="button" data-copy hidden>Copy</button>`,
  ]);
  return markup`
    <section aria-labelledby="runs-heading">
      <h2 id="runs-heading">Runs</h2>
      <p>Columns are what differs between the configs. The last one runs a row again.</p>
      <div class="scroll tall" tabindex="0" role="region" aria-label="Runs" id="runs">${
    tableOf({ columns, rows })
  }</div>
    </section>
  `;
}
