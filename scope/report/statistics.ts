/**
 * Running statistics: how fast they forget, and how far they are from the batches.
 */
import type { Figure } from "./figure.ts";
import { short } from "./lanes.ts";
import { BELOW, INSET, SIZE, UNDER } from "./learning.ts";
import { draw, Plot } from "./plot.ts";
import type { RunView } from "./view.ts";

/** Steps after which half of a value is forgotten: ln 2 / −ln(1 − m). */
export function halfLife(momentum: number): number {
  return Math.LN2 / -Math.log1p(-momentum);
}

/** What share of the initial 0 and 1 is left after so many updates: (1 − m)ⁿ. */
export function initialShare(momentum: number | null, updates: number): number {
  if (momentum === null) return updates > 0 ? 0 : 1;
  return (1 - momentum) ** updates;
}

/** The share of the initial value that is left, update by update. */
export function forgettingFigure({ layers }: RunView): Figure | null {
  const tracking = layers.filter(({ tracks }) => tracks);
  const layer = tracking[0];
  if (layer === undefined) return null;
  const { momentum } = layer;
  const table = {
    columns: ["layer", "momentum", "half-life in updates", "share of the initial 0 and 1 left"],
    rows: tracking.map(({ name, momentum, initialShare }) => [
      name,
      momentum ?? "cumulative",
      momentum === null ? null : halfLife(momentum),
      initialShare,
    ]),
  };
  const span = momentum === null || momentum >= 1
    ? 20
    : Math.max(10, Math.ceil(Math.log(0.004) / Math.log1p(-momentum)));
  const points = Array.from({ length: span + 1 }, (_, n) => ({
    n,
    share: initialShare(momentum, n),
  }));
  const half = momentum === null ? 0 : halfLife(momentum);
  const below = (share: number) => points.find((point) => point.share < share)?.n ?? span;
  return {
    id: "forgetting",
    heading: "How fast running statistics forget",
    takeaway: momentum === null
      ? "A cumulative mean forgets its initial value with the first update."
      : `Momentum ${momentum}: half-life ${
        half.toFixed(1)
      } updates; the initial 0 and 1 weigh less ` +
        `than 10 % after ${below(0.1)} and less than 1 % after ${below(0.01)}. Here ` +
        `a share of ${short(layer.initialShare)} is left.`,
    drawing: draw({
      ...SIZE,
      ...BELOW,
      marginLeft: 44,
      x: { ...UNDER, label: "updates" },
      y: { percent: true, label: "share of the initial value, %", grid: true, ticks: 5 },
      marks: [
        Plot.line(points, { x: "n", y: "share", stroke: "var(--tracked)", strokeWidth: 2 }),
        ...(momentum === null ? [] : [
          Plot.ruleX([half], { stroke: "var(--ink)", strokeDasharray: "3 3", y1: 0, y2: 0.5 }),
          Plot.dot([[half, 0.5]], { symbol: "triangle", fill: "var(--tracked)", r: 5 }),
          Plot.text([[half, 0.5]], {
            text: [`half-life ${half.toFixed(1)}`],
            textAnchor: "start",
            dx: 8,
            fill: "var(--ink)",
          }),
        ]),
      ],
    }, { title: "Share of the initial value in the running statistics", id: "forgetting-drawing" }),
    table,
  };
}

/** Drift of mean and variance, by recorded channel. */
export function driftFigures({ layers }: RunView): Figure[] {
  const rows = layers.flatMap(({ name, drift }) => drift.map((one) => ({ layer: name, ...one })));
  if (rows.length === 0) return [];
  const names = layers.filter(({ drift }) => drift.length > 0).map(({ name }) => name);
  const worst = (size: (row: typeof rows[number]) => number) =>
    rows.reduce((a, b) => size(b) > size(a) ? b : a);
  const z = worst(({ z }) => Math.abs(z));
  const f = worst(({ f }) => Math.abs(Math.log(f)));
  return [
    dots("drift-z", "Drift of the mean", {
      takeaway: `The last batch's mean is ${
        short(Math.abs(z.z))
      } standard deviations from the running mean at the worst recorded channel (${z.layer}, channel ${z.channel}).`,
      label: "z = (batch mean − running mean) / running sd",
      centre: 0,
      isLog: false,
      names,
      rows: rows.map(({ layer, channel, z }) => ({ layer, channel, value: z })),
    }),
    dots("drift-f", "Drift of the variance", {
      takeaway: `The last batch's variance is ${
        short(f.f)
      } times the running variance at the worst recorded channel (${f.layer}, channel ${f.channel}); 1 is no drift.`,
      label: "F = batch variance / running variance",
      centre: 1,
      isLog: true,
      names,
      rows: rows.map(({ layer, channel, f }) => ({ layer, channel, value: f })),
    }),
  ];
}

/** Numbers to write on an axis of logarithms: as many as a column has room for, each with its label. */
export function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low);
  if (decades < 1) {
    // The logarithm is nearly straight here.
    const raw = (high - low) / 4;
    const power = 10 ** Math.floor(Math.log10(raw || 1));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw)!;
    const first = Math.ceil(low / step - 1e-9);
    const count = Math.floor(high / step + 1e-9) - first + 1;
    return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  }
  const stride = Math.ceil(decades / 5);
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const count = Math.floor((last - first) / stride) + 1;
  return Array.from({ length: count }, (_, i) => Number(`1e${first + i * stride}`));
}

interface DotsOptions {
  readonly takeaway: string;
  readonly label: string;
  readonly centre: number;
  readonly isLog: boolean;
  readonly names: readonly string[];
  readonly rows: readonly {
    readonly layer: string;
    readonly channel: number;
    readonly value: number;
  }[];
}

function dots(id: string, heading: string, options: DotsOptions): Figure {
  const { takeaway, label, centre, isLog, names, rows } = options;
  const drawn = rows.filter(({ value }) => Number.isFinite(value) && (!isLog || value > 0));
  const values = [centre, ...drawn.map(({ value }) => value)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return {
    id,
    heading,
    takeaway,
    drawing: draw({
      width: SIZE.width,
      height: 62 + 44 * names.length,
      ...BELOW,
      marginLeft: 60,
      x: {
        ...UNDER,
        label,
        type: isLog ? "log" : "linear",
        grid: true,
        ...INSET,
        ...(isLog ? { ticks: logTicks(low, high), tickFormat: short } : { ticks: 4 }),
      },
      y: { label: null, domain: [...names] },
      marks: [
        Plot.ruleX([centre], { stroke: "var(--ink)" }),
        Plot.dot(drawn, {
          x: "value",
          y: "layer",
          r: 4,
          symbol: "triangle",
          stroke: "var(--tracked)",
          strokeOpacity: 0.8,
        }),
      ],
    }, { title: `${heading} by channel`, id: `${id}-drawing` }),
    table: {
      columns: ["layer", "channel", label.split(" = ")[0]],
      rows: rows.map(({ layer, channel, value }) => [layer, channel, value]),
    },
  };
}
