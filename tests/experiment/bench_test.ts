/** Experiments and `deno bench`. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { benchSteps, experiment, list, run } from "../../experiment/mod.ts";

const steady = experiment({
  name: "steady",
  claim: "c",
  configs: list([{ reaches: 2 }, { reaches: 4 }, { reaches: 9 }]),
  seeds: 3,
  metrics: { level: { goal: "max" } },
  *run({ config: { reaches } }) {
    for (let step = 1; step <= 5; step++) {
      yield { step, metrics: { level: step >= reaches ? 1 : 0 } };
    }
  },
});

Deno.test("the times of runs have the shape of deno bench --json", async () => {
  const results = await run(steady);
  const { version, runtime, cpu, benches } = results.toDenoBench();
  assertEquals(version, 1);
  assert(runtime.startsWith(`Deno/${Deno.version.deno} `) && cpu.length > 0);
  assertEquals(benches.map(({ name, group, baseline }) => [name, group, baseline]), [
    ["reaches=2", "steady", true],
    ["reaches=4", "steady", false],
    ["reaches=9", "steady", false],
  ]);
  const [first] = benches[0].results;
  assert("ok" in first);
  const seconds = results.groups()[0].runs.map((run) => 1e9 * run.seconds!.train);
  assertEquals([first.ok.n, first.ok.min, first.ok.max], [
    3,
    Math.min(...seconds),
    Math.max(...seconds),
  ]);
});

Deno.test("times of several workers are no benchmark", async () => {
  const url = new URL("../../bench/experiments/rank.ts", import.meta.url).href;
  const { default: rank } = await import(url);
  const results = await run(rank, { seeds: 1, workers: 2 });
  for (const { results: [result] } of results.toDenoBench().benches) {
    assert("failed" in result);
    assert(result.failed.message.includes("while nothing else ran"));
  }
  const [group] = results.groups();
  assertThrows(
    () => results.timeTo(group, "meanCosine", 0.5, "seconds"),
    RangeError,
    "others ran beside",
  );
  assertEquals(results.timeTo(group, "meanCosine", 0.5).runs, 1);
});

Deno.test("a profile tells on how many seeds a config comes within so many times the best", async () => {
  const results = await run(steady);
  const profile = results.profile({ metric: "level", target: 1, factors: [1, 2] });
  assertEquals([...profile], [["reaches=2", [1, 1]], ["reaches=4", [0, 1]], ["reaches=9", [0, 0]]]);
});

Deno.test("an experiment without a step has nothing to bench", async () => {
  await assertRejects(() => benchSteps(steady), TypeError, "got steady without a step");
});

Deno.test("deno bench --json lists the steps by experiment, one baseline each", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bench", "--no-check", "--json", "--allow-read", "--filter=depth=3"],
      new URL("../../bench/experiments_bench.ts", import.meta.url).pathname,
    ],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  const { benches } = JSON.parse(decoder.decode(stdout));
  assertEquals(
    benches.map(({ group, name, baseline }: Record<string, unknown>) => [group, name, baseline]),
    [
      ["bn-only", "depth=3 trains=all", true],
      ["bn-only", "depth=3 trains=bn", false],
      ["bn-only", "depth=3 trains=random", false],
      ["bn-only", "depth=3 trains=out", false],
    ],
  );
  for (const { results: [{ ok }] } of benches) assert(ok.n > 0 && ok.min > 0);
});
