/**
 * Jobs of several ranks: programs of this folder under mpirun, where it is installed.
 */

const root = new URL("../../", import.meta.url);
const folder = new URL("programs/", import.meta.url);

/** What lets Open MPI's mpirun start more ranks than there are cores, by root too. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
  OMPI_MCA_rmaps_base_oversubscribe: "1",
  NO_COLOR: "1",
};

/** An implementation of MPI by its launcher. */
export interface Launcher {
  readonly name: string;
  readonly command: string;
  /** The most ranks that may run at once: those of MPICH never rest, so that each needs a core. */
  readonly mostRanks: number;
}

/** The launcher of one implementation, by the words of its `--version`; `null` where there is none. */
async function findLauncher(
  name: string,
  words: string,
  mostRanks: number,
  // Distributions that have both give each a name of its own.
  ...commands: string[]
): Promise<Launcher | null> {
  for (const command of commands) {
    try {
      const { success, stdout } = await new Deno.Command(command, { args: ["--version"] }).output();
      if (success && new TextDecoder().decode(stdout).includes(words)) {
        return { name, command, mostRanks };
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}

/** Open MPI's launcher, where it is installed. */
export const openMpi: Launcher | null = await findLauncher(
  "Open MPI",
  "Open MPI",
  4,
  "mpirun.openmpi",
  "mpirun",
);
/** MPICH's. */
export const mpich: Launcher | null = await findLauncher(
  "MPICH",
  "HYDRA",
  2,
  "mpirun.mpich",
  "mpirun",
);

/** Those that are installed and may start two ranks. */
const launchers: Launcher[] = [];
if (openMpi !== null) launchers.push(openMpi);
if (mpich !== null && navigator.hardwareConcurrency > 1) launchers.push(mpich);

/** How a job ended. */
export interface JobResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How {@linkcode runJob} runs. */
export interface JobOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Deno's permissions; all where left out. */
  readonly permissions?: readonly string[];
  readonly cwd?: URL | string;
  /** Open MPI's where left out. */
  readonly launcher?: Launcher;
}

/** Starts a program of this folder, or at a URL, on so many ranks. */
export function startJob(
  ranks: number,
  program: string | URL,
  { args = [], env = {}, permissions = ["-A"], cwd = root, launcher = openMpi! }: JobOptions = {},
): Deno.ChildProcess {
  const file = program instanceof URL ? program.pathname : new URL(program, folder).pathname;
  return new Deno.Command(launcher.command, {
    args: [
      ...["-np", String(ranks)],
      Deno.execPath(),
      ...["run", "--no-prompt", "--no-check", ...permissions, file, ...args],
    ],
    // Neither waits longer than two minutes.
    env: { ...ENVIRONMENT, MPIEXEC_TIMEOUT: "120", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    cwd,
  }).spawn();
}

/** Waits for a job. */
export async function ended(job: Deno.ChildProcess): Promise<JobResult> {
  const { code, stdout, stderr } = await job.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a program of this folder on so many ranks to its end. */
export function runJob(
  ranks: number,
  program: string | URL,
  options?: JobOptions,
): Promise<JobResult> {
  return ended(startJob(ranks, program, options));
}

/** Runs a program and throws with its output unless it ends well; returns what it printed. */
export async function expectJob(
  ranks: number,
  program: string | URL,
  options?: JobOptions,
): Promise<string> {
  const { code, stdout, stderr } = await runJob(ranks, program, options);
  if (code !== 0) throw new Error(`${program} on ${ranks} ranks ended with ${code}:\n${stderr}`);
  return stdout;
}

/** A test that needs Open MPI; where there is none it is left out. */
export function testOnRanks(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: openMpi === null });
}

/** A test on each implementation with each of so many ranks, as far as it may start them. */
export function testOnEach(
  name: string,
  counts: readonly number[],
  fn: (ranks: number, launcher: Launcher) => Promise<void>,
): void {
  for (const launcher of launchers) {
    for (const ranks of counts.filter((count) => count <= launcher.mostRanks)) {
      Deno.test(`${name}, ${ranks} of ${launcher.name}`, () => fn(ranks, launcher));
    }
  }
}

for (const [name, found] of Object.entries({ "Open MPI": openMpi, MPICH: mpich })) {
  if (found === null) console.log(`The tests on ranks of ${name} are left out: it is not here.`);
}
