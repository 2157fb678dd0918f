/** Commands that are killed, interrupted, or out of time, and go on. */
import { assert, assertEquals } from "@std/assert";
import { command, deno, inFolder, program, tool } from "./command.ts";

const KILLS = Number(Deno.env.get("TAPEGRAD_KILLS") ?? 4);

/** A table without its last columns, which are times. */
function withoutTimes(csv: string, columns: number): string {
  return csv.split("\n").map((line) => line.split(",").slice(0, -columns).join(",")).join("\n");
}

Deno.test(`killed at ${KILLS} random moments, an experiment ends as if nothing had happened`, async () => {
  await inFolder(async (folder) => {
    const args = ["normalisation-batch", "--quick", "--where", "size=8", "--out"];
    assertEquals((await command(...args, `${folder}/whole`)).code, 0);
    for (let kill = 0; kill < KILLS; kill++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "-A", tool.pathname, ...args, `${folder}/killed`],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      await new Promise((resolve) => setTimeout(resolve, 250 + 500 * Math.random()));
      try {
        child.kill("SIGKILL");
      } catch (error) {
        // It may have come to its end.
        if (!(error instanceof TypeError)) throw error;
      }
      await child.status;
    }
    const { code, err } = await command(...args, `${folder}/killed`);
    assertEquals(code, 0, err);
    const read = (name: string, file: string) =>
      Deno.readTextFile(`${folder}/${name}/normalisation-batch/${file}`);
    for (const [file, times] of [["results.csv", 2], ["curves.csv", 1]] as const) {
      const [whole, killed] = await Promise.all(
        ["whole", "killed"].map((name) => read(name, file)),
      );
      assertEquals(withoutTimes(killed, times), withoutTimes(whole, times));
    }
    const lines = (await read("killed", "runs.jsonl")).trimEnd().split("\n");
    const ends = lines.map((line) => JSON.parse(line)).filter(({ t }) => t === "end");
    assertEquals(new Set(ends.map(({ id }) => id)).size, ends.length, "an id ended twice");
  });
});

const slow = program(
  `for (let step = 1; step < 40 * n; step++) {
    const until = performance.now() + 25;
    while (performance.now() < until);
    yield { step, metrics: { m: step } };
  }`,
);

Deno.test("--timed tells how long each config trains, against the first", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/own.ts`;
    await Deno.writeTextFile(path, slow.replace("25", "1"));
    const args = ["run", "--no-check", "-A", path, "--seeds", "2", "--check", "--timed"];
    const { code, out, err } = await deno(args);
    assertEquals(code, 0, err);
    assert(/^seconds of training against n=1 \(median \d\S* s\)$/m.test(out), out);
    assert(/^n=2 +2 .* \(of 0\.5 at least\) +too few runs$/m.test(out), out);
    const beside = await deno([...args, "--workers", "2"]);
    assertEquals(beside.code, 2);
    assert(/^Cannot [^\n]*one run at a time\n$/.test(beside.err), beside.err);
  });
});

Deno.test("Ctrl-C ends with 130 and says how to go on; so does the end of a budget", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/own.ts`;
    await Deno.writeTextFile(path, slow);
    const args = ["run", "--no-check", "-A", path, "--out", `${folder}/runs`];
    const budget = await deno([...args, "--budget", "0.3s"]);
    assertEquals(budget.code, 130, budget.err);
    assert(budget.err.includes("Stopped. The same command goes on with what is left."), budget.err);
    assert(/stopped/.test(budget.out), budget.out);
    const child = new Deno.Command(Deno.execPath(), {
      args,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    // The first run has ended: the second is going on.
    const decoder = new TextDecoder();
    let told = "";
    for await (const bytes of child.stderr) {
      const before = told;
      told += decoder.decode(bytes);
      if (!before.includes("1/2") && told.includes("1/2")) child.kill("SIGINT");
    }
    assertEquals((await child.status).code, 130, told);
    assert(told.includes("The same command goes on with what is left."), told);
    const ended = await deno(args);
    assertEquals(ended.code, 0, ended.err);
    assert(ended.err.includes("1 of 2 runs have ended before"), ended.err);
  });
});
