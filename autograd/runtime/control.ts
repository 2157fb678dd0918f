/**
 * Which kernels run, and on how many threads.
 *
 * @module
 */
import { type BlasInfo, blasPath, openBlas, setBlasThreads } from "./blas.ts";
import { type MemoryInfo, memoryInfo } from "./pool.ts";
import {
  type Build,
  type ConvAlgorithm,
  convAlgorithm,
  currentBuild,
  load,
  startTeam,
  supportedBuilds,
  teamReady,
  threadCount,
  useBuild,
  useConvAlgorithm,
} from "./instance.ts";

export type { BlasInfo, ConvAlgorithm };

/** How long workers may take to start, in milliseconds. */
const MOST_WAITING = 20_000;

/** What {@linkcode info} tells. */
export interface KernelsInfo {
  /**
   * Which kernels work on large tensors: WebAssembly with fused multiply-add (`"relaxed"`), WebAssembly
   * whose results are the same on every machine (`"simd"`), or plain TypeScript (`"plain"`).
   */
  readonly kernels: Build;
  /** Which of them this engine can run. */
  readonly supported: readonly Build[];
  /** How many threads work on a large call. */
  readonly threads: number;
  /** The BLAS library that matrix products and convolutions use, or `null`. */
  readonly blas: string | null;
  /** How convolutions of 3×3 taps are computed; see {@linkcode KernelsOptions}. */
  readonly conv: ConvAlgorithm;
  /** The memory behind large tensors. */
  readonly memory: MemoryInfo;
}

/**
 * Kept when the kernels that this engine can have are in force. Most engines have them at the first
 * large tensor; one that compiles in the background only works with the plain kernels until then.
 *
 * @example
 * ```ts
 * import { kernels } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * await kernels.ready;
 * assert(kernels.info().supported.includes(kernels.info().kernels));
 * ```
 */
export const ready: Promise<void> = {
  // Unpacking and compiling wait for the first who asks.
  then: (kept, refused) => load().then(kept, refused),
  catch: (refused) => load().catch(refused),
  finally: (settled) => load().finally(settled),
  [Symbol.toStringTag]: "Promise",
};

/**
 * Which kernels are active.
 *
 * @example
 * ```ts
 * import { kernels } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(kernels.info().threads, 1);
 * ```
 */
export function info(): KernelsInfo {
  return {
    kernels: currentBuild(),
    supported: supportedBuilds(),
    threads: threadCount(),
    blas: blasPath(),
    conv: convAlgorithm,
    memory: memoryInfo(),
  };
}

/** What {@linkcode configure} takes. */
export interface KernelsOptions {
  /**
   * Whether results have to be the same on every machine, digit for digit: multiply-add is not fused
   * then. They are the same from run to run in any case.
   */
  readonly deterministic?: boolean;
  /** Whether to run plain TypeScript only. */
  readonly plain?: boolean;
  /**
   * How convolutions of 3×3 taps and stride 1 are computed. `"auto"`, the default: with a quarter of the
   * multiplications where that is faster (Winograd's F(4×4, 3×3)), every output within
   * 1.5e-13 · Σ|w| · max|x| of its own window. `"direct"`: always as sums of products, within
   * 1e-15 · Σ|w·x|; `deterministic` means this too.
   */
  readonly conv?: "auto" | "direct";
}

/**
 * Chooses the kernels for everything that follows: the fastest that the engine runs, unless told
 * otherwise.
 *
 * @param options See {@linkcode KernelsOptions}.
 * @throws {TypeError} for an option that is not known, or an unknown value of `conv`.
 *
 * @example
 * ```ts
 * import { kernels } from "@tapegrad/tapegrad";
 * import { assert } from "@std/assert";
 *
 * kernels.configure({ deterministic: true });
 * assert(kernels.info().kernels !== "relaxed");
 * kernels.configure({});
 * ```
 */
export function configure(options: KernelsOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot configure the kernels: got ${quoted(options)}, expected options such as ` +
        `{ deterministic: true }`,
    );
  }
  const { deterministic = false, plain = false, conv = "auto", ...others } = options;
  for (const [name, value] of Object.entries(others)) {
    if (value === undefined || value === null) continue;
    throw new TypeError(
      `Cannot configure the kernels: got an option ${name}, expected one of deterministic, plain, conv`,
    );
  }
  if (conv !== "auto" && conv !== "direct") {
    throw new TypeError(
      `Cannot configure the kernels: got conv ${quoted(conv)}, expected "auto" or "direct"`,
    );
  }
  const allowed = supportedBuilds().filter((build) =>
    plain ? build === "plain" : !(deterministic && build === "relaxed")
  );
  useBuild(allowed[0]);
  useConvAlgorithm(deterministic || plain ? "direct" : conv);
}

/** This room knows nothing of the checks above it. */
function quoted(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : value === null ? "null" : typeof value;
}

/**
 * Sets how many threads work on a large call, this one included. Results are the same for every number.
 * None is started before this is called; small calls always stay on one.
 *
 * @param count From 1 on; more than the machine has processors is of no use.
 * @returns A promise that is kept when the threads are there; calls before that run on one. Where memory
 * has no room for so many there are fewer: `info().threads` tells.
 * @throws {RangeError} if `count` is not an integer from 1 to 64.
 * @throws {Error} if there are no vectorised kernels or no workers to share the work with, or if a page is
 * not cross-origin isolated.
 *
 * @example
 * ```ts
 * import { kernels } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * await kernels.setThreads(2);
 * assertEquals(kernels.info().threads, 2);
 * await kernels.setThreads(1);
 * ```
 */
export async function setThreads(count: number): Promise<void> {
  if (!Number.isInteger(count) || count < 1 || count > 64) {
    throw new RangeError(
      `Cannot set threads: got ${
        typeof count === "number" ? count : quoted(count)
      }, expected an integer from 1 to 64`,
    );
  }
  // Only pages and their workers say so; they may share memory only where this is true.
  const { crossOriginIsolated } = globalThis as { readonly crossOriginIsolated?: boolean };
  if (count > 1 && crossOriginIsolated === false) {
    throw new Error(
      `Cannot set threads: got a page that is not cross-origin isolated, expected one that is served with ` +
        `the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: ` +
        `require-corp`,
    );
  }
  await load();
  let started: boolean;
  try {
    started = startTeam(count);
  } catch (cause) {
    startTeam(1);
    throw new Error(`Cannot set threads: got no worker, expected ${count - 1}`, { cause });
  }
  if (!started) {
    throw new Error(
      `Cannot set threads: got the ${currentBuild()} kernels and ${memoryInfo().freeBytes} free bytes, ` +
        `expected WebAssembly with shared memory, and 8 MiB of it for each thread`,
    );
  }
  setBlasThreads(count);
  const patience = Date.now() + MOST_WAITING;
  while (!teamReady()) {
    if (Date.now() > patience) {
      startTeam(1);
      setBlasThreads(1);
      throw new Error(
        `Cannot set threads: got workers that did not start within ${
          MOST_WAITING / 1000
        } s, expected ` +
          count,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/**
 * Lets matrix products and large convolutions be computed by OpenBLAS or another library with a C
 * interface, by Deno's foreign functions (`--allow-ffi`), on as many threads as {@linkcode setThreads}
 * says. Convolutions of 3×3 taps stay with the package's own kernels, which need a quarter of the
 * multiplications, below 16,384 products of channels.
 *
 * Before it is used the library races the package's own kernels. OpenBLAS takes a processor that it does
 * not know for one of 2004: it is then told another, by the environment variable `OPENBLAS_CORETYPE`,
 * where that is not set and where `--allow-env` and `--allow-read=/proc/cpuinfo` permit it.
 *
 * @param path The library's file; where left out, OpenBLAS is looked for where systems keep it. `null`
 * returns to the package's own kernels.
 * @returns What was found, and how fast it is; `null` for `null`.
 * @throws {Error} if there is no such library, if it is slower than the package's own kernels, or if the
 * runtime has no foreign functions.
 *
 * @example
 * ```ts
 * import { kernels } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(kernels.useBlas(null), null);
 * assertEquals(kernels.info().blas, null);
 * ```
 */
export function useBlas(path?: string | null): BlasInfo | null {
  return openBlas(path, threadCount());
}
