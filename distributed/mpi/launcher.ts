/**
 * Who started this process: launchers tell their processes how many they are in environment variables,
 * before any library of MPI is loaded.
 */
import type { FlavorName } from "./flavors.ts";

/** What a launcher says. */
export interface Launch {
  /** The program, as errors name it. */
  readonly launcher: string;
  /** The implementation that it belongs to; `null` if it starts any. */
  readonly flavor: FlavorName | null;
  /** How many processes it started. */
  readonly size: number;
}

interface Known {
  readonly variable: string;
  readonly launcher: string;
  readonly flavor: FlavorName | null;
}

// The first that is set counts: a job of Slurm may start mpirun.
const KNOWN: readonly Known[] = [
  { variable: "OMPI_COMM_WORLD_SIZE", launcher: "Open MPI's mpirun", flavor: "Open MPI" },
  { variable: "PMI_SIZE", launcher: "MPICH's mpiexec", flavor: "MPICH" },
  { variable: "SLURM_STEP_NUM_TASKS", launcher: "Slurm's srun", flavor: null },
];

/** The variables that are read. */
export const VARIABLES: readonly string[] = [...KNOWN.map(({ variable }) => variable), "PMIX_RANK"];

/**
 * What the launcher says; `null` where no known one started this process.
 *
 * @throws {Error} without the permission to read the variables.
 */
export function readLaunch(action: string): Launch | null {
  for (const { variable, launcher, flavor } of KNOWN) {
    const size = Number(read(action, variable) ?? NaN);
    if (!Number.isInteger(size) || size < 1) continue;
    // Slurm starts either, and says by its interface which.
    const isPmix = read(action, "PMIX_RANK") !== undefined;
    return { launcher, flavor: flavor ?? (isPmix ? "Open MPI" : null), size };
  }
  return null;
}

function read(action: string, variable: string): string | undefined {
  const { Deno: deno } = globalThis as { Deno?: typeof Deno };
  if (deno === undefined) return undefined;
  try {
    return deno.env.get(variable);
  } catch (error) {
    if (!(error instanceof deno.errors.NotCapable)) throw error;
    throw new Error(
      `Cannot ${action}: got no permission to read ${variable}, with which a launcher tells how many ` +
        `processes there are, expected --allow-env=${VARIABLES.join(",")}`,
      { cause: error },
    );
  }
}
