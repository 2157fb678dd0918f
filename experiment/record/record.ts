/**
 * The record of an experiment: one event a line, only ever added to.
 */
import type { BatchNormState } from "../batch_norm_state.ts";
import type { Metrics } from "../experiment.ts";
import type { Config } from "../space.ts";

/** How a run ended. */
export type RunState = "completed" | "diverged" | "stopped" | "failed";

/** A run began. */
export interface StartEvent {
  /** The kind of event. */
  readonly t: "start";
  /** The run's identity. */
  readonly id: string;
  /** Its config, `fixed` included. */
  readonly config: Config;
  /** Its seed. */
  readonly seed: number;
  /** When, as ISO 8601. */
  readonly at: string;
}

/** Something was observed. */
export interface ObserveEvent {
  /** The kind of event. */
  readonly t: "observe";
  /** The run's identity. */
  readonly id: string;
  /** Where the run was. */
  readonly step: number;
  /** What was measured. */
  readonly metrics: Metrics;
  /** Seconds of training so far. */
  readonly seconds: number;
}

/** How often the library warned in a run, by code. */
export interface WarningCount {
  /** How many times. */
  readonly count: number;
  /** The first message. */
  readonly message: string;
}

/** A run ended. */
export interface EndEvent {
  /** The kind of event. */
  readonly t: "end";
  /** The run's identity. */
  readonly id: string;
  /** How. */
  readonly state: RunState;
  /** The last value of each metric, and what the run returned. */
  readonly summary: Metrics;
  /** Seconds of training and of evaluation. */
  readonly seconds: { readonly train: number; readonly evaluate: number };
  /** Whether nothing else ran beside it, so that its times can be compared. */
  readonly alone: boolean;
  /** The stack of the error that ended it, or `null`. */
  readonly error: string | null;
  /** The library's warnings. */
  readonly warnings: Readonly<Record<string, WarningCount>>;
  /** The batch norm layers of recorded networks; missing where none was recorded. */
  readonly batchNorm?: readonly BatchNormState[];
}

/** A line of the record. */
export type RunEvent = StartEvent | ObserveEvent | EndEvent;

/** The version of the lines. */
const VERSION = 1;
const NON_FINITE = ["NaN", "Infinity", "-Infinity"];

/** An event as a line, without its end. Numbers that JSON does not know are texts. */
export function toLine(event: RunEvent): string {
  return JSON.stringify({ v: VERSION, ...event }, (_, value) => {
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  });
}

function numbersOf(metrics: Readonly<Record<string, unknown>>): Metrics {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [
      name,
      NON_FINITE.includes(value as string) ? Number(value) : value as number,
    ]),
  );
}

function endOf(event: EndEvent): EndEvent {
  const summary = numbersOf(event.summary);
  if (event.batchNorm === undefined) return { ...event, summary };
  const batchNorm = event.batchNorm.map(({ path, gamma, gap, drift }) => ({
    path,
    gamma: gamma.map(Number),
    gap: gap === null ? null : Number(gap),
    drift: drift.map(Number),
  }));
  return { ...event, summary, batchNorm };
}

function toEvent(line: string): RunEvent {
  const { v, ...event } = JSON.parse(line);
  if (v !== VERSION) throw new RangeError(`version ${v}`);
  if (event.t === "start") return event;
  if (event.t === "observe") return { ...event, metrics: numbersOf(event.metrics) };
  if (event.t === "end") return endOf(event);
  throw new RangeError(`event ${event.t}`);
}

/** What was read, and what was left out. */
export interface ReadRecord {
  /** The events. */
  readonly events: readonly RunEvent[];
  /** What was dropped, in words, or `null`: the writer was killed within its last line. */
  readonly dropped: string | null;
  /** How many bytes of the text are whole lines. */
  readonly wholeBytes: number;
  /** Whether the last event is there but not its line's end. */
  readonly unended: boolean;
}

/**
 * Reads a record. A last line that was cut off is dropped; anything else that is not an event is an error.
 *
 * @param bytes The file's content.
 * @param name What to call it in an error.
 * @throws {RangeError} if a line before the last one is damaged.
 */
export function readRecord(bytes: Uint8Array, name: string): ReadRecord {
  const end = bytes.lastIndexOf(10) + 1;
  const decoder = new TextDecoder();
  const events: RunEvent[] = [];
  decoder.decode(bytes.subarray(0, end)).split("\n").forEach((line, i) => {
    if (line === "") return;
    try {
      events.push(toEvent(line));
    } catch (error) {
      throw new RangeError(
        `Cannot read ${name}: got line ${i + 1} that is damaged (${(error as Error).message}), ` +
          `expected an event; remove that line, or start over with --fresh`,
      );
    }
  });
  const rest = decoder.decode(bytes.subarray(end));
  if (rest === "") return { events, dropped: null, wholeBytes: end, unended: false };
  try {
    events.push(toEvent(rest));
    return { events, dropped: null, wholeBytes: bytes.length, unended: true };
  } catch {
    const kind = /"t":"(\w+)"/.exec(rest)?.[1];
    const id = /"id":"([0-9a-f]+)"/.exec(rest)?.[1];
    const what = kind === undefined ? "an event" : `an event (${kind}${id ? ` of ${id}` : ""})`;
    return {
      events,
      dropped: `the last line of ${name} was cut off: ${what} is dropped`,
      wholeBytes: end,
      unended: false,
    };
  }
}

/** What the events say of one run. */
export interface RecordedRun {
  /** Its beginning. */
  readonly start: StartEvent;
  /** What was observed since. */
  readonly observations: readonly ObserveEvent[];
  /** Its end; `null` if it has none. */
  readonly end: EndEvent | null;
}

/** The runs of a record by identity, in the order of their beginnings. A run that began again counts from there. */
export function runsOf(events: readonly RunEvent[]): Map<string, RecordedRun> {
  const runs = new Map<
    string,
    { start: StartEvent; observations: ObserveEvent[]; end: EndEvent | null }
  >();
  for (const event of events) {
    if (event.t === "start") {
      runs.set(event.id, { start: event, observations: [], end: null });
      continue;
    }
    const run = runs.get(event.id);
    if (run === undefined) continue;
    if (event.t === "observe") run.observations.push(event);
    else run.end = event;
  }
  return runs;
}
