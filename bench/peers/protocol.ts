/**
 * How the runner and a peer talk: a line of JSON for every request and every answer, behind a mark that
 * tells it from what a library prints by itself. torch_peer.py speaks the same.
 *
 * @module
 */
import process from "node:process";
import { type Inputs, type InputSpec, pack, sizeOf, unpack } from "./inputs.ts";
import type { Work } from "./workloads.ts";

/** Stands before every line of the protocol. */
export const MARK = "@peer ";

/** What a peer says first. */
export interface Hello {
  /** The library's version, and what else matters for its speed. */
  readonly version: string;
  readonly dtype: "float64" | "float32";
  /** How far its results may lie from ours, as a part of the largest value. */
  readonly tolerance: number;
}

/** What results of float64 arithmetic may differ by, and those of float32. */
export const TOLERANCE = { float64: 1e-9, float32: 2e-3 } as const;

/** What the runner asks. */
export type Request =
  /** Get ready for a piece of work; its arrays lie in a file. */
  | { readonly command: "load"; work: Work; inputs: readonly InputSpec[]; file: string }
  /** Do it once and write the named results to a file. */
  | { readonly command: "results"; names: readonly string[]; file: string }
  /** Do it for so long, after warming up for so long. */
  | { readonly command: "time"; warmup: number; seconds: number };

/** What a peer answers. */
export type Answer =
  | { readonly loaded: true }
  | { readonly sizes: readonly number[] }
  /** Milliseconds of a run, one for each measurement: on the clock, and of the process's own on all cores. */
  | { readonly times: readonly number[]; readonly cpu: readonly number[] }
  | { readonly unsupported: string };

/** A piece of work that is ready to run. */
export interface Prepared {
  /** Runs once. */
  run(): unknown;
  /** The results of a first run, by name. */
  results(): Record<string, Float64Array> | Promise<Record<string, Float64Array>>;
}

/** A library that can be timed. */
export interface Adapter extends Hello {
  /** Gets ready. Throws where the library lacks something. */
  prepare(work: Work, inputs: Inputs): Prepared | Promise<Prepared>;
}

/** Runs shorter than this are timed several at a time. */
const SHORTEST = 1;

function now(): number {
  return performance.now();
}

async function runs(run: () => unknown, times: number): Promise<number> {
  const start = now();
  for (let i = 0; i < times; i++) {
    const pending = run();
    if (pending instanceof Promise) await pending;
  }
  return now() - start;
}

/** What a run costs, measurement by measurement, in milliseconds of one run. */
export interface Costs {
  /** On the clock. */
  readonly times: number[];
  /** Of the process, on all cores: other programs do not show in it. */
  readonly cpu: number[];
}

function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Times a run again and again. */
export async function measure(
  run: () => unknown,
  { warmup, seconds }: { warmup: number; seconds: number },
): Promise<Costs> {
  let fastest = Infinity;
  for (const end = now() + warmup * 1000; now() < end;) {
    fastest = Math.min(fastest, await runs(run, 1));
  }
  if (fastest === Infinity) fastest = await runs(run, 1);
  const together = Math.max(1, Math.ceil(SHORTEST / Math.max(fastest, 1e-3)));
  const [times, cpu]: number[][] = [[], []];
  const end = now() + seconds * 1000;
  do {
    const before = cpuTime();
    times.push(await runs(run, together) / together);
    cpu.push((cpuTime() - before) / together);
  } while (now() < end);
  return { times, cpu };
}

function answer(reply: Answer | Hello | { missing: string }): void {
  Deno.stdout.writeSync(new TextEncoder().encode(MARK + JSON.stringify(reply) + "\n"));
}

async function readInputs(specs: readonly InputSpec[], file: string): Promise<Inputs> {
  const arrays = unpack(await Deno.readFile(file), specs.map(({ shape }) => sizeOf(shape)));
  return Object.fromEntries(
    specs.map(({ name, shape }, i) => [name, { shape, values: arrays[i] }]),
  );
}

async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

/** Answers the runner's requests until it closes the line. */
export async function serve(start: () => Adapter | Promise<Adapter>): Promise<void> {
  // What libraries print must not stand between the answers.
  console.log = console.info = console.error;
  let adapter: Adapter;
  try {
    adapter = await start();
  } catch (error) {
    answer({ missing: error instanceof Error ? error.message.split("\n")[0] : String(error) });
    return;
  }
  const { version, dtype, tolerance } = adapter;
  answer({ version, dtype, tolerance });
  let prepared: Prepared | null = null;
  for await (const line of lines()) {
    try {
      prepared = await obey(adapter, prepared, JSON.parse(line) as Request);
    } catch (error) {
      const why = error instanceof Error ? error.message.split("\n")[0] : error;
      answer({ unsupported: `failed: ${why}` });
    }
  }
}

async function obey(
  adapter: Adapter,
  prepared: Prepared | null,
  request: Request,
): Promise<Prepared | null> {
  if (request.command === "load") {
    const { work, inputs, file } = request;
    const next = await adapter.prepare(work, await readInputs(inputs, file));
    answer({ loaded: true });
    return next;
  }
  if (prepared === null) throw new Error("nothing is loaded");
  if (request.command === "results") {
    const found = await prepared.results();
    const arrays = request.names.map((name) => {
      if (!(name in found)) throw new Error(`there is no result ${name}`);
      return found[name];
    });
    await Deno.writeFile(request.file, pack(arrays));
    answer({ sizes: arrays.map(({ length }) => length) });
  } else {
    answer(await measure(() => prepared.run(), request));
  }
  return prepared;
}
