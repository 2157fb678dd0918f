/**
 * Prints how the library compares with PyTorch's recorded results.
 *
 *     deno task oracle [--file A,B] [--op A,B] [--all] [--data FOLDER]
 *
 * @module
 */
import { commandLine, flag, list, refuse, text } from "../../tools/command_line.ts";
import { type Case, files, runCase } from "./cases.ts";
import { ownData } from "./recorded.ts";
import { skips } from "./skips.ts";

const { file, op, data, all } = commandLine("oracle", {
  file: list("only these files of recorded results", Object.keys(files)),
  op: list("only these operations, modules or optimizers", null),
  data: text(
    "FOLDER",
    "where the recorded results are, in place of those that come with the tests",
  ),
  all: flag("print every failure of an operation, not only its first"),
});

const folder = data === null ? ownData : new URL(`${data}/`, `file://${Deno.cwd()}/`);
const cases = new Map<string, Case[]>();
for (const name of file.length > 0 ? file : Object.keys(files)) {
  const recorded = await files[name](folder).catch((error) => {
    if (data === null) throw error;
    return refuse("oracle", `got --data ${data}, expected a folder with ${name}-dev.jsonl.gz`);
  });
  cases.set(name, recorded);
}
/** Whether a name is a group's own, or its last part: conv2d for nn.functional.conv2d. */
const isOf = (group: string) => (name: string): boolean => `.${group}`.endsWith(`.${name}`);
const groups = new Set([...cases.values()].flat().map(({ group }) => group));
const unknown = op.find((name) => ![...groups].some((group) => isOf(group)(name)));
if (unknown !== undefined) {
  const few = [...groups].slice(0, 5).join(", ");
  refuse("oracle", `got --op ${unknown}, expected some of ${groups.size} names such as ${few}`);
}

let failures = 0;
for (const [name, recorded] of cases) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  const failedGroups = new Map<string, string[]>();
  const skipped = new Map<string, string[]>();
  for (const one of recorded) {
    if (op.length > 0 && !op.some(isOf(one.group))) continue;
    const outcome = runCase(one, data === null ? skips : {});
    count[outcome.status]++;
    if (outcome.status === "failed") {
      const messages = failedGroups.get(one.group) ?? [];
      failedGroups.set(one.group, messages);
      messages.push(`${one.id}: ${outcome.message}`);
    } else if (outcome.status === "skipped") {
      skipped.set(outcome.reason, [...skipped.get(outcome.reason) ?? [], one.id]);
    }
  }
  failures += count.failed;
  for (const [group, messages] of failedGroups) {
    console.log(`${group}: ${messages.length} failed`);
    for (const message of all ? messages : messages.slice(0, 1)) {
      console.log(`    ${message}`);
    }
  }
  for (const [reason, ids] of skipped) console.log(`skipped, ${reason}: ${ids.join(", ")}`);
  console.log(
    `${name}: passed ${count.passed}, failed ${count.failed}, skipped ${count.skipped}`,
  );
}
Deno.exit(failures > 0 ? 1 : 0);
