import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { manualSeed, nn, randn } from "../../mod.ts";
import { type RunRecord, sentenceOf } from "../../scope/mod.ts";
import { gradientPartsOf, toFigure, toReport } from "../../scope/report/mod.ts";
import { boundaryOf } from "../../scope/report/experiment/comparisons.ts";
import { resultsView } from "../../scope/report/experiment/from_results.ts";
import { quantile } from "../../scope/report/experiment/configs.ts";
import { bandOf, reachedAt } from "../../scope/report/experiment/curves.ts";
import { script } from "../../scope/report/script.ts";
import { halfLife, initialShare } from "../../scope/report/statistics.ts";
import { assertClose } from "../assert_close.ts";
import { exampleResults, exampleRun } from "./report_example.ts";

const run = exampleRun();
const page = toReport(run, { title: "A run" });

/** A page's text without its markup. */
function textOf(html: string): string {
  return html.replace(/<(script|style)[^]*?<\/\1>/g, "").replace(/<[^>]*>/g, "")
    .replace(/\s+/g, " ");
}

/** What lies in a page as data. */
// deno-lint-ignore no-explicit-any -- read back as it was written.
function dataOf(html: string): any {
  return JSON.parse(/id="data">([^<]*)<\/script>/.exec(html)![1]);
}

Deno.test("the sentence and the matrix hold the counts that the training has", () => {
  // One layer, two tensors of each kind, 30 steps.
  const sentence =
    "In 30 steps the optimizer moved γ and β 60 times, and forward passes moved them " +
    "0 times. Forward passes moved the running mean and variance 60 times, and the optimizer moved " +
    "them 0 times.";
  assertEquals(sentenceOf(run), sentence);
  assertStringIncludes(textOf(page).replaceAll("● ", "").replaceAll("▲ ", ""), sentence);
  const cells = [...page.matchAll(/data-cell="([\w-]+)" data-times="(\d+)"/g)];
  assertEquals(cells.map(([, cell, times]) => [cell, Number(times)]), [
    ["learned-step", 60],
    ["learned-forward", 0],
    ["tracked-step", 0],
    ["tracked-forward", 60],
  ]);
  assertStringIncludes(
    textOf(page),
    "60 = 30 steps × 2 (γ and β). 60 = 30 forward passes in training × 2 (mean and variance).",
  );
});

Deno.test("the data in the page is the record, bit for bit", () => {
  assertEquals(dataOf(page).record, JSON.parse(JSON.stringify(run)));
});

Deno.test("the lines are drawn where the values are", () => {
  const [layer] = run.layers;
  for (const quantity of ["gamma", "beta", "runningMean", "runningVar"] as const) {
    // The close-up: from its pixels back to values.
    const start = page.indexOf(
      `data-quantity="${quantity}"`,
      page.indexOf('"close-up-wide-title"'),
    );
    const strip = page.slice(start, page.indexOf("</svg>", start));
    const attribute = (name: string) =>
      Number(new RegExp(`data-${name}="([^"]*)"`).exec(strip)![1]);
    const [low, high, top, bottom] = ["low", "high", "top", "bottom"].map(attribute);
    const marks = strip.slice(strip.indexOf('class="marks"')).split("</g>")[0];
    const heights = [...marks.matchAll(/ cy="([^"]*)"|translate\([^,]*,([^)]*)\)/g)]
      .map(([, a, b]) => Number(a ?? b));
    const values = heights.map((y) => low + (bottom - y) / (bottom - top) * (high - low));
    const { at, values: recorded } = layer.series[quantity];
    const wanted = recorded.map(([worst]) => Number(worst))
      .filter((_, i) => at[i] > 0 && at[i] <= 12);
    assertEquals(wanted.length, 6);
    const pixel = (high - low) / (bottom - top);
    assertClose(values, wanted, 0, 0.01 * pixel, quantity);
  }
});

Deno.test("a page can load nothing: its policy, and no address in it", () => {
  assertStringIncludes(
    page,
    `content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; ` +
      `script-src &#39;unsafe-inline&#39;; img-src data:"`,
  );
  assertEquals([...page.matchAll(/(?:src|href|url\()\s*=?\s*["']?https?:/g)], []);
});

Deno.test("names are text wherever they stand", () => {
  const name = '</script><img src=x onerror="alert(1)">';
  for (
    const html of [
      toReport(exampleRun(4, name), { title: name }),
      toReport(exampleResults(name), { title: name }),
      toFigure(exampleRun(4, name), { title: name }),
    ]
  ) {
    assertStringIncludes(html, "&lt;/script&gt;&lt;img");
    assert(!html.includes("<img"), html.slice(html.indexOf("<img") - 200).slice(0, 400));
  }
});

Deno.test("the first screen is a figure of its own", () => {
  const svg = toFigure(run, { title: "A run" });
  assert(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'));
  assertStringIncludes(
    svg,
    "the optimizer moved γ and β 60 times, and forward passes moved them 0 times.",
  );
});

Deno.test("a run without batch norm has a report, too", () => {
  const empty: RunRecord = { ...run, layers: [], audit: [], modes: [] };
  assertStringIncludes(textOf(toReport(empty, { title: "" })), sentenceOf(empty));
});

Deno.test("the page's own script stays small", () => {
  assert(new TextEncoder().encode(script).length <= 15_000);
});

Deno.test("toReport() and toFigure() refuse what they cannot show", () => {
  assertThrows(
    () => toReport({} as RunRecord, { title: "" }),
    TypeError,
    "Cannot write a report: got an Object, expected a recorded run or results",
  );
  assertThrows(
    () => toReport(run, { title: 3 as unknown as string }),
    TypeError,
    "Cannot write a report: got title number 3, expected a string",
  );
  assertThrows(
    () => toFigure(null as unknown as RunRecord, { title: "" }),
    TypeError,
    "Cannot draw a figure: got null, expected a recorded run",
  );
});

Deno.test("running statistics forget half in ln 2 / −ln(1 − m) updates", () => {
  assertClose([halfLife(0.1)], [6.578813478960585], 1e-12, 0, "half-life");
  assert(initialShare(0.1, 21) > 0.1 && initialShare(0.1, 22) < 0.1);
  assert(initialShare(0.1, 43) > 0.01 && initialShare(0.1, 44) < 0.01);
  assertEquals(initialShare(null, 1), 0);
});

Deno.test("an experiment's page has verdict, table, curves, targets, differences, axes and commands", () => {
  const text = textOf(toReport(exampleResults(), { title: "Rates" }));
  for (
    const part of [
      "With batch norm the accuracy is better at each of 3 learning rates.",
      "[56.0 %, 60.0 %]",
      "accuracy on the way",
      "Steps to accuracy 70.0 %",
      "differences by seed",
      "accuracy along lr",
      "The best value lies on the boundary (lr 1): try beyond it.",
      "Red ×: 2 diverged or failed.",
      "deno task experiment rates --where &#39;lr=1&#39; --seeds 4",
      "gap 0.1, drift 0.2",
    ]
  ) assertStringIncludes(text, part);
  // What is the same everywhere is no column.
  assert(!text.includes("width"), "width is the same in all configs");
});

Deno.test("runs that never reach the target count as infinite", () => {
  const { runs, metrics: [metric] } = exampleResults();
  const times = runs.map((run) => reachedAt(run, metric, "step"));
  assertEquals(times.slice(0, 5), Array(5).fill(Infinity));
  assert(times.slice(25).every(Number.isFinite));
  assertEquals(quantile([1, 2, Infinity, Infinity], 0.5), Infinity);
  assertEquals(quantile([1, 2, 3, Infinity], 0.5), 2.5);
  assertEquals(quantile([], 0.5), NaN);
});

Deno.test("a band ends where the first run is lost", () => {
  const whole = { step: [1, 2, 3], seconds: null, value: [1, 2, 3] };
  const lost = { step: [1], seconds: null, value: [5] };
  assertEquals(bandOf([whole, whole, lost]), [{ at: 1, low: 1, median: 1, high: 3, n: 3 }]);
  assertEquals(bandOf([whole]).map(({ median }) => median), [1, 2, 3]);
});

Deno.test("a best value at the end of an axis is called out, one inside is not", () => {
  const axis = (...medians: number[]) => medians.map((median, i) => ({ value: 10 ** i, median }));
  assertEquals(boundaryOf(axis(1, 2, 3), "max"), 100);
  assertEquals(boundaryOf(axis(1, 2, 3), "min"), 1);
  assertEquals(boundaryOf(axis(1, 3, 2), "max"), null);
  assertEquals(boundaryOf(axis(1, 2, 3), "none"), null);
  assertEquals(boundaryOf([{ value: "a", median: 1 }, { value: "b", median: 2 }], "max"), null);
});

Deno.test("the three parts of a batch norm's gradient make up the gradient", () => {
  manualSeed(3);
  const net = new nn.Sequential(new nn.BatchNorm2d(2));
  const x = randn([4, 2, 3, 3], { requiresGrad: true });
  const weights = randn([4, 2, 3, 3]);
  const parts = gradientPartsOf(net, () => net.forward(x).mul(weights).square().sum())["0"];
  for (let c = 0; c < 2; c++) {
    const of = x.grad!.permute([1, 0, 2, 3]).reshape([2, 36]).data.subarray(36 * c, 36 * c + 36);
    const whole = Math.sqrt(of.reduce((sum, value) => sum + value * value, 0) / 36);
    assertClose([parts.whole[c]], [whole], 1e-9, 0, "whole");
    // The parts are orthogonal: what goes through mean and variance is taken away.
    const left = parts.direct[c] ** 2 - parts.mean[c] ** 2 - parts.variance[c] ** 2;
    assert(Math.abs(Math.sqrt(left) / whole - 1) < 1e-3, `${Math.sqrt(left)} and ${whole}`);
  }
  const still = new nn.BatchNorm2d(2).eval();
  assertEquals(gradientPartsOf(still, () => still.forward(x).sum()), {});
});

Deno.test("results as an experiment prints them become a page, infinities and missing runs included", () => {
  const configs = [{ norm: "none", lr: 0.1 }, { norm: "batch", lr: 0.1 }];
  const results = {
    info: {
      name: "rates",
      claim: "It learns faster",
      source: "",
      configs,
      metrics: { accuracy: { goal: "max" as const, unit: "%" } },
    },
    runs: configs.flatMap((config, c) =>
      [0, 1, 2, 3, 4, 5].map((seed) => ({
        id: `${c}${seed}`,
        config,
        seed,
        state: c === 0 && seed === 5 ? "diverged" as const : "completed" as const,
        summary: { accuracy: 0.5 + 0.3 * c + 0.01 * seed },
        observations: [{ step: 1, metrics: { accuracy: "NaN" }, seconds: 1 }],
        seconds: { train: 1, evaluate: 0 },
        error: null,
      }))
    ),
    expectations: [
      { text: "batch is above none", holds: true, detail: "82.5 % against 51.5 %" },
      { text: "layer is above none", holds: null, detail: "not all of its runs are there" },
    ],
  };
  const view = resultsView(results);
  assertEquals(view.configs[0].summaries.accuracy.n, 6);
  // The diverged run is the lowest of six.
  assertClose([view.configs[0].summaries.accuracy.median], [0.515], 1e-12, 0, "median");
  const [comparison] = view.comparisons;
  // The diverged run of the baseline is a pair too: six of six agree, 2 of 64 ways.
  assertEquals(
    comparison.differences.map(({ value }) => value === Infinity),
    [0, 0, 0, 0, 0, 1].map(Boolean),
  );
  assertEquals([comparison.mean, comparison.low, comparison.p], [Infinity, NaN, 2 / 64]);
  assertEquals(comparison.verdict, "better");
  const text = textOf(toReport(results, { title: "Rates" }));
  for (
    const part of [
      "What was expected holds.",
      "Not decided: layer is above none (not all of its runs are there).",
      "norm batch − norm none: better",
      "deno task experiment rates --seeds 6 --where norm=none",
    ]
  ) assertStringIncludes(text, part);
});
