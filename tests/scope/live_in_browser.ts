/** The live page in Chromium; run by live_pages_test.ts, or `deno test -A tests/scope/live_in_browser.ts`. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { noGrad, randn } from "../../mod.ts";
import { type Live, serveLive } from "../../scope/live/mod.ts";
import { Gate } from "../../scope/live/gate.ts";
import { RING } from "../../scope/live/frames.ts";
import { LiveServer } from "../../scope/live/serve_live.ts";
import { serveRuns } from "../../scope/live/serve_runs.ts";
import { exampleRuns } from "./live_runs.ts";
import { assertAccessible, assertTabReachesAll, open, startBrowser } from "./browsing.ts";
import { Training } from "./live_training.ts";

const browser = await startBrowser();

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Cuts a page off, with the connection that it has. */
async function cutOff(page: Page, live: Live): Promise<void> {
  await page.context().setOffline(true);
  (live as LiveServer).letGoOfAll();
  await page.waitForSelector("html[data-line=lost]");
}

/** Trains until the page stops it or `steps` are done. */
async function train(training: Training, live: { next(): Promise<boolean> }, steps = Infinity) {
  for (let i = 0; i < steps && await live.next(); i++) {
    training.step();
    await pause(4);
  }
}

Deno.test("a run watched to its end, cut off twice and reloaded once, is the recorder's to the last bit", async () => {
  const training = new Training();
  const live = serveLive(training.recorder, training.switchable);
  const { page, hosts } = await open(browser, live.url);
  await live.opened;
  const run = train(training, live);
  const context = page.context();
  await page.waitForSelector("#metrics figure");
  for (let i = 0; i < 2; i++) {
    await cutOff(page, live);
    await pause(i === 0 ? 5000 : 2000);
    await context.setOffline(false);
    await page.waitForSelector("html[data-line=connected]");
    await pause(500);
    if (i === 0) await page.reload();
  }
  assert(training.recorder.stepCount > 300);
  await page.click("[data-command=stop]");
  await run;
  await live.end();
  await page.waitForSelector("html[data-line=over]");
  assertEquals(
    await page.evaluate("JSON.stringify(tapegradRecord)"),
    JSON.stringify(training.recorder),
  );
  assertStringIncludes((await page.textContent("#state"))!, "Over");
  assertEquals([...hosts], [new URL(live.url).host]);
  await context.close();
});

Deno.test("paused, the counter stands; a step is one step; and it goes on", async () => {
  const training = new Training();
  const live = serveLive(training.recorder, training.switchable);
  const { page, errors } = await open(browser, live.url);
  await live.opened;
  const run = train(training, live);
  await page.waitForSelector("#metrics figure");
  const steps = async () => Number(await page.textContent("#steps"));
  await page.focus("[data-command=pause]");
  await page.keyboard.press("Enter");
  await page.waitForSelector('#state:has-text("Paused")');
  await pause(300);
  const stood = await steps();
  assertEquals(stood, training.recorder.stepCount);
  await pause(2000);
  assertEquals(await steps(), stood);
  await page.click("[data-command=step]");
  await pause(400);
  assertEquals(await steps(), stood + 1);
  await page.click("[data-command=continue]");
  await pause(500);
  assert(await steps() > stood + 1);

  await page.click("[data-switch='2']");
  assertStringIncludes((await page.textContent("#switches"))!, "which lane goes flat?");
  await page.click("[data-guess='2']");
  await page.waitForSelector('#switches:has-text("Yes: momentum 0 flattens the tracked lane")');
  assertEquals(await page.locator("#matrix td b").allTextContents().then((t) => t[1]), "0");
  await page.focus("#learned .picture");
  await page.keyboard.press("Home");
  assertEquals(await page.textContent("#learned .reading"), "event 0: γ 0, β 0");
  await page.keyboard.press("End");
  assertMatch((await page.textContent("#learned .reading"))!, /^event \d+: γ /);
  await page.click("[data-command=stop]");
  await run;
  await live.end();
  assertEquals(errors, []);
  await page.context().close();
});

Deno.test("away for more than is kept, the page fetches everything anew, once", async () => {
  const training = new Training();
  const gate = new Gate(null, null);
  const live = new LiveServer(training.recorder, 0, gate, 0);
  const { page } = await open(browser, live.url);
  await live.opened;
  training.step();
  await page.waitForSelector('#steps:has-text("1")');
  await cutOff(page, live);
  for (let i = 0; i < RING + 100; i++) {
    if (i % 500 === 0) training.step();
    gate.onState("running");
    if (i % 64 === 0) await pause(0);
  }
  await page.context().setOffline(false);
  await page.waitForSelector("html[data-resyncs='1']");
  training.step();
  await page.waitForSelector(`#steps:has-text("${training.recorder.stepCount}")`);
  await pause(1500);
  assertEquals(await page.getAttribute("html", "data-resyncs"), "1");
  await live.end();
  await page.waitForSelector("html[data-line=over]");
  assertEquals(
    await page.evaluate("JSON.stringify(tapegradRecord)"),
    JSON.stringify(training.recorder),
  );
  await page.context().close();
});

Deno.test("under the lanes stand the steps, the passes and the modes, each where its event is", async () => {
  const training = new Training();
  const live = serveLive(training.recorder, training.switchable);
  const { page, errors } = await open(browser, live.url);
  await live.opened;
  for (let i = 0; i < 3; i++) training.step();
  noGrad(() => training.model.eval().forward(randn([8, 3])));
  training.model.train();
  training.step();
  await page.waitForSelector('#steps:has-text("4")');
  await page.waitForSelector('#events-title:has-text("● 4 optimizer steps, ▲ 5 forward passes.")');
  const places = (selector: string) =>
    page.$$eval(`#events ${selector}`, (marks) =>
      marks.map((mark) => {
        const box = mark.getBoundingClientRect();
        return box.x + box.width / 2;
      }));
  // Events 1 to 9: three times forward and step, the evaluation, forward and step.
  const area = await page.$eval("#tracked .u-over", (over) => {
    const { x, width } = over.getBoundingClientRect();
    return [x, width];
  });
  const at = (events: number[]) => events.map((event) => area[0] + area[1] * event / 9);
  const near = (found: number[], expected: number[]) => {
    assertEquals(found.length, expected.length);
    found.forEach((x, i) => assert(Math.abs(x - expected[i]) < 1.5, `${x} for ${expected[i]}`));
  };
  near(await places("circle"), at([2, 4, 6, 9]));
  near(await places("path.mark.tracked"), at([1, 3, 5, 8]));
  near(await places("path.mark.hollow"), at([7]));
  assertEquals(
    await page.$$eval("#events rect", (bars) => bars.map((bar) => bar.getAttribute("class"))),
    ["mode train", "mode eval", "mode train"],
  );
  await live.end();
  assertEquals(errors, []);
  await page.context().close();
});

Deno.test("no other address of this machine answers", async () => {
  const training = new Training();
  const live = serveLive(training.recorder);
  const port = Number(new URL(live.url).port);
  const others = Deno.networkInterfaces()
    .filter(({ family, address }) => family === "IPv4" && address !== "127.0.0.1")
    .map(({ address }) => address);
  // All of 127.0.0.0/8 is this machine on Linux.
  if (Deno.build.os === "linux") others.push("127.0.0.2");
  (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  for (const hostname of others) {
    await assertRejects(() => Deno.connect({ hostname, port }), Deno.errors.ConnectionRefused);
  }
  await live.end();
});

Deno.test("an address without the token shows the run and cannot hold it", async () => {
  const training = new Training();
  const live = serveLive(training.recorder, training.switchable);
  const { page } = await open(browser, live.url.split("#")[0]);
  await live.opened;
  await page.click("[data-command=pause]");
  await page.waitForSelector('#fault:has-text("expected the token")');
  await live.end();
  await page.context().close();
});

Deno.test("names of layers and the title stay text", async () => {
  const training = new Training("</script><img src=x onerror=alert(1)>");
  const live = serveLive(training.recorder, training.switchable);
  const { page, errors } = await open(browser, live.url);
  await live.opened;
  training.step();
  training.recorder.metric("<img src=x onerror=alert(2)>", 1);
  await page.waitForSelector("#metrics figure >> nth=1");
  assertStringIncludes((await page.textContent("h1"))!, "</script><img");
  assertEquals(await page.evaluate("document.images.length"), 0);
  assertEquals(errors, []);
  await live.end();
  await page.context().close();
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 360, 320]) {
    Deno.test(`the live page is accessible in ${colorScheme}, ${width} pixels wide`, async () => {
      const training = new Training();
      const live = serveLive(training.recorder, training.switchable);
      const { page } = await open(browser, live.url, { width, colorScheme });
      await live.opened;
      for (let i = 0; i < 30; i++) training.step();
      await page.waitForSelector('#steps:has-text("30")');
      await page.click("[data-switch='0']");
      await page.evaluate("document.querySelectorAll('details').forEach((e) => e.open = true)");
      await assertAccessible(page);
      if (width === 1280) await assertTabReachesAll(page);
      await live.end();
      await page.context().close();
    });
  }
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 320]) {
    Deno.test(`an experiment's page counts, stops and is accessible in ${colorScheme}, ${width} pixels wide`, async () => {
      const all = exampleRuns();
      const live = serveRuns(() => all.progress);
      const { page, errors } = await open(browser, live.url, { width, colorScheme });
      await page.waitForSelector('#count:has-text("0 of 6")');
      for (let i = 0; i < 60; i++) {
        all.advance(i);
        live.note();
      }
      await page.waitForSelector('#count:has-text("6 of 6")');
      assertEquals(await page.locator("td.dots circle").count(), 5);
      assertStringIncludes((await page.textContent("#configs"))!, '<"out">');
      const medians = all.progress.configs.map(({ values }) => {
        const sorted = values.toSorted();
        return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
      });
      const best = `, ${(100 * Math.max(...medians)).toFixed(1)} %`;
      assertStringIncludes((await page.textContent("#sentence"))!, best);
      await assertAccessible(page);
      await page.locator("#stop").press("Enter");
      await page.waitForSelector('#state:has-text("Stopping")');
      assert(live.stopped.aborted);
      await live.end();
      await page.waitForSelector("html[data-line=over]");
      assertEquals(errors, []);
      await page.context().close();
    });
  }
}

Deno.test("closing", () => browser.close());
