/**
 * What a scene's section is made of. A view knows no document: it turns numbers into text, in Deno as
 * in a browser.
 */

/** A setting of a scene. Its values are listed, so that an address can hold each of them exactly. */
export interface Control {
  /** Its name in the scene's state, and in the address after the scene's. */
  readonly key: string;
  readonly label: string;
  /** A slider, a row of choices, or a box to tick (0 or 1). */
  readonly kind: "range" | "choice" | "check";
  readonly values: readonly number[];
  readonly initial: number;
  /** Whether it changes only what is shown of the numbers, and not the numbers. */
  readonly onlyShown?: boolean;
  /** A value as it is shown and read out. */
  text(value: number): string;
}

/** A setting that has no control of its own. */
export type Hidden = Pick<Control, "key" | "values" | "initial" | "onlyShown">;

/** The data of a figure. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** One figure. */
export interface Figure {
  readonly title: string;
  /** Whether two stand side by side where there is room. */
  readonly half?: boolean;
  readonly svg: string;
  /** Which mark stands for what, as HTML. */
  readonly legend: string;
  readonly table: Table;
}

/** What the numbers of one state show. */
export interface Drawn {
  /** One or two sentences made of numbers, as HTML. */
  readonly takeaway: string;
  /** What stands between it and the figures, as HTML. */
  readonly before?: string;
  readonly figures: readonly Figure[];
}

/** A scene's numbers for its controls: a state is a number for each. */
export type State = Readonly<Record<string, number>>;

/** A section of the page. */
export interface View<Numbers = unknown> {
  /** Its name in the address; documents link to it. */
  readonly anchor: string;
  readonly title: string;
  /** What to look for, as HTML. */
  readonly lead: string;
  readonly controls: readonly Control[];
  readonly hidden?: readonly Hidden[];
  /** Buttons and answers, as HTML; a button's `data-set` holds the settings that it makes, as JSON. */
  aside?(state: State): string;
  /** Draws, for a figure of so many pixels in width. */
  draw(numbers: Numbers, state: State, width: number): Drawn;
}

/** A slider over integers. */
export function counting(from: number, to: number, step = 1): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);
}

/** Text that is part of HTML. */
export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** A number as people read it: three digits, a true minus, powers of ten where it is tiny. */
export function short(value: number, digits = 3): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value).replace("-", "−");
  const size = Math.abs(value);
  if (size >= 0.001 && size < 1e6) {
    return String(Number(value.toPrecision(digits))).replace("-", "−");
  }
  const [mantissa, exponent] = value.toExponential(1).split("e");
  const raised = [...String(Number(exponent))].map((d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(d)] ?? "⁻").join("");
  return `${mantissa.replace("-", "−")} · 10${raised}`;
}

/** A number in HTML: three digits to read, all of them for programs. */
export function num(value: number, digits = 3): string {
  return `<data value="${value}">${short(value, digits)}</data>`;
}

/** A share in per cent, in HTML. */
export function percent(value: number): string {
  return `<data value="${value}">${(100 * value).toFixed(1)}\u00a0%</data>`;
}

/** `1 time`, `0 times`, in HTML. */
export function times(value: number): string {
  return `${num(value)} ${value === 1 ? "time" : "times"}`;
}

/** A legend's entry: the mark's class and what it stands for. */
export function key(
  mark: string,
  shape: "line" | "dot" | "triangle" | "bar",
  text: string,
): string {
  const drawn = {
    line: `<line class="${mark}" x1="1" x2="23" y1="8" y2="8"/>`,
    dot: `<circle class="${mark}" cx="12" cy="8" r="5"/>`,
    triangle: `<path class="${mark}" d="M12 3L17 13H7Z"/>`,
    bar: `<rect class="${mark}" x="4" y="2" width="16" height="12"/>`,
  }[shape];
  return `<span class="key"><svg width="24" height="16" aria-hidden="true">${drawn}</svg> ${text}</span>`;
}

/** A figure's data as HTML. */
export function tableHtml({ head, rows }: Table): string {
  const cells = (row: readonly (string | number)[]) =>
    row.map((value) => `<td>${typeof value === "number" ? num(value, 6) : escape(value)}</td>`);
  return `<table><thead><tr>${
    head.map((name) => `<th scope="col">${escape(name)}</th>`).join("")
  }</tr></thead><tbody>${
    rows.map((row) => `<tr>${cells(row).join("")}</tr>`).join("")
  }</tbody></table>`;
}
