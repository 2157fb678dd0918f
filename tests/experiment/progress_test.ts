/** What the terminal shows while runs go on. */
import { assert, assertEquals } from "@std/assert";
import { experiment, grid, run, type RunEvent } from "../../experiment/mod.ts";
import { Block, blockLines, sparkline } from "../../experiment/cli/block.ts";
import { Tally } from "../../experiment/cli/tally.ts";
import type { Experiment } from "../../experiment/experiment.ts";

const climbing = experiment({
  name: "climbing",
  claim: "c",
  configs: grid({ height: [1, 2, 3] }),
  seeds: 2,
  metrics: { share: { goal: "max", unit: "%" } },
  *run({ config: { height }, seed }) {
    for (let step = 1; step <= 8; step++) {
      yield { step, metrics: { share: step * height / 100 + seed / 10 } };
    }
    if (height === 3) throw new Error("fell");
  },
}) as Experiment;

const events: RunEvent[] = [];
await run(climbing, { onEvent: (event) => events.push(event) });
const ends = events.flatMap(({ t }, i) => t === "end" ? [i] : []);

function tallyOf(before: readonly RunEvent[], done: number): Tally {
  return new Tally(climbing, { total: 6, done, workers: 1, before });
}

Deno.test("a sparkline goes from the lowest to the highest, ends with the last, and marks what is not finite", () => {
  assertEquals(sparkline([1, 2, 3, 4, 5, 6, 7, 8], 16), "▁▂▃▄▅▆▇█");
  assertEquals(sparkline([5, 5], 16), "▄▄");
  assertEquals(sparkline([0, NaN, 1], 16), "▁×█");
  const many = sparkline([...Array(99).fill(0), 1], 10);
  assertEquals([many.length, many.at(-1)], [10, "█"]);
  assertEquals(sparkline([], 10), "");
});

Deno.test("the block tells how far it is, and how each config stands", () => {
  const tally = tallyOf([], 0);
  assertEquals(tally.secondsLeft, null);
  for (const event of events.slice(0, ends[3] + 1)) tally.note(event);
  const [head, ...rows] = blockLines(tally, { columns: 100, rows: 24 });
  assert(/^climbing {2}█{16}░{8} {2}4 of 6 runs {2}\d s left$/.test(head), head);
  assertEquals(rows, [
    "  height 1  2/2  ▁▂▃▄▅▆▇█          best share 18.0 %",
    "  height 2  1/2  ▁▂▃▄▅▆▇█          best share 16.0 %",
    "  height 3  1/2  ▁▂▃▄▅▆▇█          best share –  ✗ 1 of 1",
  ]);
  // What an earlier command did is told as well.
  const again = tallyOf(events.slice(0, ends[3] + 1), 4);
  assertEquals(blockLines(again, { columns: 100, rows: 24 }).slice(1), rows);
  const narrow = blockLines(tally, { columns: 20, rows: 5 });
  assertEquals(narrow.length, 4);
  assert(narrow.every((line) => [...line].length <= 20), narrow.join("\n"));
  assertEquals(narrow.at(-1), "  and 1 more");
});

/** What stands on a screen after text and the sequences that the block uses. */
function screenOf(text: string): string[] {
  const lines: string[] = [""];
  let at = 0;
  // deno-lint-ignore no-control-regex
  for (const [token] of text.matchAll(/\x1b\[\d*[AJ]|\n|\r|[^\x1b\n\r]+/g)) {
    if (token.endsWith("A") && token.startsWith("\x1b")) at -= parseInt(token.slice(2));
    else if (token.endsWith("J")) lines.length = at + 1, lines[at] = "";
    else if (token === "\n") lines[++at] ??= "";
    else if (token !== "\r") lines[at] = token;
  }
  return lines;
}

Deno.test("the block is redrawn in its place, and errors stay above it", () => {
  let written = "";
  const tally = tallyOf([], 0);
  const block = new Block({
    size: () => ({ columns: 100, rows: 24 }),
    write: (text) => written += text,
  }, tally);
  block.draw({ now: true });
  for (const event of events) {
    tally.note(event);
    if (event.t !== "end") continue;
    const above = event.error === null ? undefined : "Error: fell";
    block.draw({ now: true, ...(above !== undefined && { above }) });
  }
  const lines = blockLines(tally, { columns: 100, rows: 24 });
  assertEquals(screenOf(written), ["Error: fell", "Error: fell", ...lines, ""]);
  assert(lines[0].endsWith("6 of 6 runs"), lines[0]);
});
