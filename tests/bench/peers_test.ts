import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { disagreement, distance } from "../../bench/peers/agreement.ts";
import { draw, pack, sizeOf, uniformNumbers, unpack } from "../../bench/peers/inputs.ts";
import { multiplyAddLimit } from "../../bench/peers/machine_limit.ts";
import { peers } from "../../bench/peers/peers.ts";
import { type Ask, inputsOf, isChosen, resultsOf, rows } from "../../bench/peers/workloads.ts";
import { CORES, fastestCore, isTrusted } from "../../bench/peers/blas_core.ts";
import {
  judge,
  lowerQuartile,
  type Measured,
  median,
  ratio,
  reportMarkdown,
  spread,
} from "../../bench/peers/report.ts";
import { prepare } from "../../bench/work.ts";

const root = new URL("../../", import.meta.url).pathname;

Deno.test("the numbers that the peers get are those of the generator", () => {
  const next = uniformNumbers(1);
  // (1664525 + 1013904223) / 2³² and the one after it.
  assertEquals(next(), 1015568748 / 2 ** 32);
  assertEquals(next(), ((Math.imul(1015568748, 1664525) + 1013904223) >>> 0) / 2 ** 32);
  const { x, target } = draw([
    { name: "x", shape: [2, 3], low: -1, high: 1 },
    { name: "target", shape: [50], low: 0, high: 3, whole: true },
  ]);
  assert(x.values.every((value) => value >= -1 && value < 1));
  assertEquals([...new Set(target.values)].sort(), [0, 1, 2]);
});

Deno.test("arrays come back from a file as they went in", () => {
  const arrays = [Float64Array.of(1, -2.5), Float64Array.of(), Float64Array.of(NaN)];
  assertEquals(unpack(pack(arrays), [2, 0, 1]), arrays);
});

Deno.test("a peer that computes something else is found out", () => {
  const right = Float64Array.of(1, 2, 4);
  assertEquals(distance(Float64Array.of(1, 2, 4), right), 0);
  assertEquals(distance(Float64Array.of(1, 3, 4), right), 0.25);
  assertEquals(distance(Float64Array.of(1, 2), right), Infinity);
  assertEquals(distance(Float64Array.of(1, NaN, 4), right), Infinity);
  const wrong = disagreement(["y", "dx"], [right, Float64Array.of(0, 2, 4)], [right, right]);
  assertEquals(wrong, { name: "dx", apart: 0.25 });
});

Deno.test("a gradient that is 0 but for rounding has no digits to agree in", () => {
  const names = ["dweight", "dbias"];
  const expected = [Float64Array.of(1), Float64Array.of(1e-17)];
  const { apart } = disagreement(names, [Float64Array.of(1), Float64Array.of(-3e-17)], expected);
  assert(apart < 1e-15, `${apart}`);
  const wrong = disagreement(names, [Float64Array.of(1), Float64Array.of(1e-3)], expected);
  assert(wrong.apart >= 1e-4, `${wrong.apart}`);
});

Deno.test("every row is named once, and its demands are on peers that exist", () => {
  assertEquals(new Set(rows.map(({ name }) => name)).size, rows.length);
  const names = new Set([...peers.map(({ name }) => name), "javascript"]);
  for (const { name, asks } of rows) {
    for (const ask of asks) {
      const mentioned = [
        ask.peer,
        ...("against" in ask ? [ask.against] : []),
        ...("lessMemoryThan" in ask ? [ask.lessMemoryThan] : []),
      ];
      assertEquals(mentioned.filter((peer) => !names.has(peer)), [], name);
    }
  }
});

Deno.test("rows are chosen by name or group", () => {
  const chosen = (...parts: string[]) => rows.filter((row) => isChosen(row, parts));
  assert(chosen().every(({ group }) => group !== "scaling"));
  assertEquals(chosen("all").length, rows.length);
  assertEquals(chosen("matmul 1024", "CNN").map(({ name }) => name), ["matmul 1024", "CNN step"]);
  assert(chosen("scaling").length > 10);
});

Deno.test("every kind of work runs here and gives the results that the peers must share", async () => {
  const works = [
    { kind: "matmul", m: 3, n: 4, k: 5 },
    { kind: "elementwise", op: "add", size: 6 },
    { kind: "elementwise", op: "sum", size: 6 },
    { kind: "batchNorm", shape: [4, 2, 3, 3] },
    { kind: "conv", shape: [2, 3, 5, 5], channels: 4, kernel: 3 },
    { kind: "mlp", batch: 6, widths: [5, 4, 3] },
    { kind: "cnn", batch: 4, side: 8, channels: [2, 3], classes: 3 },
    { kind: "trackedAdd", size: 3, times: 5 },
    { kind: "tiny", size: 3, operations: 10 },
  ] as const;
  for (const work of works) {
    const inputs = draw(inputsOf(work));
    const prepared = prepare(work, inputs);
    const results = await prepared.results();
    prepared.run();
    for (const name of resultsOf(work)) {
      assert(name in results, `${work.kind} has no ${name}`);
      assert(results[name].every(Number.isFinite), `${work.kind}: ${name} is not finite`);
      // A gradient has the shape of what it belongs to.
      const input = inputs[name.slice(1)];
      if (name.startsWith("d") && input !== undefined) {
        assertEquals(results[name].length, sizeOf(input.shape), `${work.kind}: ${name}`);
      }
    }
  }
});

function measured(ours: number[], theirs: number[]): Measured {
  const times = (rounds: number[]) => {
    const lowest = { best: Math.min(...rounds), quartile: lowerQuartile(rounds) };
    return { rounds, ...lowest, cpu: lowest };
  };
  return {
    row: { name: "a row", group: "asked", work: { kind: "matmul", m: 1, n: 1, k: 1 }, asks: [] },
    outcomes: new Map([
      ["tapegrad", times(ours)],
      ["torch", times(theirs)],
    ]),
    peaks: new Map([["tapegrad", { idle: 1, peak: 5 }], ["torch", { idle: 1, peak: 4 }]]),
    javascript: ["deepbox"],
    limit: 30,
  };
}

Deno.test("the limit of the machine is one that a machine can have", () => {
  const limit = multiplyAddLimit();
  assert(limit === null || (limit > 0.5 && limit < 1000), `${limit}`);
});

Deno.test("medians, spreads and ratios", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 2, 3]), 2.5);
  assertEquals(spread([8, 10, 13]), 0.3);
  // Round by round: 2, 2 and 1.
  assertEquals(ratio([2, 20, 3], [1, 10, 3]), 2);
});

Deno.test("a demand is met, not met, or not measured", () => {
  const row = measured([1, 1, 1], [2, 2, 2]);
  const verdict = (ask: Ask) => judge(row, ask).met;
  assertEquals(verdict({ peer: "tapegrad", against: "torch", atMost: 0.5 }), true);
  assertEquals(verdict({ peer: "tapegrad", against: "torch", atMost: 0.4 }), false);
  assertEquals(verdict({ peer: "tapegrad", against: "torch-2", atMost: 1 }), null);
  assertEquals(verdict({ peer: "tapegrad", against: "javascript", atMost: 0.1 }), null);
  // Two operations in a millisecond.
  assertEquals(verdict({ peer: "tapegrad", gflops: 1, ofLimit: 0.85 }), false);
  assertEquals(verdict({ peer: "tapegrad", gflops: 1, ofLimit: 1e-8 }), true);
  // 5 bytes against 4.
  assertEquals(verdict({ peer: "tapegrad", lessMemoryThan: "torch", part: 1.2 }), false);
  assertEquals(verdict({ peer: "tapegrad", lessMemoryThan: "torch", part: 1.3 }), true);
});

Deno.test("the fastest core is forced where OpenBLAS's own choice is slower", async () => {
  const rates = (own: number) => (env: Readonly<Record<string, string>>) => {
    const { OPENBLAS_CORETYPE: core } = env;
    return Promise.resolve(core === undefined ? own : core === "SKYLAKEX" ? 50 : null);
  };
  assertEquals((await fastestCore(rates(11)))?.core, "SKYLAKEX");
  assertEquals((await fastestCore(rates(48)))?.core, null);
  assertEquals((await fastestCore(rates(48)))?.best, 48);
  assertEquals(await fastestCore(() => Promise.resolve(null)), null);
  assert(CORES.includes(null));
  assert(isTrusted(50, 26) && isTrusted(24, 26) && !isTrusted(10.7, 26));
});

Deno.test("the table for a page names the machine, and has minimum, quartile and ratio", () => {
  const machine = {
    processor: "Some Core 9",
    cores: 3,
    versions: { torch: "1" },
    remarks: ["a remark"],
    date: "2026-01-02",
  };
  const shown = peers.filter(({ name }) => name === "tapegrad" || name === "torch");
  const text = reportMarkdown([measured([1, 2, 3, 4, 5], [4, 6, 8, 9, 10])], shown, machine);
  for (const part of ["Some Core 9, 3 cores, 2026-01-02", "- a remark", "- torch: 1"]) {
    assertStringIncludes(text, part);
  }
  assertStringIncludes(text, "| a row | 1.00 ms (2.00 ms), 0.25× | 4.00 ms (6.00 ms) |");
  assertStringIncludes(text, "## Peak memory");
});

async function compare(...args: string[]): Promise<{ code: number; text: string; errors: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "bench/peers/run.ts", "--rounds=2", "--seconds=0.01", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, text: decode(stdout), errors: decode(stderr) };
}

Deno.test("a comparison says which peer is missing and goes on without it", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const { code, text, errors } = await compare(
      "--rows=matmul 64",
      "--peers=tapegrad,torch",
      "--python=/no/such/python",
      `--json=${file}`,
    );
    assertEquals(code, 0, errors);
    assertStringIncludes(text, "torch: /no/such/python cannot be started");
    const data = JSON.parse(await Deno.readTextFile(file));
    assertStringIncludes(data.missing.torch, "/no/such/python");
    const [row] = data.rows;
    assertEquals(row.peers.tapegrad.roundsMs.length, 2);
    assert(row.peers.tapegrad.medianMs > 0);
    assertEquals(row.asked[0].met === null, false);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a peer whose results are wrong is not timed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    // Stands in for Python: loads anything, answers every product with zeros.
    const liar = `${folder}/liar.ts`;
    const protocol = `file://${root}bench/peers/protocol.ts`;
    await Deno.writeTextFile(
      liar,
      `import { serve } from ${JSON.stringify(protocol)};
const prepare = () => ({ run() {}, results: () => ({ out: new Float64Array(64 * 64) }) });
await serve(() => ({ version: "0", dtype: "float64", tolerance: 1e-9, prepare }));
`,
    );
    const program = `${folder}/python`;
    await Deno.writeTextFile(program, `#!/bin/sh\nexec "${Deno.execPath()}" run -A "${liar}"\n`);
    await Deno.chmod(program, 0o755);
    const { code, text, errors } = await compare(
      "--rows=matmul 64",
      "--peers=tapegrad,torch",
      `--python=${program}`,
    );
    assertEquals(code, 0, errors);
    assertStringIncludes(text, "torch, matmul 64: its out is not that of tapegrad");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a comparison refuses what it does not know", async () => {
  for (const option of ["--rows=nothing of the kind", "--peers=nobody"]) {
    const { code, errors } = await compare(option);
    assertEquals(code, 2);
    assertStringIncludes(errors, `bench:peers: got ${option.split(/[= ]/)[0]}`);
  }
});
