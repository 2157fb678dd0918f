/**
 * Chromium for tests of pages: one browser, and what every page has to stand up to.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import axe from "npm:axe-core@4.14.1";
import { type Browser, chromium, type Page } from "npm:playwright-core@1.65.1";

/** A page and what went wrong on it. */
export interface Opened {
  readonly page: Page;
  /** Errors and warnings in its console. */
  readonly errors: string[];
  /** The hosts that it asked for something. */
  readonly hosts: Set<string>;
}

/** Starts Chromium; its path is in the environment variable CHROMIUM. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = Deno.env.get("CHROMIUM") || "/usr/bin/chromium";
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  return await chromium.launch({ executablePath, args });
}

/** Opens an address. */
export async function open(
  browser: Browser,
  url: string,
  { width = 1280, colorScheme = "light" as "light" | "dark" } = {},
): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme,
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const errors: string[] = [];
  const hosts = new Set<string>();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== "data:") hosts.add(host);
  });
  await page.goto(url);
  return { page, errors, hosts };
}

/** No serious finding of axe-core, nothing that is wider than the screen, nothing too small to touch. */
export async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  // deno-lint-ignore no-explicit-any -- axe lives on the page.
  const found: any = await page.evaluate("axe.run(document)");
  const serious: string[] = [];
  for (const { id, impact, nodes } of found.violations) {
    if (!["serious", "critical"].includes(impact)) continue;
    for (const { html, any } of nodes) {
      serious.push(`${id}: ${html.slice(0, 200)} ${any[0]?.message ?? ""}`);
    }
  }
  assertEquals(serious, []);
  assert(
    await page.evaluate("document.documentElement.scrollWidth <= innerWidth"),
    "scrolls sideways",
  );
  const small = await page.evaluate(
    `[...document.querySelectorAll("button, input, select, summary")]
    .filter((e) => e.offsetParent !== null && e.getClientRects().length > 0)
    .filter((e) => {
      const box = (e.closest("label") ?? e).getBoundingClientRect();
      return box.width < 24 || box.height < 24;
    }).map((e) => e.outerHTML.slice(0, 100))`,
  );
  assertEquals(small, []);
}

/** Walks the page with the Tab key; every control must come, each group of radio buttons once. */
export async function assertTabReachesAll(page: Page): Promise<void> {
  const wanted = await page.evaluate(`(() => {
    const all = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
      .filter((e) => !e.disabled && e.checkVisibility() && !e.closest("details:not([open]) > :not(summary)"))
      .filter((e) => e.type !== "radio" || e.checked);
    all.forEach((e, i) => e.dataset.tab = i);
    document.activeElement?.blur();
    scrollTo(0, 0);
    return all.length;
  })()`) as number;
  const seen = new Set<string>();
  await page.locator("body").press("Home");
  for (let i = 0; i < wanted + 5; i++) {
    await page.keyboard.press("Tab");
    const place = await page.evaluate("document.activeElement?.dataset.tab ?? ''") as string;
    if (place !== "") seen.add(place);
  }
  const missed = await page.evaluate(
    `[...document.querySelectorAll("[data-tab]")].filter((e) => !${
      JSON.stringify([...seen])
    }.includes(e.dataset.tab)).map((e) => e.outerHTML.slice(0, 120))`,
  );
  assertEquals(missed, []);
}
