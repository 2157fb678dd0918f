/**
 * Starts the main job on several ranks of this machine and draws one progress bar for all:
 * `deno task train:distributed --ranks 2 [options of train]`. On a cluster its launcher starts the job:
 * `mpirun -np 16 --hostfile hosts deno run -A examples/train_digits.ts --distributed`.
 */
import { checkFiles } from "./digits/files.ts";
import { PROGRESS, type RankProgress, readRankOptions } from "./digits/on_ranks.ts";
import { faultOf, UsageError } from "./digits/options.ts";
import { ProgressBar } from "./digits/progress.ts";

const HELP = `Train on handwritten digits on several ranks: the result is that of one process.

  deno task train:distributed [--ranks N] [options of deno task train]

  --ranks N           how many processes (default 2)
  --hostfile FILE     the machines, as mpirun takes them
  --help              this text

Each rank trains its share of every batch; BatchNorm's statistics are those of the whole batch. Rank 0
writes checkpoints (--checkpoint-every), and --resume goes on with any number of ranks.
`;

/** Takes an option and its value out of a command line. */
function take(args: string[], name: string): string | null {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  if (at < 0) return null;
  const [found] = args.splice(at, 1);
  if (found.includes("=")) return found.slice(name.length + 1);
  const [value] = args.splice(at, 1);
  if (value === undefined) throw new UsageError(`got ${name} without a value, expected one`);
  return value;
}

/** Draws what rank 0 tells, and prints its other lines. */
class Screen {
  readonly #bar = new ProgressBar();
  #epoch = "";

  line(text: string): void {
    if (!text.startsWith(PROGRESS)) {
      this.end();
      return console.log(text);
    }
    const { epoch, step, steps, ...telling }: RankProgress = JSON.parse(
      text.slice(PROGRESS.length),
    );
    if (epoch !== this.#epoch) {
      this.end();
      const [now, last] = epoch.split("/").map(Number);
      this.#bar.start(epoch, steps, step - 1, (last - now) * steps);
      this.#epoch = epoch;
    }
    this.#bar.step(telling);
  }

  end(): void {
    this.#bar.stop();
    this.#epoch = "";
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function main(given: readonly string[]): Promise<number> {
  const args = [...given];
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  const count = take(args, "--ranks") ?? "2";
  const ranks = Number(count);
  if (!Number.isInteger(ranks) || ranks < 1) {
    throw new UsageError(`got --ranks ${count}, expected an integer of at least 1`);
  }
  const hosts = take(args, "--hostfile");
  const options = await readRankOptions(args);
  // What other machines have is theirs to say.
  if (hosts === null) await checkFiles(options);
  else if (!(await isFile(hosts))) {
    throw new UsageError(`cannot use --hostfile: there is no ${hosts}`);
  }
  const program = new URL("train_digits.ts", import.meta.url).pathname;
  let job: Deno.ChildProcess;
  try {
    job = new Deno.Command("mpirun", {
      args: [
        ...["-np", String(ranks)],
        // Open MPI 4 and 5 and MPICH all know this way to start more ranks than there are cores.
        ...hosts === null ? ["--map-by", ":OVERSUBSCRIBE"] : ["--hostfile", hosts],
        ...[Deno.execPath(), "run", "--no-prompt", "-A", program],
        ...["--distributed", "--progress", ...args],
      ],
      stdin: "null",
      stdout: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(
      "there is no mpirun, expected one: install openmpi-bin or mpich (Debian, Ubuntu), or open-mpi (Homebrew)",
    );
  }
  const screen = new Screen();
  let rest = "";
  for await (const chunk of job.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = lines.pop()!;
    for (const line of lines) screen.line(line);
  }
  screen.end();
  if (rest !== "") console.log(rest);
  return (await job.status).code;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    const fault = error instanceof RangeError ? null : faultOf(error);
    if (fault === null) throw error;
    console.error(`train:distributed: ${fault}`);
    Deno.exit(2);
  }
}
