/**
 * A record and an increment to it, put together: what the page does with each frame.
 */
import type { RunRecord, Series } from "../run_record.ts";
import type { RecordIncrement } from "./frames.ts";

/** Points with their events in ascending order, by column. */
type Columns = Readonly<Record<string, readonly unknown[] | undefined>>;

/** Appends points; those of events that both have are taken from the later. */
function append<T extends { readonly at: readonly number[] }>(whole: T, part: T): T {
  if (part.at.length === 0) return whole;
  const first = whole.at.findIndex((at) => at >= part.at[0]);
  const kept = first < 0 ? whole.at.length : first;
  const columns = part as unknown as Columns;
  const joined: Record<string, unknown> = {};
  for (const [name, column] of Object.entries(whole as unknown as Columns)) {
    const later = columns[name];
    joined[name] = !Array.isArray(column) || !Array.isArray(later)
      ? column
      // The least and largest of old points; new ones stand for themselves.
      : name === "min" || name === "max"
      ? column
      : [...column.slice(0, kept), ...later];
  }
  return joined as T;
}

function appendMarks(whole: readonly number[], part: readonly number[]): readonly number[] {
  return part.length === 0 ? whole : [...whole.filter((at) => at < part[0]), ...part];
}

/**
 * The record with an increment added.
 *
 * @returns `null` if that cannot be: other channels are shown now, and their past is not in the increment.
 */
export function merge(whole: RunRecord, part: RecordIncrement): RunRecord | null {
  if (whole.layers.length !== part.layers.length) return null;
  const layers = part.layers.map((layer, i) => {
    const before = whole.layers[i];
    if (String(before.channels) !== String(layer.channels)) return null;
    const series = Object.fromEntries(
      Object.entries(before.series).map(([name, points]) => [
        name,
        append<Series>(points, layer.series[name as keyof typeof layer.series]),
      ]),
    ) as typeof before.series;
    return { ...before, ...layer, series };
  });
  if (layers.some((layer) => layer === null)) return null;
  const known = new Map(whole.metrics.map((metric) => [metric.name, metric]));
  return {
    ...whole,
    ...part,
    layers: layers.map((layer) => layer!),
    marks: {
      forward: appendMarks(whole.marks.forward, part.marks.forward),
      step: appendMarks(whole.marks.step, part.marks.step),
    },
    metrics: part.metrics.map((metric) => {
      const before = known.get(metric.name);
      return before === undefined ? metric : append(before, metric);
    }),
  };
}
