/**
 * Figures as SVG text: Observable Plot, drawing into a document that is not a browser's.
 *
 * The two packages are named here and not in deno.json, from which `deno task` would fetch them before
 * any task, also one that draws nothing.
 */
import * as Plot from "npm:@observablehq/plot@0.6.17";
import { parseHTML } from "npm:linkedom@0.18.15";
import { escape, Html } from "./html.ts";

export { Plot };

// linkedom's own types are those of a browser's window, which Deno's are not.
const { document } = parseHTML("<!doctype html><html><body></body></html>") as unknown as {
  document: unknown;
};

/** What a figure is, beside what is drawn in it. */
export interface DrawOptions {
  /** Named by SVG's own title: what a screen reader says, and a pointer shows. */
  readonly title: string;
  /** Names the elements of this drawing, so that several can share a page. */
  readonly id: string;
  /** A class of its own for the SVG element. */
  readonly className?: string;
}

/** Draws with Plot; colours are classes of the page, so that it follows light and dark. */
export function draw(options: Plot.PlotOptions, { title, id, className }: DrawOptions): Html {
  const svg = Plot.plot({
    ...options,
    // deno-lint-ignore no-explicit-any -- linkedom's document stands in for a browser's.
    document: document as any,
    style: { background: "none", fontSize: "12px", ...(options.style as object | undefined) },
    className: "plot",
  }) as unknown as { outerHTML: string };
  return titled(svg.outerHTML, { title, id, className });
}

/** Gives an SVG its title and role, and takes out what every figure would repeat. */
function titled(svg: string, { title, id, className = "" }: DrawOptions): Html {
  // A label on a group without a role is not read out, and the title says more.
  const body = shortened(svg).replace(/<style>[^]*?<\/style>/, "")
    .replace(/ aria-label="[^"]*"/g, "");
  const start = body.indexOf(">");
  const head = body.slice(0, start).replace('class="plot"', `class="plot ${className}"`.trim());
  return new Html(
    `${head.replace(' class="plot "', ' class="plot"')} role="img" aria-labelledby="${id}-title">` +
      `<title id="${id}-title">${escape(title)}</title>${body.slice(start + 1)}`,
  );
}

/** Coordinates, and nothing else, to a hundredth of a pixel. */
function shortened(svg: string): string {
  return svg.replace(
    / (?:d|transform|points|c?[xy][12]?|r|width|height)="[^"]*"/g,
    (attribute) =>
      attribute.replace(/\d+\.\d{3,}/g, (number) => String(Number(Number(number).toFixed(2)))),
  );
}
