/**
 * Everything that must hold before a change lands, one step after the other.
 *
 *     deno task ok [--only A,B] [--without A,B]
 *
 * A step is a Deno command. All of them run, whatever fails; what failed is named at the end, its
 * output shown where it happened.
 *
 * @module
 */
import { commandLine, list } from "./command_line.ts";

/** One command and what it makes sure of. */
interface Step {
  name: string;
  about: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** What must succeed for the step to make sense here; if it fails the step is skipped, and said to be. */
  needs?: { readonly what: string; readonly args: readonly string[] };
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
const worldly = await present(["io", "scope", "distributed", "experiment"]);
const published: string[] = settings.publish.include;
const core = await present([
  "README.md",
  "CONTRIBUTING.md",
  "docs",
  ...published.filter((path) => /^(mod\.ts|\w+)$/.test(path) && path !== "LICENSE"),
]).then((paths) => paths.filter((path) => !worldly.includes(path)));

/** The recorded results and every primitive, on one set of kernels for tensors of every size. */
function onKernels(set: string, needs?: Step["needs"]): Step {
  return {
    name: `kernels:${set}`,
    about: `PyTorch's results and all primitives hold on the ${set} kernels`,
    args: [
      "test",
      "--quiet",
      "--no-check",
      "--parallel",
      "--allow-read",
      "--allow-env",
      "--allow-ffi",
      "--allow-run",
      "--preload",
      "tests/kernels/backend.ts",
      "tests/oracle",
      "tests/autograd/primitives_test.ts",
    ],
    env: { TAPEGRAD_KERNELS: set },
    needs,
  };
}

const steps: readonly Step[] = [
  { name: "format", about: "code and documents are formatted", args: ["fmt", "--check"] },
  { name: "lint", about: "no lint rule is broken", args: ["lint"] },
  { name: "types", about: "everything type-checks", args: ["check"] },
  { name: "docs", about: "every public symbol is documented", args: ["doc", "--lint", ...entries] },
  { name: "tests", about: "all tests pass", args: ["task", "test"] },
  onKernels("plain"),
  onKernels("simd"),
  onKernels("relaxed"),
  onKernels("threads"),
  onKernels("blas", {
    what: "OpenBLAS",
    args: ["eval", 'import { kernels } from "./mod.ts"; kernels.useBlas();'],
  }),
  {
    name: "fuzz",
    about: "random programs show the same on all kernels, and in PyTorch where it is installed",
    args: ["task", "fuzz", "--programs", "500"],
  },
  {
    name: "experiments",
    about: "the short form of every experiment shows what it expects",
    args: ["task", "experiment:check"],
  },
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
      "--allow-env",
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

function deno(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Deno.CommandOutput> {
  return new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
}

async function run({ name, about, args, env, needs }: Step): Promise<boolean> {
  if (needs !== undefined && !(await deno(needs.args)).success) {
    console.log(`skipped  ${name}: there is no ${needs.what} here`);
    return true;
  }
  const start = performance.now();
  const { success, stdout, stderr } = await deno(args, env);
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (!success) {
    console.log(output.trimEnd());
    console.log(`\nNot ok: ${name} (deno ${args.join(" ")})\n`);
  } else {
    const counted = summary(output);
    console.log(`ok  ${name.padEnd(16)}${about} (${seconds} s)`);
    if (counted !== "") console.log(`    ${counted}`);
  }
  return success;
}

const names = steps.map(({ name }) => name);
const { only, without } = commandLine("ok", {
  only: list("run only these steps", names),
  without: list("run all steps but these", names),
});
const chosen = steps.filter(({ name }) =>
  (only.length === 0 || only.includes(name)) && !without.includes(name)
);
const failed: string[] = [];
for (const step of chosen) if (!await run(step)) failed.push(step.name);
console.log(failed.length === 0 ? "All is ok." : `Not ok: ${failed.join(", ")}.`);
Deno.exit(failed.length === 0 ? 0 : 1);
