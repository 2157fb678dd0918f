/** The guide's program and its figure. */
import { assert } from "@std/assert";
import { withTempDir } from "../io/temp_dir.ts";
import { expectJob, testOnRanks } from "./jobs.ts";

const root = new URL("../../", import.meta.url);
const guide = await Deno.readTextFile(new URL("docs/distributed.md", root));

const config = `--config=${new URL("deno.json", root).pathname}`;

/** Runs the program from a folder of its own, with the package's settings. */
async function withProgram(run: (program: URL) => Promise<void>): Promise<void> {
  const [, code] = /```ts ignore\n([^]*?)```/.exec(guide)!;
  await withTempDir(async (folder) => {
    await Deno.writeTextFile(`${folder}/program.ts`, code);
    await run(new URL(`file://${folder}/program.ts`));
  });
}

testOnRanks("the guide's program trains on two ranks", async () => {
  await withProgram(async (program) =>
    void await expectJob(2, program, { permissions: ["-A", config] })
  );
});

Deno.test("the guide's program trains alone", async () => {
  await withProgram(async (program) => {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", config, "--allow-env", "--allow-read", program.pathname],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
  });
});

Deno.test("the guide's figure is what its script draws from what was measured", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", "bench/distributed/figure.ts", "--check"],
    cwd: root,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
