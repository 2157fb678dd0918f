/**
 * Tables of numbers as text: comma-separated values.
 */
import { Tensor } from "../../autograd/mod.ts";
import { assertFunction, assertList, assertOptions, describe } from "../../autograd/internal.ts";
import { quote } from "../errors.ts";
import { nameOption, readBytes } from "../file.ts";
import { gunzip, isGzip } from "../archive/gzip.ts";
import { identify } from "../identify.ts";
import type { NameOptions } from "../safetensors.ts";

/** How a table is written. */
export interface CsvOptions {
  /** Whether the first row names the columns; found out from it where left out. */
  readonly header?: boolean;
  /** What stands between two cells. */
  readonly delimiter?: string;
  /** The value of a cell without one; refused where left out. */
  readonly missing?: number;
  /** What cells without a value may say besides nothing: `["NA", "?"]`. */
  readonly missingMarks?: readonly string[];
  /** The columns that are read, by name or by number from 0; all of them where left out. */
  readonly columns?: readonly (string | number)[];
  /**
   * The number of a cell, for columns of words; `null` leaves it to be read as one. The second argument is
   * the column's name, or its number where it has none.
   */
  readonly convert?: (cell: string, column: string | number) => number | null;
  /** Columns of labels, by name or number: each different word gets a number, in order of appearance. */
  readonly labels?: readonly (string | number)[];
}

/** A table of numbers. */
export interface Table {
  /** The names of the columns, `null` if the file gives none. */
  readonly columns: readonly string[] | null;
  /** The numbers, [rows, columns]. */
  readonly values: Tensor;
  /** For each column of labels its words; a word's place is its number. */
  readonly labels: ReadonlyMap<string | number, readonly string[]>;
}

/**
 * Reads a table of numbers from a file, gzipped or not.
 *
 * @param path The file.
 * @param options `header`, `delimiter`, `missing`.
 * @returns The table.
 * @throws {RangeError} if a cell is not a number or a row has another length, naming line and column.
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
  const plain = isGzip(bytes) ? await gunzip(bytes, path, LONGEST_TEXT) : bytes;
  if (plain.length > LONGEST_TEXT) {
    throw new RangeError(
      `Cannot read ${path}: got ${plain.length} bytes, expected at most ${LONGEST_TEXT}; split it`,
    );
  }
  const found = plain.length === 0 ? null : identify(plain);
  // A line of a table may begin with a bracket; nothing else that is recognised may.
  if (found !== null && !found.startsWith("JSON")) {
    throw new RangeError(`Cannot read ${path}: got ${found}, expected a table as text`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch {
    throw new RangeError(`Cannot read ${path}: got text that is no UTF-8, expected UTF-8`);
  }
  return parseCsv(text, { ...options, name: path });
}

/** Engines hold no longer strings. */
const LONGEST_TEXT = 2 ** 29 - 25;

/**
 * Reads a table of numbers. Cells may stand in double quotes, empty lines are skipped.
 *
 * @param text The table.
 * @param options As of {@linkcode loadCsv}; `name` for errors.
 * @returns The table.
 * @throws {RangeError} if a cell is not a number or a row has another length, naming line and column.
 */
export function parseCsv(text: string, options: CsvOptions & NameOptions = {}): Table {
  assertOptions("read CSV", options, KNOWN);
  const { delimiter = "," } = options;
  const name = nameOption(options.name, "CSV data");
  for (const key of ["columns", "labels", "missingMarks"] as const) {
    if (options[key] !== undefined) assertList(`read ${name}`, options[key], key, "values");
  }
  if (options.convert !== undefined) assertFunction(`read ${name}`, options.convert, "convert");
  if (typeof text !== "string") {
    throw new TypeError(`Cannot read ${name}: got ${describe(text)}, expected a text`);
  }
  if (typeof delimiter !== "string" || delimiter.length !== 1 || delimiter === '"') {
    throw new RangeError(
      `Cannot read ${name}: got delimiter ${quote(delimiter)}, expected one character`,
    );
  }
  let names: string[] | null = null;
  let reader: CellReader | null = null;
  let width = -1;
  const numbers: number[] = [];
  for (const { cells, line } of rowsOf(text, delimiter, name)) {
    if (width === -1) {
      width = cells.length;
      const marks = options.missingMarks ?? [];
      if (options.header ?? isHeader(cells, marks)) names = cells;
      reader = new CellReader(names, width, name, options);
      if (names !== null) continue;
    }
    if (cells.length !== width) {
      throw new RangeError(
        `Cannot read ${name}: got ${cells.length} cells in line ${line}, expected ${width}`,
      );
    }
    reader!.read(cells, line, numbers);
  }
  const chosen = reader?.columns ?? [];
  const rows = chosen.length === 0 ? 0 : numbers.length / chosen.length;
  const values = new Tensor({ values: Float64Array.from(numbers), version: 0 }, [
    rows,
    chosen.length,
  ]);
  const columns = names === null ? null : chosen.map((column) => names![column]);
  return { columns, values, labels: reader?.labels ?? new Map() };
}

const KNOWN = [
  "header",
  "delimiter",
  "missing",
  "missingMarks",
  "columns",
  "convert",
  "labels",
  "name",
] as const;

/** Makes numbers of the cells of the columns that are wanted. */
class CellReader {
  /** The columns by number. */
  readonly columns: readonly number[];
  readonly labels = new Map<string | number, string[]>();
  readonly #names: readonly string[] | null;
  readonly #file: string;
  readonly #options: CsvOptions;
  readonly #labelled: ReadonlySet<number>;

  constructor(
    names: readonly string[] | null,
    width: number,
    file: string,
    options: CsvOptions,
  ) {
    this.#names = names;
    this.#file = file;
    this.#options = options;
    const all = Array.from({ length: width }, (_, i) => i);
    // A list with gaps is read as holding undefined there, which is no column.
    const find = (column: string | number): number => this.#find(column, width);
    this.columns = options.columns === undefined ? all : Array.from(options.columns, find);
    this.#labelled = new Set(Array.from(options.labels ?? [], find));
  }

  #find(column: string | number, width: number): number {
    const found = typeof column === "number" ? column : this.#names?.indexOf(column) ?? -1;
    if (Number.isInteger(found) && found >= 0 && found < width) return found;
    throw new RangeError(
      `Cannot read ${this.#file}: got column ${quote(column as string)}, expected ` +
        (this.#names === null
          ? `a number from 0 to ${width - 1}`
          : `one of ${this.#names.map(quote).join(", ")}`),
    );
  }

  read(cells: readonly string[], line: number, into: number[]): void {
    for (const column of this.columns) into.push(this.#number(cells[column], column, line));
  }

  #number(cell: string, column: number, line: number): number {
    const name = this.#names?.[column] ?? column;
    const { missing, missingMarks, convert } = this.#options;
    const word = cell.trim();
    if (this.#labelled.has(column)) {
      const words = this.labels.get(name) ?? [];
      this.labels.set(name, words);
      const known = words.indexOf(word);
      return known >= 0 ? known : words.push(word) - 1;
    }
    const converted = convert?.(cell, name) ?? null;
    if (converted !== null) return converted;
    if (missing !== undefined && (word === "" || missingMarks?.includes(word))) return missing;
    if (!NUMBER.test(cell)) {
      const shown = typeof name === "string" ? ` (${quote(name)})` : "";
      throw new RangeError(
        `Cannot read ${this.#file}: got ${quote(cell)} in line ${line}, column ${
          column + 1
        }${shown}, ` +
          `expected a number; choose columns, or give labels, convert or missingMarks`,
      );
    }
    const lower = word.toLowerCase();
    if (lower.endsWith("nan")) return NaN;
    if (/inf(inity)?$/.test(lower)) return lower.startsWith("-") ? -Infinity : Infinity;
    return Number(lower);
  }
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
function isHeader(cells: readonly string[], marks: readonly string[]): boolean {
  return cells.some((cell) => !isNumber(cell) && !marks.includes(cell.trim())) &&
    !cells.some((cell) => cell.trim() !== "" && isNumber(cell));
}

function isNumber(cell: string): boolean {
  return cell.trim() === "" || NUMBER.test(cell);
}
