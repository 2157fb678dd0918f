/** The lab without a browser: its address, its programs, its folder, and what its scenes show. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { beliefsIn } from "../../scope/lab/beliefs.ts";
import { buildLab, programOf, writeFolder } from "../../scope/lab/build.ts";
import { pageHtml } from "../../scope/lab/document.ts";
import { callText } from "../../scope/lab/script.ts";
import {
  formatHash,
  initialState,
  LARGEST_SEED,
  parseHash,
  sceneState,
  settingsOf,
} from "../../scope/lab/state.ts";
import { views } from "../../scope/lab/views/mod.ts";
import { forge } from "../../tools/npm_pack.ts";
import { edges, numbersOf, pageWith, viewOf } from "./lab_settings.ts";

const root = new URL("../../", import.meta.url).pathname;

Deno.test("every state of the page comes back from its address", () => {
  const settings = fc.record(Object.fromEntries(views.map((view) => [
    view.anchor,
    fc.record(
      Object.fromEntries(
        settingsOf(view).map(({ key, values }) => [
          key,
          fc.constantFrom(...values),
        ]),
      ),
    ),
  ])));
  const states = fc.record({
    scene: fc.constantFrom("", ...views.map(({ anchor }) => anchor)),
    seed: fc.integer({ min: 0, max: LARGEST_SEED }),
    settings,
  });
  fc.assert(fc.property(states, (state) => {
    const { state: read, faults } = parseHash(views, formatHash(views, state));
    assertEquals(faults, []);
    assertEquals(JSON.stringify(read), JSON.stringify(state));
  }));
  assertEquals(formatHash(views, initialState(views)), "#");
});

Deno.test("an address that asks for what there is not is followed as far as it goes, and told of", () => {
  const { state, faults } = parseHash(
    views,
    "#momentum?seed=-1&momentum.momentum=7&momentum.batches=30&nowhere.x=1&one-sample.value=",
  );
  assertEquals(state.scene, "momentum");
  assertEquals(state.seed, 0);
  assertEquals(state.settings.momentum, { momentum: 0.1, batches: 30, guess: 0 });
  assertEquals(faults.length, 4);
  assertStringIncludes(faults[1], "momentum.momentum is 7, expected one of 0.001");
});

Deno.test("documents can link to each scene by a name that stays", () => {
  const anchors = views.map(({ anchor }) => anchor);
  assertEquals(anchors, [
    "who-moves-what",
    "one-sample",
    "five-modes",
    "momentum",
    "batch-size",
    "gradient-parts",
    "teacher",
    "shift",
    "scale-invariance",
    "leakage",
  ]);
});

Deno.test("sliders begin at a value that they have, and every value has words of its own", () => {
  for (const view of views) {
    for (const { key, values, initial } of settingsOf(view)) {
      assert(values.includes(initial), `${view.anchor}.${key}`);
    }
    for (const { key, values, text } of view.controls) {
      assertEquals(
        new Set(values.map((value) => text(value))).size,
        values.length,
        `${view.anchor}.${key}`,
      );
    }
  }
});

Deno.test("scenes can be drawn with every setting at both ends, on a phone and on a wide screen", () => {
  for (const view of views) {
    for (const settings of edges(view)) {
      const drawn = view.draw(
        numbersOf(view.anchor, settings),
        pageWith(view.anchor, settings).settings[view.anchor],
        296,
      );
      const text = JSON.stringify(drawn);
      assert(!/undefined|\[object/.test(text), `${view.anchor} ${JSON.stringify(settings)}`);
      for (const { svg } of drawn.figures) assert(!svg.includes("NaN"), `${view.anchor} draws NaN`);
    }
  }
});

/** Runs a program as somebody does who has copied it. */
async function printed(program: string): Promise<string> {
  const file = await Deno.makeTempFile({ prefix: "tapegrad-scene-", suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, program);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", `--config=${root}deno.json`, file],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    assertEquals(new TextDecoder().decode(stderr), "");
    return new TextDecoder().decode(stdout).trim();
  } finally {
    await Deno.remove(file);
  }
}

for (const view of views) {
  Deno.test(`the copied program of ${view.anchor} prints the scene's numbers, bit for bit`, async () => {
    const page = pageWith(view.anchor, edges(view).at(-1)!, 3);
    const text = await programOf(view.anchor) + callText(sceneState(view, page));
    assertEquals(
      await printed(text),
      JSON.stringify(numbersOf(view.anchor, edges(view).at(-1)!, 3)),
    );
  });
}

Deno.test("a folder is written whole, replaces an earlier build and nothing else", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-lab-test-" });
  try {
    const target = `${folder}/lab`;
    const page = (text: string) =>
      new Map([["index.html", `<meta name="generator" content="Tapegrad lab"> ${text}`]]);
    await writeFolder(target, page("one"));
    await writeFolder(`${target}/`, page("two"));
    assertStringIncludes(await Deno.readTextFile(`${target}/index.html`), "two");
    assertEquals(await Array.fromAsync(Deno.readDir(folder), ({ name }) => name), ["lab"]);

    await Deno.mkdir(`${folder}/mine`);
    await Deno.writeTextFile(`${folder}/mine/letter.txt`, "dear");
    const refused = () => writeFolder(`${folder}/mine`, page("three"));
    await assertRejects(refused, RangeError, "holds other files");
    await Deno.writeTextFile(`${folder}/mine/index.html`, "a page of mine");
    await assertRejects(refused, RangeError, "holds other files");
    assertEquals(await Deno.readTextFile(`${folder}/mine/index.html`), "a page of mine");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the lab names no host but for the pages in the repository, and shows every scene without a script", async () => {
  const files = await buildLab();
  const html = files.get("index.html")!;
  const named = [...files.values()].join("").matchAll(/(?:src|href)="((?:https?:)?\/\/[^"]*)"/g);
  const pages = [...html.matchAll(/<a href="(https:[^"]*)"/g)].map(([, address]) => address);
  assertEquals(Array.from(named, ([, address]) => address), pages);
  assert(pages.length > 0);
  for (const address of pages) {
    assert(address.startsWith(`${forge}/blob/main/`), address);
    const file = root + address.slice(`${forge}/blob/main/`.length);
    assert((await Deno.stat(file)).isFile, address);
  }
  assertStringIncludes(html, "default-src 'none'");
  for (const view of views) {
    assertStringIncludes(html, `<section id="${view.anchor}"`);
    const settings = initialState(views).settings[view.anchor];
    const { takeaway } = view.draw(numbersOf(view.anchor), settings, 640);
    assertStringIncludes(html, takeaway);
  }
});

Deno.test("a scene without a belief says nothing of beliefs; one belief is not called several", () => {
  const [first, second] = beliefsIn(
    "| # | Belief | Scene |\n| 1 | [“x < 1”](01_a.md) | `#shift` |\n| 2 | [“b”](02_b.md) | `#shift` |",
  ).map((belief) => ({ ...belief, address: `${belief.page}.html` }));
  const view = viewOf("shift");
  const numbers = numbersOf("shift");
  const html = (beliefs: (typeof first)[]) => pageHtml([{ view, numbers, program: "", beliefs }]);
  assert(!html([]).toLowerCase().includes("belief"));
  const link = '<a href="01_a.html" aria-label="Belief 1: “x &lt; 1”">“x &lt; 1”</a>';
  assertStringIncludes(html([first]), `A belief put to the test: ${link}</p>`);
  assertStringIncludes(html([first, second]), `Beliefs put to the test: ${link}\u00a0· <a`);
});

Deno.test("beliefs without a page or a scene, and addresses without a place for the page, are refused", async () => {
  for (const row of ["| 1 | “a” | `#shift` |", "| 1 | [“a”](01_a.md) | shift |"]) {
    assertThrows(() => beliefsIn(row), TypeError, `got the row "${row}"`);
  }
  await assertRejects(() => buildLab("../batch_norm/"), RangeError, "expected one with {page}");
});

// What each scene is there to show.

Deno.test("who moves what: each switch flattens one lane and no other", () => {
  const counts = (settings: Record<string, number>) => {
    const { learned, tracked } = numbersOf("who-moves-what", settings).ledger;
    return [learned, tracked].flatMap(({ step, forward }) => [step.count, forward.count]);
  };
  assertEquals(counts({}), [120, 0, 0, 120]);
  assertEquals(counts({ off: 1 }), [0, 0, 0, 60]);
  assertEquals(counts({ off: 2 }), [60, 0, 0, 0]);
  assertEquals(counts({ off: 3 }), [60, 0, 0, 0]);
});

/** What the numbers of a scene, with the settings of its question, say of it: the answer that is right. */
// deno-lint-ignore no-explicit-any -- each scene has numbers of its own kind.
const ANSWERS: Readonly<Record<string, (numbers: any) => number>> = {
  "one-sample": ({ training, evaluation }) =>
    training.largest > 0 && evaluation.largest === 0 ? 1 : 0,
  "five-modes": ({ modes: [train, , , , masked] }) =>
    train.meanMoved === masked.meanMoved && train.varMoved === masked.varMoved ? 1 : 0,
  "momentum": ({ asMeant, batchMean }) =>
    Math.abs(asMeant.runningMean.at(-1) - batchMean.at(-1)) < 1e-12 ? 0 : 1,
  "batch-size": ({ refusal, y }) => refusal !== "" && y.length === 0 ? 1 : 0,
  "teacher": ({ without }) => without.moves > 0 ? 0 : 1,
  "gradient-parts": ({ training }) => Math.max(...training.map(Math.abs)) < 1e-12 ? 1 : 0,
  "shift": ({ known, recalibrated }) => recalibrated > 0.8 * known ? 0 : 1,
  "scale-invariance": ({ largest }) => largest > 1e-6 ? 1 : 0,
  "leakage": ({ running, majority }) => running > majority + 0.1 ? 0 : 1,
};

Deno.test("predict, then see: the answer that is called right is that of the numbers", () => {
  const asking = views.filter(({ aside }) => aside !== undefined).map(({ anchor }) => anchor);
  assertEquals(asking.length, views.length, "every scene asks");
  // The first scene asks before each of its switches; that has a test of its own.
  assertEquals(["who-moves-what", ...Object.keys(ANSWERS)].toSorted(), asking.toSorted());
  for (const [anchor, answerOf] of Object.entries(ANSWERS)) {
    const view = viewOf(anchor);
    const { settings } = pageWith(anchor, {});
    const question = view.aside!(settings[anchor]);
    const buttons = [...question.matchAll(/data-set="([^"]*)">([^<]*)</g)].map(([, set, text]) => ({
      set: JSON.parse(set.replaceAll("&quot;", '"')),
      text,
    }));
    assertEquals(buttons.map(({ set }) => set.guess), [1, 2], anchor);
    for (const seed of [0, 1, 2]) {
      const right = answerOf(numbersOf(anchor, buttons[0].set, seed));
      for (const [i, { set }] of buttons.entries()) {
        const told = view.aside!({ ...settings[anchor], ...set });
        assertStringIncludes(told, `<b>${buttons[right].text}</b>`);
        assertEquals(told.includes("Yes: "), i === right, `${anchor}, ${buttons[i].text}`);
      }
    }
    // Other settings than those of the question: it is asked again.
    assertEquals(view.aside!({ ...settings[anchor], guess: 1 }), question);
  }
});

Deno.test("one sample: the others move in training and stay in evaluation", () => {
  const { training, evaluation } = numbersOf("one-sample");
  assert(training.largest > 0.5);
  assertEquals(evaluation.largest, 0);
  assertEquals(numbersOf("one-sample", { value: 0 }).training.largest, 0);
});

Deno.test("five modes: evaluation and freezing write nothing, and the mask leaves padding out", () => {
  const { modes } = numbersOf("five-modes");
  const writers = modes.filter(({ meanMoved }: { meanMoved: number }) => meanMoved !== 0);
  assertEquals(writers.map(({ name }: { name: string }) => name), ["train", "ghost", "masked"]);
  const [train, , , , masked] = numbersOf("five-modes", { padding: 0 }).modes;
  assertEquals(masked.y, train.y);
  // One ghost batch of all twelve is the batch.
  const [whole, , , ghost] = numbersOf("five-modes", { ghost: 12 }).modes;
  assertEquals(ghost.y, whole.y);
});

Deno.test("momentum: the half-life is where the start has lost half of its weight", () => {
  const { asMeant, mistaken } = numbersOf("momentum");
  assertEquals([asMeant.toTenth, asMeant.toHundredth], [22, 44]);
  assert(asMeant.initialShare[6] > 0.5 && asMeant.initialShare[7] < 0.5);
  assert(asMeant.halfLife > 6 && asMeant.halfLife < 7);
  assertEquals(mistaken.momentum, 0.9);
});

Deno.test("batch size: two leave a sign, one is refused, and the spread shrinks", () => {
  const { spreads, offUnit } = numbersOf("batch-size");
  assert(offUnit < 1e-14);
  for (let i = 1; i < spreads.length; i++) {
    assert(spreads[i].deviation < spreads[i - 1].deviation, `${spreads[i].size} samples`);
  }
  assertStringIncludes(numbersOf("batch-size", { size: 1 }).refusal, "1 value");
  assertEquals(viewOf("batch-size").controls[0].values[0], 1);
});

Deno.test("gradient parts: they add up, and a gradient that is the same for all is taken away", () => {
  const { off, trainingSum, evaluationSum } = numbersOf("gradient-parts");
  assert(off < 1e-14 && Math.abs(trainingSum) < 1e-14 && Math.abs(evaluationSum) > 0.1);
  for (const above of [2, 3]) {
    const { training, direct } = numbersOf("gradient-parts", { above });
    const [left, given] = [training, direct].map((list) => Math.max(...list.map(Math.abs)));
    assert(left < 1e-4 * given, `${left} of ${given}`);
  }
});

Deno.test("teacher: without eval() its statistics move, with it nothing does", () => {
  const { withEval, without } = numbersOf("teacher");
  assertEquals([withEval.moves, without.moves], [0, 80]);
  assertEquals(withEval.accuracy.at(-1), withEval.accuracy[0]);
  assert(without.accuracy.at(-1) < without.accuracy[0] - 0.2);
  assert(withEval.company < 1e-12 && without.company > 0.1);
});

Deno.test("shift: new statistics repair contrast and brightness, and no negative", () => {
  const { known, shifted, recalibrated, knownRecalibrated, learnedMoves } = numbersOf("shift");
  assert(known > 0.9 && shifted < known - 0.2);
  assertEquals(recalibrated, knownRecalibrated);
  assertEquals(learnedMoves, 0);
  assert(numbersOf("shift", { inverted: 1 }).recalibrated < 0.3);
});

Deno.test("scale invariance: no bit differs for powers of two, and eps shows", () => {
  assertEquals(numbersOf("scale-invariance").largest, 0);
  assertEquals(numbersOf("scale-invariance", { factor: 1024 }).largest, 0);
  const rounding = numbersOf("scale-invariance", { factor: 10 }).largest;
  assert(rounding > 0 && rounding < 1e-9, `${rounding}`);
  assert(numbersOf("scale-invariance", { eps: 1e-3 }).largest > 1e-6);
});

Deno.test("leakage: the batch tells what evaluation cannot", () => {
  const { batch, running, majority } = numbersOf("leakage");
  assert(batch > 0.95 && running < majority);
  const { batch: alike, running: still } = numbersOf("leakage", { offset: 0 });
  assert(alike > 0.95 && still > 0.95);
});
