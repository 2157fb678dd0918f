/**
 * Any rank may die at any moment: the job ends, no process stays, and the checkpoint is whole.
 *
 * TAPEGRAD_KILLS says how often; a handful where it is not set.
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { loadCheckpoint } from "../../io/mod.ts";
import { Generator, nn, optim } from "../../mod.ts";
import { withTempDir } from "../io/temp_dir.ts";
import { ended, type Launcher, startJob, testOnEach } from "./jobs.ts";

const times = Number(Deno.env.get("TAPEGRAD_KILLS") ?? 4);
const RANKS = 2;

async function isRunning(pid: number): Promise<boolean> {
  try {
    return !(await Deno.readTextFile(`/proc/${pid}/stat`)).includes(") Z ");
  } catch {
    return false;
  }
}

async function killOne(launcher: Launcher, folder: string, random: Generator): Promise<number> {
  const file = `${folder}/run.pt`;
  const job = startJob(RANKS, "endless_saver.ts", { args: [file], launcher });
  const output = ended(job);
  // Ranks write their process ids where they can be read while the job runs.
  const pids: number[] = [];
  while (pids.length < RANKS) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    pids.length = 0;
    for (let rank = 0; rank < RANKS; rank++) {
      const pid = Number(await Deno.readTextFile(`${file}.${rank}`).catch(() => "0"));
      if (pid > 0) pids.push(pid);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, random.random32() % 400));
  const killed = performance.now();
  Deno.kill(pids[random.random32() % RANKS], "SIGKILL");
  const { code } = await output;
  const took = performance.now() - killed;
  assertNotEquals(code, 0);
  for (const pid of pids) assertEquals(await isRunning(pid), false, `process ${pid} is left`);
  if (await Deno.stat(file).then(() => true, () => false)) {
    const model = new nn.Linear(40, 40);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const { step, extra } = await loadCheckpoint(file, { model, optimizer });
    // The file's parts are of one moment.
    assert(step > 0);
    assertEquals(extra.get("step"), step);
    assertEquals(model.bias!.data[0], step);
    await Deno.remove(file);
  }
  for (let rank = 0; rank < RANKS; rank++) await Deno.remove(`${file}.${rank}`);
  return took;
}

testOnEach(`a rank that is killed ends the job, ${times} times`, [RANKS], async (_, launcher) => {
  const random = new Generator(Date.now() % 2 ** 31);
  const took: number[] = [];
  await withTempDir(async (folder) => {
    for (let i = 0; i < times; i++) took.push(await killOne(launcher, folder, random));
  });
  const sorted = took.toSorted((a, b) => a - b).map((ms) => Math.round(ms));
  console.log(
    `${times} jobs of ${launcher.name} ended ${sorted[0]} to ${
      sorted.at(-1)
    } ms after the kill, half of them within ` +
      `${sorted[sorted.length >> 1]} ms`,
  );
});
