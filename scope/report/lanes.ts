/**
 * The two lanes: what is learned above, what is tracked below, on one axis of events.
 *
 * Each of the four strips has a scale of its own, since γ moves by hundredths where a running variance
 * moves by whole numbers; its two ends are written beside it.
 */
import { Html, markup } from "./html.ts";
import { draw, Plot } from "./plot.ts";
import {
  type Axis,
  type ChannelView,
  type Mode,
  QUANTITIES,
  type Quantity,
  type Series,
} from "./view.ts";

/** What of the axis is drawn, and how large. */
export interface LanesOptions {
  /** Names the drawing and its parts. */
  readonly id: string;
  readonly title: string;
  /** The first event drawn and the last. */
  readonly from: number;
  readonly to: number;
  readonly width: number;
  /** The height of a strip. */
  readonly height: number;
  /** Whether each event is marked on the lines, which are stairs then. */
  readonly isCloseUp: boolean;
  /** A class for the SVG element. */
  readonly className?: string;
}

const GAP = 5;
const MARGIN = { left: 74, right: 60 };
/** The names that stand beside the strips. */
const SHORT_NAMES = { gamma: "γ", beta: "β", runningMean: "mean", runningVar: "variance" };
/** What the rows under the lanes take. */
const ROW = 20;
/** More marks than this in a row would run into each other. */
const MOST_MARKS = 56;
/** A line of more points than this has several to a pixel. */
const MOST_POINTS = 600;

/** The lanes of a channel. */
export function lanes(axis: Axis, channel: ChannelView, options: LanesOptions): Html {
  const { id, title, width, height, className = "" } = options;
  const parts: Html[] = [];
  let y = 0;
  for (const quantity of QUANTITIES) {
    if (quantity === "runningMean") y += 10;
    parts.push(at(strip(channel, quantity, options), y));
    y += height + GAP;
  }
  y += 2;
  for (const kind of ["step", "forward"] as const) {
    parts.push(at(marksRow(axis, kind, options), y));
    y += ROW;
  }
  parts.push(at(modeStrip(axis, options), y));
  y += ROW + 6;
  parts.push(at(eventAxis(options), y));
  y += 36;
  return markup`
    <svg class="plot lanes ${className}" viewBox="0 0 ${width} ${y}" width="${width}"
      height="${y}" role="img" aria-labelledby="${id}-title" data-from="${options.from}"
      data-to="${options.to}" data-left="${MARGIN.left}" data-right="${
    width -
    MARGIN.right
  }" ${options.isCloseUp ? new Html(` data-stairs="yes"`) : null}
      font-family="system-ui, sans-serif"
      font-size="12"><title id="${id}-title">${title}</title>${parts}</svg>
  `;
}

/** Puts a drawing into another. */
function at(drawing: Html, y: number): Html {
  const text = drawing.text.replace("<svg ", `<svg y="${y}" `)
    .replace(/ role="img" aria-labelledby="[^"]*"><title[^>]*>[^<]*<\/title>/, ">");
  return new Html(text);
}

/** The lowest and the highest value of a window, never the same. */
export function rangeOf(series: readonly Series[], from: number, to: number): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { at, value } of series) {
    for (let i = 0; i < at.length; i++) {
      // The last value before the window holds in it.
      const holds = at[i] <= to && (at[i] >= from || i + 1 === at.length || at[i + 1] > from);
      if (!holds || !Number.isFinite(value[i])) continue;
      low = Math.min(low, value[i]);
      high = Math.max(high, value[i]);
    }
  }
  if (low > high) return [0, 1];
  if (low === high) return [low - 0.5, high + 0.5];
  return [low, high];
}

interface Point {
  readonly at: number;
  readonly value: number;
}

/** The points of a series in a window; the value before it stands at its start. */
function pointsOf({ at, value }: Series, from: number, to: number): Point[] {
  const points: Point[] = [];
  for (let i = 0; i < at.length; i++) {
    if (at[i] > to) break;
    if (at[i] < from) points.length = 0;
    points.push({ at: Math.max(at[i], from), value: value[i] });
  }
  return points;
}

/** As many points as there are pixels for: of each group the lowest and the highest. */
function thinned(points: readonly Point[], most: number): readonly Point[] {
  if (points.length <= most) return points;
  const group = Math.ceil((2 * points.length) / most);
  const kept: Point[] = [];
  for (let i = 0; i < points.length; i += group) {
    const some = points.slice(i, i + group);
    const low = some.reduce((a, b) => b.value < a.value ? b : a);
    const high = some.reduce((a, b) => b.value > a.value ? b : a);
    kept.push(...(low.at <= high.at ? [low, high] : [high, low]));
  }
  return kept;
}

function strip(channel: ChannelView, quantity: Quantity, options: LanesOptions): Html {
  const { from, to, width, height, isCloseUp, id } = options;
  const isLearned = quantity === "gamma" || quantity === "beta";
  const colour = isLearned ? "var(--learned)" : "var(--tracked)";
  const series = channel.series[quantity];
  const cloud = quantity === "gamma" || quantity === "beta" ? null : channel.batch[quantity];
  const most = Math.min(MOST_POINTS, width);
  const all = pointsOf(series, from, to);
  const points = thinned(all, most);
  const behind = cloud === null
    ? []
    : thinned(pointsOf(cloud, from, to).filter((point) => point.at > from), most);
  const inside = { at: cloud?.at ?? [], value: cloud?.value ?? [] };
  const shown = [series, { at: inside.at, value: inside.value }];
  const [low, high] = rangeOf(shown, from, to);
  const last = points.at(-1);
  const line = last === undefined ? points : [...points, { at: to, value: last.value }];
  const drawn = draw({
    width,
    height,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: 6,
    marginBottom: 6,
    x: { domain: domainOf(options), axis: null },
    y: { domain: [low, high], axis: null },
    marks: [
      Plot.frame({
        fill: isLearned ? "var(--learned-back)" : "var(--tracked-back)",
        inset: -6,
        insetLeft: 0,
        insetRight: 0,
      }),
      Plot.dot(behind, {
        x: "at",
        y: "value",
        r: isCloseUp ? 3 : 1.6,
        fill: isCloseUp ? "none" : "var(--batch)",
        stroke: isCloseUp ? "var(--batch)" : "none",
        fillOpacity: 0.7,
        className: "cloud",
        ariaHidden: "true",
      }),
      Plot.line(line, {
        x: "at",
        y: "value",
        stroke: colour,
        strokeWidth: 2,
        curve: isCloseUp ? "step-after" : "linear",
        className: "line",
      }),
      Plot.dot(isCloseUp ? all.filter(({ at }) => at > from) : [], {
        x: "at",
        y: "value",
        symbol: isLearned ? "circle" : "triangle",
        r: 4.5,
        fill: colour,
        stroke: "var(--paper)",
        strokeWidth: 1,
        className: "marks",
      }),
      Plot.text([SHORT_NAMES[quantity]], {
        frameAnchor: "left",
        textAnchor: "end",
        dx: -6,
        fill: colour,
        fontWeight: "600",
        fontSize: isLearned ? 15 : 12,
      }),
      end(high, "top", "high"),
      end(low, "bottom", "low"),
    ],
  }, { title: "", id: `${id}-${quantity}`, className: `strip ${quantity}` });
  return new Html(
    drawn.text.replace(
      "<svg ",
      `<svg data-quantity="${quantity}" data-layer-channel="${channel.channel}" data-low="${low}" ` +
        `data-high="${high}" data-top="6" data-bottom="${height - 6}" `,
    ),
  );
}

/** One end of a strip's scale. */
function end(value: number, where: "top" | "bottom", className: string) {
  return Plot.text([short(value)], {
    frameAnchor: `${where}-right`,
    textAnchor: "start",
    dx: 6,
    dy: where === "top" ? -2 : 2,
    fontSize: 11,
    fill: "var(--soft)",
    className,
  });
}

/** Four digits, never more than seven characters. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(4)));
}

function domainOf({ from, to, isCloseUp }: LanesOptions): [number, number] {
  return isCloseUp ? [from - 0.4, to + 0.4] : [from, Math.max(to, from + 1)];
}

/** ● where the optimizer stepped, ▲ where a forward pass ran in training mode. */
function marksRow(axis: Axis, kind: "step" | "forward", options: LanesOptions): Html {
  const { from, to, width, id } = options;
  const inside = (event: number) => event >= from && event <= to;
  const events = (kind === "step" ? axis.steps : axis.forwards).filter(inside);
  const evaluations = (kind === "step" ? [] : axis.evaluations).filter(inside);
  const most = Math.floor(MOST_MARKS * Math.min(1, width / 900));
  const stride = Math.ceil(events.length / most) || 1;
  const colour = kind === "step" ? "var(--learned)" : "var(--tracked)";
  return draw({
    width,
    height: ROW,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: 0,
    marginBottom: 0,
    x: { domain: domainOf(options), axis: null },
    marks: [
      Plot.dot(events.filter((_, i) => i % stride === 0), {
        x: (event: number) => event,
        symbol: kind === "step" ? "circle" : "triangle",
        r: options.isCloseUp ? 5 : 3,
        fill: colour,
        frameAnchor: "middle",
      }),
      // In evaluation nothing is tracked: the triangle is empty.
      Plot.dot(evaluations, {
        x: (event: number) => event,
        symbol: "triangle",
        r: options.isCloseUp ? 5 : 3,
        fill: "var(--paper)",
        stroke: colour,
        frameAnchor: "middle",
      }),
      Plot.text([kind === "step" ? "● step" : "▲ forward"], {
        frameAnchor: "left",
        textAnchor: "end",
        dx: -4,
        fill: colour,
        fontWeight: "600",
        fontSize: 11,
      }),
    ],
  }, { title: "", id: `${id}-${kind}s` });
}

/** Modes differ in height and pattern as well, so that they can be told without colour. */
const LOOK: Readonly<Record<Mode, { fill: string; height: number }>> = {
  train: { fill: "var(--line)", height: 0.5 },
  eval: { fill: "var(--other)", height: 1 },
  frozen: { fill: "var(--ink)", height: 0.8 },
  noGrad: { fill: "var(--good)", height: 0.8 },
};

function modeStrip(axis: Axis, options: LanesOptions): Html {
  const { from, to, width, id } = options;
  const stretches = axis.modes.filter((stretch) => stretch.to >= from && stretch.from <= to);
  const [low, high] = domainOf(options);
  const perPixel = (high - low) / (width - MARGIN.left - MARGIN.right);
  return draw({
    width,
    height: ROW,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: 2,
    marginBottom: 2,
    x: { domain: [low, high], axis: null },
    y: { domain: [0, 1], axis: null },
    marks: [
      Plot.rect(stretches, {
        x1: ({ from }) => Math.max(low, from - 0.4),
        // Thinner than a pixel would not be seen.
        x2: ({ from, to }) => Math.min(high, Math.max(to + 0.4, from - 0.4 + 2 * perPixel)),
        y1: 0,
        y2: ({ mode }) => LOOK[mode as Mode].height,
        fill: ({ mode }) => LOOK[mode as Mode].fill,
      }),
      Plot.text(stretches.filter((s) => (s.to - s.from + 1) / perPixel > 46), {
        x: ({ from, to }) => (Math.max(from, low) + Math.min(to, high)) / 2,
        y: 0.5,
        text: "mode",
        fill: "var(--ink)",
        stroke: "var(--paper)",
        strokeWidth: 3,
        fontSize: 11,
      }),
      Plot.text(["mode"], {
        frameAnchor: "left",
        textAnchor: "end",
        dx: -4,
        fill: "var(--ink)",
        fontSize: 11,
      }),
    ],
    color: { type: "identity" },
  }, { title: "", id: `${id}-modes` });
}

function eventAxis(options: LanesOptions): Html {
  const { width, id, isCloseUp } = options;
  const [low, high] = domainOf(options);
  return draw({
    width,
    height: 36,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: 0,
    marginBottom: 36,
    x: { domain: [low, high] },
    marks: [Plot.axisX({
      // On a telephone every second event has its number.
      ticks: isCloseUp
        ? Math.ceil((options.to - options.from) / (width < 500 ? 2 : 1))
        : Math.max(3, Math.floor(width / 110)),
      tickFormat: (event: number) =>
        event === 0 && isCloseUp ? "start" : Number.isInteger(event) ? String(event) : "",
      label: width < 500 ? "event →" : "event: forward passes and optimizer steps, in order →",
      labelArrow: "none",
      labelAnchor: "right",
      labelOffset: 32,
    })],
  }, { title: "", id: `${id}-axis` });
}
