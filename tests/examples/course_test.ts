/** The course: each step fails at its blank, says what to fill in, and its solution passes. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { learn, steps } from "../../examples/course/learn.ts";

const root = new URL("../../", import.meta.url);

async function lines(
  number: number,
  folder: "." | "./solutions",
): Promise<{ done: boolean; printed: string[] }> {
  const printed: string[] = [];
  const done = await learn(number, folder, (line) => printed.push(line));
  return { done, printed };
}

for (const [i, step] of steps.entries()) {
  Deno.test(`the course's step ${i + 1}, ${step}, waits for its blank, and its solution passes`, async () => {
    const blank = await lines(i + 1, ".");
    assert(!blank.done);
    assertMatch(blank.printed.at(-1)!, /^\nFill in examples\/course\/\d_\w+\.ts: .+\.$/);
    const solved = await lines(i + 1, "./solutions");
    assertEquals(solved.printed.filter((line) => line.startsWith("not yet")), []);
    assert(solved.done && solved.printed.length >= 3);
  });
}

Deno.test("learn ends with 1 at a blank, with 0 at a solution, with 2 at a step that is none", async () => {
  const run = async (...args: string[]): Promise<[number, string]> => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--allow-read=examples/course",
        "examples/course/learn.ts",
        ...args,
      ],
      cwd: root,
      env: { NO_COLOR: "1" },
    }).output();
    return [code, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)];
  };
  assertEquals((await run("1"))[0], 1);
  const [code, printed] = await run("7", "--solution");
  assertEquals(code, 0, printed);
  assert(!printed.includes("tapegrad ["), printed);
  assertEquals(await run("8"), [
    2,
    "learn: got step 8, expected one from 1 to 7 (--help says more)\n",
  ]);
  assertEquals(await run("0"), [
    2,
    "learn: got step 0, expected one from 1 to 7 (--help says more)\n",
  ]);
  assertEquals((await run("--all"))[0], 2);
});

Deno.test("docs/course.md names every step and no other", async () => {
  const page = await Deno.readTextFile(new URL("docs/course.md", root));
  const named = [...page.matchAll(/`(\d)_(\w+)\.ts`/g)].map(([, number, name]) =>
    `${number} ${name}`
  );
  assertEquals(named, steps.map((step, i) => `${i + 1} ${step}`));
});
