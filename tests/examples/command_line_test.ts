/** The command line of the main job and of predict: a fault is told in one line, before training. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { faultOf, parseOptions, UsageError } from "../../examples/digits/options.ts";
import { withTempDir } from "../io/temp_dir.ts";

const root = new URL("../../", import.meta.url);

async function run(
  program: string,
  ...args: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-read", "--allow-write", program, ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("numbers out of range are told with the range, negative ones too", () => {
  const faults: [string[], string][] = [
    [["--lr", "-1"], "got --lr -1, expected a number of at least 0"],
    [["--lr", "-.5"], "got --lr -.5, expected a number of at least 0"],
    [["--epochs", "-3"], "got --epochs -3, expected an integer of at least 1"],
    [["--epochs", "1.5"], "got --epochs 1.5, expected an integer of at least 1"],
    [["--momentum", "1"], "got --momentum 1, expected a number of at least 0 and below 1"],
    [["--momentum", "2"], "got --momentum 2, expected a number of at least 0 and below 1"],
    [["--bn-momentum", "1.5"], "got --bn-momentum 1.5, expected a number from 0 to 1"],
    [["--weight-decay", "NaN"], "got --weight-decay NaN, expected a number of at least 0"],
    [["--learning-rate", "1"], "Unknown option '--learning-rate' (--help lists the options)"],
  ];
  for (const [args, message] of faults) {
    assertEquals(assertThrows(() => parseOptions(args), UsageError).message, message);
  }
  const { lr, momentum } = parseOptions(["--lr", "0", "--momentum", ".9"])!;
  assertEquals([lr, momentum], [0, 0.9]);
});

Deno.test("places that cannot be written are told before training starts", async () => {
  await withTempDir(async (folder) => {
    const file = `${folder}/file`;
    await Deno.writeTextFile(file, "text");
    const places = [`${folder}/none/w`, `${file}/w`, folder, "/proc/w"];
    for (const place of places) {
      for (const option of ["--save", "--checkpoint"]) {
        const { code, stdout, stderr } = await run("examples/train_digits.ts", option, place);
        assertEquals([code, stdout], [2, ""], `${option} ${place}`);
        assertMatch(stderr, /^train: cannot use .*\n$/);
        assert(!stderr.includes("--allow-all"), stderr);
      }
    }
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["file"]);
  });
});

Deno.test("several ranks are told of a fault once, before any of them starts", async () => {
  const faults: [string[], string][] = [
    [["--ranks", "two"], "got --ranks two, expected an integer of at least 1"],
    [["--lr", "abc"], "got --lr abc, expected a number of at least 0"],
    [["--data", "/nowhere"], "cannot use --data: there is no folder /nowhere"],
    [["--save", "/nowhere/w"], "cannot use --save: there is no folder /nowhere"],
    [["--hostfile", "/nowhere"], "cannot use --hostfile: there is no /nowhere"],
    [["--live"], "got --live on several ranks, expected it without: deno task train has it"],
    [
      ["--report", "run.html"],
      "got --report on several ranks, expected it without: deno task " +
      "train has it",
    ],
  ];
  // Without the permission to start anything, nothing has started.
  for (const [args, message] of faults) {
    const { code, stdout, stderr } = await run("examples/train_distributed.ts", ...args);
    assertEquals([code, stdout, stderr], [2, "", `train:distributed: ${message}\n`]);
  }
});

Deno.test("what no permission opens is not asked for", () => {
  const message = 'Requires all access to "/proc", run again with the --allow-all flag';
  const error = new Deno.errors.NotCapable(message);
  assertEquals(faultOf(error), 'cannot use "/proc": it is closed to programs');
  assertEquals(faultOf(new TypeError("a bug")), null);
});

Deno.test("predict reads the digit that comes with it", async () => {
  await withTempDir(async (folder) => {
    const weights = `${folder}/digits.safetensors`;
    await run("examples/train_digits.ts", "--epochs", "6", "--save", weights);
    const { code, stdout, stderr } = await run(
      "examples/predict.ts",
      "examples/data/three.png",
      "--model",
      weights,
    );
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /\n3 {2}\([\d.]+ %\)\n/);
  });
});
