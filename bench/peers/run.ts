/**
 * Times the same work here, in PyTorch and in other libraries, side by side: every peer in a process of
 * its own, round after round, after a check that their results agree.
 *
 *     deno task bench:peers [--rows NAMES] [--peers NAMES] [--rounds N] [--json FILE] [--markdown FILE]
 *
 * @module
 */
import { commandLine, flag, integer, list, place, refuse, text } from "../../tools/command_line.ts";
import { disagreement } from "./agreement.ts";
import { draw, pack, unpack } from "./inputs.ts";
import { multiplyAddLimit } from "./machine_limit.ts";
import { Conversation, Missing, type Peer, type PeerOptions, peers } from "./peers.ts";
import { coreSettings, fastestCore, isTrusted, productRate } from "./blas_core.ts";
import {
  lowerQuartile,
  type Machine,
  type Measured,
  median,
  type Outcome,
  type Peak,
  reportData,
  reportMarkdown,
  reportText,
} from "./report.ts";
import { inputsOf, isChosen, resultsOf, type Row, rows, unitsOf } from "./workloads.ts";

const values = commandLine("bench:peers", {
  rows: list(
    "rows whose names hold one of these, or of the groups asked, kernel, scaling; or all; where it " +
      "is not given, all but scaling",
    null,
  ),
  peers: list("only these", peers.map(({ name }) => name)),
  rounds: integer("how often each peer takes its turn in a row", 5),
  seconds: {
    value: "S",
    about: "how long a turn is at least",
    expected: "a duration above 0",
    read: (text) => /^\d*\.?\d+$/.test(text) && Number(text) > 0 ? Number(text) : undefined,
    otherwise: 0.3,
  },
  json: place("FILE", "write the results there as well"),
  markdown: place("FILE", "write tables there: minimum and quartile, process and clock time"),
  python: text(
    "PATH",
    "the Python that has PyTorch; $PYTHON or /usr/bin/python3 where it is not given",
  ),
  "no-memory": flag("leave out the measurement of peak memory"),
});
const { rounds, seconds } = values;
const chosenPeers = peers.filter(({ name }) =>
  values.peers.length === 0 || values.peers.includes(name)
);
const chosenRows = rows.filter((row) => isChosen(row, values.rows));
const unknown = values.rows.find((part) => !rows.some((row) => isChosen(row, [part])));
if (unknown !== undefined) {
  refuse("bench:peers", `got --rows ${unknown}, expected part of a row's name, a group, or all`);
}
const options: PeerOptions = {
  python: values.python ?? Deno.env.get("PYTHON") ?? "/usr/bin/python3",
};

async function processorName(): Promise<string> {
  try {
    const text = await Deno.readTextFile("/proc/cpuinfo");
    return /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? Deno.build.arch;
  } catch {
    return `${Deno.build.os} ${Deno.build.arch}`;
  }
}

/** Where arrays travel between the processes. */
const folder = await Deno.makeTempDir({ prefix: "tapegrad-peers-" });
const inputFile = `${folder}/inputs`;
const resultFile = `${folder}/results`;

function say(text: string): void {
  console.error(text);
}

interface Contestant {
  readonly peer: Peer;
  readonly talk: Conversation;
}

/** Starts those that are there, and notes why the others are not. */
async function gather(from: readonly Peer[], missing: Map<string, string>): Promise<Contestant[]> {
  const found: Contestant[] = [];
  for (const peer of from) {
    try {
      found.push({ peer, talk: await Conversation.start(peer, options) });
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      missing.set(peer.name, error.message);
    }
  }
  return found;
}

async function dismiss(contestants: readonly Contestant[]): Promise<void> {
  for (const { talk } of contestants) await talk.close();
}

async function load(talk: Conversation, row: Row): Promise<string | null> {
  const answer = await talk.ask({
    command: "load",
    work: row.work,
    inputs: inputsOf(row.work),
    file: inputFile,
  });
  return "unsupported" in answer ? answer.unsupported : null;
}

/** A peer's results, or why there are none. */
async function results(talk: Conversation, row: Row): Promise<Float64Array[] | string> {
  const answer = await talk.ask({
    command: "results",
    names: resultsOf(row.work),
    file: resultFile,
  });
  if ("unsupported" in answer) return answer.unsupported;
  if (!("sizes" in answer)) throw new Error(`unexpected answer ${JSON.stringify(answer)}`);
  return unpack(await Deno.readFile(resultFile), answer.sizes);
}

async function writeInputs(row: Row): Promise<void> {
  const inputs = draw(inputsOf(row.work));
  await Deno.writeFile(inputFile, pack(Object.values(inputs).map(({ values }) => values)));
}

/** Checks that the contestants agree with the first that has results, then times those that do. */
async function compare(row: Row, contestants: readonly Contestant[]): Promise<Measured> {
  await writeInputs(row);
  const outcomes = new Map<string, Outcome>();
  const running: (Contestant & { rounds: number[]; times: number[]; cpu: number[] })[] = [];
  let expected: { values: Float64Array[]; by: string } | null = null;
  for (const { peer, talk } of contestants) {
    const refusal = await load(talk, row);
    const found = refusal ?? await results(talk, row);
    if (typeof found === "string") {
      outcomes.set(peer.name, { reason: found });
      continue;
    }
    expected ??= { values: found, by: peer.name };
    const { name, apart } = disagreement(resultsOf(row.work), found, expected.values);
    const { tolerance } = talk.hello;
    if (!(apart <= tolerance)) {
      const reason = `its ${name} is not that of ${expected.by}: ` +
        `${apart.toExponential(1)} of the largest value apart, allowed ${tolerance}`;
      outcomes.set(peer.name, { reason });
      continue;
    }
    running.push({ peer, talk, rounds: [], times: [], cpu: [] });
  }
  for (let round = 0; round < rounds; round++) {
    // Whoever comes first in one round comes last in the next.
    const order = round % 2 === 0 ? running : running.toReversed();
    for (const contestant of order) {
      const answer = await contestant.talk.ask({
        command: "time",
        warmup: round === 0 ? seconds : seconds / 10,
        seconds,
      });
      if (!("times" in answer)) throw new Error(`unexpected answer ${JSON.stringify(answer)}`);
      const units = unitsOf(row.work);
      contestant.rounds.push(median(answer.times) / units);
      contestant.times.push(...answer.times.map((time) => time / units));
      contestant.cpu.push(...answer.cpu.map((time) => time / units));
    }
  }
  const lowest = (times: readonly number[]) => ({
    best: times.reduce((a, b) => Math.min(a, b), Infinity),
    quartile: lowerQuartile(times),
  });
  for (const { peer, rounds, times, cpu } of running) {
    outcomes.set(peer.name, { rounds, ...lowest(times), cpu: lowest(cpu) });
  }
  const javascript = contestants
    .filter(({ peer, talk }) => peer.javascript && talk.hello.dtype === "float64")
    .map(({ peer }) => peer.name);
  const measured = { row, outcomes, peaks: new Map<string, Peak>(), javascript, limit };
  return values["no-memory"] ? measured : { ...measured, peaks: await peakMemories(row) };
}

/** The peak memory of those that a demand names, each in a fresh process with the system's malloc. */
async function peakMemories(row: Row): Promise<Map<string, Peak>> {
  const named = row.asks.flatMap((ask) =>
    "lessMemoryThan" in ask ? [ask.peer, ask.lessMemoryThan] : []
  );
  const found = new Map<string, Peak>();
  for (const peer of chosenPeers.filter(({ name }) => named.includes(name))) {
    let talk: Conversation;
    try {
      talk = await Conversation.start(peer, options, {});
    } catch (error) {
      if (error instanceof Missing) continue;
      throw error;
    }
    const idle = await talk.peakMemory();
    if (await load(talk, row) === null) {
      await talk.ask({ command: "time", warmup: 0, seconds: 5 });
      const peak = await talk.peakMemory();
      if (idle !== null && peak !== null) found.set(peer.name, { idle, peak });
    }
    await talk.close();
  }
  return found;
}

const limit = multiplyAddLimit();
if (limit !== null) say(`128-bit multiply-adds on this machine: ${limit.toFixed(1)} GFLOP/s`);

/** What there is to say about PyTorch's BLAS; sets the core that its processes are to use. */
async function chooseBlas(): Promise<string[]> {
  if (!chosenPeers.some(({ name }) => name.startsWith("torch"))) return [];
  const peer = new URL("adapters/torch_peer.py", import.meta.url).pathname;
  const own = Deno.env.get("OPENBLAS_CORETYPE");
  const found = own === undefined
    ? await fastestCore((env) => productRate(options.python, peer, env))
    : null;
  const rate = found?.best ?? await productRate(options.python, peer, {});
  if (rate === null) return [];
  if (found !== null) options.torchEnv = coreSettings(found.core);
  const core = own ?? found?.core ?? "its own choice";
  const remark = `torch's product of 512 × 512: ${
    rate.toFixed(1)
  } GFLOP/s on one thread, OpenBLAS core: ${core}`;
  if (isTrusted(rate, limit)) return [remark];
  return [`${remark}. That is not the machine's speed: torch's rows are NOT to be trusted`];
}
const remarks = await chooseBlas();
remarks.forEach(say);

const missing = new Map<string, string>();
const first = await gather(chosenPeers, missing);
for (const { peer, talk: { hello } } of first) {
  say(`${peer.name}: ${hello.version}, ${hello.dtype}`);
}
for (const [name, why] of missing) say(`${name} is missing: ${why}`);
await dismiss(first);
if (first.length === 0) {
  console.error("Cannot run the comparison: no peer is there");
  Deno.exit(1);
}
const present = first.map(({ peer }) => peer);

const all: Measured[] = [];
for (const row of chosenRows) {
  say(row.name);
  // Fresh processes: no row runs on what another left behind.
  const contestants = await gather(present, missing);
  all.push(await compare(row, contestants));
  await dismiss(contestants);
}
console.log(`\n${reportText(all, chosenPeers)}`);
if (missing.size > 0) {
  console.log(`\nMissing:\n${[...missing].map(([name, why]) => `  ${name}: ${why}`).join("\n")}`);
}
const machine: Machine = {
  processor: await processorName(),
  cores: navigator.hardwareConcurrency,
  versions: Object.fromEntries(first.map(({ peer, talk }) => [peer.name, talk.hello.version])),
  remarks,
  date: new Date().toISOString().slice(0, 10),
};
if (values.markdown !== null) {
  await Deno.writeTextFile(values.markdown, reportMarkdown(all, chosenPeers, machine));
}
if (values.json !== null) {
  const data = {
    deno: Deno.version,
    system: { os: Deno.build.os, arch: Deno.build.arch, ...machine },
    rounds,
    seconds,
    versions: Object.fromEntries(first.map(({ peer, talk }) => [peer.name, talk.hello])),
    missing: Object.fromEntries(missing),
    multiplyAddLimitGflops: limit,
    rows: reportData(all, chosenPeers),
  };
  await Deno.writeTextFile(values.json, JSON.stringify(data, null, 2) + "\n");
}
await Deno.remove(folder, { recursive: true });
