import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { experiment, grid, list, Results, run, type RunEvent } from "../../experiment/mod.ts";
import { changed } from "../../experiment/changes.ts";
import { randn } from "../../mod.ts";

const noisy = experiment({
  name: "noisy",
  claim: "b is noisier than a",
  configs: grid({ kind: ["a", "b"] }),
  fixed: { scale: 1 },
  seeds: 3,
  metrics: { first: { goal: "none" }, stream: { goal: "none" }, noise: { goal: "max" } },
  *run({ config, generator }) {
    const first = randn([1]).item();
    const order = { generator: generator("order") };
    randn([3], order);
    const stream = randn([1], order).item();
    yield { step: 1, metrics: { first, stream } };
    if (config.kind === "b") randn([7], { generator: generator("other") });
    const noise = Math.abs(randn([1], order).item()) * config.scale + (config.kind === "b" ? 1 : 0);
    yield { step: 2, metrics: { noise } };
  },
});

Deno.test("a run depends on its config and seed alone", async () => {
  const all = await run(noisy);
  const [a, b] = all.groups();
  for (const metric of ["first", "stream"]) {
    assertEquals(all.valuesOf(a, metric), all.valuesOf(b, metric), "paired by seed");
    assertEquals(new Set(all.valuesOf(a, metric)).size, 3, "seeds differ");
  }
  const backwards = await run(noisy, { seeds: [2, 1, 0] });
  for (const { id, summary } of all.runs) {
    assertEquals(backwards.runs.find((other) => other.id === id)!.summary, summary);
  }
});

const moody = experiment({
  name: "moody",
  claim: "Runs end in four ways",
  configs: list([{ end: "fine" }, { end: "diverges" }, { end: "throws" }]),
  metrics: { value: { goal: "max" } },
  *run({ config: { end } }) {
    yield { step: 1, loss: 1, metrics: { value: 1 } };
    if (end === "throws") throw new Error("on purpose");
    yield { step: 2, loss: end === "diverges" ? NaN : 1, metrics: { value: 2 } };
    yield { step: 3, loss: 1, metrics: { value: 3 } };
  },
});

Deno.test("a run that throws is failed, one whose loss is not finite has diverged, the others end", async () => {
  const results = await run(moody, { seeds: 2 });
  assertEquals(results.runs.map(({ state }) => state), [
    "completed",
    "diverged",
    "failed",
    "completed",
    "diverged",
    "failed",
  ]);
  assert(results.runs[2].error!.includes("on purpose"));
  const [fine, diverged, failed] = results.groups();
  assertEquals(results.valuesOf(fine, "value"), [3, 3]);
  assertEquals(results.valuesOf(diverged, "value"), [-Infinity, -Infinity]);
  assertEquals(results.valuesOf(failed, "value"), []);
  assert(results.table().includes("✗ 0 of 2, 2 diverged"), results.table());
});

Deno.test("failFast ends after the first failure", async () => {
  const results = await run(moody, { seeds: 2, failFast: true });
  assertEquals(results.runs.filter(({ state }) => state === "missing").length, 3);
});

Deno.test("a signal stops within a run, and what was stopped is run again", async () => {
  const controller = new AbortController();
  const events: RunEvent[] = [];
  const first = await run(noisy, {
    signal: controller.signal,
    onEvent(event) {
      events.push(event);
      if (events.length === 6) controller.abort();
    },
  });
  assertEquals(first.runs.map(({ state }) => state).filter((state) => state !== "missing"), [
    "completed",
    "stopped",
  ]);
  const started: string[] = [];
  const second = await run(noisy, {
    events,
    onEvent: (event) => event.t === "start" && started.push(event.id),
  });
  assertEquals(started.length, 5);
  const whole = await run(noisy);
  assertEquals(second.runs.map(({ summary }) => summary), whole.runs.map(({ summary }) => summary));
});

Deno.test("the same results come from the events alone", async () => {
  const events: RunEvent[] = [];
  const results = await run(noisy, { onEvent: (event) => events.push(event) });
  assertEquals(new Results(results.info, events).toCsv(), results.toCsv());
});

Deno.test("a run's identity is its content", async () => {
  const base = { claim: "c", metrics: { m: { goal: "none" as const } }, *run() {} };
  const id = async (name: string, config: Record<string, number>, version = 1) =>
    (await run(experiment({ ...base, name, version, configs: list([config]) }))).runs[0].id;
  const one = await id("x", { a: 1, b: 2 });
  assertEquals(await id("x", { b: 2, a: 1 }), one);
  for (
    const other of [id("y", { a: 1, b: 2 }), id("x", { a: 1, b: 3 }), id("x", { a: 1, b: 2 }, 2)]
  ) {
    assertNotEquals(await other, one);
  }
});

Deno.test("the clock of training stands while something is evaluated", async () => {
  const clocked = experiment({
    name: "clocked",
    claim: "c",
    configs: list([{}]),
    metrics: { m: { goal: "none" } },
    async *run({ clock }) {
      const before = clock.seconds;
      const value = clock.pausedWhile(() => {
        const until = performance.now() + 30;
        while (performance.now() < until);
        assertEquals(clock.seconds, clock.seconds);
        return 7;
      });
      assertEquals(await clock.pausedWhile(() => Promise.resolve(value)), 7);
      yield { step: 1, metrics: { m: clock.seconds - before } };
    },
  });
  const { runs: [{ seconds, state, error }] } = await run(clocked);
  assertEquals(state, "completed", error ?? "");
  assert(seconds!.evaluate >= 0.03);
});

Deno.test("an experiment that cannot be run is refused where it is defined", () => {
  const right = {
    name: "x",
    claim: "c",
    configs: list([{ a: 1 }]),
    metrics: { m: { goal: "max" } },
  };
  const define = (options: object) => () =>
    experiment({ ...right, *run() {}, ...options } as never);
  assertThrows(define({ name: "X y" }), TypeError, "name");
  assertThrows(define({ metrics: {} }), TypeError, "metric");
  assertThrows(define({ metrics: { m: { goal: "more" } } }), TypeError, "goal");
  assertThrows(define({ fixed: { a: 2 } }), TypeError, "a in fixed and in configs");
  assertThrows(define({ seeds: 0 }), RangeError, "seeds 0");
  assertThrows(define({ sedes: 3 }), TypeError, "sedes");
});

const catalogue = new URL("../../bench/experiments/", import.meta.url);

/** What does not depend on the clock. */
function withoutTimes(csv: string): string {
  return csv.split("\n").map((line) => line.split(",").slice(0, -2).join(",")).join("\n");
}

Deno.test("one worker or two, results are the same bytes", async () => {
  const { default: leakage } = await import(new URL("leakage.ts", catalogue).href);
  const short = changed(leakage, { seeds: 2, set: { steps: [30] } });
  const here = await run(short);
  const events: RunEvent[] = [];
  for (const workers of [1, 2, 3]) {
    events.length = 0;
    const there = await run(short, { workers, onEvent: (event) => events.push(event) });
    assertEquals(withoutTimes(there.toCsv()), withoutTimes(here.toCsv()));
    assertEquals(there.runs.every(({ alone }) => alone === (workers === 1)), true);
    assertEquals(events.filter(({ t }) => t === "end").length, 4);
  }
  // In any order: each run alone, from the last to the first, and the results put together.
  const shuffled: RunEvent[] = [];
  for (const seed of [1, 0]) {
    for (const where of [...short.configs].reverse()) {
      const part = changed(short, { where: [where], seeds: [seed] });
      await run(part, { workers: 2, onEvent: (event) => shuffled.push(event) });
    }
  }
  assertEquals(
    withoutTimes(new Results(here.info, shuffled).toCsv()),
    withoutTimes(here.toCsv()),
  );
});

Deno.test("workers need the module of the experiment, and take only an integer", async () => {
  const lost = { ...noisy };
  await assertRejects(() => run(lost as typeof noisy), TypeError, "expected what experiment()");
  await assertRejects(() => run(noisy, { workers: 0 }), RangeError, "workers 0");
  await assertRejects(
    () => run(noisy, { workers: 2, timed: true }),
    RangeError,
    "one run at a time",
  );
});

Deno.test("a run that kills its worker is failed, and the others go on", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tapegrad-experiment-" });
  try {
    const path = `${folder}/deadly.ts`;
    const room = new URL("../../experiment/mod.ts", import.meta.url).href;
    await Deno.writeTextFile(
      path,
      `import { experiment, list } from ${JSON.stringify(room)};
export default experiment({
  name: "deadly", claim: "c", configs: list([{ n: 1 }, { n: 2 }, { n: 3 }]), metrics: { m: { goal: "max" } },
  async *run({ config: { n } }) {
    if (n === 2) {
      setTimeout(() => { throw new Error("out of nowhere"); });
      await new Promise((resolve) => setTimeout(resolve, 10_000));
    }
    yield { step: 1, metrics: { m: n } };
  },
});`,
    );
    const { default: deadly } = await import(`file://${path}`);
    const { runs } = await run(deadly, { workers: 2 });
    assertEquals(runs.map(({ state }) => state), ["completed", "failed", "completed"]);
    assert(runs[1].error!.includes("out of nowhere"), runs[1].error!);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("timed runs take turns, the other way round in every second round, after one to warm up", async () => {
  const order: string[] = [];
  let started = 0;
  const counted = experiment({
    name: "counted",
    claim: "c",
    configs: list([{ n: 1 }, { n: 2 }]),
    seeds: 3,
    metrics: { m: { goal: "max" } },
    *run() {
      started++;
      yield { step: 1, metrics: { m: 1 } };
    },
  });
  const results = await run(counted, {
    timed: true,
    onEvent(event) {
      if (event.t === "start") order.push(`${event.config.n}/${event.seed}`);
    },
  });
  assertEquals(order, ["1/0", "2/0", "2/1", "1/1", "1/2", "2/2"]);
  assertEquals(started, 8);
  assertEquals(results.runs.every(({ alone }) => alone), true);
});

Deno.test("a signal is seen within a run that never waits", async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  const endless = experiment({
    name: "endless",
    claim: "c",
    configs: list([{ n: 1 }]),
    metrics: { m: { goal: "max" } },
    *run() {
      const start = performance.now();
      for (let step = 1; performance.now() - start < 20_000; step++) {
        yield { step, metrics: { m: step } };
      }
    },
  });
  const { runs } = await run(endless, { signal: controller.signal });
  assertEquals(runs[0].state, "stopped");
});
