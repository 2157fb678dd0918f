/**
 * A small plot as SVG text. One user unit is one pixel, so letters keep their size on a phone.
 */
import { escape, short } from "./view.ts";

/** The part of the plane that is seen. */
export interface PlotOptions {
  readonly width: number;
  readonly height: number;
  readonly x: readonly [from: number, to: number];
  readonly y: readonly [from: number, to: number];
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Whether x is drawn by its logarithm. */
  readonly log?: boolean;
  /** Where to write numbers below; chosen where left out, none if empty. */
  readonly xTicks?: readonly number[];
  readonly yTicks?: readonly number[];
  readonly left?: number;
}

const RIGHT = 12;

/** Round numbers in a range. */
export function ticks(from: number, to: number, count: number): number[] {
  const raw = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999)!;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from(
    { length: last - first + 1 },
    (_, i) => Number(((first + i) * step).toFixed(12)),
  );
}

/** A range that holds all values, with a little room. */
export function extent(values: Iterable<number>, least = 0): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [-1, 1];
  const room = Math.max((high - low) * 0.06, (least - (high - low)) / 2, 1e-12);
  return [low - room, high + room];
}

/** Collects marks. */
export class Plot {
  readonly #marks: string[] = [];
  readonly #options: PlotOptions;
  readonly #left: number;
  readonly #bottom: number;
  readonly #top: number;

  constructor(options: PlotOptions) {
    this.#options = options;
    this.#left = options.left ?? 46;
    const below = options.xLabel !== undefined ? 36 : options.xTicks?.length === 0 ? 4 : 20;
    this.#bottom = options.height - below;
    this.#top = options.yLabel === undefined ? 6 : 22;
  }

  /** The pixel of an x. */
  x(value: number): number {
    const { x: [from, to], width, log = false } = this.#options;
    const share = log ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
    return round(this.#left + share * (width - RIGHT - this.#left));
  }

  /** The pixel of a y. */
  y(value: number): number {
    const { y: [from, to] } = this.#options;
    return round(this.#bottom - (value - from) / (to - from) * (this.#bottom - this.#top));
  }

  /** A line through points; `values` carry their numbers for whoever reads the picture's data. */
  line(mark: string, xs: ArrayLike<number>, ys: ArrayLike<number>): this {
    const points = Array.from(xs, (x, i) => `${this.x(x)},${this.y(ys[i])}`);
    this.#marks.push(`<polyline class="${mark}" points="${points.join(" ")}"/>`);
    return this;
  }

  /** Points. */
  dots(mark: string, xs: ArrayLike<number>, ys: ArrayLike<number>, r = 3): this {
    this.#marks.push(
      ...Array.from(
        xs,
        (x, i) => `<circle class="${mark}" cx="${this.x(x)}" cy="${this.y(ys[i])}" r="${r}"/>`,
      ),
    );
    return this;
  }

  /** Points with another shape, so that colour need not tell them from dots. */
  triangles(mark: string, xs: ArrayLike<number>, ys: ArrayLike<number>, r = 4): this {
    this.#marks.push(...Array.from(xs, (x, i) => {
      const [px, py] = [this.x(x), this.y(ys[i])];
      const path = `M${px} ${round(py - r)}L${round(px + r)} ${round(py + r)}H${round(px - r)}Z`;
      return `<path class="${mark}" d="${path}"/>`;
    }));
    return this;
  }

  /** A line between two points. */
  segment(mark: string, x1: number, y1: number, x2: number, y2: number): this {
    this.#marks.push(
      `<line class="${mark}" x1="${this.x(x1)}" y1="${this.y(y1)}" x2="${this.x(x2)}" y2="${
        this.y(y2)
      }"/>`,
    );
    return this;
  }

  /** A filled rectangle. */
  bar(mark: string, x1: number, y1: number, x2: number, y2: number): this {
    const [a, b] = [this.x(Math.min(x1, x2)), this.x(Math.max(x1, x2))];
    const [c, d] = [this.y(Math.max(y1, y2)), this.y(Math.min(y1, y2))];
    this.#marks.push(
      `<rect class="${mark}" x="${a}" y="${c}" width="${round(b - a)}" height="${round(d - c)}"/>`,
    );
    return this;
  }

  /** Words at a point. */
  text(mark: string, x: number, y: number, words: string, dx = 0, dy = 4): this {
    this.#marks.push(
      `<text class="${mark}" x="${round(this.x(x) + dx)}" y="${round(this.y(y) + dy)}">${
        escape(words)
      }</text>`,
    );
    return this;
  }

  /** Anything else. */
  raw(svg: string): this {
    this.#marks.push(svg);
    return this;
  }

  /** The picture. `title` is its name for those who do not see it. */
  toString(title: string): string {
    const { width, height, x, y, xLabel, yLabel, log = false } = this.#options;
    const xTicks = this.#options.xTicks ?? (log ? [] : ticks(...x, width < 500 ? 4 : 8));
    const yTicks = this.#options.yTicks ?? ticks(...y, height < 150 ? 3 : 5);
    const axes = [
      ...yTicks.map((t) =>
        `<line class="grid" x1="${this.#left}" x2="${width - RIGHT}" y1="${this.y(t)}" y2="${
          this.y(t)
        }"/><text class="tick end" x="${this.#left - 6}" y="${this.y(t) + 4}">${short(t)}</text>`
      ),
      ...xTicks.map((t) =>
        `<text class="tick middle" x="${this.x(t)}" y="${this.#bottom + 15}">${short(t)}</text>`
      ),
      `<line class="axis" x1="${this.#left}" x2="${
        width - RIGHT
      }" y1="${this.#bottom}" y2="${this.#bottom}"/>`,
      xLabel === undefined
        ? ""
        : `<text class="label end" x="${width - RIGHT}" y="${height - 4}">${escape(xLabel)}</text>`,
      yLabel === undefined ? "" : `<text class="label" x="2" y="13">${escape(yLabel)}</text>`,
    ];
    return `<svg role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
      `<title>${escape(title)}</title>${axes.join("")}${this.#marks.join("")}</svg>`;
  }
}

function round(pixels: number): number {
  return Math.round(pixels * 100) / 100;
}
