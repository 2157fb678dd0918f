/**
 * Which code OpenBLAS runs in PyTorch. Old versions take new processors for a Prescott and multiply at a
 * quarter of their speed, silently: so each kind of core is tried with one product, and the fastest is forced.
 *
 * @module
 */

/** The kinds of core that OpenBLAS may be told to be on, the newest first; `null` leaves the choice to it. */
export const CORES: readonly (string | null)[] = [
  "SAPPHIRERAPIDS",
  "SKYLAKEX",
  "ZEN",
  "HASWELL",
  null,
];

/** The fastest kind of core, and how fast a product is with it. */
export interface BlasCore {
  /** To be set as `OPENBLAS_CORETYPE`; `null` where OpenBLAS's own choice is as fast. */
  readonly core: string | null;
  /** GFLOP/s of a product of 512 × 512 matrices on one thread, by what was tried. */
  readonly gflops: ReadonlyMap<string, number>;
  /** Those of the fastest. */
  readonly best: number;
}

/** The settings that force a core. */
export function coreSettings(core: string | null): Record<string, string> {
  return core === null ? {} : { OPENBLAS_CORETYPE: core };
}

/** Reads a rate that the peer prints for `--product`; `null` where it does not run. */
export async function productRate(
  python: string,
  peer: string,
  env: Readonly<Record<string, string>>,
): Promise<number | null> {
  try {
    const { success, stdout } = await new Deno.Command(python, {
      args: [peer, "--product"],
      env: { ...env, OMP_NUM_THREADS: "1" },
      stdin: "null",
      stderr: "null",
    }).output();
    const rate = Number(new TextDecoder().decode(stdout).trim());
    // A core that the processor is not ends the process.
    return success && rate > 0 ? rate : null;
  } catch {
    return null;
  }
}

/**
 * The fastest of the cores, `null` where none gives a rate. OpenBLAS's own choice is kept unless another is a
 * tenth faster.
 */
export async function fastestCore(
  rate: (env: Readonly<Record<string, string>>) => Promise<number | null>,
): Promise<BlasCore | null> {
  const gflops = new Map<string, number>();
  for (const core of CORES) {
    const found = await rate(coreSettings(core));
    if (found !== null) gflops.set(core ?? "its own choice", found);
  }
  if (gflops.size === 0) return null;
  const own = gflops.get("its own choice") ?? 0;
  const [name, best] = [...gflops].reduce((a, b) => b[1] > a[1] ? b : a);
  return best > 1.1 * own ? { core: name, gflops, best } : { core: null, gflops, best: own };
}

/**
 * Whether a rate is one to compare with: a BLAS that uses the machine is not slower than 128-bit vectors
 * can be.
 */
export function isTrusted(rate: number, limit: number | null): boolean {
  return limit === null || rate >= 0.8 * limit;
}
