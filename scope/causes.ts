/**
 * What has moved a tensor: by kind of writer and line, how often and how far.
 */
import { assertList, describe } from "../autograd/internal.ts";
import { type Change, jsonNumber, type Writer } from "./run_record.ts";

/** So many different lines are told apart for each tensor. */
const MOST = 200;

interface Tally {
  readonly by: Writer;
  readonly site: string | null;
  times: number;
  readonly first: number;
  last: number;
  distance: number;
}

/** The writers of one tensor. */
export class Causes {
  private readonly tallies = new Map<string, Tally>();

  /** Books a move. */
  note(by: Writer, site: string | null, at: number, moved: number): void {
    let key: string = site === null ? by : `${by} ${site}`;
    let tally = this.tallies.get(key);
    if (tally === undefined && this.tallies.size >= MOST) {
      key = by;
      site = null;
      tally = this.tallies.get(key);
    }
    if (tally === undefined) {
      tally = { by, site, times: 0, first: at, last: at, distance: 0 };
      this.tallies.set(key, tally);
    }
    tally.times++;
    tally.last = at;
    tally.distance += moved;
  }

  /** The latest first. */
  list(): Change[] {
    return [...this.tallies.values()]
      .map(({ by, site, times, first, last, distance }) => ({
        by,
        times,
        first,
        last,
        distance: jsonNumber(distance),
        ...(site === null ? {} : { site }),
      }))
      .sort((a, b) => b.last - a.last || b.first - a.first);
  }
}

const WORDS: Readonly<Record<Writer, string>> = {
  forward: "forward passes",
  optimizer: "the optimizer",
  load: "loading a state",
  reset: "a reset",
  recalibration: "recalibration",
  accumulated: "taking in accumulated statistics",
  copy_: "copy_",
  edit: "an edit of its values that nothing announced",
};

/**
 * What `Recorder.whyDidThisChange` found, as lines of text.
 *
 * @example
 * ```ts
 * import { nn, randn } from "@tapegrad/tapegrad";
 * import { formatChanges, record } from "@tapegrad/tapegrad/scope";
 * import { assertEquals } from "@std/assert";
 *
 * const bn = new nn.BatchNorm1d(3);
 * const recorder = record(bn, null);
 * for (let i = 0; i < 5; i++) bn.forward(randn([8, 3]));
 * const [line] = formatChanges(recorder.whyDidThisChange("", "running_mean")).split(", in all");
 * assertEquals(line, "forward passes: 5 times, last in event 5");
 * ```
 */
export function formatChanges(changes: readonly Change[]): string {
  const action = "format changes";
  assertList(action, changes, "changes", "what whyDidThisChange found");
  for (const change of changes) {
    if (typeof change === "object" && change !== null && Object.hasOwn(WORDS, change.by)) continue;
    throw new TypeError(
      `Cannot ${action}: got a change ${
        describe(change)
      }, expected one that whyDidThisChange found`,
    );
  }
  if (changes.length === 0) return "it has not changed while it was recorded";
  return changes.map(({ by, times, last, distance, site }) => {
    const often = times === 1 ? `once, in event ${last}` : `${times} times, last in event ${last}`;
    const far = `in all ${Number(distance).toPrecision(3)}`;
    return `${WORDS[by]}: ${often}, ${far}${site === undefined ? "" : ` (${site})`}`;
  }).join("\n");
}
