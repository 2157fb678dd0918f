/**
 * The main job, stopped and taken up again, and what can be done with what it has saved.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loadCsv, loadState } from "../../io/mod.ts";
import { encodePng } from "../io/png.ts";
import { withTempDir } from "../io/temp_dir.ts";

const examples = new URL("../../examples/", import.meta.url).pathname;

function start(program: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-read", "--allow-write", program, ...args],
    cwd: examples,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(
  program: string,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await start(program, args).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The report of a run without what names files, times and epochs that the other did not see. */
function reported(stdout: string): string {
  return stdout.slice(stdout.indexOf("training = true")).replace(/, [\d.]+ s\.[^]*$/, "");
}

Deno.test("Ctrl-C saves and says how to go on, and going on ends where the whole run does", async () => {
  await withTempDir(async (folder) => {
    const [whole, resumed] = [`${folder}/whole.safetensors`, `${folder}/resumed.safetensors`];
    const file = `${folder}/run.pt`;
    const expected = await run("train_digits.ts", "--epochs", "5", "--save", whole);
    assertEquals(expected.code, 0, expected.stderr);

    const child = start("train_digits.ts", [
      "--epochs",
      "5",
      "--save",
      resumed,
      "--checkpoint",
      file,
    ]);
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let printed = "";
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      const isFirst = !printed.includes("epoch 1/5");
      printed += chunk.value;
      if (isFirst && printed.includes("epoch 1/5")) child.kill("SIGINT");
    }
    await child.stderr.cancel();
    assertEquals((await child.status).code, 130);
    assertMatch(printed, /Stopped after step \d+, in epoch [2-5]\. To go on:/);
    assertStringIncludes(printed, `deno task train --resume ${file}`);

    const rest = await run("train_digits.ts", "--resume", file);
    assertEquals(rest.code, 0, rest.stderr);
    assertEquals(reported(rest.stdout), reported(expected.stdout));
    assertEquals(await Deno.readFile(resumed), await Deno.readFile(whole));
  });
});

Deno.test("checkpoints on the way change nothing, and a finished run can be made longer", async () => {
  await withTempDir(async (folder) => {
    const file = `${folder}/run.pt`;
    const [short, long] = [`${folder}/short`, `${folder}/long`];
    const args = ["--checkpoint-every", "7", "--checkpoint", file, "--save", short];
    assertEquals((await run("train_digits.ts", "--epochs", "1", ...args)).code, 0);
    const { code, stdout } = await run(
      "train_digits.ts",
      "--resume",
      file,
      "--epochs",
      "2",
      "--save",
      long,
    );
    assertEquals(code, 0);
    assertStringIncludes(stdout, "Going on after step 45, in epoch 2.");
    await run("train_digits.ts", "--epochs", "2", "--save", `${folder}/whole`);
    assertEquals(await Deno.readFile(long), await Deno.readFile(`${folder}/whole`));
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "long",
      "run.pt",
      "short",
      "whole",
    ]);
  });
});

Deno.test("what cannot be resumed is told in one line with exit code 2", async () => {
  await withTempDir(async (folder) => {
    const file = `${folder}/run.pt`;
    await run("train_digits.ts", "--epochs", "1", "--checkpoint-every", "40", "--checkpoint", file);
    await Deno.writeTextFile(`${folder}/damaged.pt`, "PK\x03\x04 and so on");
    for (
      const [args, message] of [
        [["--resume", file, "--seed", "1"], "got seed 1, expected 0"],
        [["--resume", file, "--no-bn"], "got batchNorm false, expected true"],
        [["--resume", `${folder}/none.pt`], "there is no such file"],
        [["--resume", `${folder}/damaged.pt`], "no zip directory"],
        [["--checkpoint-every", "0"], "got --checkpoint-every 0"],
        [["--checkpoint", `${folder}/none/run.pt`], "there is no folder"],
      ] as const
    ) {
      const { code, stdout, stderr } = await run("train_digits.ts", ...args);
      assertEquals([code, stdout, stderr.trim().split("\n").length], [2, "", 1], stderr);
      assertStringIncludes(stderr, message);
    }
  });
});

/** A digit of the data as a large image of crisp black ink, away from the middle. */
function drawing(row: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const [scale, width, height] = [20, 230, 210];
  const samples = new Array<number>(width * height).fill(255);
  const at = (x: number, y: number): number =>
    row[Math.max(0, Math.min(7, y)) * 8 + Math.max(0, Math.min(7, x))];
  for (let y = 0; y < 8 * scale; y++) {
    for (let x = 0; x < 8 * scale; x++) {
      const [u, v] = [(x + 0.5) / scale - 0.5, (y + 0.5) / scale - 0.5];
      const [i, j] = [Math.floor(u), Math.floor(v)];
      const above = at(i, j) * (1 - u + i) + at(i + 1, j) * (u - i);
      const below = at(i, j + 1) * (1 - u + i) + at(i + 1, j + 1) * (u - i);
      if (above * (1 - v + j) + below * (v - j) > 7.5) samples[(y + 12) * width + x + 55] = 0;
    }
  }
  return encodePng({ width, height, depth: 8, colourType: 0, samples });
}

Deno.test("predict reads drawn digits with a network from any kind of file", async () => {
  await withTempDir(async (folder) => {
    const weights = `${folder}/w.safetensors`;
    const file = `${folder}/run.pt`;
    await run(
      "train_digits.ts",
      "--epochs",
      "8",
      "--save",
      weights,
      "--checkpoint",
      file,
      "--checkpoint-every",
      "500",
    );
    assertEquals(
      [...(await loadState(weights)).keys()].sort(),
      [...(await loadState(file)).keys()].sort(),
    );
    const { values } = await loadCsv(`${examples}data/digits.csv.gz`);
    let right = 0;
    for (let digit = 0; digit < 10; digit++) {
      // The first ten rows are the digits 0 to 9.
      const row = values.data.subarray(65 * digit, 65 * digit + 65);
      const image = `${folder}/${digit}.png`;
      await Deno.writeFile(image, drawing(row));
      const { code, stdout, stderr } = await run(
        "predict.ts",
        image,
        "--model",
        digit % 2 ? weights : file,
      );
      assertEquals(code, 0, stderr);
      const [, told] = /\n(\d) {2}\([\d.]+ %\)\nthen /.exec(stdout)!;
      if (Number(told) === row[64]) right++;
    }
    assert(right >= 8, `${right} of 10 digits`);
  });
});

Deno.test("predict tells what it cannot read in one line with exit code 2", async () => {
  await withTempDir(async (folder) => {
    const blank = `${folder}/blank.png`;
    const weights = `${folder}/w`;
    const samples = new Array<number>(64).fill(255);
    await Deno.writeFile(
      blank,
      encodePng({ width: 8, height: 8, depth: 8, colourType: 0, samples }),
    );
    await run("train_digits.ts", "--epochs", "1", "--save", weights);
    for (
      const [args, message] of [
        [[], "got 0 images, expected one"],
        [[blank], "got no --model"],
        [[`${folder}/none.png`, "--model", weights], "there is no such file"],
        [[weights, "--model", weights], "expected a PNG image"],
        [[blank, "--model", blank], "Cannot read"],
        [[blank, "--model", weights], "nothing is drawn in it"],
        [[blank, "--modle", weights], "Unknown option"],
      ] as const
    ) {
      const { code, stdout, stderr } = await run("predict.ts", ...args);
      assertEquals([code, stdout, stderr.trim().split("\n").length], [2, "", 1], stderr);
      assertStringIncludes(stderr, message);
    }
  });
});
