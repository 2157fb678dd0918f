/** The lab in Chromium; run by lab_pages_test.ts, or `deno test -A tests/scope/lab_in_browser.ts`. */
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { buildLab, programOf } from "../../scope/lab/build.ts";
import { callText } from "../../scope/lab/script.ts";
import { formatHash, sceneState } from "../../scope/lab/state.ts";
import { views } from "../../scope/lab/views/mod.ts";
import { type State, tableHtml, type View } from "../../scope/lab/views/view.ts";
import { answer } from "../../tools/lab/serve.ts";
import { assertAccessible, assertTabReachesAll, open, startBrowser } from "./browsing.ts";
import { numbersOf, pageWith } from "./lab_settings.ts";

const files = await buildLab("../batch_norm/{page}.html");
const server = Deno.serve(
  { port: 0, hostname: "127.0.0.1", onListen: () => {} },
  // In a folder, as on a host that many pages share: links have to be relative.
  (request) =>
    request.url.includes("/batch_norm/")
      ? new Response("A page on batch norm")
      : answer(files, new Request(request.url.replace("/lab/", "/"))),
);
const lab = `http://127.0.0.1:${server.addr.port}/lab/`;
const browser = await startBrowser();

/** Waits until a scene shows a state. */
async function drawn(page: Page, view: View, settings: State, seed = 0): Promise<void> {
  const state = JSON.stringify(sceneState(view, pageWith(view.anchor, settings, seed)));
  await page.waitForSelector(
    `xpath=//section[@id="${view.anchor}"][@data-drawn='${state}']`,
    { state: "attached" },
  );
}

/** The numbers that a scene shows, as programs read them. */
function shownNumbers(page: Page, anchor: string): Promise<number[]> {
  const text = `[...document.querySelectorAll("#${anchor} data")].map((e) => Number(e.value))`;
  return page.evaluate(text) as Promise<number[]>;
}

/** The numbers that the library gives here for the same state, in the order of the page. */
function ownNumbers(view: View, settings: State): number[] {
  const own = pageWith(view.anchor, settings).settings[view.anchor];
  const { takeaway, before = "", figures } = view.draw(numbersOf(view.anchor, settings), own, 640);
  const html = takeaway + before + figures.map(({ table }) => tableHtml(table)).join("");
  return Array.from(html.matchAll(/<data value="([^"]*)"/g), ([, value]) => Number(value));
}

for (const view of views) {
  Deno.test(`${view.anchor}: at both ends and in the middle of each control the page shows the library's numbers`, async () => {
    const { page, errors } = await open(browser, `${lab}#${view.anchor}`);
    await drawn(page, view, {});
    for (const { key, kind, values, initial, text } of view.controls) {
      const id = `[id="${view.anchor}.${key}"]`;
      const chosen = kind === "range"
        ? [values[0], values[values.length >> 1], values.at(-1)!]
        : values;
      for (const value of [...chosen, initial]) {
        if (kind === "range") {
          await page.focus(id);
          await page.keyboard.press("Home");
          for (let i = 0; i < values.indexOf(value); i++) await page.keyboard.press("ArrowRight");
          assertEquals(await page.getAttribute(id, "aria-valuetext"), text(value));
          assertEquals(await page.textContent(`output[for="${view.anchor}.${key}"]`), text(value));
        } else if (kind === "choice") {
          const radio = `#${view.anchor} input[data-key="${key}"][value="${value}"]`;
          await page.focus(radio);
          await page.keyboard.press("Space");
        } else if (await page.isChecked(id) !== (value === 1)) {
          await page.focus(id);
          await page.keyboard.press("Space");
        }
        await drawn(page, view, { [key]: value });
        // Numbers of one state may come while those of the next are drawn: a way of showing has no key.
        await page.waitForTimeout(30);
        assertEquals(
          await shownNumbers(page, view.anchor),
          ownNumbers(view, { [key]: value }),
          `${key} = ${value}`,
        );
      }
    }
    assertEquals(errors, []);
    await page.context().close();
  });
}

Deno.test("an address brings every scene back as it was, bit for bit", async () => {
  const { page } = await open(browser, lab);
  const [momentum, teacher, who] = ["momentum", "teacher", "who-moves-what"].map((anchor) =>
    views.find((view) => view.anchor === anchor)!
  );
  await page.fill("#seed", "7");
  await page.keyboard.press("Enter");
  for (const [id, presses] of [["momentum.momentum", 3], ["teacher.contrast", 2]] as const) {
    await page.focus(`[id="${id}"]`);
    for (let i = 0; i < presses; i++) await page.keyboard.press("ArrowRight");
  }
  await page.click('#who-moves-what button:has-text("momentum 0")');
  await page.click('#who-moves-what .question button:has-text("learned")');
  await drawn(page, who, { off: 3 }, 7);
  await drawn(page, momentum, { momentum: 0.5 }, 7);
  await drawn(page, teacher, { contrast: 0.6 }, 7);
  await page.waitForSelector("html[data-working=false]");
  await page.waitForTimeout(250);
  const contents = `[...document.querySelectorAll("section")].map((e) => e.innerHTML)`;
  const before = await page.evaluate(contents) as string[];
  const address = page.url();
  assertStringIncludes(address, "momentum.momentum=0.5");

  const { page: again } = await open(browser, address);
  await drawn(again, teacher, { contrast: 0.6 }, 7);
  await again.waitForSelector("html[data-working=false]");
  const after = await again.evaluate(contents) as string[];
  views.forEach(({ anchor }, i) => assert(after[i] === before[i], `${anchor} differs`));
  // The address alone, without the page that wrote it.
  const fresh = formatHash(views, { ...pageWith("momentum", { batches: 30 }, 5) });
  await again.goto(lab + fresh);
  await drawn(again, momentum, { batches: 30 }, 5);
  assertNotEquals(await again.evaluate("scrollY"), 0);
  await page.context().close();
  await again.context().close();
});

Deno.test("a switch asks first, and then flattens the lane; the focus stays with it", async () => {
  const { page } = await open(browser, lab);
  const who = views[0];
  await drawn(page, who, {});
  await page.focus('#who-moves-what button:has-text("eval()")');
  await page.keyboard.press("Enter");
  assertStringIncludes(
    await page.evaluate("document.activeElement.textContent") as string,
    "which lane goes flat?",
  );
  assertStringIncludes((await page.textContent("#who-moves-what .takeaway"))!, "120 times");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await drawn(page, who, { off: 2 });
  assertStringIncludes(
    await page.evaluate("document.activeElement.textContent") as string,
    "You said learned. eval() flattens the tracked lane",
  );
  assertStringIncludes((await page.textContent("#who-moves-what .takeaway"))!, "variance 0 times");
  await page.waitForSelector('#said:has-text("After the switch")', { state: "attached" });
  await page.context().close();
});

Deno.test("the copied program is the scene's, with the state that is shown", async () => {
  const { page } = await open(browser, lab);
  const shift = views.find(({ anchor }) => anchor === "shift")!;
  await page.focus('[id="shift.contrast"]');
  await page.keyboard.press("Home");
  await drawn(page, shift, { contrast: 0.1 });
  await page.click("#shift [data-copy]");
  await page.waitForSelector('#shift [data-copy]:has-text("Copied")');
  const state = sceneState(shift, pageWith("shift", { contrast: 0.1 }));
  assertEquals(
    await page.evaluate("navigator.clipboard.readText()"),
    await programOf("shift") + callText(state),
  );
  await page.context().close();
});

Deno.test("a belief is named by its number, opens in the same tab, and Back finds the scene as it was", async () => {
  const { page } = await open(browser, lab);
  const momentum = views.find(({ anchor }) => anchor === "momentum")!;
  await page.focus('[id="momentum.momentum"]');
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
  await drawn(page, momentum, { momentum: 0.5 });
  await page.waitForTimeout(250);
  const link = page.getByRole("link", {
    name: "Belief 6: “With momentum 0, training equals evaluation”",
    exact: true,
  });
  await link.click({ trial: true });
  await link.focus();
  const place = await page.evaluate("scrollY");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/batch_norm/06_momentum_zero.html");
  assertEquals(page.context().pages().length, 1);
  await page.goBack();
  await drawn(page, momentum, { momentum: 0.5 });
  let found = await page.evaluate("scrollY");
  for (let tries = 0; tries < 50 && found !== place; tries++) {
    await page.waitForTimeout(100);
    found = await page.evaluate("scrollY");
  }
  assertEquals(found, place);
  await page.context().close();
});

Deno.test("the page asks nobody but its own host, and its links are relative", async () => {
  const { page, errors, hosts } = await open(browser, lab);
  await page.waitForSelector("html[data-working=false]");
  assertEquals([...hosts], [new URL(lab).host]);
  assertEquals(errors, []);
  await page.context().close();
});

Deno.test("an address that cannot be followed is told of", async () => {
  const { page } = await open(browser, `${lab}#momentum?momentum.momentum=7`);
  await page.waitForSelector("#address-fault:not([hidden])");
  assertStringIncludes((await page.textContent("#address-fault"))!, "momentum.momentum is 7");
  await page.context().close();
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 360, 320]) {
    Deno.test(`the lab is accessible in ${colorScheme}, ${width} pixels wide`, async () => {
      const { page } = await open(browser, `${lab}#?who-moves-what.asked=1`, {
        width,
        colorScheme,
      });
      await page.waitForSelector("html[data-working=false]");
      await page.evaluate("document.querySelectorAll('details').forEach((e) => e.open = true)");
      await assertAccessible(page);
      await page.context().close();
    });
  }
}

Deno.test("the Tab key walks every control", async () => {
  const { page } = await open(browser, lab);
  await page.waitForSelector("html[data-working=false]");
  await assertTabReachesAll(page);
  await page.context().close();
});

Deno.test("closing", async () => {
  await browser.close();
  await server.shutdown();
});
