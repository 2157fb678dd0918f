/**
 * Opens a file in Chromium, once for each way that is asked for, and prints what was seen.
 *
 *     deno run -A tests/scope/report_opener.ts CHROMIUM '{"file": …, "ways": […]}'
 *
 * @module
 */
import axe from "npm:axe-core@4.14.1";
import { chromium } from "npm:playwright-core@1.65.1";
import type { Seen, Way } from "./report_browser.ts";

const [executablePath, task] = Deno.args;
const { file, ways } = JSON.parse(task) as { file: string; ways: readonly Way[] };
const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
const browser = await chromium.launch({ executablePath, args });
try {
  const seen: Seen[] = [];
  for (const way of ways) seen.push(await look(way));
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}

async function look(way: Way): Promise<Seen> {
  const { width = 1280, colorScheme = "light", javaScript = true } = way;
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme,
    javaScriptEnabled: javaScript,
    offline: true,
    acceptDownloads: true,
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const requests: string[] = [];
    const errors: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) errors.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("dialog", async (dialog) => {
      errors.push(`dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    await page.goto(`file://${file}`);
    const downloads: Record<string, string> = {};
    for (const [kind, selector, value = ""] of way.actions ?? []) {
      if (kind === "select") await page.selectOption(selector, value);
      else if (kind === "press") await page.press(selector, value);
      else if (kind === "hover") await page.hover(selector);
      else {
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.click(selector),
        ]);
        downloads[download.suggestedFilename()] = await Deno.readTextFile(await download.path());
      }
    }
    // What the page says after a moment's silence is said by then.
    if (way.actions !== undefined) await page.waitForTimeout(400);
    const values: Record<string, unknown> = {};
    for (const [name, expression] of Object.entries(way.evaluate ?? {})) {
      values[name] = javaScript
        ? await page.evaluate(expression)
        : await page.locator("body").evaluate((_, text) => (0, eval)(text), expression);
    }
    const violations: string[] = [];
    if (way.isAudited) {
      await page.evaluate(axe.source);
      // deno-lint-ignore no-explicit-any -- axe lives on the page.
      const found: any = await page.evaluate("axe.run(document)");
      for (const { id, impact, nodes } of found.violations) {
        if (!["serious", "critical"].includes(impact)) continue;
        for (const { html } of nodes) violations.push(`${id}: ${html.slice(0, 160)}`);
      }
    }
    return { requests: requests.slice(1), errors, values, violations, downloads };
  } finally {
    await context.close();
  }
}
