/** The lab page in Chromium, in a process of its own: a browser needs more than tests may do. */
import { assert } from "@std/assert";
import { chromium } from "./report_browser.ts";

Deno.test({
  name: "the lab page in Chromium: see tests/scope/lab_in_browser.ts",
  ignore: chromium === "",
  async fn() {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", new URL("lab_in_browser.ts", import.meta.url).pathname],
      env: { NO_COLOR: "1", CHROMIUM: chromium },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stdout) + decoder.decode(stderr));
  },
});
