/** Every task refuses what it does not know, in one line and before any work, and explains itself. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { root, settings } from "./package.ts";

/** Why no program of this repository reads a task's arguments; `null` where one does. */
function excuseOf(task: string, command: string): string | null {
  if (/^deno (?:test|bench|check)\b/.test(command)) return "Deno reads them";
  return task.startsWith("example:") ? "an example is a text to read and takes none" : null;
}

const programs = Object.entries(settings.tasks)
  .map(([task, { command = "" }]) => ({ task, command }))
  .filter(({ task, command }) => excuseOf(task, command) === null);

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a task's program. It may only read: where work starts, it fails. */
async function run(task: string, ...args: readonly string[]): Promise<Outcome> {
  const { command } = programs.find((program) => program.task === task)!;
  const [deno, run, ...rest] = command.split(" ");
  assertEquals([deno, run], ["deno", "run"], `${task}: no test knows how ${command} is run`);
  const program = rest.slice(rest.findIndex((word) => !word.startsWith("-")));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--no-check",
      "--no-prompt",
      "--allow-read",
      "--allow-env",
      ...program,
      ...args,
    ],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The line in which a task refuses its arguments. */
async function refusal(task: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(task, ...args);
  const called = `${task} ${args.join(" ")}:\n${stderr}`;
  assertEquals([code, stdout], [2, ""], called);
  assertEquals(stderr.split("\n").length, 2, called);
  assert(stderr.endsWith("\n"), called);
  return stderr.trimEnd();
}

Deno.test("most tasks are programs that read their arguments", () => {
  assert(programs.length > Object.keys(settings.tasks).length / 2, `${programs.length}`);
});

for (const { task } of programs) {
  Deno.test(`${task} refuses an option and a word that it does not know`, async () => {
    const line = await refusal(task, "--nonsense");
    assertStringIncludes(line, "--nonsense");
    assertStringIncludes(line, "(--help ");
    await refusal(task, "nonsense", "surplus");
  });

  Deno.test(`${task} explains itself`, async () => {
    const { code, stdout, stderr } = await run(task, "--help");
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^\S.+\n+(?:.*\n)* {2}deno task \S+.*\n(?:.*\n)* {2}.*--help +this text$/m);
    assert(stdout.split("\n").slice(1).every((line) => line.length <= 110), stdout);
  });
}

Deno.test("a wrong value is told with what is expected, before any work", async () => {
  const faults: readonly (readonly [command: string, fault: string])[] = [
    ["fuzz --seed", "got --seed alone, expected --seed N"],
    ["fuzz --programs --seed", "got --programs alone, expected --programs N"],
    ["fuzz --programs 0", "got --programs 0, expected an integer of at least 1"],
    ["fuzz --seed -1", "got --seed -1, expected an integer of at least 0"],
    ["fuzz --seed=", 'got --seed "", expected an integer of at least 0'],
    ["fuzz --seed 1 --seed 2", "got --seed 2 again, expected --seed once"],
    ["lab --port 65536", "got --port 65536, expected an integer from 0 to 65535"],
    ["docs:ops --check=no", "got --check no, expected no value"],
    ["docs:site --without api,wings", "got --without api,wings, expected some of api, lab, report"],
    [
      "docs:site --out docs",
      "got --out docs, expected a folder that is new, empty or an earlier site",
    ],
    [
      "lab:build --out docs",
      "got --out docs, expected a folder that is new, empty or an earlier lab",
    ],
    [
      "lab:build --out deno.json",
      "got --out deno.json, expected a path for a folder, in a folder that exists",
    ],
    ["lab:build --pages docs", "got --pages docs, expected an address with {page} in it"],
    ["npm:pack --out docs", "got --out docs, expected a path for a file, in a folder that exists"],
    [
      "npm:pack --out /no/where",
      "got --out /no/where, expected a path for a file, in a folder that exists",
    ],
    [
      "oracle --file rng --op conv2d",
      "got --op conv2d, expected some of 25 names such as rand [5]",
    ],
    ["oracle --data docs", "got --data docs, expected a folder with opinfo-dev.jsonl.gz"],
    ["release --tag 1.0", "got --tag 1.0, expected v and three numbers, for instance v0.2.0"],
    ["bench:peers --seconds 0", "got --seconds 0, expected a duration above 0"],
    [
      "bench:peers --rows asked,wings",
      "got --rows wings, expected part of a row's name, a group, or all",
    ],
    ["learn 1 2", "got step 1 2, expected one from 1 to 7"],
  ];
  for (const [command, fault] of faults) {
    const [task, ...args] = command.split(" ");
    assertStringIncludes(await refusal(task, ...args), `${task}: ${fault}`);
  }
});
