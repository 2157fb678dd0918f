/**
 * Matrix products by a BLAS library of the system, on request: `cblas_dgemm`, called through Deno's
 * foreign functions on the arrays where they lie.
 *
 * @module
 */
import type { MatmulSizes } from "../kernels/matmul/matmul_plain.ts";
import { smallest } from "./instance.ts";

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

/** The part of Deno that is used; other runtimes lack it. */
interface ForeignFunctions {
  dlopen(path: string, symbols: Record<string, unknown>): {
    symbols: Record<string, (...args: unknown[]) => unknown>;
    close(): void;
  };
  readonly UnsafePointer: { of(view: ArrayBufferView): unknown };
}

interface Library {
  readonly path: string;
  multiply(a: Float64Array, b: Float64Array, out: Float64Array, sizes: MatmulSizes): void;
  setThreads(count: number): void;
  close(): void;
}

let library: Library | null = null;

/** Opens the library and uses it from now on; `null` gives the products back to the own kernels. */
export function openBlas(path: string | null | undefined, threads: number): void {
  library?.close();
  library = null;
  if (path === null) return;
  const { Deno: deno } = globalThis as unknown as { Deno?: ForeignFunctions };
  if (typeof deno?.dlopen !== "function") {
    throw new Error(
      "Cannot use BLAS: got a runtime without foreign functions, expected Deno with --allow-ffi",
    );
  }
  const faults: string[] = [];
  for (const name of path === undefined ? NAMES : [path]) {
    try {
      library = load(deno, name);
      library.setThreads(threads);
      return;
    } catch (error) {
      faults.push(`${name} (${(error as Error).message.split("\n")[0]})`);
    }
  }
  throw new Error(
    `Cannot use BLAS: got no library from ${
      faults.join(", ")
    }, expected one with cblas_dgemm, like ` +
      `OpenBLAS`,
  );
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
    openblas_set_num_threads: { parameters: ["i32"], result: "void", optional: true },
  });
  const { symbols } = opened;
  const gemm = symbols.cblas_dgemm;
  const address = (values: Float64Array, from: number): unknown =>
    deno.UnsafePointer.of(from === 0 ? values : values.subarray(from));
  return {
    path,
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
  library.multiply(a, b, out, sizes);
  return true;
}
