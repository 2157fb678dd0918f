/**
 * Opens a page in Chromium and prints what it hands to `report` and whether it is cross-origin isolated.
 *
 *     deno run -A tests/package/open_page.ts CHROMIUM URL
 *
 * @module
 */
import { chromium } from "npm:playwright-core@1.65.1";

const [executablePath, url] = Deno.args;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  page.on("pageerror", reject);
  page.on("console", (message) => console.error(message.text()));
  await page.exposeFunction("report", resolve);
  await page.goto(url);
  const timer = setTimeout(() => reject(new Error("the page did not report in 30 s")), 30_000);
  const outcome = JSON.parse(await promise);
  clearTimeout(timer);
  const isolated = await page.evaluate("crossOriginIsolated");
  console.log(JSON.stringify({ ...outcome, isolated }));
} finally {
  await browser.close();
}
