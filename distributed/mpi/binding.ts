/**
 * The calls of MPI on arrays of float64. Buffers are passed where they lie, without a copy.
 */
import type { Library } from "./library.ts";

/** What a reduction computes. */
export type Reduction = "sum" | "min" | "max";

const OPERATIONS = { sum: "MPI_SUM", min: "MPI_MIN", max: "MPI_MAX" } as const;

const THREAD_SINGLE = 0;
const LONGEST_ERROR = 1024;
/** So long a process that ends its job waits for the launcher to read its last words. */
const MS_TO_BE_READ = 50;

/** A place where processes meet: a communicator of all of them that serves one purpose. */
export type Meeting = unknown;

/** MPI, initialised. */
export class Mpi {
  /** The number of this process, from 0 on. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** The library. */
  readonly library: Library;
  readonly #world: unknown;
  readonly #double: unknown;
  readonly #inPlace: number;
  readonly #noStatus: number;
  readonly #request = new BigUint64Array(1);
  readonly #flag = new Int32Array(1);
  /** Messages on their way, which must stay where they are. */
  readonly #sent: Float64Array[] = [];

  /** Initialises it, for a thread that alone makes calls. */
  constructor(library: Library) {
    this.library = library;
    const { calls, handles, flavor } = library;
    this.#world = handles.MPI_COMM_WORLD;
    this.#double = handles.MPI_DOUBLE;
    this.#inPlace = flavor.inPlace;
    this.#noStatus = flavor.statusIgnore;
    const number = new Int32Array(1);
    this.#check("init", calls.MPI_Init_thread(0, 0, THREAD_SINGLE, number));
    // Errors come back as codes; by default they end the process without a word of ours.
    this.#check("init", calls.MPI_Comm_set_errhandler(this.#world, handles.MPI_ERRORS_RETURN));
    this.#check("init", calls.MPI_Comm_rank(this.#world, number));
    this.rank = number[0];
    this.#check("init", calls.MPI_Comm_size(this.#world, number));
    this.size = number[0];
  }

  /** Every element reduced over all processes, in place. */
  allReduce(values: Float64Array, operation: Reduction): void {
    const { calls, handles } = this.library;
    const op = handles[OPERATIONS[operation]];
    const { length } = values;
    this.#check(
      "allReduce",
      calls.MPI_Allreduce(this.#inPlace, values, length, this.#double, op, this.#world),
    );
  }

  /** The values of all processes one after the other, `counts[r]` of process r. */
  allGather(values: Float64Array, counts: Int32Array, into: Float64Array): void {
    const starts = new Int32Array(counts.length);
    for (let r = 1; r < counts.length; r++) starts[r] = starts[r - 1] + counts[r - 1];
    const { MPI_Allgatherv: call } = this.library.calls;
    const double = this.#double;
    this.#check(
      "allGather",
      call(values, values.length, double, into, counts, starts, double, this.#world),
    );
  }

  /** Reduces, and gives process r the part r, of `counts[r]` values. */
  reduceScatter(
    values: Float64Array,
    counts: Int32Array,
    into: Float64Array,
    operation: Reduction,
  ): void {
    const { calls, handles } = this.library;
    const op = handles[OPERATIONS[operation]];
    this.#check(
      "reduceScatter",
      calls.MPI_Reduce_scatter(values, into, counts, this.#double, op, this.#world),
    );
  }

  /** Gives all the values of process `source`, in place. */
  broadcast(values: Float64Array, source: number): void {
    const { MPI_Bcast: call } = this.library.calls;
    this.#check("broadcast_", call(values, values.length, this.#double, source, this.#world));
  }

  /** Waits for all. */
  barrier(): void {
    this.#check("barrier", this.library.calls.MPI_Barrier(this.#world));
  }

  /** A new place where processes meet; all have to make it. */
  meeting(): Meeting {
    const { calls, flavor } = this.library;
    const made = new BigUint64Array(1);
    this.#check("init", calls.MPI_Comm_dup(this.#world, made));
    return flavor.handle === "i32" ? new Int32Array(made.buffer)[0] : made[0];
  }

  /** Says that this process has come to a place; {@linkcode haveAllCome} tells of the others. */
  arrive(at: Meeting): void {
    this.#check("meet", this.library.calls.MPI_Ibarrier(at, this.#request));
  }

  /** Whether all have come to where this process has last. */
  haveAllCome(): boolean {
    this.#check("meet", this.library.calls.MPI_Test(this.#request, this.#flag, this.#noStatus));
    return this.#flag[0] !== 0;
  }

  /** Sends a few values to another process without waiting for it. */
  send(values: Float64Array, to: number, tag: number): void {
    this.#sent.push(values);
    // A small array whose buffer nobody asked for may move.
    void values.buffer;
    const request = new BigUint64Array(1);
    const { MPI_Isend: call } = this.library.calls;
    this.#check("send", call(values, values.length, this.#double, to, tag, this.#world, request));
  }

  /** Takes a message from another process if one has come. */
  receive(into: Float64Array, from: number, tag: number): boolean {
    const { calls } = this.library;
    this.#check("probe", calls.MPI_Iprobe(from, tag, this.#world, this.#flag, this.#noStatus));
    if (this.#flag[0] === 0) return false;
    const { length } = into;
    this.#check(
      "receive",
      calls.MPI_Recv(into, length, this.#double, from, tag, this.#world, this.#noStatus),
    );
    return true;
  }

  /** Ends all processes of the job; does not return. */
  abort(code: number): void {
    // Launchers may drop what they have not read by then, and with it the words that say why.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, MS_TO_BE_READ);
    this.library.calls.MPI_Abort(this.#world, code);
  }

  /** Ends MPI for this process. */
  finalize(): void {
    this.#check("finalize", this.library.calls.MPI_Finalize());
  }

  #check(name: string, code: number): void {
    if (code === 0) return;
    const text = new Uint8Array(LONGEST_ERROR);
    const length = new Int32Array(1);
    this.library.calls.MPI_Error_string(code, text, length);
    const words = new TextDecoder().decode(text.subarray(0, length[0])) || `code ${code}`;
    throw new Error(
      `Cannot run ${name}: got ${words} from ${this.library.flavor.name}, expected success; ranks that ` +
        `pass different shapes do that, and init({ debug: true }) names them`,
    );
  }
}
