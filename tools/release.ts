/**
 * What must hold before a version is published, each line checked: run it before and after tagging.
 *
 *     deno task release [--tag v0.2.0]
 *
 * @module
 */
import { commandLine, text } from "./command_line.ts";

const root = new URL("../", import.meta.url);

/** A line of the list: what must hold, and why it does not, `null` where it does. */
interface Check {
  readonly what: string;
  readonly problem: string | null;
}

async function git(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", { args: [...args], cwd: root })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** What is wrong with a changelog for a version; `null` if it names it with a date and something new. */
export function problemOfChangelog(text: string, version: string): string | null {
  const heading = new RegExp(`^## ${version.replaceAll(".", "\\.")}(.*)$`, "m").exec(text);
  if (heading === null) return `CHANGELOG.md has no section "## ${version}"; rename "Unreleased"`;
  if (!/\d{4}-\d{2}-\d{2}/.test(heading[1])) {
    return `CHANGELOG.md gives ${version} no date: "## ${version} (2030-01-31)"`;
  }
  const rest = text.slice(heading.index + heading[0].length);
  const section = rest.slice(0, rest.search(/^## /m) + 1 || undefined).trim();
  return section.length < 10 ? `CHANGELOG.md says nothing of ${version}` : null;
}

/** What is wrong with a version after those before it; `null` if it is one step after the last. */
export function problemOfVersion(version: string, tags: readonly string[]): string | null {
  const parse = (text: string): number[] | null =>
    /^v?(\d+)\.(\d+)\.(\d+)$/.exec(text)?.slice(1).map(Number) ?? null;
  const next = parse(version);
  if (next === null) return `got version ${version}, expected three numbers`;
  const known = tags.map(parse).filter((tag) => tag !== null);
  const last = known.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]).at(-1);
  if (last === undefined) return null;
  const [major, minor, patch] = last;
  const steps = [[major + 1, 0, 0], [major, minor + 1, 0], [major, minor, patch + 1]]
    .map((step) => step.join("."));
  return steps.includes(next.join(".")) || last.join(".") === next.join(".")
    ? null
    : `got version ${version} after ${last.join(".")}, expected one of ${steps.join(", ")}`;
}

if (import.meta.main) {
  const { tag } = commandLine("release", {
    tag: text("TAG", "the tag that the version is to have", {
      pattern: /^v\d+\.\d+\.\d+$/,
      expected: "v and three numbers, for instance v0.2.0",
    }),
  });
  const { version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const changelog = await Deno.readTextFile(new URL("CHANGELOG.md", root));
  const tags = (await git("tag", "--list", "v*")).split("\n").filter((tag) => tag !== "");
  const changed = await git("status", "--porcelain");
  const checks: Check[] = [
    { what: "the version is the next one", problem: problemOfVersion(version, tags) },
    { what: "the changelog says what is new", problem: problemOfChangelog(changelog, version) },
    {
      what: "the tag is the version",
      problem: tag === null || tag === `v${version}`
        ? null
        : `got tag ${tag}, expected v${version}`,
    },
    { what: "everything is committed", problem: changed === "" ? null : changed },
  ];
  for (const { what, problem } of checks) {
    console.log(problem === null ? `ok      ${what}` : `not ok  ${what}: ${problem}`);
  }
  console.log(
    "Besides: .ci/run passes in a fresh clone; bench:peers shows no row slower than the version " +
      'before; README no longer says "Not published yet"; on JSR the package is linked to its GitHub ' +
      "repository, to which README's links then lead; a tag starts the publication.",
  );
  if (checks.some(({ problem }) => problem !== null)) Deno.exitCode = 1;
}
