/** Axes of the report's figures. */
import { assert, assertEquals } from "@std/assert";
import { record } from "../../scope/mod.ts";
import { logTicks } from "../../scope/report/statistics.ts";
import { toReport } from "../../scope/report/mod.ts";
import { nn } from "../../mod.ts";
import { exampleRun } from "./report_example.ts";

Deno.test("an axis of logarithms has a few numbers, each of them inside, also over many decades", () => {
  assertEquals(logTicks(0.75, 1.3), [0.8, 1, 1.2]);
  assertEquals(logTicks(0.01, 100), [0.01, 0.1, 1, 10, 100]);
  for (const [low, high] of [[0.98, 1.02], [1, 9.9], [0.3, 40], [1e-12, 1e9], [1, 1 + 1e-9]]) {
    const ticks = logTicks(low, high);
    assert(ticks.length >= 1 && ticks.length <= 6, `${low} to ${high}: ${ticks}`);
    for (const tick of ticks) assert(tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
  }
});

Deno.test("marks keep off the names of layers, and every tick of the drift has its number", () => {
  const page = toReport(exampleRun(), { title: "A run" });
  for (const id of ["drift-z", "drift-f"]) {
    const start = page.indexOf(`<figure id="${id}"`);
    const text = page.slice(start, page.indexOf("</figure>", start));
    const marks = [...text.matchAll(/Z" transform="translate\(([\d.]+),/g)].map(([, x]) =>
      Number(x)
    );
    // The axis begins at 60 pixels; a triangle reaches 5.4 to its left.
    assert(marks.length === 4 && Math.min(...marks) >= 66, `${id}: ${marks}`);
    const [ticks, numbers] = ['<path d="M0,0L0,6"', 'y="0.71em"'].map((part) =>
      text.split(part).length - 1
    );
    assertEquals(numbers, ticks, id);
    assert(!/<text[^>]*><\/text>/.test(text), `${id} has a tick without a number`);
  }
});

Deno.test("momentum 0 has a half-life without end, of the right sign", () => {
  const [layer] = record(new nn.BatchNorm1d(2, { momentum: 0 }), null).toJSON().layers;
  assertEquals(layer.halfLife, "Infinity");
});
