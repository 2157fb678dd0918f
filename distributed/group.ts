/**
 * The group of all processes: `init()` joins it.
 */
import { assertOptions, describe, show } from "../autograd/internal.ts";
import { setProcessGroup } from "../nn/norm/process_group.ts";
import { Mpi, type Reduction } from "./mpi/binding.ts";
import { watchEnd } from "./mpi/ending.ts";
import { type Launch, readLaunch } from "./mpi/launcher.ts";
import { openLibrary } from "./mpi/library.ts";
import { type Collective, COLLECTIVES, Watchdog } from "./mpi/watch.ts";
import { seamOf } from "./seam.ts";

/** How {@linkcode init} joins. */
export interface InitOptions {
  /** The path of a library of MPI; where left out, that of the launcher's MPI is looked for. */
  readonly library?: string | null;
  /**
   * How many milliseconds a collective waits for the others before the watchdog ends the job; ten minutes
   * where left out, `Infinity` for no watchdog.
   */
  readonly timeout?: number;
  /** Whether collectives compare the shapes of all ranks first, at the cost of one message more. */
  readonly debug?: boolean;
}

const DEFAULT_TIMEOUT = 600_000;

/** All processes of a job, as {@linkcode init} gives it. */
export class Group implements Disposable {
  /** The number of this process, from 0 on. */
  readonly rank: number;
  /** How many processes there are. */
  readonly size: number;
  /** The library in use; `null` in a group of one, which needs none. */
  readonly library: string | null;
  /** The implementation of MPI in use; `null` in a group of one. */
  readonly implementation: string | null;
  readonly #mpi: Mpi | null;
  readonly #watchdog: Watchdog | null;
  readonly #debug: boolean;
  #closed = false;

  /** @internal Users call {@linkcode init}. */
  constructor(mpi: Mpi | null, timeout: number, debug: boolean) {
    this.rank = mpi?.rank ?? 0;
    this.size = mpi?.size ?? 1;
    this.library = mpi?.library.path ?? null;
    this.implementation = mpi?.library.flavor.name ?? null;
    this.#mpi = mpi;
    this.#debug = debug;
    this.#watchdog = mpi === null || timeout === Infinity ? null : new Watchdog(mpi, timeout);
  }

  /**
   * Says that this process has done its part. The group takes part in no more collectives, and the
   * process may exit; it leaves the job at its end, together with the others. `using group = init()` calls
   * it at the end of the block.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (current === this) setProcessGroup(null);
    if (this.#mpi === null && current === this) current = null;
  }

  /** As {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** @internal Reduces in place. */
  reduce(name: string, values: Float64Array, operation: Reduction): void {
    const mpi = this.#enter(name, "allReduce", [OPERATIONS.indexOf(operation), values.length]);
    if (values.length > 0) mpi?.allReduce(values, operation);
  }

  /** @internal The values of all, `counts[r]` of rank r. */
  gather(name: string, values: Float64Array, counts: Int32Array, into: Float64Array): void {
    const mpi = this.#enter(name, "allGather", [...counts]);
    if (mpi === null) into.set(values);
    else mpi.allGather(values, counts, into);
  }

  /** @internal Reduces and gives rank r the part r, of `counts[r]` values. */
  scatter(
    name: string,
    values: Float64Array,
    counts: Int32Array,
    into: Float64Array,
    operation: Reduction,
  ): void {
    const mpi = this.#enter(name, "reduceScatter", [OPERATIONS.indexOf(operation), ...counts]);
    if (mpi === null) into.set(values);
    else mpi.reduceScatter(values, counts, into, operation);
  }

  /** @internal Gives all the values of rank `source`, in place. */
  spread(name: string, values: Float64Array, source: number): void {
    const mpi = this.#enter(name, "broadcast_", [source, values.length]);
    if (values.length > 0) mpi?.broadcast(values, source);
  }

  /** @internal Waits for all. */
  wait(name: string): void {
    const mpi = this.#enter(name, "barrier", []);
    if (this.#watchdog === null) mpi?.barrier();
  }

  /** @internal Leaves the job together with all others, at the end of the process. */
  leave(): void {
    this.#watchdog?.meet("the end of the program");
    this.#mpi?.finalize();
  }

  /** Comes to a collective, with what all have to agree on; `null` in a group of one. */
  #enter(name: string, collective: Collective, agreed: readonly number[]): Mpi | null {
    if (this.#closed) {
      throw new Error(`Cannot run ${name}: the group was closed, expected it to be open`);
    }
    const mpi = this.#mpi;
    if (mpi === null) return null;
    this.#watchdog?.meet(collective);
    if (this.#debug) compare(mpi, name, collective, agreed);
    return mpi;
  }
}

const OPERATIONS: readonly Reduction[] = ["sum", "min", "max"];

/** So many numbers of what collectives agree on are compared one by one. */
const COMPARED = 6;

/** Throws on every rank if they do not agree on a collective. */
function compare(
  mpi: Mpi,
  name: string,
  collective: Collective,
  agreed: readonly number[],
): void {
  const own = new Float64Array(COMPARED + 2);
  own[0] = COLLECTIVES.indexOf(collective);
  own[1] = agreed.reduce((hash, value) => (hash * 31 + value + 1) % 2 ** 40, 0);
  own.set(agreed.slice(0, COMPARED), 2);
  const all = new Float64Array(own.length * mpi.size);
  mpi.allGather(own, new Int32Array(mpi.size).fill(own.length), all);
  const parts = Array.from(
    { length: mpi.size },
    (_, rank) => all.subarray(rank * own.length, (rank + 1) * own.length),
  );
  if (parts.every((part) => part.every((value, i) => value === parts[0][i]))) return;
  const shown = parts.map((part, rank) => {
    const kind = COLLECTIVES[part[0]];
    const values = [...part.subarray(2, 2 + Math.min(agreed.length, COMPARED))];
    // The first number of a reduction is its operation.
    const isReduction = kind === "allReduce" || kind === "reduceScatter";
    const operation = isReduction ? ` of the ${OPERATIONS[values[0]]}` : "";
    const counts = isReduction || kind === "broadcast_" ? values.slice(1) : values;
    return `rank ${rank} ${kind}${operation} with ${counts.join(", ")} values`;
  });
  throw new RangeError(
    `Cannot run ${name}: got ${shown.join("; ")}, expected the same on all ranks`,
  );
}

let current: Group | null = null;

/**
 * Joins the group of all processes that a launcher started: `mpirun -np 4 deno run …`, or Slurm's `srun`. A
 * process that was started alone is a group of one, for which no MPI is needed; so one program serves both.
 *
 * From here on an uncaught error, a rejected promise or an exit on one rank ends the whole job with a code
 * that is not 0. At the end of the program all ranks leave together. A second call gives the same group.
 *
 * Needs `--allow-ffi`, and `--allow-env` for the variables of the launcher.
 *
 * @param options `library`: the path of a library of MPI. `timeout`: how many milliseconds a collective
 * waits for the others, ten minutes where left out. `debug`: compare shapes first.
 * @returns The group, with `rank` and `size`.
 * @throws {Error} if there is no library, no permission, or launcher and library are of different MPIs; the
 * message says what to install or to pass.
 *
 * @example
 * ```ts
 * import { allReduce, init } from "@tapegrad/tapegrad/distributed";
 * import { tensor } from "@tapegrad/tapegrad";
 * import { assertEquals } from "@std/assert";
 *
 * using group = init();
 * const ranks = allReduce(tensor([1, group.rank])); // summed over all processes
 * assertEquals(ranks.data[0], group.size);
 * ```
 */
export function init(options: InitOptions = {}): Group {
  const action = "init the group";
  assertOptions(action, options, ["library", "timeout", "debug"]);
  const library = options.library ?? null;
  const timeout = options.timeout ?? DEFAULT_TIMEOUT;
  const debug = options.debug ?? false;
  if (typeof timeout !== "number") {
    throw new TypeError(`Cannot ${action}: got timeout ${describe(timeout)}, expected a number`);
  }
  if (!(timeout > 0)) {
    throw new RangeError(
      `Cannot ${action}: got timeout ${timeout}, expected a positive number of milliseconds`,
    );
  }
  if (library !== null && typeof library !== "string") {
    throw new TypeError(`Cannot ${action}: got library ${describe(library)}, expected a path`);
  }
  if (typeof debug !== "boolean") {
    throw new TypeError(`Cannot ${action}: got debug ${show(debug)}, expected true or false`);
  }
  if (current !== null) {
    if (!current.closed) return current;
    throw new Error(
      `Cannot ${action}: it was closed, and MPI cannot be started twice in one process, expected one ` +
        `init() for the whole program`,
    );
  }
  const launch = readLaunch(action);
  const isAlone = library === null && (launch === null || launch.size === 1);
  const mpi = isAlone ? null : join(action, library, launch);
  const group = new Group(mpi, timeout, debug);
  current = group;
  if (mpi !== null) {
    watchEnd({
      rank: group.rank,
      isClosed: () => group.closed,
      leave: () => group.leave(),
      abort: (code) => mpi.abort(code),
    });
  }
  if (group.size > 1) setProcessGroup(seamOf(group));
  return group;
}

function join(action: string, path: string | null, launch: Launch | null): Mpi {
  const library = openLibrary(action, path, launch);
  const mpi = new Mpi(library);
  if (launch === null || mpi.size === launch.size) return mpi;
  throw new Error(
    `Cannot ${action}: ${launch.launcher} started ${launch.size} processes, and ${library.path} of ` +
      `${library.flavor.name} sees ${mpi.size}, expected launcher and library of one MPI: start the ` +
      `program with the launcher of ${library.flavor.name}, or pass the launcher's library as ` +
      `init({ library })`,
  );
}

/**
 * The group that {@linkcode init} made.
 *
 * @throws {Error} if there is none.
 */
export function groupFor(action: string): Group {
  if (current !== null) return current;
  throw new Error(`Cannot ${action}: there is no group of processes, expected init() before`);
}
