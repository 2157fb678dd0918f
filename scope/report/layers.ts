/**
 * What the layers came to: γ, the scale by which a channel is multiplied in evaluation, and the three parts of
 * the gradient.
 */
import type { Figure } from "./figure.ts";
import { short } from "./lanes.ts";
import { BELOW, INSET, SIZE, UNDER } from "./learning.ts";
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
  return final.runningVar.map((variance, c) => (final.gamma[c] ?? 1) / Math.sqrt(variance + eps));
}

/** The effective scale of all channels. */
export function scaleFigure({ layers }: RunView): Figure | null {
  const tracking = layers.filter(({ final }) => final.runningVar.length > 0);
  if (tracking.length === 0) return null;
  const rows = tracking.flatMap((layer) =>
    effectiveScale(layer).map((scale, channel) => ({
      layer: layer.name,
      channel,
      scale,
      gamma: layer.final.gamma[channel] ?? 1,
      variance: layer.final.runningVar[channel],
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
      x: { ...UNDER, ...INSET, label: "γ / √(running variance + eps)", grid: true, ticks: 5 },
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
  { key: "direct", name: "through x", symbol: "circle", stroke: "var(--ink)" },
  { key: "mean", name: "through the mean", symbol: "triangle", stroke: "var(--tracked)" },
  { key: "variance", name: "through the variance", symbol: "square", stroke: "var(--other)" },
] as const;

/** dx in its three parts, for the layers for which they were taken. */
export function gradientFigures({ layers }: RunView): Figure[] {
  return layers.flatMap(({ gradient, name }, i): Figure[] => {
    if (gradient === null || gradient.direct.length === 0) return [];
    const rows = PARTS.flatMap((part) =>
      gradient[part.key].map((value, channel) => ({ ...part, channel, value }))
    );
    const middle = PARTS.map(({ key, name }) => `${name} ${short(median(gradient[key]))}`);
    return [{
      id: `gradient-${i}`,
      heading: `The gradient of ${name}'s input, in three parts`,
      takeaway:
        `In training dx = through x − through the batch's mean − through its variance; in ` +
        `evaluation the first part alone. Root mean squares on one batch, the middle channel: ${
          middle.join(", ")
        }.`,
      drawing: draw({
        ...SIZE,
        ...BELOW,
        marginLeft: 138,
        x: {
          ...UNDER,
          ...INSET,
          label: "root mean square by channel",
          grid: true,
          ticks: 2,
          tickFormat: short,
        },
        y: { label: null, domain: PARTS.map(({ name }) => name) },
        marks: PARTS.map(({ name, symbol, stroke }) =>
          Plot.dot(rows.filter((row) => row.name === name), {
            x: "value",
            y: "name",
            r: 4,
            symbol,
            stroke,
          })
        ),
      }, { title: `Parts of the gradient of ${name}`, id: `gradient-${i}-drawing` }),
      table: {
        columns: ["channel", ...PARTS.map(({ name }) => name), "together"],
        rows: gradient.direct.map((_, channel) => [
          channel,
          ...PARTS.map(({ key }) => gradient[key][channel]),
          gradient.whole[channel],
        ]),
      },
    }];
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
