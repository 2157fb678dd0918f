/**
 * Runs on a terminal that can be redrawn: how far it is, and a line for each config.
 */
import { describeConfig } from "../expectations.ts";
import { formatMetric } from "../table.ts";
import { duration } from "./duration.ts";
import type { Standing, Tally } from "./tally.ts";

const BARS = "▁▂▃▄▅▆▇█";
const BAR_WIDTH = 24;
const SPARK_WIDTH = 16;

/** Numbers as bars of eight heights, the lowest to the highest; `×` where one is not finite. */
export function sparkline(values: readonly number[], width: number): string {
  // Of more values than there is room for, evenly spaced ones, the last among them.
  const step = Math.max(1, (values.length - 1) / (width - 1));
  const count = Math.min(values.length, width);
  const shown = Array.from({ length: count }, (_, i) => values[Math.round(i * step)]);
  const finite = shown.filter(Number.isFinite);
  const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  return shown.map((value) => {
    if (!Number.isFinite(value)) return "×";
    return BARS[high === low ? 3 : Math.round((value - low) / (high - low) * (BARS.length - 1))];
  }).join("");
}

/** The first characters of a line, with `…` where it is cut. */
function cut(line: string, columns: number): string {
  const characters = [...line];
  return characters.length <= columns ? line : `${characters.slice(0, columns - 1).join("")}…`;
}

/** Which configs are shown where there is no room for all: those that are at work, then the others. */
function chosen(standings: readonly Standing[], seeds: number, rows: number): Standing[] {
  if (standings.length <= rows) return [...standings];
  const isAtWork = ({ ended, curve }: Standing) => ended < seeds && curve.length > 0;
  const sorted = standings.toSorted((a, b) => Number(isAtWork(b)) - Number(isAtWork(a)));
  const some = new Set(sorted.slice(0, rows));
  return standings.filter((standing) => some.has(standing));
}

/** The lines of the block. */
export function blockLines(
  tally: Tally,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string[] {
  const { done, total, secondsLeft, standings, experiment: { name, seeds } } = tally;
  const [metric, options] = tally.metric;
  const filled = Math.round(BAR_WIDTH * done / total);
  const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
  const left = secondsLeft === null || done === total ? "" : `  ${duration(secondsLeft)} left`;
  const shown = chosen(standings, seeds.length, Math.max(1, rows - 3));
  const labels = shown.map(({ axes }) => describeConfig(axes));
  const width = labels.reduce((most, label) => Math.max(most, [...label].length), 0);
  const body = shown.map(({ ended, lost, values, curve }, i) => {
    const sorted = values.filter((x) => !Number.isNaN(x)).sort((a, b) => a - b);
    const best = options.goal === "min" ? sorted[0] : sorted.at(-1);
    const value = best === undefined ? "–" : formatMetric(best, options);
    const spark = sparkline(curve, SPARK_WIDTH).padEnd(SPARK_WIDTH);
    const gone = lost === 0 ? "" : `  ✗ ${lost} of ${ended}`;
    return `  ${
      labels[i].padEnd(width)
    }  ${ended}/${seeds.length}  ${spark}  best ${metric} ${value}${gone}`;
  });
  const hidden = standings.length - shown.length;
  return [
    `${name}  ${bar}  ${done} of ${total} runs${left}`,
    ...body,
    ...hidden === 0 ? [] : [`  and ${hidden} more`],
  ].map((line) => cut(line, columns));
}

/** A terminal. */
export interface Terminal {
  /** How large it is now. */
  size(): { readonly columns: number; readonly rows: number };
  /** Writes text and control sequences. */
  write(text: string): void;
}

/** Redraws a block of lines in place, at most ten times a second. */
export class Block {
  readonly #terminal: Terminal;
  readonly #tally: Tally;
  #height = 0;
  #drawnAt = -Infinity;

  constructor(terminal: Terminal, tally: Tally) {
    this.#terminal = terminal;
    this.#tally = tally;
  }

  /** Draws it where it stands, with lines above that stay. */
  draw(options: { readonly above?: string; readonly now?: boolean } = {}): void {
    const { above, now = above !== undefined } = options;
    if (!now && performance.now() - this.#drawnAt < 100) return;
    this.#drawnAt = performance.now();
    const lines = blockLines(this.#tally, this.#terminal.size());
    const back = this.#height === 0 ? "" : `\x1b[${this.#height}A`;
    const kept = above === undefined ? "" : `${above}\n`;
    this.#terminal.write(`${back}\r\x1b[J${kept}${lines.join("\n")}\n`);
    this.#height = lines.length;
  }
}
