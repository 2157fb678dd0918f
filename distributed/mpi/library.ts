/**
 * Finds and opens a library of MPI, and tells of which implementation it is.
 */
import { type Flavor, FLAVORS, HANDLES } from "./flavors.ts";
import type { Launch } from "./launcher.ts";

type Call = (...args: readonly unknown[]) => number;

/** A library that is open. */
export interface Library {
  readonly path: string;
  readonly flavor: Flavor;
  /** The calls by their name in the standard. */
  readonly calls: Readonly<Record<string, Call>>;
  /** The handles by their name in the standard, as the calls take them. */
  readonly handles: Readonly<Record<string, unknown>>;
}

/**
 * Parameters of the calls; `handle` stands for what handles are in the implementation, and `own` for those
 * that it makes. Addresses that mean something by their number are passed as numbers: to make pointers of
 * them takes more than the permission to open one library.
 */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  MPI_Initialized: ["buffer"],
  MPI_Init_thread: ["isize", "isize", "i32", "buffer"],
  MPI_Finalize: [],
  MPI_Abort: ["handle", "i32"],
  MPI_Comm_rank: ["handle", "buffer"],
  MPI_Comm_size: ["handle", "buffer"],
  MPI_Comm_dup: ["handle", "buffer"],
  MPI_Comm_set_errhandler: ["handle", "handle"],
  MPI_Error_string: ["i32", "buffer", "buffer"],
  MPI_Barrier: ["handle"],
  MPI_Ibarrier: ["own", "buffer"],
  MPI_Test: ["buffer", "buffer", "isize"],
  MPI_Allreduce: ["isize", "buffer", "i32", "handle", "handle", "handle"],
  MPI_Bcast: ["buffer", "i32", "handle", "i32", "handle"],
  MPI_Allgatherv: ["buffer", "i32", "handle", "buffer", "buffer", "buffer", "handle", "handle"],
  MPI_Reduce_scatter: ["buffer", "buffer", "buffer", "handle", "handle", "handle"],
  MPI_Isend: ["buffer", "i32", "handle", "i32", "i32", "handle", "buffer"],
  MPI_Iprobe: ["i32", "i32", "handle", "buffer", "isize"],
  MPI_Recv: ["buffer", "i32", "handle", "i32", "i32", "handle", "isize"],
};

/**
 * Opens the library at a path, or the one that belongs to the launcher.
 *
 * @throws {Error} that says what to install or which permission to pass.
 */
export function openLibrary(action: string, given: string | null, launch: Launch | null): Library {
  if (typeof Deno?.dlopen !== "function") {
    throw new Error(
      `Cannot ${action}: got a runtime without foreign functions, expected Deno with --allow-ffi`,
    );
  }
  if (given !== null) return openGiven(action, given, launch);
  const wanted = FLAVORS.filter(({ name }) =>
    launch === null || launch.flavor === null || launch.flavor === name || name === "MPI ABI"
  );
  const refused: string[] = [];
  for (const { libraries } of wanted) {
    for (const path of libraries) {
      const opened = tryToOpen(path);
      if (typeof opened !== "string") return checked(action, opened, launch);
      if (opened === "permission") refused.push(path);
    }
  }
  const started = launch === null ? "" : `, for ${launch.size} processes of ${launch.launcher}`;
  if (refused.length > 0) {
    throw new Error(
      `Cannot ${action}: got no permission to open a library of MPI${started}, expected --allow-ffi, ` +
        `or --allow-ffi=PATH with the absolute path of the library (${
          refused.find((path) => path.startsWith("/")) ?? refused[0]
        } on many systems)`,
    );
  }
  throw new Error(
    `Cannot ${action}: got no library of MPI${started}, expected one of ` +
      `${wanted.flatMap(({ libraries }) => libraries[0]).join(", ")}; install ` +
      `${
        wanted.filter(({ name }) => name !== "MPI ABI").map((f) => f.packages).join(", or ")
      }, or ` +
      `pass its path as init({ library })`,
  );
}

function openGiven(action: string, path: string, launch: Launch | null): Library {
  const opened = tryToOpen(path);
  if (opened === "permission") {
    throw new Error(
      `Cannot ${action}: got no permission to open ${path}, expected --allow-ffi or ` +
        `--allow-ffi=${path} (an absolute path)`,
    );
  }
  if (typeof opened === "string") {
    throw new Error(`Cannot ${action}: got library ${path}, expected a library of MPI; ${opened}`);
  }
  return checked(action, opened, launch);
}

/** The library, or why not: "permission", or the loader's words. */
function tryToOpen(path: string): Library | string {
  try {
    return open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return "permission";
    return (error as Error).message.split("\n")[0];
  }
}

function open(path: string): Library {
  const marks = Object.fromEntries(
    FLAVORS.flatMap(({ mark }) => mark === null ? [] : [[mark, POINTER_SYMBOL] as const]),
  );
  const found = Deno.dlopen(path, marks).symbols as Record<string, unknown>;
  const flavor = FLAVORS.find(({ mark }) => mark === null || found[mark] !== null)!;
  const symbols: Record<string, Deno.ForeignFunction | Deno.ForeignStatic> = {};
  for (const [name, parameters] of Object.entries(CALLS)) {
    symbols[name] = {
      parameters: parameters.map((kind) => nativeType(kind, flavor)),
      result: "i32",
    };
  }
  for (const name of HANDLES) {
    const value = flavor.handles[name];
    if (typeof value === "string") symbols[value] = { type: "pointer" };
  }
  const opened = Deno.dlopen(path, symbols).symbols as Record<string, unknown>;
  const handles: Record<string, unknown> = {};
  for (const name of HANDLES) {
    const value = flavor.handles[name];
    handles[name] = typeof value === "string" ? opened[value] : value;
  }
  return { path, flavor, calls: opened as Record<string, Call>, handles };
}

const POINTER_SYMBOL = { type: "pointer", optional: true } as const;

function nativeType(kind: string, { handle }: Flavor): Deno.NativeType {
  if (kind === "handle") return handle;
  if (kind === "own") return handle === "i32" ? "i32" : "usize";
  return kind as Deno.NativeType;
}

function checked(action: string, library: Library, launch: Launch | null): Library {
  const { flavor, path } = library;
  const fits = launch === null || launch.flavor === null || flavor.name === launch.flavor ||
    flavor.name === "MPI ABI";
  if (fits) return library;
  throw new Error(
    `Cannot ${action}: got ${path} of ${flavor.name} in a job of ${launch.launcher}, which would be ` +
      `${launch.size} jobs of one process each, expected launcher and library of one MPI: start it with ` +
      `the launcher of ${flavor.name}, or pass a library of ${launch.flavor}`,
  );
}
