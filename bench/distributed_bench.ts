/**
 * Times the messages of Open MPI and the steps of one and two ranks, and says what the ratios are.
 *
 *     deno task bench:distributed [--steps N] [--rounds N] [--record FILE]
 *
 * All figures of a run belong together: ranks alternate, and each number is the best of its rounds.
 */
import { cpus } from "node:os";
import { commandLine, integer, place } from "../tools/command_line.ts";

/** What is measured; `docs/distributed_scaling.svg` is drawn from it. */
export interface Measured {
  readonly processor: string;
  /** With the watchdog, and without. */
  readonly messages: readonly { bytes: number; ms: number; bareMs: number }[];
  /** Milliseconds of a step: the batch of all ranks, by the number of ranks. */
  readonly steps: readonly { ranks: number; batch: number; ms: number }[];
  /** Numbers of parameters and of messages a step. */
  readonly gradients: number;
}

const program = new URL("distributed/rank_program.ts", import.meta.url).pathname;
const GRADIENTS = 784 * 2048 + 2048 * 2048 + 2048 * 10 + 10 + 4 * 2048;

async function run<T>(ranks: number, ...args: string[]): Promise<T> {
  const { success, stdout, stderr } = await new Deno.Command("mpirun", {
    args: [
      ...["--bind-to", "none", "--oversubscribe", "-np", String(ranks)],
      ...[Deno.execPath(), "run", "-A", "--no-prompt", "--no-check", program, ...args],
    ],
    env: { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1", NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function measure(count: number, rounds: number): Promise<Measured> {
  type Messages = { bytes: number; ms: number }[];
  const watched = await run<Messages>(2, "messages");
  const bare = await run<Messages>(2, "messages", "0", "0", "Infinity");
  const jobs = [[1, 1024], [2, 1024], [2, 2048]] as const;
  const best = jobs.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    for (const [i, [ranks, batch]] of jobs.entries()) {
      const { best: ms } = await run<{ best: number }>(
        ranks,
        "steps",
        String(batch),
        String(count),
      );
      best[i] = Math.min(best[i], ms);
    }
  }
  return {
    processor: cpus()[0].model.trim(),
    messages: watched.map(({ bytes, ms }, i) => ({ bytes, ms, bareMs: bare[i].ms })),
    steps: jobs.map(([ranks, batch], i) => ({ ranks, batch, ms: best[i] })),
    gradients: GRADIENTS,
  };
}

function size(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(bytes < 10240 ? 1 : 0)} KiB`;
}

function report({ processor, messages, steps }: Measured): string {
  const [one, strong, weak] = steps;
  return [
    `${processor}, two ranks`,
    "",
    "allReduce     with watchdog     without   bandwidth",
    ...messages.map(({ bytes, ms, bareMs }) =>
      `${size(bytes).padEnd(12)}  ${`${(1000 * ms).toFixed(1)} µs`.padStart(13)}  ${
        `${(1000 * bareMs).toFixed(1)} µs`.padStart(10)
      }  ${`${(bytes / ms / 1e6).toFixed(2)} GB/s`.padStart(10)}`
    ),
    "",
    "MLP of 784-2048-2048-10 with SyncBatchNorm",
    ...steps.map(({ ranks, batch, ms }) =>
      `${ranks} rank${ranks > 1 ? "s" : " "}, batch ${batch}: ${ms.toFixed(0)} ms a step, ` +
      `${(1000 * batch / ms).toFixed(0)} samples/s`
    ),
    `strong scaling: ${(one.ms / strong.ms).toFixed(2)} times one rank's throughput`,
    `weak scaling: ${(2 * one.ms / weak.ms).toFixed(2)} times`,
  ].join("\n");
}

if (import.meta.main) {
  const { steps, rounds, record } = commandLine("bench:distributed", {
    steps: integer("training steps of a run", 3),
    rounds: integer("runs of each kind, of which the best counts", 2),
    record: place("FILE", "write what was measured there, as JSON"),
  });
  const measured = await measure(steps, rounds);
  console.log(report(measured));
  if (record !== null) {
    await Deno.writeTextFile(record, `${JSON.stringify(measured, null, 2)}\n`);
  }
}
