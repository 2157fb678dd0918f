/** The main job on two ranks ends where that on one process does. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { withTempDir } from "../io/temp_dir.ts";
import { ENVIRONMENT, expectJob, testOnEach, testOnRanks } from "./jobs.ts";

const program = new URL("../../examples/train_digits.ts", import.meta.url);

async function alone(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program.pathname, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Scores by epoch, the table of what moved what, and the accuracy at the end. */
function shown(stdout: string): string[] {
  return stdout.split("\n").map((line) => line.trim())
    .filter((line) => /^(epoch|layer|bn\d|Test accuracy)/.test(line))
    .map((line) => line.replace(/, [\d.]+ s\.$/, "").replaceAll(/ +/g, " "));
}

testOnRanks(
  "the digits on two ranks give the scores, the ledger and the accuracy of one",
  async () => {
    const expected = shown(await alone("--epochs", "2"));
    const args = ["--distributed", "--epochs", "2"];
    const stdout = await expectJob(2, program, { args });
    assertEquals(shown(stdout), expected);
    assertEquals(expected.length, 2 + 1 + 8 + 1);
    assertStringIncludes(stdout, "the same on all 2 ranks, bit for bit");
  },
);

testOnRanks("a run on two ranks goes on on three, and on one process", async () => {
  await withTempDir(async (folder) => {
    const file = `${folder}/run.pt`;
    const expected = shown(await alone("--epochs", "3"));
    const save = [
      "--distributed",
      "--epochs",
      "1",
      "--checkpoint",
      file,
      "--checkpoint-every",
      "1000",
    ];
    await expectJob(2, program, { args: save });
    const resume = ["--resume", file, "--epochs", "3"];
    await Deno.copyFile(file, `${folder}/again.pt`);
    const onThree = shown(await expectJob(3, program, { args: ["--distributed", ...resume] }));
    assertEquals(onThree, expected.slice(1));
    assertEquals(
      shown(await alone("--resume", `${folder}/again.pt`, "--epochs", "3")),
      expected.slice(1),
    );
  });
});

testOnEach(
  "the task starts the ranks with the launcher that is on the path",
  [2],
  async (_, launcher) => {
    const expected = shown(await alone("--epochs", "1"));
    await withTempDir(async (folder) => {
      const script = `#!/bin/sh\nexec ${await pathOf(launcher.command)} "$@"\n`;
      await Deno.writeTextFile(`${folder}/mpirun`, script, { mode: 0o755 });
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", "--quiet", "train:distributed", "--ranks", "2", "--epochs", "1"],
        env: {
          ...ENVIRONMENT,
          PATH: `${folder}:${Deno.env.get("PATH")}`,
        },
      }).output();
      const decoder = new TextDecoder();
      assert(success, decoder.decode(stderr));
      const shownHere = decoder.decode(stdout);
      assertStringIncludes(shownHere, `2 ranks by ${launcher.name}`);
      assertEquals(shown(shownHere), expected);
    });
  },
);

/** Where a command lies. */
async function pathOf(command: string): Promise<string> {
  for (const folder of Deno.env.get("PATH")!.split(":")) {
    const path = `${folder}/${command}`;
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  throw new Error(`There is no ${command} on the path`);
}
