/**
 * Matrix products by a BLAS library of the system, on request: `cblas_dgemm`, called through Deno's
 * foreign functions on the arrays where they lie.
 *
 * @module
 */
import type { MatmulSizes } from "../kernels/matmul/matmul_plain.ts";
import { copyIn, kernelsWithCopies, scratch, smallest } from "./instance.ts";

/** Where the library is looked for if no path is given. */
const NAMES: readonly string[] = [
  "libopenblas.so.0",
  "libopenblas.so",
  "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
  "/usr/local/opt/openblas/lib/libopenblas.dylib",
  "libopenblas.dylib",
  "libopenblas.dll",
];

const ROW_MAJOR = 101;
const AS_IT_IS = 111;
const TRANSPOSED = 112;

/** Below this many multiplications the plain loop is over before a call has begun. */
const FEWEST = 512;

/** Of several products of fewer multiplications each the own kernels do all before a call to each is over. */
const FEWEST_OF_SEVERAL = 48 ** 3;
const SEVERAL = 4;
/** What the plain loops do as fast. */
const FEWEST_OF_KERNELS = 4096;

/** Rows, columns and depth of the product that tells how fast a library is. */
const TRIAL = 256;
/** Enough for the engine to have compiled the own kernels well, and for a pause of the machine to pass. */
const ROUNDS = 16;

/**
 * OpenBLAS's names of processors that it may be told to work for, the fastest first, and what the
 * processor must have. A version from before a processor takes it for one of 2004, silently, and is
 * slower than the package's own kernels.
 */
const CORES: readonly (readonly [name: string, features: readonly string[]])[] = [
  ["SKYLAKEX", ["avx512f", "avx512dq", "avx512bw", "avx512vl"]],
  ["HASWELL", ["avx2", "fma"]],
];
const CORE_VARIABLE = "OPENBLAS_CORETYPE";

/** What {@linkcode useBlas} found. */
export interface BlasInfo {
  /** The library's file. */
  readonly path: string;
  /** The processor that it takes this one for, by OpenBLAS's names; `null` where it does not say. */
  readonly core: string | null;
  /** Its speed in a product of 256 × 256 matrices on one thread: multiplications and additions, 10⁹ a second. */
  readonly gflops: number;
  /** The same of the package's own kernels; 0 where there are only plain ones. */
  readonly ownGflops: number;
}

/** The part of Deno that is used; other runtimes lack it. */
interface ForeignFunctions {
  dlopen(path: string, symbols: Record<string, unknown>): {
    symbols: Record<string, (...args: unknown[]) => unknown>;
    close(): void;
  };
  readonly UnsafePointer: { of(view: ArrayBufferView): unknown };
  readonly UnsafePointerView: { getCString(pointer: unknown): string };
  readonly env: {
    get(name: string): string | undefined;
    set(name: string, value: string): void;
    delete(name: string): void;
  };
  readonly permissions: {
    querySync(of: { name: "env"; variable: string } | { name: "read"; path: string }): {
      readonly state: string;
    };
  };
  readTextFileSync(path: string): string;
}

interface Library {
  readonly path: string;
  /** The processor that it works for. */
  readonly core: string | null;
  multiply(a: Float64Array, b: Float64Array, out: Float64Array, sizes: MatmulSizes): void;
  setThreads(count: number): void;
  close(): void;
}

let library: Library | null = null;

/**
 * Opens the library and uses it from now on; `null` gives the products back to the own kernels. Of
 * OpenBLAS that does not know the processor, another kind of processor is tried.
 */
export function openBlas(path: string | null | undefined, threads: number): BlasInfo | null {
  library?.close();
  library = null;
  if (path === null) return null;
  const { Deno: deno } = globalThis as unknown as { Deno?: ForeignFunctions };
  if (typeof deno?.dlopen !== "function") {
    throw new Error(
      "Cannot use BLAS: got a runtime without foreign functions, expected Deno with --allow-ffi",
    );
  }
  const faults: string[] = [];
  for (const name of path === undefined ? NAMES : [path]) {
    let opened: Library;
    try {
      opened = load(deno, name);
    } catch (error) {
      faults.push(`${name} (${(error as Error).message.split("\n")[0]})`);
      continue;
    }
    const cores = coresFor(deno, opened);
    const found = settle(opened, race, cores, (core) => {
      if (core !== null) deno.env.set(CORE_VARIABLE, core);
      else if (cores.length > 0) deno.env.delete(CORE_VARIABLE);
      return core === null ? null : load(deno, name);
    });
    library = found.library;
    library.setThreads(threads);
    return found.info;
  }
  throw new Error(
    `Cannot use BLAS: got no library from ${
      faults.join(", ")
    }, expected one with cblas_dgemm, like ` +
      `OpenBLAS`,
  );
}

/** What is measured of a library. */
export type Speeds = Pick<BlasInfo, "gflops" | "ownGflops">;

/**
 * A library that beats the own kernels: as it is, or opened again for another kind of processor.
 *
 * @param cores The kinds of processor to try if it is slower, in this order.
 * @param reopen Opens it again for one of them; `null` leaves everything as it was.
 * @throws {Error} if it is slower for all of them; it is closed then.
 */
export function settle<Opened extends { path: string; core: string | null; close(): void }>(
  first: Opened,
  race: (library: Opened) => Speeds,
  cores: readonly string[],
  reopen: (core: string | null) => Opened | null,
): { library: Opened; info: BlasInfo } {
  let library = first;
  const tried: string[] = [];
  for (const next of [...cores, null]) {
    const { path, core } = library;
    const speeds = race(library);
    if (speeds.gflops >= speeds.ownGflops) return { library, info: { path, core, ...speeds } };
    tried.push(`${speeds.gflops.toFixed(1)} GFLOP/s` + (core === null ? "" : ` for ${core}`));
    library.close();
    const opened = reopen(next);
    if (opened === null) {
      throw new Error(
        `Cannot use BLAS: got ${path} with ${tried.join(", ")}, expected more than the ` +
          `${speeds.ownGflops.toFixed(1)} GFLOP/s of the package's own kernels` +
          (core === null ? "" : `; set ${CORE_VARIABLE} to your processor's kind before the start`),
      );
    }
    library = opened;
  }
  throw new Error(`Cannot use BLAS: got ${library.path} again, expected no library`);
}

/** What OpenBLAS may be told to work for here: nothing that the processor lacks, or that was chosen. */
function coresFor({ env, permissions, readTextFileSync }: ForeignFunctions, { core }: Library) {
  const [name, path] = ["env", "/proc/cpuinfo"] as const;
  const allowed = core !== null &&
    permissions.querySync({ name, variable: CORE_VARIABLE }).state === "granted" &&
    permissions.querySync({ name: "read", path }).state === "granted";
  if (!allowed || env.get(CORE_VARIABLE) !== undefined) return [];
  try {
    const features = new Set(/^flags\s*:(.*)$/m.exec(readTextFileSync(path))?.[1].split(" "));
    return CORES.filter(([, needed]) => needed.every((feature) => features.has(feature)))
      .map(([name]) => name);
  } catch {
    // Not Linux: there is no such file.
    return [];
  }
}

/** How fast a library multiplies, and the own kernels, in turns on one thread. */
function race(library: Library): Speeds {
  const size = TRIAL * TRIAL;
  const [a, b, c] = [1, 1, 0].map((value) => new Float64Array(size).fill(value));
  const sizes = { batch: 1, m: TRIAL, n: TRIAL, k: TRIAL, transA: false, transB: false };
  const kernels = kernelsWithCopies();
  const own = kernels?.gemmScratchBytes(TRIAL, TRIAL, TRIAL) ?? 0;
  const row = 8 * TRIAL;
  const at = kernels === null ? 0 : scratch(own + 24 * size);
  const [x, y, z] = [0, 1, 2].map((i) => at + own + 8 * i * size);
  if (kernels !== null) { for (const address of [x, y]) copyIn(a, address); }
  const places = [x, row, 8, 0, y, row, 8, 0, z, row, 0];
  const gemm = () => kernels!.gemmBatched(...places, TRIAL, TRIAL, TRIAL, 1, 0, at);
  library.setThreads(1);
  let [best, bestOwn] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    best = Math.min(best, timed(() => library.multiply(a, b, c, sizes)));
    if (kernels !== null) bestOwn = Math.min(bestOwn, timed(gemm));
  }
  const operations = 2 * size * TRIAL / 1e6;
  return { gflops: operations / best, ownGflops: operations / bestOwn };
}

function timed(run: () => void): number {
  const start = performance.now();
  run();
  // A clock that browsers and workers make coarse may stand still.
  return Math.max(performance.now() - start, 1e-3);
}

function load(deno: ForeignFunctions, path: string): Library {
  const opened = deno.dlopen(path, {
    cblas_dgemm: {
      parameters: [
        ...new Array<string>(6).fill("i32"),
        "f64",
        "pointer",
        "i32",
        "pointer",
        "i32",
        "f64",
        "pointer",
        "i32",
      ],
      result: "void",
    },
    openblas_get_corename: { parameters: [], result: "pointer", optional: true },
    openblas_set_num_threads: { parameters: ["i32"], result: "void", optional: true },
  });
  const { symbols } = opened;
  const gemm = symbols.cblas_dgemm;
  const address = (values: Float64Array, from: number): unknown =>
    deno.UnsafePointer.of(from === 0 ? values : values.subarray(from));
  const core = symbols.openblas_get_corename?.() ?? null;
  return {
    path,
    core: core === null ? null : deno.UnsafePointerView.getCString(core),
    close: () => opened.close(),
    setThreads: (count) => void symbols.openblas_set_num_threads?.(count),
    multiply(a, b, out, { batch, m, n, k, transA, transB }) {
      for (let i = 0; i < batch; i++) {
        gemm(
          ROW_MAJOR,
          transA ? TRANSPOSED : AS_IT_IS,
          transB ? TRANSPOSED : AS_IT_IS,
          m,
          n,
          k,
          1,
          address(a, i * m * k),
          transA ? m : k,
          address(b, i * k * n),
          transB ? k : n,
          0,
          address(out, i * m * n),
          n,
        );
      }
    },
  };
}

/** The path of the library in use, or `null`. */
export function blasPath(): string | null {
  return library === null ? null : library.path;
}

/** Tells the library how many threads to use. */
export function setBlasThreads(count: number): void {
  library?.setThreads(count);
}

/** A product by the library; false where there is none or it is not worth a call. */
export function multiplyByBlas(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  sizes: MatmulSizes,
): boolean {
  if (library === null) return false;
  const work = sizes.m * sizes.n * sizes.k;
  if (work === 0 || work < FEWEST && smallest > 0) return false;
  const small = sizes.batch >= SEVERAL && work < FEWEST_OF_SEVERAL;
  if (small && (work < FEWEST_OF_KERNELS || kernelsWithCopies() !== null)) return false;
  library.multiply(a, b, out, sizes);
  return true;
}
