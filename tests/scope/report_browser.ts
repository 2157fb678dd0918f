/**
 * A browser for the tests of pages: what it is asked to do, and what it saw.
 *
 * @module
 */
import { assert } from "@std/assert";

/** A way of opening a page. */
export interface Way {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
  readonly javaScript?: boolean;
  /** Done one after the other before anything is read. */
  readonly actions?: readonly (readonly [
    kind: "select" | "press" | "hover" | "save",
    selector: string,
    value?: string,
  ])[];
  /** Expressions whose values on the page are wanted. */
  readonly evaluate?: Readonly<Record<string, string>>;
  /** Whether axe-core looks at the page. */
  readonly isAudited?: boolean;
}

/** What was seen. */
export interface Seen {
  /** What the page asked for, beside itself. */
  readonly requests: readonly string[];
  readonly errors: readonly string[];
  // deno-lint-ignore no-explicit-any -- whatever the expressions gave.
  readonly values: Readonly<Record<string, any>>;
  /** axe-core's serious and critical findings. */
  readonly violations: readonly string[];
  /** The files that were saved, by name. */
  readonly downloads: Readonly<Record<string, string>>;
}

/** The path of the first of these programs that is there; the empty string if none is. */
function pathOf(programs: readonly string[]): string {
  const script = programs.map((program) => `command -v ${program}`).join(" || ");
  try {
    const { stdout } = new Deno.Command("sh", { args: ["-c", script], stderr: "null" })
      .outputSync();
    return new TextDecoder().decode(stdout).trim();
  } catch {
    return "";
  }
}

/** Chromium, where there is one; the empty string where not. */
export const chromium: string = pathOf(["chromium", "chromium-browser", "google-chrome"]);

if (chromium === "") console.log("No Chromium here: pages are not opened.");

/** Opens a file, in a process of its own, once for each way. */
export async function open(file: string, ways: readonly Way[]): Promise<Seen[]> {
  const opener = new URL("report_opener.ts", import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", opener, chromium, JSON.stringify({ file, ways })],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
