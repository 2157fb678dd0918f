/** `deno task train --report`: the page, its figure, the record, and what is refused before training. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ledgerOf, type RunRecord, sentenceOf } from "../../scope/mod.ts";
import { chromium, open } from "./report_browser.ts";

const root = new URL("../../", import.meta.url);

interface Graph {
  readonly roots: readonly string[];
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly { readonly code?: { readonly specifier?: string } }[];
  }[];
}

async function train(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "examples/train_digits.ts",
      "--epochs=1",
      ...args,
    ],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-report-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

Deno.test("train --report writes a page that shows the run's counts, a figure, and its record", async () => {
  await inFolder(async (folder) => {
    const runs = await Promise.all(
      ["run.html", "run.svg", "run.json"].map((name) => train(`--report=${folder}/${name}`)),
    );
    for (const { code, stderr } of runs) assertEquals([code, stderr], [0, ""]);
    assertEquals(await namesIn(folder), ["run.html", "run.json", "run.svg"]);
    const record: RunRecord = JSON.parse(await Deno.readTextFile(`${folder}/run.json`));
    // What the terminal's own ledger counts: two layers, two tensors of each kind, 45 steps.
    assertEquals(runs[0].stdout.match(/45 ×, /g)?.length, 8);
    const { learned, tracked } = ledgerOf(record);
    const counts = [
      learned.step.count,
      learned.forward.count,
      tracked.step.count,
      tracked.forward.count,
    ];
    assertEquals(counts, [180, 0, 0, 180]);
    assertStringIncludes(await Deno.readTextFile(`${folder}/run.svg`), sentenceOf(record));
    const html = await Deno.readTextFile(`${folder}/run.html`);
    const cells = [...html.matchAll(/data-cell="[\w-]+" data-times="(\d+)"/g)];
    assertEquals(cells.map(([, times]) => Number(times)), counts);
    for (const part of ["through the variance", "by recalibrated ones", "test accuracy"]) {
      assertStringIncludes(html, part);
    }
    // A change of mode is told with the line that ran the forward.
    const lines = record.modes.map(({ mode, site }) => `${mode} ${site?.replace(/\d+$/, "")}`);
    assertEquals([...new Set(lines)], ["train digits/training.ts:", "eval digits/training.ts:"]);
    assert(new Set(record.modes.map(({ site }) => site)).size === 2, "two lines");
    assertStringIncludes(html, record.modes[0].site!);
    if (chromium === "") return;
    const evaluate = {
      sentence: "document.getElementById('sentence').innerText",
      scroll: "document.documentElement.scrollWidth <= innerWidth",
    };
    const ways = (["light", "dark"] as const).flatMap((colorScheme) =>
      [1280, 360].map((width) => ({ width, colorScheme, isAudited: true, evaluate }))
    );
    for (const seen of await open(`${folder}/run.html`, ways)) {
      assertEquals([seen.requests, seen.errors, seen.violations], [[], [], []]);
      assert(seen.values.scroll);
      assertEquals(
        seen.values.sentence.replace(/[●▲] /g, "").replace(/\s+/g, " "),
        sentenceOf(record),
      );
    }
  });
});

Deno.test("train --report refuses before training what it could not write", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/taken.html`);
    const refused: [path: string, message: string][] = [
      [`${folder}/run.pdf`, "expected a file that ends in .html, .svg or .json"],
      [`${folder}/none/run.html`, `cannot use --report: there is no folder ${folder}/none`],
      [
        `${folder}/taken.html`,
        `cannot use --report: ${folder}/taken.html is a folder, expected a file`,
      ],
    ];
    for (const [path, message] of refused) {
      const { code, stdout, stderr } = await train(`--report=${path}`);
      assertEquals(code, 2);
      assertStringIncludes(stderr, message);
      assertEquals(stderr.trim().split("\n").length, 1);
      assert(!stdout.includes("epoch"), stdout);
    }
    assertEquals(await namesIn(folder), ["taken.html"]);
  });
});

Deno.test("training without a report loads nothing that draws", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "examples/train_digits.ts"],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout)) as Graph;
  const seen = new Set<string>();
  const walk = (name: string) => {
    if (seen.has(name)) return;
    seen.add(name);
    for (
      const { code } of modules.find(({ specifier }) => specifier === name)?.dependencies ?? []
    ) {
      if (code?.specifier !== undefined) walk(code.specifier);
    }
  };
  roots.forEach(walk);
  const drawn = [...seen].filter((name) => /observablehq|linkedom|scope\/report/.test(name));
  assertEquals(drawn, []);
  assert([...seen].some((name) => name.includes("cli-progress")), "the walk reaches packages");
});
