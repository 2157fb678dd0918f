/**
 * Saves that do not end well. `KILLS=200` kills more of them.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Generator, nn, tensor } from "../../mod.ts";
import { loadCheckpoint, loadSafetensors, saveCheckpoint, saveSafetensors } from "../../io/mod.ts";
import { writeWhole } from "../../io/file.ts";
import { withTempDir } from "./temp_dir.ts";

const KILLS = Number(Deno.env.get("KILLS") ?? 4);

Deno.test(`a kill during a save leaves the old checkpoint or the new one, ${KILLS} times`, async () => {
  await withTempDir(async (folder) => {
    const file = `${folder}/run.pt`;
    const random = new Generator(1);
    let insideSave = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-check",
          `--allow-read`,
          `--allow-write=${folder}`,
          new URL("endless_saver.ts", import.meta.url).pathname,
          file,
        ],
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      let printed = (await reader.read()).value ?? "";
      await new Promise((resolve) => setTimeout(resolve, 60 * random.uniform()));
      child.kill("SIGKILL");
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        printed += chunk.value;
      }
      await child.status;
      const safe = Number(printed.trim().split("\n").at(-1));
      const model = new nn.Linear(500, 400);
      const { step } = await loadCheckpoint(file, { model });
      assert(step === safe || step === safe + 1, `step ${step} after ${safe} was safe`);
      for (const parameter of model.parameters()) {
        assert(parameter.data.every((value) => value === step), `weights of another step`);
      }
      for await (const { name } of Deno.readDir(folder)) {
        if (name === "run.pt") continue;
        insideSave++;
        await Deno.remove(`${folder}/${name}`);
      }
    }
    console.log(`${insideSave} of ${KILLS} kills came while a file was being written`);
  });
});

Deno.test("a save that fails leaves the old file and nothing else", async () => {
  await withTempDir(async (folder) => {
    const path = `${folder}/x`;
    await writeWhole(path, [new Uint8Array([1, 2, 3])]);
    const failing = function* (): Iterable<Uint8Array> {
      yield new Uint8Array(1000);
      throw new Error("no more");
    };
    await assertRejects(() => writeWhole(path, failing()), Error, "no more");
    assertEquals(await Deno.readFile(path), new Uint8Array([1, 2, 3]));
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["x"]);
  });
});

Deno.test("what a killed save left behind is removed once it is old", async () => {
  await withTempDir(async (folder) => {
    const old = `${folder}/x.pt.123-0.partial`;
    const fresh = `${folder}/x.pt.124-0.partial`;
    const others = `${folder}/y.pt.123-0.partial`;
    for (const path of [old, fresh, others]) await Deno.writeTextFile(path, "");
    const hourAgo = new Date(Date.now() - 3_600_000);
    await Deno.utime(old, hourAgo, hourAgo);
    await Deno.utime(others, hourAgo, hourAgo);
    await saveCheckpoint(`${folder}/x.pt`, { step: 1 });
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assertEquals(left, ["x.pt", "x.pt.124-0.partial", "y.pt.123-0.partial"]);
  });
});

Deno.test("a save follows a link, and saves at once do not mix", async () => {
  await withTempDir(async (folder) => {
    await Deno.writeTextFile(`${folder}/real`, "");
    await Deno.symlink(`${folder}/real`, `${folder}/link`);
    const states = Array.from(
      { length: 8 },
      (_, i) => new Map([["x", tensor(new Float64Array(1e5).fill(i))]]),
    );
    await Promise.all(states.map((state) => saveSafetensors(`${folder}/link`, state)));
    assert((await Deno.lstat(`${folder}/link`)).isSymlink);
    const { data } = (await loadSafetensors(`${folder}/real`)).get("x")!;
    assert(data.every((value) => value === data[0]));
  });
});

Deno.test("a file keeps its mode, a link leads to its target, and a device is not replaced", async () => {
  if (Deno.build.os === "windows") return console.log("Modes and links are not tried on Windows.");
  await withTempDir(async (folder) => {
    const [file, link, dangling] = ["private", "link", "dangling"].map((name) =>
      `${folder}/${name}`
    );
    await Deno.writeTextFile(file, "old");
    await Deno.chmod(file, 0o600);
    await Deno.symlink(file, link);
    await Deno.symlink(`${folder}/new`, dangling);
    await saveCheckpoint(link, { step: 1 });
    assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
    assert((await Deno.lstat(link)).isSymlink);
    await saveCheckpoint(dangling, { step: 2 });
    assert((await Deno.lstat(dangling)).isSymlink);
    assert((await Deno.stat(`${folder}/new`)).isFile);
    await assertRejects(
      () => saveCheckpoint("/dev/null", { step: 1 }),
      RangeError,
      "a device or pipe",
    );
    await assertRejects(() => saveCheckpoint(folder, { step: 1 }), RangeError, "a folder");
  });
});

Deno.test("saves of one file at once all succeed, and one of them is what is left", async () => {
  await withTempDir(async (folder) => {
    const file = `${folder}/x.pt`;
    await Promise.all(Array.from({ length: 30 }, (_, step) => saveCheckpoint(file, { step })));
    const { step } = await loadCheckpoint(file, {});
    assert(step >= 0 && step < 30);
    assertEquals([...Deno.readDirSync(folder)].length, 1);
  });
});
