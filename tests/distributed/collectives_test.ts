import { assertEquals } from "@std/assert";
import { expectJob, testOnEach, testOnRanks } from "./jobs.ts";

testOnEach("collectives and their derivatives are right", [1, 2, 3, 4], async (ranks, launcher) => {
  const stdout = await expectJob(ranks, "collectives.ts", { launcher });
  assertEquals(stdout.trim().split("\n").length, ranks);
});

testOnEach(
  "collectives are right without a watchdog, and in debug mode",
  [2],
  async (_, launcher) => {
    await expectJob(2, "collectives.ts", { args: ['{"debug":true}'], launcher });
    // JSON has no infinity; so large a number is one.
    await expectJob(2, "collectives.ts", { args: ['{"timeout":1e999}'], launcher });
  },
);

testOnRanks("a library that is named starts as one rank without a launcher", async () => {
  const program = new URL("programs/collectives.ts", import.meta.url).pathname;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program, '{"library":"libmpi.so.40"}'],
    env: { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1", NO_COLOR: "1" },
  }).output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
});
