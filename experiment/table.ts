/**
 * Tables of results: aligned text, Markdown, comma-separated values.
 */
import type { MetricOptions } from "./experiment.ts";
import type { Group, Results } from "./results.ts";
import type { Value } from "./space.ts";
import { median } from "./statistics/summary.ts";

/** How a table is written. */
export type TableFormat = "text" | "markdown" | "csv";

/** A field in quotes where it needs them. */
function field(value: Value | undefined): string {
  const text = String(value ?? "");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Comma-separated values. */
export function csvOf(
  head: readonly string[],
  rows: readonly (readonly (Value | undefined)[])[],
): string {
  return [head, ...rows].map((row) => `${row.map(field).join(",")}\n`).join("");
}

/** A number as people read it: four significant digits at most. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(2);
  return size >= 100 ? value.toFixed(1) : value.toPrecision(3);
}

/** A metric's value with its unit. */
export function formatMetric(value: number, { unit = "" }: MetricOptions): string {
  if (unit === "%" && Number.isFinite(value)) return `${(value * 100).toFixed(1)} %`;
  return unit === "" || unit === "%" ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

/** Rows as text in columns: texts to the left, everything that has a digit to the right. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => [...row[i]].length)));
  const right = rows[0].map((_, i) => rows.slice(1).every((row) => !/^[a-zA-Z/.~]/.test(row[i])));
  return rows.map((row) =>
    row.map((text, i) => {
      const space = " ".repeat(widths[i] - [...text].length);
      return right[i] ? space + text : text + space;
    }).join("  ").trimEnd()
  ).join("\n");
}

/** Rows as a table in Markdown. */
export function markdown(rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) =>
    `| ${row.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(rows[0]), line(rows[0].map(() => "---")), ...rows.slice(1).map(line)].join("\n");
}

/** `7`, or how many of all came to their end and what became of the others. */
export function countOf({ runs }: Group): string {
  const of = (state: string) => runs.filter((run) => run.state === state).length;
  const done = of("completed");
  const rest = [
    [of("diverged"), "diverged"],
    [of("failed"), "failed"],
    [of("stopped"), "stopped"],
    [of("missing"), "to run"],
  ].filter(([count]) => count !== 0).map(([count, what]) => `${count} ${what}`);
  const mark = of("diverged") > 0 || of("failed") > 0 ? "✗ " : "";
  return rest.length === 0 ? String(done) : `${mark}${done} of ${runs.length}, ${rest.join(", ")}`;
}

function summary(values: readonly number[], metric: MetricOptions): string {
  if (values.length === 0) return "–";
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const middle = formatMetric(median(values), metric);
  if (low === high) return middle;
  const plain = (value: number) => formatMetric(value, metric).replace(/ .*$/, "");
  return `${middle} [${plain(low)}, ${plain(high)}]`;
}

/** A row for each config. */
export function resultTable(results: Results, format: TableFormat): string {
  const { axes, metrics } = results.info;
  const names = Object.keys(metrics);
  const rows = results.groups().map((group) => [
    ...axes.map((name) => String(group.axes[name] ?? "")),
    countOf(group),
    ...names.map((name) => summary(results.valuesOf(group, name), metrics[name])),
  ]);
  const table = [[...axes, "n", ...names], ...rows];
  if (format === "csv") return csvOf(table[0], table.slice(1)).trimEnd();
  return format === "markdown" ? markdown(table) : aligned(table);
}
