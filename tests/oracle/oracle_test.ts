import { assertEquals } from "@std/assert";
import { files, runCase } from "./cases.ts";
import { ownData } from "./recorded.ts";
import { skips } from "./skips.ts";

const seen = new Set<string>();

for (const [name, load] of Object.entries(files)) {
  const cases = await load(ownData);
  const groups = Map.groupBy(cases, (one) => one.group);
  for (const [group, members] of groups) {
    Deno.test(`${name}: ${group} (${members.length})`, () => {
      const failed: string[] = [];
      for (const one of members) {
        seen.add(one.id);
        const outcome = runCase(one, skips);
        if (outcome.status === "skipped") console.log(`skipped ${one.id}: ${outcome.reason}`);
        if (outcome.status === "failed") failed.push(`${one.id}: ${outcome.message}`);
      }
      assertEquals(failed, []);
    });
  }
}

Deno.test("every skip names a recorded case", () => {
  assertEquals(Object.keys(skips).filter((id) => !seen.has(id)), []);
});
