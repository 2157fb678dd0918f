/**
 * How well it learned, and whether evaluation sees what training saw.
 */
import type { Figure } from "./figure.ts";
import { markup } from "./html.ts";
import { draw, Plot } from "./plot.ts";
import { short } from "./lanes.ts";
import type { GapView, MetricView, RunView } from "./view.ts";

/** The size of a figure in a column; not larger than a telephone is wide. */
export const SIZE = { width: 340, height: 220 };
/** Room for the numbers of the x axis and its label under them. */
export const BELOW = { marginBottom: 42 };
/** Puts a label under the numbers and not on them. */
export const UNDER = { labelOffset: 38 };
/** Keeps marks at either end of the x axis off the labels beside it. */
export const INSET = { inset: 9 };
/** Looks that tell lines apart without colour. */
const LINES = [
  { stroke: "var(--ink)", dash: "none" },
  { stroke: "var(--other)", dash: "6 3" },
  { stroke: "var(--good)", dash: "2 3" },
  { stroke: "var(--tracked)", dash: "8 3 2 3" },
];

/** `98.3 %` */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** One figure for losses, one for shares such as accuracy. */
export function metricFigures({ metrics }: RunView): Figure[] {
  const shares = metrics.filter(({ isShare }) => isShare);
  const others = metrics.filter(({ isShare }) => !isShare);
  return [
    ...(others.length > 0 ? [metricFigure("loss", "Loss", others)] : []),
    ...(shares.length > 0 ? [metricFigure("accuracy", "Accuracy", shares)] : []),
  ];
}

function metricFigure(id: string, heading: string, metrics: readonly MetricView[]): Figure {
  const shownAs = (metric: MetricView, value: number) =>
    metric.isShare ? percent(value) : short(value);
  const ends = metrics.map((metric) => {
    const { value } = metric.series;
    return `${metric.name} from ${shownAs(metric, value[0])} to ${shownAs(metric, value.at(-1)!)}`;
  });
  const lines = metrics.map(({ series }, i) => ({
    ...LINES[i % LINES.length],
    points: series.at.map((at, j) => ({ at, value: series.value[j] })),
  }));
  // Names at the ends of the lines: the upper line's is moved up, so that they keep apart.
  const last = (i: number) => metrics[i].series.value.at(-1)!;
  const order = metrics.map((_, i) => i).sort((a, b) => last(b) - last(a));
  const rows = metrics.flatMap(({ name, series }) =>
    series.at.map((at, i) => [name, at, series.value[i]])
  );
  return {
    id,
    heading,
    takeaway: `${ends.join("; ")}. Nothing is smoothed.`,
    drawing: draw({
      ...SIZE,
      ...BELOW,
      marginLeft: 44,
      marginRight: 62,
      x: { ...UNDER, label: "event" },
      y: { grid: true, label: null, percent: metrics[0].isShare, ticks: 5 },
      marks: lines.flatMap(({ points, stroke, dash }, i) => [
        Plot.line(points, { x: "at", y: "value", stroke, strokeWidth: 1.8, strokeDasharray: dash }),
        points.length < 60 ? Plot.dot(points, { x: "at", y: "value", r: 2, fill: stroke }) : null,
        Plot.text(points.slice(-1), {
          x: "at",
          y: "value",
          text: [metrics[i].name.split(" ")[0]],
          textAnchor: "start",
          dx: 5,
          dy: (order.indexOf(i) - (lines.length - 1) / 2) * 12,
          fill: stroke,
        }),
      ]),
    }, { title: `${heading} over events`, id: `${id}-drawing` }),
    table: { columns: ["metric", "event", "value"], rows },
  };
}

/** Train and evaluation outputs of each layer, with running and with recalibrated statistics. */
export function gapFigure({ gaps, scores }: RunView): Figure | null {
  if (gaps.length === 0) return null;
  const worst = gaps.reduce((a, b) => b.distance > a.distance ? b : a);
  const rows = gaps.flatMap((gap) => [
    { ...gap, by: "running", value: gap.distance },
    ...(gap.recalibrated === null ? [] : [{ ...gap, by: "recalibrated", value: gap.recalibrated }]),
  ]);
  const score = scores === null
    ? ""
    : ` Scored by running statistics ${percent(scores.running)}, by recalibrated ones ${
      percent(scores.recalibrated)
    }.`;
  return {
    id: "gap",
    heading: "Training against evaluation",
    takeaway: markup`Outputs in evaluation differ most in ${worst.layer}: by ${
      percent(worst.distance)
    } of their size.${score}`,
    drawing: draw({
      width: SIZE.width,
      height: 64 + 26 * rows.length,
      ...BELOW,
      marginLeft: 112,
      marginRight: 54,
      x: {
        ...UNDER,
        percent: true,
        label: "distance of outputs, % of their size",
        grid: true,
        ticks: 4,
      },
      y: { label: null, domain: rows.map(labelOf), padding: 0.25 },
      marks: [
        Plot.barX(rows, {
          x: "value",
          y: labelOf,
          fill: ({ by }) => by === "running" ? "var(--tracked)" : "none",
          stroke: "var(--tracked)",
        }),
        Plot.text(rows, {
          x: "value",
          y: labelOf,
          text: ({ value }) => percent(value),
          textAnchor: "start",
          dx: 5,
          fill: "var(--ink)",
        }),
      ],
      color: { type: "identity" },
    }, { title: "Distance of training and evaluation outputs, layer by layer", id: "gap-drawing" }),
    table: {
      columns: ["layer", "by running statistics", "by recalibrated ones", "why"],
      rows: gaps.map(({ layer, distance, recalibrated, reasons }) => [
        layer,
        distance,
        recalibrated,
        reasons.join("; ") || "nothing stands out",
      ]),
    },
  };
}

function labelOf({ layer, by }: GapView & { readonly by: string }): string {
  return by === "running" ? `${layer} running` : `${layer} recal.`;
}
