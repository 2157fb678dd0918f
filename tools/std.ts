/**
 * Makes `@std/assert` and `@std/testing` available to the tests.
 *
 * Where JSR can be reached (or they are in Deno's cache already) the tests use the real packages and
 * this changes nothing. Where it cannot, the stand-ins in `tools/std` are copied to `.std`, which
 * `links` in deno.json puts in the place of the real ones.
 *
 * @module
 */
import { commandLine } from "./command_line.ts";

const root = new URL("../", import.meta.url);
const folder = new URL(".std/", root);
const answered = new URL("unreachable_since", folder);

/** How long to wait for JSR, and for how long to believe that it cannot be reached. */
const patience = 5_000;
const belief = 3600_000;

const standIns: Record<string, { source: string; text?: string }> = {
  "assert/mod.ts": { source: "tools/std/assert.ts" },
  "assert/deno.json": {
    source: "",
    text: '{ "name": "@std/assert", "exports": "./mod.ts" }\n',
  },
  "testing/bdd.ts": { source: "tools/std/testing_bdd.ts" },
  "testing/deno.json": {
    source: "",
    text: '{ "name": "@std/testing", "exports": { "./bdd": "./bdd.ts" } }\n',
  },
};

async function readIfThere(file: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether Deno can load the real packages, from its cache or from JSR. */
async function realOnesLoad(): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "cache",
      "--quiet",
      "--no-config",
      "--no-lock",
      "jsr:@std/assert@^1",
      "jsr:@std/testing@^1/bdd",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), patience);
  const { success } = await child.status;
  clearTimeout(timer);
  return success;
}

/** Whether the answer "it cannot be reached" is recent enough to be taken again without asking. */
async function recentlyUnreachable(): Promise<boolean> {
  const since = Number(await readIfThere(answered) ?? NaN);
  return Date.now() - since < belief;
}

async function link(): Promise<void> {
  for (const [name, { source, text }] of Object.entries(standIns)) {
    const file = new URL(name, folder);
    const wanted = text ?? await Deno.readTextFile(new URL(source, root));
    // A file that is right already is left alone: another command may be reading it.
    if (await readIfThere(file) === wanted) continue;
    await Deno.mkdir(new URL(".", file), { recursive: true });
    await Deno.writeTextFile(file, wanted);
  }
}

async function unlink(): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

commandLine("std", {});
if (await recentlyUnreachable()) {
  await link();
} else if (await realOnesLoad()) {
  await unlink();
} else {
  await link();
  await Deno.writeTextFile(answered, `${Date.now()}\n`);
  console.log("JSR cannot be reached: the tests use the stand-ins in tools/std.");
}
