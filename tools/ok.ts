/**
 * Everything that must hold before a change lands, one step after the other.
 *
 *     deno task ok [--only STEP] [--without STEP]
 *
 * A step is a Deno command. All of them run, whatever fails; what failed is named at the end, its
 * output shown where it happened.
 *
 * @module
 */
import { parseArgs } from "node:util";

/** One command and what it makes sure of. */
interface Step {
  name: string;
  about: string;
  args: readonly string[];
}

const root = new URL("../", import.meta.url);
const settings = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
const entries: string[] = Object.values(settings.exports as Record<string, string>);

/** Those of the paths that are there. */
async function present(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    try {
      await Deno.stat(new URL(path, root));
      found.push(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return found;
}

// Documents and published modules: what carries examples. Rooms that deal with the world outside
// may touch files; the core needs no permission at all.
const worldly = await present(["io", "scope", "distributed"]);
const published: string[] = settings.publish.include;
const core = await present([
  "README.md",
  "CONTRIBUTING.md",
  ...published.filter((path) => /^(mod\.ts|\w+)$/.test(path) && path !== "LICENSE"),
]).then((paths) => paths.filter((path) => !worldly.includes(path)));

const steps: readonly Step[] = [
  { name: "format", about: "code and documents are formatted", args: ["fmt", "--check"] },
  { name: "lint", about: "no lint rule is broken", args: ["lint"] },
  { name: "types", about: "everything type-checks", args: ["check"] },
  { name: "docs", about: "every public symbol is documented", args: ["doc", "--lint", ...entries] },
  { name: "tests", about: "all tests pass", args: ["task", "test"] },
  {
    name: "examples",
    about: "every example in the documents and the core runs, without any permission",
    args: ["test", "--doc", "--parallel", "--no-prompt", ...core],
  },
  {
    name: "file-examples",
    about: "every example that reads and writes files runs",
    args: [
      "test",
      "--doc",
      "--parallel",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      ...worldly,
    ],
  },
  {
    name: "operations",
    about: "docs/operations.md is what the registry says",
    args: ["run", "--allow-read", "--allow-run", "tools/ops_table.ts", "--check"],
  },
  {
    name: "publish",
    about: "the package can be published: no slow types, nothing missing",
    args: ["publish", "--dry-run", "--allow-dirty", "--quiet"],
  },
];

/** Deno's last summary of tests in an output, where there is one. */
function summary(output: string): string {
  return output.match(/^(ok|FAILED) \| \d+ passed.*$/gm)?.at(-1) ?? "";
}

async function run({ name, about, args }: Step): Promise<boolean> {
  const start = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (!success) {
    console.log(output.trimEnd());
    console.log(`\nNot ok: ${name} (deno ${args.join(" ")})\n`);
  } else {
    const counted = summary(output);
    console.log(`ok  ${name.padEnd(15)}${about} (${seconds} s)`);
    if (counted !== "") console.log(`    ${counted}`);
  }
  return success;
}

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    without: { type: "string", multiple: true, default: [] },
  },
});
const names = steps.map(({ name }) => name);
for (const name of [...values.only ?? [], ...values.without]) {
  if (names.includes(name)) continue;
  console.error(`Cannot run step ${name}: got no such step, expected one of ${names.join(", ")}`);
  Deno.exit(2);
}
const chosen = steps.filter(({ name }) =>
  (values.only ?? names).includes(name) && !values.without.includes(name)
);
const failed: string[] = [];
for (const step of chosen) if (!await run(step)) failed.push(step.name);
console.log(failed.length === 0 ? "All is ok." : `Not ok: ${failed.join(", ")}.`);
Deno.exit(failed.length === 0 ? 0 : 1);
