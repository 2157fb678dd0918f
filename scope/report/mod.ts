/**
 * Reports: one self-contained page for a training run or for an experiment. The page can load nothing, is
 * complete without JavaScript, and holds its data.
 *
 * This room draws with two npm packages, which nothing else in the package needs: import it where a report
 * is written.
 *
 * @example
 * ```ts
 * import { nn } from "@tapegrad/tapegrad";
 * import { record } from "@tapegrad/tapegrad/scope";
 * import { toReport } from "@tapegrad/tapegrad/scope/report";
 * import { assert } from "@std/assert";
 *
 * const recorder = record(new nn.BatchNorm1d(3), null);
 * assert(toReport(recorder.toJSON(), { title: "Nothing yet" }).includes("Nothing yet"));
 * ```
 *
 * @module
 */
import { assertOptions, describe } from "../../autograd/internal.ts";
import { experimentReport } from "./experiment/report.ts";
import { type PlainResults, resultsView } from "./experiment/from_results.ts";
import type { ResultsView } from "./experiment/view.ts";
import { firstFigure } from "./first_figure.ts";
import { framed } from "./page.ts";
import { runReport } from "./run_report.ts";
import { type Extras, viewOf } from "./record_view.ts";
import { sentenceOf } from "../ledger.ts";
import type { NotebookOutput } from "../notebook.ts";
import type { RunRecord } from "../run_record.ts";

export { gradientPartsOf } from "../gradient_parts.ts";
export type { Extras, Recalibration } from "./record_view.ts";
export type { GradientParts, TapeNode } from "./view.ts";
export type * from "./experiment/view.ts";
export type { Numeric, PlainResults, PlainRun } from "./experiment/from_results.ts";

/** How a report is written. */
export interface ReportOptions {
  /** The page's title. */
  readonly title: string;
  /** What a run's report can show beside its record. */
  readonly extras?: Extras;
}

/**
 * The report of a run or of an experiment, as the text of one HTML file.
 *
 * @param subject What was recorded: a run's record, or an experiment's results.
 * @param options The title.
 * @throws {TypeError} if the subject is neither, or the title is not a string.
 *
 * @example
 * ```ts
 * import { nn, optim, randn } from "@tapegrad/tapegrad";
 * import { record } from "@tapegrad/tapegrad/scope";
 * import { toReport } from "@tapegrad/tapegrad/scope/report";
 * import { assert } from "@std/assert";
 *
 * const bn = new nn.BatchNorm1d(3);
 * const sgd = new optim.SGD(bn.parameters(), { lr: 0.1 });
 * const recorder = record(bn, sgd);
 * bn.forward(randn([8, 3])).square().sum().backward();
 * sgd.step();
 * const page = toReport(recorder.stop().toJSON(), { title: "One step" });
 * assert(page.startsWith("<!DOCTYPE html>"));
 * // await Deno.writeTextFile("step.html", page);
 * ```
 */
export function toReport(
  subject: RunRecord | ResultsView | PlainResults,
  options: ReportOptions,
): string {
  const title = titleOf("write a report", options);
  if (isPlain(subject)) return experimentReport(resultsView(subject), title);
  if (isResults(subject)) return experimentReport(subject, title);
  if (isRun(subject)) return runReport(viewOf(subject, options.extras), title, subject);
  throw new TypeError(
    `Cannot write a report: got ${describe(subject)}, expected a recorded run or results`,
  );
}

/**
 * The first screen of a run's report as an SVG file: the sentence, the matrix and the lanes.
 *
 * @param run What was recorded.
 * @param options The title.
 * @throws {TypeError} if the run is none, or the title is not a string.
 *
 * @example
 * ```ts
 * import { nn, optim } from "@tapegrad/tapegrad";
 * import { record } from "@tapegrad/tapegrad/scope";
 * import { toFigure } from "@tapegrad/tapegrad/scope/report";
 * import { assert } from "@std/assert";
 *
 * const bn = new nn.BatchNorm1d(3);
 * const recorder = record(bn, new optim.SGD(bn.parameters(), { lr: 0.1 }));
 * assert(toFigure(recorder.toJSON(), { title: "Before it begins" }).startsWith("<svg "));
 * ```
 */
export function toFigure(run: RunRecord, options: ReportOptions): string {
  const title = titleOf("draw a figure", options);
  if (isRun(run)) return firstFigure(viewOf(run), title);
  throw new TypeError(`Cannot draw a figure: got ${describe(run)}, expected a recorded run`);
}

/** A figure that shows itself in a notebook. */
export interface NotebookFigure {
  /** The drawing. */
  readonly svg: string;
  /** What it shows, in one sentence. */
  readonly sentence: string;
}

/**
 * The first screen of a run as a notebook shows it: a cell that ends in this call is followed by the drawing.
 *
 * @param run What was recorded.
 * @param options The title.
 * @throws {TypeError} as {@linkcode toFigure}.
 *
 * @example
 * ```ts
 * import { nn, optim } from "@tapegrad/tapegrad";
 * import { record } from "@tapegrad/tapegrad/scope";
 * import { notebookFigure } from "@tapegrad/tapegrad/scope/report";
 * import { assert } from "@std/assert";
 *
 * const bn = new nn.BatchNorm1d(3);
 * const recorder = record(bn, new optim.SGD(bn.parameters(), { lr: 0.1 }));
 * const figure = notebookFigure(recorder.toJSON(), { title: "Before it begins" });
 * assert(figure.sentence.startsWith("In 0 steps"));
 * ```
 */
export function notebookFigure(run: RunRecord, options: ReportOptions): NotebookFigure {
  const svg = toFigure(run, options);
  const sentence = sentenceOf(run);
  const display = { [Symbol.for("Jupyter.display")]: () => output };
  const output: NotebookOutput = { "text/plain": sentence, "image/svg+xml": svg };
  return { svg, sentence, ...display };
}

/** A report that shows itself in a notebook. */
export interface NotebookReport {
  /** The page's text. */
  readonly html: string;
  /** Its title. */
  readonly title: string;
}

/**
 * A report as a notebook shows it: a cell that ends in this call is followed by the page, in a frame of its own.
 *
 * @param subject What was recorded: a run's record, or an experiment's results.
 * @param options The title.
 * @throws {TypeError} as {@linkcode toReport}.
 *
 * @example
 * ```ts
 * import { nn, optim } from "@tapegrad/tapegrad";
 * import { record } from "@tapegrad/tapegrad/scope";
 * import { notebookReport } from "@tapegrad/tapegrad/scope/report";
 * import { assert } from "@std/assert";
 *
 * const bn = new nn.BatchNorm1d(3);
 * const recorder = record(bn, new optim.SGD(bn.parameters(), { lr: 0.1 }));
 * const report = notebookReport(recorder.toJSON(), { title: "Before it begins" });
 * assert(report.html.startsWith("<!DOCTYPE html>"));
 * ```
 */
export function notebookReport(
  subject: RunRecord | ResultsView | PlainResults,
  options: ReportOptions,
): NotebookReport {
  const html = toReport(subject, options);
  const { title } = options;
  const output: NotebookOutput = { "text/plain": title, "text/html": framed(html, title).text };
  const display = { [Symbol.for("Jupyter.display")]: () => output };
  return { html, title, ...display };
}

function titleOf(action: string, options: ReportOptions): string {
  assertOptions(action, options, ["title", "extras"]);
  const { title } = options;
  if (typeof title === "string") return title;
  throw new TypeError(`Cannot ${action}: got title ${describe(title)}, expected a string`);
}

function isRun(subject: unknown): subject is RunRecord {
  return has(subject, ["layers", "marks", "events"]);
}

function isPlain(subject: unknown): subject is PlainResults {
  return has(subject, ["info", "runs"]);
}

function isResults(subject: unknown): subject is ResultsView {
  return has(subject, ["configs", "runs", "metrics"]);
}

function has(subject: unknown, names: readonly string[]): boolean {
  return typeof subject === "object" && subject !== null && names.every((name) => name in subject);
}
