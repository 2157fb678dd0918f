/**
 * A figure of a page: a heading, a sentence that says what is to be seen, the drawing, and its data as a
 * table.
 */
import { type Content, Html, markup } from "./html.ts";

/** Rows of a table under a figure; the first names the columns. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | Html | null)[])[];
}

/** A figure. */
export interface Figure {
  /** Names it on the page; letters, digits and dashes. */
  readonly id: string;
  readonly heading: string;
  /** One sentence: what is to be seen. */
  readonly takeaway: Content;
  readonly drawing: Content;
  readonly table: Table;
  /** Takes the width of the page rather than of a column. */
  readonly isWide?: boolean;
}

/** More rows than this are thinned out: the whole lies in the page's data. */
const MOST_ROWS = 60;

/** The figure's markup. */
export function figure({ id, heading, takeaway, drawing, table, isWide }: Figure): Html {
  return markup`
    <figure id="${id}" aria-labelledby="${id}-heading" ${isWide ? new Html(' class="wide"') : null}>
      <figcaption>
        <h3 id="${id}-heading">${heading}</h3>
        <p>${takeaway}</p>
      </figcaption>
      <div class="drawing">${drawing}</div>
      <div class="under">${dataTable(table, id)}
    <p class="save" hidden><button type="button" data-save="svg" data-of="${id}">SVG</button>
    <button type="button" data-save="csv" data-of="${id}">CSV</button></p></div>
    </figure>
  `;
}

/** The data of a figure, folded. */
function dataTable({ columns, rows }: Table, id: string): Html {
  const stride = Math.ceil(rows.length / MOST_ROWS);
  const shown = rows.filter((_, i) => i % stride === 0 || i === rows.length - 1);
  const label = stride === 1
    ? `Data (${rows.length} ${rows.length === 1 ? "row" : "rows"})`
    : `Data (${shown.length} of ${rows.length} rows)`;
  return markup`
    <details>
      <summary>${label}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Data of the figure"
        data-table="${id}">${tableOf({ columns, rows: shown })}</div>
    </details>
  `;
}

/** A plain table; numbers stand to the right. */
export function tableOf({ columns, rows }: Table): Html {
  return markup`
    <table>
      <thead>
        <tr>${columns.map((column) => markup`<th scope="col">${column}</th>`)}</tr>
      </thead>
      <tbody>${
    rows.map((row) =>
      markup`
          <tr>${
        row.map((value) =>
          typeof value === "number"
            ? markup`<td class="number">${shown(value)}</td>`
            : markup`<td>${value ?? "–"}</td>`
        )
      }</tr>
        `
    )
  }</tbody>
    </table>
  `;
}

/** A number for people: whole ones whole, others to six digits. */
export function shown(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(6)));
}
