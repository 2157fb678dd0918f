/**
 * What the layers came to: γ, the scale by which a channel is multiplied in evaluation, and the three parts of
 * the gradient.
 */
import type { Figure } from "./figure.ts";
import { short } from "./lanes.ts";
import { BELOW, SIZE, UNDER } from "./learning.ts";
import { draw, Plot } from "./plot.ts";
import type { LayerView, RunView } from "./view.ts";

/** γ of all channels, a histogram for each layer. */
export function gammaFigure({ layers }: RunView): Figure | null {
  const affine = layers.filter(({ final }) => final.gamma.length > 0);
  if (affine.length === 0) return null;
  const rows = affine.flatMap(({ name, final }) =>
    final.gamma.map((gamma, channel) => ({ layer: name, channel, gamma }))
  );
  const values = rows.map(({ gamma }) => gamma).filter(Number.isFinite);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return {
    id: "gamma",
    heading: "γ at the end",
    takeaway: `γ started at 1 in every channel and lies between ${short(low)} and ${
      short(high)
    } now.`,
    drawing: draw({
      width: SIZE.width,
      height: 62 + 80 * affine.length,
      ...BELOW,
      marginLeft: 34,
      marginRight: 50,
      x: { ...UNDER, label: "γ" },
      y: { label: "channels", grid: true, ticks: 3 },
      fy: { label: null, domain: affine.map(({ name }) => name) },
      marks: [
        Plot.rectY(rows, histogramOf("gamma")),
        Plot.ruleX([1], { stroke: "var(--ink)", strokeDasharray: "3 3" }),
        Plot.ruleY([0]),
      ],
    }, { title: "Histogram of γ, layer by layer", id: "gamma-drawing" }),
    table: {
      columns: ["layer", "channel", "γ"],
      rows: rows.map(({ layer, channel, gamma }) => [layer, channel, gamma]),
    },
  };
}

/** Counts of a quantity, a row for each layer. */
function histogramOf(x: string): Plot.RectYOptions {
  const options = { x, fy: "layer", thresholds: 16, fill: "var(--learned)", inset: 0.5 };
  return Plot.binX({ y: "count" }, options as Plot.BinXInputs<object>);
}

/** γ / √(running variance + eps): by what a channel is multiplied in evaluation. */
export function effectiveScale({ final, eps }: LayerView): number[] {
  return final.variance.map((variance, c) => (final.gamma[c] ?? 1) / Math.sqrt(variance + eps));
}

/** The effective scale of all channels. */
export function scaleFigure({ layers }: RunView): Figure | null {
  const tracking = layers.filter(({ final }) => final.variance.length > 0);
  if (tracking.length === 0) return null;
  const rows = tracking.flatMap((layer) =>
    effectiveScale(layer).map((scale, channel) => ({
      layer: layer.name,
      channel,
      scale,
      gamma: layer.final.gamma[channel] ?? 1,
      variance: layer.final.variance[channel],
    }))
  );
  const sizes = rows.map(({ scale }) => scale).filter(Number.isFinite);
  return {
    id: "scale",
    heading: "Effective scale in evaluation",
    takeaway: `A channel is multiplied by γ / √(running variance + eps), here ${
      short(Math.min(...sizes))
    } to ${short(Math.max(...sizes))}: learned and tracked act together.`,
    drawing: draw({
      width: SIZE.width,
      height: 62 + 44 * tracking.length,
      ...BELOW,
      marginLeft: 60,
      x: { ...UNDER, label: "γ / √(running variance + eps)", grid: true, ticks: 5 },
      y: { label: null, domain: tracking.map(({ name }) => name) },
      marks: [
        Plot.ruleX([0], { stroke: "var(--line)" }),
        Plot.dot(rows, {
          x: "scale",
          y: "layer",
          r: 4,
          stroke: "var(--ink)",
          symbol: "diamond",
          strokeOpacity: 0.8,
        }),
      ],
    }, { title: "Effective scale by channel", id: "scale-drawing" }),
    table: {
      columns: ["layer", "channel", "γ", "running variance", "effective scale"],
      rows: rows.map(({ layer, channel, gamma, variance, scale }) => [
        layer,
        channel,
        gamma,
        variance,
        scale,
      ]),
    },
  };
}

const PARTS = [
  { key: "direct", name: "through x", short: "x", stroke: "var(--ink)", dash: "none" },
  { key: "mean", name: "through the mean", short: "mean", stroke: "var(--tracked)", dash: "6 3" },
  {
    key: "variance",
    name: "through the variance",
    short: "variance",
    stroke: "var(--other)",
    dash: "2 3",
  },
] as const;

/** dx in its three parts, for the layers for which it was recorded. */
export function gradientFigures({ layers }: RunView): Figure[] {
  return layers.flatMap((layer, i): Figure[] => {
    const { gradient, name } = layer;
    if (gradient === null || gradient.direct.at.length === 0) return [];
    const lines = PARTS.map((part) => ({
      ...part,
      points: gradient[part.key].at.map((at, i) => ({ at, value: gradient[part.key].value[i] })),
    }));
    const last = lines.map(({ name, points }) => `${name} ${short(points.at(-1)!.value)}`);
    return [{
      id: `gradient-${i}`,
      heading: `The gradient of ${name}'s input, in three parts`,
      takeaway:
        `dx = through x − through the batch's mean − through its variance; root mean squares ` +
        `at the end: ${last.join(", ")}. Evaluation has the first part only.`,
      drawing: draw({
        ...SIZE,
        ...BELOW,
        marginLeft: 52,
        marginRight: 62,
        x: { ...UNDER, label: "event" },
        y: { grid: true, label: "root mean square", ticks: 5 },
        marks: lines.flatMap(({ points, stroke, dash, short }, i) => [
          Plot.line(points, {
            x: "at",
            y: "value",
            stroke,
            strokeWidth: 1.8,
            strokeDasharray: dash,
          }),
          Plot.text(points.slice(-1), {
            x: "at",
            y: "value",
            text: [short],
            textAnchor: "start",
            dx: 5,
            dy: (i - 1) * 11,
            fill: stroke,
          }),
        ]),
      }, { title: `Parts of the gradient of ${name}`, id: `gradient-${i}-drawing` }),
      table: {
        columns: ["event", ...PARTS.map(({ name }) => name)],
        rows: gradient.direct.at.map((at, i) => [
          at,
          ...PARTS.map(({ key }) => gradient[key].value[i] ?? null),
        ]),
      },
    }];
  });
}
