/** What stands beside runs: from which code they come; and folders of runs against each other. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadResults } from "../../experiment/mod.ts";
import { fingerprintOf } from "../../experiment/record/fingerprint.ts";
import { command, deno, inFolder, program } from "./command.ts";

Deno.test("a fingerprint follows imports, and does not depend on the folder", async () => {
  const files: Record<string, string> = {
    "a.ts": `import { b } from "./parts/b.ts"; import x from "package";`,
    "parts/b.ts": `export * from "../c.ts"; await import("./d.ts");`,
    "c.ts": "export const c = 1;",
    "parts/d.ts": "import '../a.ts';",
  };
  const of = (changed: Record<string, string>, folder = "here") => {
    const all = { ...files, ...changed };
    return fingerprintOf(
      `file:///${folder}/a.ts`,
      ({ pathname }) => Promise.resolve(all[pathname.slice(folder.length + 2)] ?? null),
    );
  };
  const plain = await of({});
  assert(/^[0-9a-f]{16}$/.test(plain!));
  assertEquals(await of({}, "there"), plain);
  for (const file of Object.keys(files)) {
    assert(await of({ [file]: `${files[file]}//` }) !== plain, file);
  }
  assertEquals(await of({ "e.ts": "not imported" }), plain);
  assertEquals(await fingerprintOf("file:///nowhere/at/all.ts"), null);
});

Deno.test("runs of other code are not mixed, unless it is accepted", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/own.ts`;
    const own = (...args: string[]) =>
      deno(["run", "--no-check", "-A", path, "--out", `${folder}/runs`, ...args]);
    const description = async () =>
      JSON.parse(await Deno.readTextFile(`${folder}/runs/own/experiment.json`));
    await Deno.writeTextFile(path, program(""));
    assertEquals((await own("--seeds", "1")).code, 0);
    const first = await description();
    assertEquals(first.info.configs, [{ n: 1 }, { n: 2 }]);
    assertEquals(first.accepted, []);
    assert(first.machine.cores > 0 && first.machine.load.length === 3 && first.code.library);
    // It can be handed over: no folder of this machine stands in it.
    assert(!JSON.stringify(first).includes(folder), JSON.stringify(first));
    await Deno.writeTextFile(path, program("/* changed */"));
    const ended = await own("--seeds", "1");
    assertEquals(ended.code, 0);
    assert(ended.err.includes("the code has changed since these runs"), ended.err);
    const refused = await own("--seeds", "2");
    assertEquals(refused.code, 2, refused.err);
    assert(/^Cannot go on with [^\n]*--fresh[^\n]*--accept-changes[^\n]*\n$/.test(refused.err));
    assertEquals((await own("--seeds", "2", "--accept-changes")).code, 0);
    const second = await description();
    assertEquals(second.accepted, [first.code.fingerprint]);
    assert(second.code.fingerprint !== first.code.fingerprint);
    assertEquals(second.info.seeds, [0, 1]);
    const fresh = await own("--seeds", "1", "--fresh");
    assertEquals([fresh.code, (await description()).accepted], [0, []]);
  });
});

Deno.test("a folder of runs is read back, and two are compared config by config", async () => {
  await inFolder(async (folder) => {
    const lower = ["--set", "depth=2", "--set", "width=8"];
    for (const [out, args] of [["a", []], ["b", ["--seeds", "3"]], ["c", lower]] as const) {
      const { code, err } = await command("rank", "--out", `${folder}/${out}`, ...args);
      assert(code === 0 || out === "c", err);
    }
    const results = await loadResults(`${folder}/b/rank`);
    assertEquals(results.runs.map(({ state }) => state), Array(6).fill("completed"));
    const [a, b, c] = ["a", "b", "c"].map((out) => `${folder}/${out}/rank`);
    const same = await command("compare", a, b);
    assertEquals(same.code, 0, same.err);
    assert(same.out.includes(`meanCosine against the same config in ${a}`), same.out);
    assertEquals(same.out.match(/ 3 .* 0 \.\.\. 0|too few runs$/gm)!.length, 2, same.out);
    const all = await command("compare", a, b, "--baseline", "norm=none");
    assert(/rank: norm=batch +5 .* 0\.1875 \(of 0\.0625 at least\)/.test(all.out), all.out);
    const apart = await command("compare", a, c);
    assertEquals(apart.code, 2);
    assert(/^Cannot compare: got no config that is in /.test(apart.err), apart.err);
    assertEquals((await command("compare", a)).code, 2);
    const none = await command("compare", a, `${folder}/nowhere`);
    assert(/^Cannot load results from .* without runs.jsonl/.test(none.err), none.err);
    await assertRejects(() => loadResults(folder), RangeError, "without runs.jsonl");
  });
});
