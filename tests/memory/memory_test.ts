import { assert } from "@std/assert";

const TOLERANCE = 0.05;
/** What the collector may be behind by, small against a leak of one tensor a step. */
const HEAP_SLACK = 2 ** 19;
const PROCESS_SLACK = 2 ** 25;

async function run(kind: string, steps: number, batchSize: number): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--v8-flags=--expose-gc",
      new URL("loop.ts", import.meta.url).pathname,
      kind,
      String(steps),
      String(batchSize),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const { readings, kept } = JSON.parse(new TextDecoder().decode(stdout));
  // The first half is the warm-up: code is compiled and the pool finds its size.
  const [, first, ...later] = readings as number[];
  const slack = kind.includes("rss") ? PROCESS_SLACK : HEAP_SLACK;
  for (const reading of later) {
    assert(
      reading <= first * (1 + TOLERANCE) + slack,
      `${kind}: in use after each quarter: ${readings.join(", ")} bytes`,
    );
  }
  assert(kept, `${kind}: a tensor that was held has other values now`);
}

Deno.test("a training loop of 10,000 steps keeps its memory flat", () => run("train", 10_000, 8));
Deno.test("a training loop that yields keeps its memory flat", () => run("train yield", 2000, 8));
Deno.test("an inference loop that never calls backward keeps its memory flat", () =>
  run("inference", 10_000, 8));
Deno.test("a training loop over large tensors keeps the memory of the process flat", () =>
  run("train rss", 1600, 4096));
Deno.test("a yielding loop over large tensors keeps the memory of the process flat", () =>
  run("train rss yield", 1600, 4096));
Deno.test("an inference loop over large tensors keeps the memory of the process flat", () =>
  run("inference rss", 2000, 4096));
