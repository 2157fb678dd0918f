/**
 * The report of one training run.
 */
import { figure, type Table } from "./figure.ts";
import {
  findingSection,
  ledgerSection,
  modeSection,
  present,
  tapeSection,
  writeSection,
} from "./findings.ts";
import { firstScreen } from "./first_screen.ts";
import { markup } from "./html.ts";
import { gammaFigure, gradientFigures, scaleFigure } from "./layers.ts";
import { gapFigure, metricFigures } from "./learning.ts";
import { pageOf } from "./page.ts";
import { driftFigures, forgettingFigure } from "./statistics.ts";
import type { RunView } from "./view.ts";

/** The page of a run. */
export function runReport(run: RunView, title: string, record: unknown): string {
  const figures = present([
    ...metricFigures(run),
    gapFigure(run),
    forgettingFigure(run),
    ...driftFigures(run),
    gammaFigure(run),
    scaleFigure(run),
    ...gradientFigures(run),
  ]);
  const { counts } = run.axis;
  const about = `${run.layers.length} batch norm ${
    run.layers.length === 1 ? "layer" : "layers"
  }, ${counts.steps} optimizer steps, ${counts.forwards} forward passes`;
  const tables: Record<string, Table> = Object.fromEntries(
    figures.map(({ id, table }) => [id, table]),
  );
  return pageOf({
    title,
    about,
    main: markup`${firstScreen(run)}
${ledgerSection(run)}
<h2>More about this run</h2>
<div class="grid">${figures.map(figure)}</div>
${modeSection(run)}${writeSection(run)}
${findingSection(run)}
${tapeSection(run)}`,
    data: { record, tables },
  });
}
