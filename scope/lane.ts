/**
 * Points over events in bounded memory: the last ones in full, and the older the fewer.
 */
import { type JsonNumber, jsonNumber, type Series } from "./run_record.ts";

/** How much a lane keeps. */
export interface LaneLimits {
  /** So many of the last events are kept in full. */
  readonly recent: number;
  /** So many points of each coarser level: every 2nd, every 4th, … */
  readonly level: number;
}

/** What is kept where nothing else is asked for. */
export const LIMITS: LaneLimits = { recent: 2000, level: 128 };

interface Point {
  readonly at: number;
  readonly row: Float64Array;
  readonly min: Float64Array | null;
  readonly max: Float64Array | null;
}

/**
 * The points of some quantities that belong to the same events. A row holds quantity by quantity a
 * number for each channel.
 */
export class Lane {
  private recent: Point[] = [];
  private levels: Point[][] = [];

  private readonly quantities: number;
  private readonly limits: LaneLimits;

  /** Empty. */
  constructor(quantities: number, limits: LaneLimits = LIMITS) {
    this.quantities = quantities;
    this.limits = limits;
  }

  /** How many numbers it holds. */
  get size(): number {
    const width = this.recent.at(-1)?.row.length ?? 0;
    return width * this.levels.reduce((sum, { length }) => sum + 3 * length, this.recent.length);
  }

  /** Adds a row, which then belongs to the lane. A second one of the same event takes the place of the first. */
  push(at: number, row: Float64Array): void {
    const { recent, limits } = this;
    if (recent.at(-1)?.at === at) recent.pop();
    recent.push({ at, row, min: null, max: null });
    while (recent[0].at <= at - limits.recent) this.sink(recent.shift()!, 0);
  }

  /** Puts a point into a level; what overflows is merged in pairs and sinks further. */
  private sink(point: Point, depth: number): void {
    const level = this.levels[depth] ??= [];
    level.push(point);
    if (level.length <= this.limits.level) return;
    const [first, second] = level.splice(0, 2);
    this.sink(merged(first, second), depth + 1);
  }

  /** Keeps only some channels, by their positions. */
  narrow(positions: readonly number[]): void {
    const cut = (row: Float64Array): Float64Array => {
      const channels = row.length / this.quantities;
      const out = new Float64Array(positions.length * this.quantities);
      for (let q = 0, i = 0; q < this.quantities; q++) {
        for (const position of positions) out[i++] = row[q * channels + position];
      }
      return out;
    };
    const all = (points: Point[]): Point[] =>
      points.map(({ at, row, min, max }) => ({
        at,
        row: cut(row),
        min: min && cut(min),
        max: max && cut(max),
      }));
    this.recent = all(this.recent);
    this.levels = this.levels.map(all);
  }

  /**
   * One quantity as JSON.
   *
   * @param quantity Its place in the rows.
   * @param positions Which channels, in which order.
   * @param since Only events after this one.
   * @param digits To round to; `null` for the numbers as they are.
   */
  series(
    quantity: number,
    positions: readonly number[],
    since: number,
    digits: number | null = null,
  ): Series {
    const points = [...this.levels.toReversed().flat(), ...this.recent]
      .filter(({ at }) => at > since);
    const pick = (row: Float64Array, digits: number | null): JsonNumber[] => {
      const first = quantity * (row.length / this.quantities);
      return positions.map((position) => {
        const value = row[first + position];
        return jsonNumber(digits === null ? value : Number(value.toPrecision(digits)));
      });
    };
    const thinned = points.findLastIndex(({ min }) => min !== null) + 1;
    const series = {
      at: points.map(({ at }) => at),
      values: points.map(({ row }) => pick(row, digits)),
    };
    if (thinned === 0) return series;
    const old = points.slice(0, thinned);
    return {
      ...series,
      min: old.map(({ row, min }) => pick(min ?? row, 6)),
      max: old.map(({ row, max }) => pick(max ?? row, 6)),
    };
  }

  /** The events of the points after `since`. */
  events(since: number): number[] {
    return [...this.levels.toReversed().flat(), ...this.recent]
      .map(({ at }) => at)
      .filter((at) => at > since);
  }
}

function merged(first: Point, second: Point): Point {
  const min = (second.min ?? second.row).slice();
  const max = (second.max ?? second.row).slice();
  const [low, high] = [first.min ?? first.row, first.max ?? first.row];
  // NaN stays NaN: what was not finite must not be hidden.
  for (let i = 0; i < min.length; i++) {
    min[i] = Math.min(min[i], low[i]);
    max[i] = Math.max(max[i], high[i]);
  }
  return { at: second.at, row: second.row, min, max };
}
