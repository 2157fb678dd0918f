import { assert, assertEquals, assertThrows } from "@std/assert";
import { readRecord, type RunEvent, runsOf, toLine } from "../../experiment/record/record.ts";

const events: RunEvent[] = [
  { t: "start", id: "00aa", config: { lr: 0.1, norm: "β" }, seed: 0, at: "2026-01-01T00:00:00Z" },
  { t: "observe", id: "00aa", step: 1, metrics: { a: NaN, b: -Infinity, c: 0.1 }, seconds: 0.5 },
  {
    t: "end",
    id: "00aa",
    state: "diverged",
    summary: { a: Infinity },
    seconds: { train: 0.5, evaluate: 0 },
    alone: true,
    error: null,
    warnings: { "bn-few-values": { count: 2, message: "β {" } },
  },
];
const bytes = new TextEncoder().encode(events.map((event) => `${toLine(event)}\n`).join(""));

Deno.test("events come back as they were, numbers that JSON does not know included", () => {
  assertEquals(readRecord(bytes, "runs.jsonl").events, events);
});

Deno.test("a record cut at any byte loads, and names at most the one event that is dropped", () => {
  const ends = [...bytes.keys()].filter((i) => bytes[i] === 10).map((i) => i + 1);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const { events: read, dropped, wholeBytes } = readRecord(bytes.slice(0, cut), "runs.jsonl");
    // An event is there as soon as its line is, with or without the line's end.
    const whole = ends.filter((end) => end - 1 <= cut).length;
    assertEquals(read, events.slice(0, whole), `cut at ${cut}`);
    const torn = cut > 0 && !ends.includes(cut) && !ends.includes(cut + 1);
    assertEquals(dropped !== null, torn, `cut at ${cut}: ${dropped}`);
    assert(wholeBytes <= cut);
  }
  const cut = readRecord(bytes.slice(0, bytes.length - 20), "runs.jsonl");
  assert(cut.dropped!.includes("(end of 00aa)"), cut.dropped!);
});

Deno.test("damage before the last line is named, not dropped", () => {
  const text = new TextDecoder().decode(bytes).replace('"t":"observe"', '"t":"obs');
  assertThrows(
    () => readRecord(new TextEncoder().encode(text), "runs.jsonl"),
    RangeError,
    "line 2 that is damaged",
  );
});

Deno.test("a run that began again counts from there", () => {
  const again = runsOf([...events.slice(0, 2), events[0], ...events.slice(1)]);
  assertEquals(again.get("00aa")!.observations.length, 1);
  assertEquals(again.get("00aa")!.end!.state, "diverged");
  assertEquals(runsOf([...events, events[0]]).get("00aa")!.end, null);
});
