/**
 * Wrong calls of the experiments' functions end in the library's words, never the engine's.
 */
import { assertEquals } from "@std/assert";
import * as room from "../../experiment/mod.ts";
import { callWrongly, type RightArguments, type Tally } from "../house/wrong_calls.ts";

const uniform = () => room.uniform(0, 1);
const group = () => ({ name: "a", values: [1, 2, 3] });

const calls: Readonly<Record<string, RightArguments>> = {
  quantile: () => [[1, 2, 3], 0.5],
  median: () => [[1, 2]],
  mean: () => [[1, 2]],
  interquartileMean: () => [[1, 2]],
  bootstrapInterval: () => [[1, 2], room.mean, { samples: 10 }],
  signFlipTest: () => [[1, 2]],
  mannWhitneyTest: () => [[1, 2], [3, 4]],
  probabilityOfImprovement: () => [[1, 2], [3, 4]],
  holm: () => [[0.1, 0.2]],
  timeToTarget: () => [[1, 2]],
  olympic: () => [[1, 2, 3]],
  performanceProfile: () => [new Map([["a", [1, 2]]]), [1, 2]],
  compareGroups: () => [group(), [group()], { goal: "max" }],
  grid: () => [{ lr: [0.1, 1] }],
  zip: () => [{ lr: [0.1, 1] }],
  list: () => [[{ lr: 1 }]],
  union: () => [room.grid({ lr: [1] }), room.grid({ lr: [2] })],
  uniform: () => [0, 1],
  logUniform: () => [1, 2],
  integers: () => [0, 4],
  choice: () => [["a", "b"]],
  random: () => [{ lr: uniform() }, { samples: 2 }],
  halton: () => [{ lr: uniform() }, { samples: 2 }],
  more: () => ["loss", { lr: 1 }, { lr: 2 }, { by: 1 }],
  less: () => ["loss", { lr: 1 }, { lr: 2 }, { by: 1 }],
  within: () => ["loss", { lr: 1 }, [0, 1]],
  loadResults: () => ["no-such-folder"],
};

const lrs = room.experiment({
  name: "rates",
  claim: "A rate is a rate",
  configs: room.grid({ lr: [1, 2] }),
  seeds: 2,
  metrics: { loss: { goal: "min" } },
  *run({ config }) {
    yield { step: 1, metrics: { loss: config.lr } };
  },
});

Deno.test("wrong calls of spaces, statistics and expectations end in the library's words", async () => {
  const tally: Tally = { made: 0, engine: [] };
  const functions = room as unknown as Record<string, () => unknown>;
  for (const [name, right] of Object.entries(calls)) {
    await callWrongly(name, functions[name], right, tally);
  }
  assertEquals([tally.made > 1500, tally.engine], [true, []]);
});

Deno.test("wrong calls of results end in the library's words", async () => {
  const tally: Tally = { made: 0, engine: [] };
  const results = await room.run(lrs);
  const [first] = results.groups();
  const methods: Readonly<Record<string, RightArguments>> = {
    valuesOf: () => [first, "loss"],
    compare: () => [{ metric: "loss", baseline: { lr: 1 } }],
    timeTo: () => [first, "loss", 1, "step"],
    profile: () => [{ metric: "loss", target: 1 }],
  };
  for (const [name, right] of Object.entries(methods)) {
    const method = (results as unknown as Record<string, () => unknown>)[name].bind(results);
    await callWrongly(name, method, right, tally);
  }
  const seeded = (seeds: never) => room.run(lrs, { seeds });
  await callWrongly("run with seeds", seeded, () => [1], tally);
  const make = (info: never, events: never) => new room.Results(info, events);
  await callWrongly("new Results", make, () => [results.info, []], tally);
  assertEquals([tally.made > 250, tally.engine], [true, []]);
});
