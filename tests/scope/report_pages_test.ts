/** The reports in Chromium: as they stand, without JavaScript, in light and dark, wide and narrow. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ledgerOf, type Quantity } from "../../scope/mod.ts";
import { toReport } from "../../scope/report/mod.ts";
import { chromium, open, type Seen, type Way } from "./report_browser.ts";
import { exampleResults, exampleRun } from "./report_example.ts";

const HOSTILE = '</script><img src=x onerror="alert(1)">';
const run = exampleRun();
const ignore = chromium === "";

const facts = {
  scroll: "document.documentElement.scrollWidth <= innerWidth",
  images: "document.images.length",
  titled: `[...document.querySelectorAll("figure svg, #results svg")].filter((svg) =>
    svg.parentElement.closest("svg") === null && svg.querySelector(":scope > title")?.textContent !== "").length`,
  tables: "document.querySelectorAll('table').length",
  figures: `[...document.querySelectorAll("figure")].every((figure) =>
    document.getElementById(figure.getAttribute("aria-labelledby")) !== null &&
    figure.querySelector("figcaption p").textContent.trim() !== "" && figure.querySelector("details table") !== null)`,
};

async function opened(html: string, ways: readonly Way[]): Promise<Seen[]> {
  const file = await Deno.makeTempFile({ prefix: "tapegrad-report-", suffix: ".html" });
  try {
    await Deno.writeTextFile(file, html);
    return await open(file, ways);
  } finally {
    await Deno.remove(file);
  }
}

function assertQuiet({ requests, errors }: Seen): void {
  assertEquals(requests, []);
  assertEquals(errors, []);
}

Deno.test({
  name: "a report asks for nothing, reports no error, and shows the counts that were recorded",
  ignore,
  fn: async () => {
    const [seen, without] = await opened(toReport(run, { title: "A run" }), [
      {
        evaluate: {
          ...facts,
          cells: `Object.fromEntries([...document.querySelectorAll("[data-cell]")].map((cell) =>
            [cell.dataset.cell, Number(cell.querySelector("b").textContent)]))`,
          sentence: "document.getElementById('sentence').innerText",
        },
      },
      {
        javaScript: false,
        evaluate: { ...facts, sentence: "document.getElementById('sentence').innerText" },
      },
    ]);
    for (const one of [seen, without]) {
      assertQuiet(one);
      assertEquals([one.values.scroll, one.values.figures], [true, true]);
      assert(one.values.titled >= 6, `${one.values.titled} drawings`);
      assert(one.values.tables >= 6, `${one.values.tables} tables`);
      for (const count of ["30 steps", "60 times", "0 times"]) {
        assertStringIncludes(one.values.sentence, count);
      }
    }
    const { learned, tracked } = ledgerOf(run);
    assertEquals(seen.values.cells, {
      "learned-step": learned.step.count,
      "learned-forward": learned.forward.count,
      "tracked-step": tracked.step.count,
      "tracked-forward": tracked.forward.count,
    });
  },
});

Deno.test({
  name: "the picker draws another channel, keys and pointer read values, buttons save files",
  ignore,
  fn: async () => {
    const strips =
      `[...document.querySelectorAll("#lanes svg.wide-only .strip")].map(({ dataset }) =>
      [dataset.quantity, Number(dataset.low), Number(dataset.high)])`;
    const reading = "document.getElementById('reading').textContent";
    const lines =
      `[...document.querySelectorAll("#close-up svg.wide-only .line path")].map((path) =>
      path.getAttribute("d").match(/V/g)?.length ?? 0)`;
    const [seen, hovered] = await opened(toReport(run, { title: "A run" }), [
      {
        actions: [
          ["select", "#channel", "1"],
          ["press", "#event", "ArrowRight"],
          ["press", "#event", "ArrowRight"],
          ["save", "[data-save=svg][data-of=lanes]"],
          ["save", "[data-save=csv][data-of=loss]"],
          ["save", "[data-save=json]"],
        ],
        evaluate: {
          strips,
          reading,
          lines,
          name: "document.getElementById('lanes-channel').textContent",
        },
      },
      { actions: [["hover", "#lanes svg.wide-only"]], evaluate: { reading } },
    ]);
    assertQuiet(seen);
    const [layer] = run.layers;
    assertEquals(seen.values.name, `bn, channel ${layer.channels[1]}`);
    const column = (name: Quantity) => layer.series[name].values.map((row) => Number(row[1]));
    const behind = {
      gamma: [],
      beta: [],
      runningMean: column("batchMean"),
      runningVar: column("batchVar"),
    };
    for (const [quantity, low, high] of seen.values.strips) {
      const values = [...column(quantity), ...behind[quantity as keyof typeof behind]];
      assertEquals([low, high], [Math.min(...values), Math.max(...values)]);
    }
    assertEquals(seen.values.lines, [6, 6, 6, 6]);
    const [, gamma] = column("gamma");
    assertStringIncludes(seen.values.reading, "event 2, ● optimizer step: γ ");
    assertStringIncludes(seen.values.reading, `γ ${Number(gamma.toPrecision(6))},`);
    assertStringIncludes(hovered.values.reading, "event ");
    assertEquals(Object.keys(seen.downloads), ["lanes.svg", "loss.csv", "record.json"]);
    assertStringIncludes(seen.downloads["lanes.svg"], "--learned");
    const rows = seen.downloads["loss.csv"].trim().split("\n");
    assertEquals(rows.length, 1 + run.metrics[0].values.length);
    assertEquals(Number(rows[1].split(",")[2]), run.metrics[0].values[0]);
    assertEquals(JSON.parse(seen.downloads["record.json"]), JSON.parse(JSON.stringify(run)));
  },
});

for (
  const [kind, html] of [
    ["a run", toReport(run, { title: "A run" })],
    ["an experiment", toReport(exampleResults(), { title: "Rates" })],
  ] as const
) {
  Deno.test({
    name: `the report of ${kind} is accessible in light and dark, wide and narrow`,
    ignore,
    fn: async () => {
      const ways = (["light", "dark"] as const).flatMap((colorScheme) =>
        [1280, 360, 320].map((width): Way => ({
          width,
          colorScheme,
          isAudited: true,
          evaluate: facts,
        }))
      );
      for (const seen of await opened(html, ways)) {
        assertQuiet(seen);
        assertEquals(seen.violations, []);
        assertEquals([seen.values.scroll, seen.values.figures], [true, true]);
      }
    },
  });
}

Deno.test({
  name: "a module, a title and an axis named like markup stay text on the page",
  ignore,
  fn: async () => {
    for (
      const html of [
        toReport(exampleRun(4, HOSTILE), { title: HOSTILE }),
        toReport(exampleResults(HOSTILE), { title: HOSTILE }),
      ]
    ) {
      const [seen] = await opened(html, [{
        evaluate: {
          ...facts,
          title: "document.title",
          heading: "document.querySelector('h1').innerText",
        },
      }]);
      assertQuiet(seen);
      assertEquals(seen.values.images, 0);
      assertEquals([seen.values.title, seen.values.heading], [HOSTILE, HOSTILE]);
    }
  },
});
