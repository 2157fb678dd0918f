/**
 * A uPlot chart with what a canvas lacks: a name, a table of its data, and keys that read values out.
 */
/// <reference lib="dom" />
import uPlot from "npm:uplot@1.6.32";
import { escape, num, short } from "../../lab/views/view.ts";

/** One line, or a cloud of points. */
export interface Line {
  readonly name: string;
  /** Which colour of the style it has. */
  readonly colour: "learned" | "tracked" | "third" | "cloud" | "ink";
  readonly look: "line" | "dashed" | "points";
  readonly at: readonly number[];
  readonly values: readonly number[];
}

const PAGE = 20;
const HEIGHT = 170;
/** Where a plot begins beside the numbers of its axis, and the room that it leaves at its right. */
export const LEFT = 78;
const RIGHT = 12;

/** One lane. */
export class Chart {
  readonly #figure: HTMLElement;
  readonly #reading: HTMLElement;
  readonly #table: HTMLElement;
  readonly #xName: string;
  #lines: readonly Line[] = [];
  #data: uPlot.AlignedData = [[]];
  #plot: uPlot | null = null;
  #cursor = -1;
  #page = 0;
  #look = "";
  #span: readonly [number, number] | null = null;

  /** Makes it, below `parent`. */
  constructor(parent: HTMLElement, id: string, xName: string) {
    this.#xName = xName;
    this.#figure = document.createElement("figure");
    this.#figure.id = id;
    this.#figure.innerHTML = `<figcaption id="${id}-title"></figcaption>
<div class="picture" tabindex="0" role="figure" aria-labelledby="${id}-title" aria-details="${id}-data"
 aria-description="Arrow keys, Home and End read the values out"></div>
<p class="legend"></p><p class="reading" aria-live="polite"></p>
<details id="${id}-data"><summary>The numbers of this lane</summary><div class="pager">
<button type="button" data-turn="-1">Earlier</button><span></span>
<button type="button" data-turn="1">Later</button></div>
<div class="scroll" tabindex="0" role="region" aria-label="The numbers of this lane"></div></details>`;
    parent.append(this.#figure);
    this.#reading = this.#part(".reading");
    this.#table = this.#part(".scroll");
    this.#part(".picture").addEventListener("keydown", (event) => this.#key(event));
    this.#figure.addEventListener("click", ({ target }) => {
      const turn = (target as HTMLElement).dataset.turn;
      if (turn !== undefined) this.#turn(Number(turn));
    });
    this.#figure.addEventListener("toggle", () => this.#fillTable(), true);
  }

  #part(selector: string): HTMLElement {
    return this.#figure.querySelector<HTMLElement>(selector)!;
  }

  /** How wide the plot is, with its axis. */
  get width(): number {
    return Math.max(240, this.#part(".picture").clientWidth);
  }

  /**
   * Shows lines under a title that says what they show.
   *
   * @param span What of the axis is seen; all of the lines where it is left out.
   */
  show(
    title: string,
    legend: string,
    lines: readonly Line[],
    span: readonly [number, number] | null = null,
  ): void {
    this.#span = span;
    this.#part("figcaption").textContent = title;
    const note = this.#part(".legend");
    if (note.innerHTML !== legend) note.innerHTML = legend;
    this.#lines = lines;
    this.#data = aligned(lines);
    const look = JSON.stringify(lines.map(({ name, colour, look }) => [name, colour, look]));
    if (this.#plot === null || look !== this.#look) this.rebuild();
    else this.#plot.setData(this.#data);
    this.#look = look;
    if (this.#figure.querySelector("details")!.open) this.#fillTable();
  }

  /** Draws anew: other lines, another width, another theme. */
  rebuild(): void {
    const picture = this.#part(".picture");
    this.#plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
    const axis: uPlot.Axis = {
      stroke: colour("quiet"),
      grid: { stroke: colour("rule"), width: 1 },
      ticks: { stroke: colour("rule"), width: 1 },
      font: "12px system-ui, sans-serif",
    };
    this.#plot = new uPlot(
      {
        width: this.width,
        height: HEIGHT,
        padding: [8, RIGHT, 0, 0],
        legend: { show: false },
        scales: {
          x: {
            time: false,
            range: (_: uPlot, from: number, to: number) => {
              const [low, high] = this.#span ?? [from, to];
              return [low, high];
            },
          },
        },
        cursor: { drag: { x: false, y: false } },
        axes: [
          { ...axis, size: 30 },
          {
            ...axis,
            size: LEFT,
            values: (_: uPlot, ticks: number[]) => ticks.map((t) => short(t)),
          },
        ],
        series: [
          {},
          ...this.#lines.map((line): uPlot.Series => ({
            label: line.name,
            stroke: colour(line.colour),
            width: line.look === "points" ? 0 : 2,
            dash: line.look === "dashed" ? [6, 4] : undefined,
            spanGaps: true,
            paths: line.look === "points" ? () => null : undefined,
            points: { show: line.look === "points", size: 4, fill: colour(line.colour) },
          })),
        ],
      },
      this.#data,
      picture,
    );
    picture.querySelectorAll("canvas").forEach((canvas) =>
      canvas.setAttribute("aria-hidden", "true")
    );
  }

  #key(event: KeyboardEvent): void {
    const at = this.#data[0];
    const last = at.length - 1;
    const from = this.#cursor < 0 || this.#cursor > last ? last : this.#cursor;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
    if (to === undefined || last < 0 || this.#plot === null) return;
    event.preventDefault();
    this.#cursor = Math.min(last, Math.max(0, to));
    const x = at[this.#cursor];
    const values = this.#lines.flatMap(({ name }, i) => {
      const value = this.#data[i + 1][this.#cursor];
      return value === null || value === undefined ? [] : [`${name} ${short(value)}`];
    });
    this.#reading.textContent = `${this.#xName} ${x}: ${values.join(", ")}`;
    this.#plot.setCursor({ left: this.#plot.valToPos(x, "x"), top: HEIGHT / 2 });
  }

  #turn(by: number): void {
    this.#page += by;
    this.#fillTable();
  }

  #fillTable(): void {
    const count = this.#data[0].length;
    const pages = Math.max(1, Math.ceil(count / PAGE));
    this.#page = Math.min(pages - 1, Math.max(0, this.#page));
    const first = this.#page * PAGE;
    const rows = Array.from(
      { length: Math.min(PAGE, count - first) },
      (_, i) =>
        `<tr>${
          this.#data.map((column) => {
            const value = column[first + i];
            return `<td>${value === null || value === undefined ? "" : num(value, 6)}</td>`;
          }).join("")
        }</tr>`,
    );
    this.#part(".pager span").textContent = `page ${this.#page + 1} of ${pages}`;
    const head = [this.#xName, ...this.#lines.map(({ name }) => name)];
    this.#table.innerHTML = `<table><thead><tr>${
      head.map((name) => `<th scope="col">${escape(name)}</th>`).join("")
    }</tr></thead><tbody>${rows.join("")}</tbody></table>`;
  }
}

/** Lines on one axis; `null` where a line has no value. */
function aligned(lines: readonly Line[]): uPlot.AlignedData {
  const all = [...new Set(lines.flatMap(({ at }) => at))].sort((a, b) => a - b);
  const place = new Map(all.map((at, i) => [at, i]));
  return [
    all,
    ...lines.map(({ at, values }) => {
      const column: (number | null)[] = Array(all.length).fill(null);
      at.forEach((x, i) => {
        if (Number.isFinite(values[i])) column[place.get(x)!] = values[i];
      });
      return column;
    }),
  ];
}
