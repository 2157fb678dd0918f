/** Networks that a run hands over to be recorded, and what the report makes of them. */
import { assert, assertEquals } from "@std/assert";
import { changed } from "../../experiment/changes.ts";
import type { Experiment } from "../../experiment/experiment.ts";
import { experiment, list, Results, run, type RunEvent } from "../../experiment/mod.ts";
import { readRecord, toLine } from "../../experiment/record/record.ts";
import { nn, optim, randn } from "../../mod.ts";
import { resultsView } from "../../scope/report/experiment/from_results.ts";
import { toReport } from "../../scope/report/mod.ts";

const gammas: number[][] = [];

const shifted = experiment({
  name: "shifted",
  claim: "c",
  configs: list([{ shift: 0 }, { shift: 50 }]),
  seeds: 2,
  metrics: { loss: { goal: "min" } },
  *run({ config: { shift }, generator, record }) {
    const bn = new nn.BatchNorm1d(3, { momentum: 0.5 });
    const net = new nn.Sequential(bn, new nn.Linear(3, 1));
    const sgd = new optim.SGD(net.parameters(), { lr: 0.1 });
    const recorder = record?.(net, sgd);
    const batch = () => randn([8, 3], { generator: generator("data") }).add(shift);
    for (let step = 1; step <= 3; step++) {
      const loss = net.forward(batch()).square().mean();
      sgd.zeroGrad();
      loss.backward();
      sgd.step();
      yield { step, metrics: { loss: loss.item() } };
    }
    recorder?.audit(batch());
    gammas.push([...bn.weight!.data]);
  },
});

Deno.test("a recorded run has the same results, and its batch norm layers at the end", async () => {
  const plain = await run(shifted);
  assertEquals(plain.runs.map(({ batchNorm }) => batchNorm), [[], [], [], []]);
  gammas.length = 0;
  const events: RunEvent[] = [];
  const recorded = await run(shifted, { record: true, onEvent: (event) => events.push(event) });
  assertEquals(recorded.runs.map(({ summary }) => summary), plain.runs.map((run) => run.summary));
  recorded.runs.forEach(({ batchNorm }, i) => {
    assertEquals(batchNorm.map(({ path, gamma }) => [path, gamma]), [["0", gammas[i]]]);
    assertEquals(batchNorm[0].drift.length, 3);
    assert(batchNorm[0].gap! > 0);
  });
  // Three updates with momentum 0.5 leave an eighth of the distance to a mean of 50.
  const [near, far] = recorded.groups().map(({ runs }) => runs[0].batchNorm[0]);
  assert(Math.min(...far.drift) > Math.max(...near.drift), `${far.drift} against ${near.drift}`);
  const text = events.map((event) => `${toLine(event)}\n`).join("");
  const read = readRecord(new TextEncoder().encode(text), "runs.jsonl").events;
  assertEquals(new Results(recorded.info, read).runs, recorded.runs);
});

Deno.test("the report draws γ, gap and drift of each config, of recorded runs only", async () => {
  const { info, runs } = await run(shifted, { record: true });
  const view = resultsView({ info, runs, command: "deno task experiment shifted --quick" });
  view.configs.forEach(({ batchNorm }, i) => {
    const own = [runs[i], runs[i + 2]].map((run) => run.batchNorm[0]);
    assertEquals(batchNorm, {
      gamma: own.flatMap(({ gamma }) => gamma),
      gap: own.map(({ gap }) => gap!),
      drift: own.flatMap(({ drift }) => drift),
    });
  });
  assertEquals(
    view.runs[3].command,
    "deno task experiment shifted --quick --seeds 2 --where shift=50",
  );
  const heading = "Batch norm layers at the end";
  assert(toReport({ info, runs }, { title: "t" }).includes(heading));
  const plain = await run(shifted);
  assert(!toReport({ info, runs: plain.runs }, { title: "t" }).includes(heading));
});

Deno.test("results.report() is the report's page, titled with the experiment's name", async () => {
  const results = await run(shifted, { record: true });
  const { info, runs } = results;
  assertEquals(await results.report(), toReport({ info, runs }, { title: info.name }));
  const command = "deno task experiment shifted";
  const expectations = [{ text: "that it holds", holds: true, detail: "1 of 1" }];
  const page = await results.report({ title: "T", expectations, command });
  assertEquals(page, toReport({ info, runs, expectations, command }, { title: "T" }));
  assert(page.includes("that it holds") && page.includes(command));
});

Deno.test("an experiment of the catalogue that is recorded comes to the same, layer by layer", async () => {
  const { default: ghost } = await import("../../bench/experiments/ghost_batch_norm.ts");
  const short = changed(ghost as unknown as Experiment, {
    quick: true,
    seeds: 1,
    set: { epochs: [10] },
  });
  const [plain, recorded] = [await run(short), await run(short, { record: true })];
  assertEquals(
    recorded.runs.map(({ summary }) => summary),
    plain.runs.map(({ summary }) => summary),
  );
  for (const { config, batchNorm } of recorded.runs) {
    assertEquals(batchNorm.length, config.depth);
    for (const { gamma, gap } of batchNorm) assert(gamma.length === config.width && gap !== null);
  }
});
