/**
 * Jobs of several ranks: programs of this folder under mpirun, where it is installed.
 */

const root = new URL("../../", import.meta.url);
const folder = new URL("programs/", import.meta.url);

/** What lets mpirun start more ranks than there are cores, by root too. */
const ENVIRONMENT = {
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
  OMPI_MCA_rmaps_base_oversubscribe: "1",
  NO_COLOR: "1",
};

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
}

/** Whether Open MPI's mpirun is there. */
export const hasMpirun: boolean = await (async () => {
  try {
    const { success, stdout } = await new Deno.Command("mpirun", { args: ["--version"] }).output();
    return success && new TextDecoder().decode(stdout).includes("Open MPI");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
})();

/** Starts a program of this folder, or at a URL, on so many ranks. */
export function startJob(
  ranks: number,
  program: string | URL,
  { args = [], env = {}, permissions = ["-A"], cwd = root }: JobOptions = {},
): Deno.ChildProcess {
  const file = program instanceof URL ? program.pathname : new URL(program, folder).pathname;
  return new Deno.Command("mpirun", {
    args: [
      ...["--timeout", "120", "-np", String(ranks)],
      Deno.execPath(),
      ...["run", "--no-prompt", "--no-check", ...permissions, file, ...args],
    ],
    env: { ...ENVIRONMENT, ...env },
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

/** A test that needs mpirun; where there is none it is left out. */
export function testOnRanks(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: !hasMpirun });
}

if (!hasMpirun) console.log("The tests of several ranks are left out: there is no mpirun here.");
