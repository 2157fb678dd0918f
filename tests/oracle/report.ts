/**
 * Prints how the library compares with PyTorch's recorded results.
 *
 *     deno task oracle [--file NAME] [--op NAME] [--all] [--data FOLDER]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { ownData } from "./recorded.ts";
import { files, runCase } from "./cases.ts";

import { skips } from "./skips.ts";

const { values } = parseArgs({
  options: {
    file: { type: "string", multiple: true },
    op: { type: "string", multiple: true },
    data: { type: "string" },
    all: { type: "boolean", default: false },
  },
});

const folder = values.data === undefined
  ? ownData
  : new URL(`${values.data}/`, `file://${Deno.cwd()}/`);
let failures = 0;
for (const name of values.file ?? Object.keys(files)) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  const failedGroups = new Map<string, string[]>();
  const skipped = new Map<string, string[]>();
  for (const one of await files[name](folder)) {
    if (values.op && !values.op.includes(one.group)) continue;
    const outcome = runCase(one, values.data === undefined ? skips : {});
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
    for (const message of values.all ? messages : messages.slice(0, 1)) {
      console.log(`    ${message}`);
    }
  }
  for (const [reason, ids] of skipped) console.log(`skipped, ${reason}: ${ids.join(", ")}`);
  console.log(
    `${name}: passed ${count.passed}, failed ${count.failed}, skipped ${count.skipped}`,
  );
}
Deno.exit(failures > 0 ? 1 : 0);
