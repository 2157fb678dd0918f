/**
 * Tables of numbers as text: comma-separated values.
 */
import { Tensor } from "../../autograd/mod.ts";
import { assertOptions } from "../../autograd/internal.ts";
import { quote } from "../errors.ts";
import { readBytes } from "../file.ts";
import { gunzip, isGzip } from "../archive/gzip.ts";
import type { NameOptions } from "../safetensors.ts";

/** How a table is written. */
export interface CsvOptions {
  /** Whether the first row names the columns; found out from it where left out. */
  readonly header?: boolean;
  /** What stands between two cells. */
  readonly delimiter?: string;
  /** The value of an empty cell; refused where left out. */
  readonly missing?: number;
}

/** A table of numbers. */
export interface Table {
  /** The names of the columns, `null` if the file gives none. */
  readonly columns: readonly string[] | null;
  /** The numbers, [rows, columns]. */
  readonly values: Tensor;
}

/**
 * Reads a table of numbers from a file, gzipped or not.
 *
 * @param path The file.
 * @param options `header`, `delimiter`, `missing`.
 * @returns The table.
 * @throws {RangeError} if a cell is no number or a row has another length, naming line and column.
 *
 * @example
 * ```ts
 * import { loadCsv } from "@tapegrad/tapegrad/io";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, "width,label\n0.5,1\n0.25,0\n");
 * const { columns, values } = await loadCsv(path);
 * assertEquals(columns, ["width", "label"]);
 * assertEquals(values.toArray(), [[0.5, 1], [0.25, 0]]);
 * await Deno.remove(path);
 * ```
 */
export async function loadCsv(path: string, options: CsvOptions = {}): Promise<Table> {
  const bytes = await readBytes(path);
  const plain = isGzip(bytes) ? await gunzip(bytes, path) : bytes;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch {
    throw new RangeError(`Cannot read ${path}: got text that is no UTF-8, expected UTF-8`);
  }
  return parseCsv(text, { ...options, name: path });
}

/**
 * Reads a table of numbers. Cells may stand in double quotes, empty lines are skipped.
 *
 * @param text The table.
 * @param options As of {@linkcode loadCsv}; `name` for errors.
 * @returns The table.
 * @throws {RangeError} if a cell is no number or a row has another length, naming line and column.
 */
export function parseCsv(text: string, options: CsvOptions & NameOptions = {}): Table {
  assertOptions("read CSV", options, ["header", "delimiter", "missing", "name"]);
  const { delimiter = ",", name = "CSV data" } = options;
  if (delimiter.length !== 1 || delimiter === '"') {
    throw new RangeError(
      `Cannot read ${name}: got delimiter ${quote(delimiter)}, expected one character`,
    );
  }
  let columns: string[] | null = null;
  let width = -1;
  let isFirst = true;
  const numbers: number[] = [];
  for (const { cells, line } of rowsOf(text, delimiter, name)) {
    if (isFirst && (options.header ?? isHeader(cells))) columns = cells;
    else {
      cells.forEach((cell, i) => numbers.push(numberOf(cell, i, line, columns, name, options)));
    }
    isFirst = false;
    if (width === -1) width = cells.length;
    if (cells.length !== width) {
      throw new RangeError(
        `Cannot read ${name}: got ${cells.length} cells in line ${line}, expected ${width}`,
      );
    }
  }
  const rows = width <= 0 ? 0 : numbers.length / width;
  const values = new Tensor({ values: Float64Array.from(numbers), version: 0 }, [
    rows,
    Math.max(width, 0),
  ]);
  return { columns, values };
}

interface Row {
  readonly cells: string[];
  /** The number of its first line, from 1. */
  readonly line: number;
}

function* rowsOf(text: string, delimiter: string, name: string): Iterable<Row> {
  let line = 1;
  let start = text.startsWith("\uFEFF") ? 1 : 0;
  // Old Macintosh files end lines with CR alone.
  if (!text.includes("\n") && text.includes("\r")) text = text.replaceAll("\r", "\n");
  while (start < text.length) {
    let end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    const row = text.slice(start, end).replace(/\r$/, "");
    if (!row.includes('"')) {
      if (row !== "") yield { cells: row.split(delimiter), line };
      start = end + 1;
      line++;
      continue;
    }
    const quoted = quotedRow(text, start, delimiter, line, name);
    yield { cells: quoted.cells, line };
    line += text.slice(start, quoted.end).split("\n").length;
    start = quoted.end + 1;
  }
}

/** A row with quotes, which may hold delimiters, line ends and doubled quotes. */
function quotedRow(
  text: string,
  start: number,
  delimiter: string,
  line: number,
  name: string,
): { cells: string[]; end: number } {
  const cells: string[] = [];
  let at = start;
  while (true) {
    let cell = "";
    if (text[at] === '"') {
      for (at++;; at++) {
        const close = text.indexOf('"', at);
        if (close < 0) {
          throw new RangeError(
            `Cannot read ${name}: got a quote in line ${line} that never ends, expected one that does`,
          );
        }
        cell += text.slice(at, close);
        at = close + 1;
        if (text[at] !== '"') break;
        cell += '"';
      }
    } else {
      const from = at;
      while (at < text.length && text[at] !== delimiter && text[at] !== "\n") at++;
      cell = text.slice(from, at).replace(/\r$/, "");
    }
    if (text[at] === "\r" && text[at + 1] === "\n") at++;
    cells.push(cell);
    if (at >= text.length || text[at] === "\n") return { cells, end: at };
    if (text[at] !== delimiter) {
      throw new RangeError(
        `Cannot read ${name}: got ${
          quote(text[at])
        } after a quoted cell in line ${line}, expected ` +
          `${quote(delimiter)} or the end of the line`,
      );
    }
    at++;
  }
}

const NUMBER =
  /^\s*[+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf(?:inity)?|nan)\s*$/i;

/** A first row names the columns if it has words and not a single number: a missing mark is no name. */
function isHeader(cells: readonly string[]): boolean {
  return cells.some((cell) => !isNumber(cell)) &&
    !cells.some((cell) => cell.trim() !== "" && isNumber(cell));
}

function isNumber(cell: string): boolean {
  return cell.trim() === "" || NUMBER.test(cell);
}

function numberOf(
  cell: string,
  index: number,
  line: number,
  columns: readonly string[] | null,
  name: string,
  { missing }: CsvOptions,
): number {
  if (cell.trim() === "" && missing !== undefined) return missing;
  if (!NUMBER.test(cell)) {
    const column = columns?.[index] === undefined ? "" : ` (${quote(columns[index])})`;
    throw new RangeError(
      `Cannot read ${name}: got ${quote(cell)} in line ${line}, column ${index + 1}${column}, ` +
        `expected a number`,
    );
  }
  const word = cell.trim().toLowerCase();
  if (word.endsWith("nan")) return NaN;
  if (/inf(inity)?$/.test(word)) return word.startsWith("-") ? -Infinity : Infinity;
  return Number(word);
}
